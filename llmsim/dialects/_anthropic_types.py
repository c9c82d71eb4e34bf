"""What a client may send to Anthropic's Messages API: the bodies of messages, of counting tokens, and of batches.

Source: the types of the SDK anthropic 2.14. Fields that only one version of the API has, or that belong to a beta, are
all here; `OF_BETAS` and `SAMPLING` say which they are.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects._anthropic_beta_types import Compaction, Container, ContextManagement, McpServer, TaskBudget
from llmsim.dialects._anthropic_blocks import CacheControl, Json, Message, Texts, exact
from llmsim.dialects._anthropic_tools import AnyTool, AnyToolChoice

SAMPLING = ("temperature", "top_p", "top_k")
"""What the newer version of the API has no more."""

# Field -> the betas that bring it; a name's date is left out where several releases of a beta do.
OF_BETAS: dict[str, tuple[str, ...]] = {
    "billing_policy": ("user-profiles-billing-",),
    "compaction": ("compact-2026-09-04",),
    "context_management": ("context-management-", "compact-2026-01-12"),
    "fallback_credit_token": ("fallback-credit-",),
    "fallbacks": ("server-side-fallback-",),
    "mcp_servers": ("mcp-client-",),
    "output_format": ("structured-outputs-",),
    "thread": ("message-threads-",),
}


@exact
class Metadata(TypedDict, total=False):
    """Who the user is, in a form that says nothing about them."""

    user_id: Annotated[str, Field(max_length=512)] | None


@exact
class ThinkingEnabled(TypedDict, total=False):
    """Thinks for at most so many tokens."""

    type: Required[Literal["enabled"]]
    budget_tokens: Required[Annotated[int, Field(ge=1024)]]
    block_binding: Json | None
    display: Literal["summarized", "omitted", "updates"] | None


@exact
class ThinkingAdaptive(TypedDict, total=False):
    """Thinks as the model sees fit."""

    type: Required[Literal["adaptive"]]
    block_binding: Json | None
    display: Literal["summarized", "omitted", "updates"] | None


@exact
class ThinkingDisabled(TypedDict):
    """Does not think."""

    type: Literal["disabled"]


@exact
class ThinkingBetweenTools(TypedDict):
    """Thinks no more than a word between tools."""

    type: Literal["between_tools"]


ThinkingConfig = Annotated[
    ThinkingEnabled | ThinkingDisabled | ThinkingAdaptive | ThinkingBetweenTools, Field(discriminator="type")
]


@exact
class JsonFormat(TypedDict):
    """Replies with JSON that follows a schema."""

    type: Literal["json_schema"]
    schema: Json


@exact
class OutputConfig(TypedDict, total=False):
    """How the model replies."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    format: JsonFormat | None
    task_budget: TaskBudget | None


@exact
class CreateThread(TypedDict):
    """Has the server keep the conversation under the reply's id."""

    type: Literal["create"]


@exact
class ContinueThread(TypedDict):
    """Goes on from a reply that the server has kept."""

    type: Literal["continue"]
    previous_message_id: str


@exact
class CountRequest(TypedDict, total=False):
    """What messages and counting tokens have in common: all that goes into a prompt."""

    model: Required[Annotated[str, Field(min_length=1, max_length=256)]]
    messages: Required[Annotated[list[Message], Field(fail_fast=True, max_length=100_000)]]
    cache_control: CacheControl | None
    compaction: Compaction | None
    context_management: ContextManagement | None
    mcp_servers: Annotated[list[McpServer], Field(max_length=20)] | None
    output_config: OutputConfig | None
    output_format: JsonFormat | None
    speed: Literal["standard", "fast"] | None
    system: Texts
    thinking: ThinkingConfig
    tool_choice: AnyToolChoice
    tools: Annotated[list[AnyTool], Field(fail_fast=True)]


@exact
class MessagesRequest(CountRequest, total=False):
    """The body of `POST /v1/messages`."""

    max_tokens: Required[Annotated[int, Field(ge=0)]]
    billing_policy: Json | None
    container: Annotated[str | Container | None, Field(union_mode="left_to_right")]
    diagnostics: Json | None
    fallback_credit_token: str | Json | None
    fallbacks: list[Json] | Literal["default"] | None
    inference_geo: str | None
    metadata: Metadata | None
    service_tier: Literal["auto", "standard_only"]
    stop_sequences: list[str] | None
    stream: bool
    temperature: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    thread: Annotated[CreateThread | ContinueThread, Field(discriminator="type")] | None
    top_k: int
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@exact
class BatchItem(TypedDict):
    """One request of a batch; what its parameters are is looked at when its turn comes."""

    custom_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    params: Json


@exact
class BatchRequest(TypedDict):
    """The body of `POST /v1/messages/batches`."""

    requests: Annotated[list[BatchItem], Field(fail_fast=True, min_length=1, max_length=100_000)]


@cache
def messages_request() -> TypeAdapter[Any]:
    """The type of the body of a message, made when the first one comes."""
    return TypeAdapter(MessagesRequest)


@cache
def tool_definition() -> TypeAdapter[Any]:
    """The type of a tool that stands by itself."""
    return TypeAdapter(AnyTool)


@cache
def count_request() -> TypeAdapter[Any]:
    """The type of the body of a count."""
    return TypeAdapter(CountRequest)


@cache
def batch_request() -> TypeAdapter[Any]:
    """The type of the body of a batch."""
    return TypeAdapter(BatchRequest)
