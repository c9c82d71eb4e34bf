"""What a client may send to OpenAI's Responses API, and the checks that are built of it.

Source: OpenAI's OpenAPI document, schemas CreateResponse, TokenCountsBody and CompactResponseMethodPublicBody, and the
newer fields of its Python SDK. A field's place in `CreateResponse` is its place in the order in which faults are told.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_responses_content import InputPart
from llmsim.dialects._openai_responses_hosted_types import Schema
from llmsim.dialects._openai_responses_item_types import Input
from llmsim.dialects._openai_responses_tool_types import ToolChoice, Tools
from llmsim.dialects._openai_types import Effort, Metadata, Moderation

ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]
Summary = Literal["concise", "detailed", "auto"]
Include = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", min_length=1, max_length=64)]


@exact
class Reasoning(TypedDict, total=False):
    """How the model thinks."""

    effort: Effort | None
    summary: Summary | None
    generate_summary: Summary | None
    mode: str | None
    context: Literal["auto", "current_turn", "all_turns"] | None


@exact
class TextFormat(TypedDict):
    """Replies with text."""

    type: Literal["text"]


@exact
class JsonObjectFormat(TypedDict):
    """Replies with some JSON object."""

    type: Literal["json_object"]


@exact
class JsonSchemaFormat(TypedDict, total=False):
    """Replies with JSON that follows a schema."""

    type: Required[Literal["json_schema"]]
    name: Required[Name]
    schema: Required[Schema]
    description: str | None
    strict: bool | None


@exact
class TextConfig(TypedDict, total=False):
    """The form of the text."""

    format: Annotated[JsonObjectFormat | TextFormat | JsonSchemaFormat, Field(discriminator="type")] | None
    verbosity: Literal["low", "medium", "high"] | None


Variable = Annotated[str | InputPart, Field(union_mode="left_to_right")]


@exact
class Prompt(TypedDict, total=False):
    """A prompt that OpenAI keeps, and what to put into it."""

    id: Required[str]
    version: str | None
    variables: dict[str, Variable] | None


@exact
class ConversationId(TypedDict):
    """A conversation by its id."""

    id: str


Conversation = Annotated[str | ConversationId, Field(union_mode="left_to_right")]


@exact
class ContextManagement(TypedDict, total=False):
    """What becomes of a long context."""

    type: Required[Literal["compaction"]]
    compact_threshold: Annotated[int, Field(ge=1000)] | None


@exact
class StreamOptions(TypedDict, total=False):
    """What a stream also carries."""

    include_obfuscation: bool | None


@exact
class CacheOptions(TypedDict, total=False):
    """How the prompt is cached."""

    mode: Literal["implicit", "explicit"] | None
    ttl: Literal["30m", "12h"] | None
    comparison_response_id: str | None
    prewarm: bool | None


@exact
class AccessPrograms(TypedDict, total=False):
    """Which access programs the request uses."""

    cyber: Literal["standard", "daybreak_blue", "daybreak_red"] | None


@exact
class BackgroundOptions(TypedDict, total=False):
    """When a background response is worked on."""

    completion_window: Literal["soonest", "2h", "8h"] | None
    continuation_id: str | None


@exact
class ImageOptions(TypedDict, total=False):
    """What becomes of images in the context."""

    context_compression: Literal["auto", "enabled", "disabled"] | None


class CreateResponse(TypedDict, total=False):
    """The body of `POST /v1/responses`; null stands for leaving a field out."""

    model: str | None
    input: Input | None
    instructions: str | None
    tools: Tools | None
    tool_choice: ToolChoice | None
    parallel_tool_calls: bool | None
    max_tool_calls: Annotated[int, Field(ge=1)] | None
    max_output_tokens: Annotated[int, Field(ge=16)] | None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None
    reasoning: Reasoning | None
    text: TextConfig | None
    include: Annotated[list[Include], Field(fail_fast=True)] | None
    previous_response_id: str | None
    conversation: Conversation | None
    prompt: Prompt | None
    truncation: Literal["auto", "disabled"] | None
    context_management: Annotated[list[ContextManagement], Field(fail_fast=True, min_length=1)] | None
    store: bool | None
    background: bool | None
    background_options: BackgroundOptions | None
    stream: bool | None
    stream_options: StreamOptions | None
    metadata: Metadata | None
    service_tier: ServiceTier | None
    user: str | None
    safety_identifier: Annotated[str, Field(max_length=128)] | None
    prompt_cache_key: Annotated[str, Field(max_length=64)] | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    prompt_cache_options: CacheOptions | None
    moderation: Moderation | None
    access_programs: AccessPrograms | None
    image: ImageOptions | None
    # What Open Responses knows beside it (openresponses.org, CreateResponseBody).
    presence_penalty: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)] | None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)] | None


@exact
class CreateRequest(CreateResponse, total=False):
    """A body that came by HTTP."""


@exact
class CreateFrame(CreateResponse, total=False):
    """A frame that came over a web socket."""

    type: Required[Literal["response.create"]]
    stream_id: str | None
    generate: bool | None


@exact
class CountRequest(TypedDict, total=False):
    """The body of `POST /v1/responses/input_tokens`."""

    model: str | None
    input: Input | None
    instructions: str | None
    tools: Tools | None
    tool_choice: ToolChoice | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    conversation: Conversation | None
    reasoning: Reasoning | None
    text: TextConfig | None
    truncation: Literal["auto", "disabled"] | None
    personality: str | None


@exact
class CompactRequest(TypedDict, total=False):
    """The body of `POST /v1/responses/compact`."""

    model: Required[str | None]
    input: Input | None
    instructions: str | None
    previous_response_id: str | None
    prompt_cache_key: Annotated[str, Field(max_length=64)] | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    prompt_cache_options: CacheOptions | None
    service_tier: ServiceTier | None
    image: ImageOptions | None


SHAPES: dict[str, Any] = {
    "create": CreateRequest,
    "frame": CreateFrame,
    "count": CountRequest,
    "compact": CompactRequest,
}
"""What a client sends, by what it is for."""
