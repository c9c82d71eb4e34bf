"""The shapes of OpenAI's chat API: what a client may send; what it gets back is in _openai_replies.

Requests are typed dicts, since checking them costs a fraction of building models (OpenAI's OpenAPI document, schema
CreateChatCompletionRequest). A field's place in `ChatRequest` is its place in the order in which the live API tells of
faults: required fields, then unknown ones, then the others as they stand here.
"""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import Message, ServiceTier, Texts, exact
from llmsim.dialects._openai_tools import AnyTool, LegacyFunction, Named, ResponseFormat, ToolChoiceOption

Penalty = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]
Bias = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


@exact
class ModerationConfig(TypedDict):
    """What moderation does with one side of the exchange."""

    mode: Literal["score", "block"]


@exact
class ModerationPolicy(TypedDict, total=False):
    """What moderation does with input and output."""

    input: ModerationConfig | None
    output: ModerationConfig | None


@exact
class Moderation(TypedDict, total=False):
    """Moderates the exchange with a model."""

    model: Required[str]
    policy: ModerationPolicy | None


@exact
class PromptCacheOptions(TypedDict, total=False):
    """How the prompt is cached."""

    mode: Literal["implicit", "explicit"] | None
    ttl: Literal["30m"] | None


@exact
class StreamOptions(TypedDict, total=False):
    """What a stream also carries."""

    include_usage: bool | None
    include_obfuscation: bool | None


@exact
class Prediction(TypedDict):
    """Text that the reply is expected to be."""

    type: Literal["content"]
    content: Texts


@exact
class Voice(TypedDict):
    """A voice of one's own."""

    id: str


@exact
class AudioOptions(TypedDict):
    """How spoken replies sound."""

    voice: Annotated[str | Voice, Field(union_mode="left_to_right")]
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]


@exact
class Approximate(TypedDict, total=False):
    """Roughly where the user is."""

    city: str | None
    country: str | None
    region: str | None
    timezone: str | None


@exact
class UserLocation(TypedDict):
    """Where the user is."""

    type: Literal["approximate"]
    approximate: Approximate


@exact
class WebSearchOptions(TypedDict, total=False):
    """How the model searches the web."""

    search_context_size: Literal["low", "medium", "high"] | None
    user_location: UserLocation | None


@exact
class ChatRequest(TypedDict, total=False):
    """The body of `POST /v1/chat/completions`; null stands for leaving a field out."""

    model: Required[str]
    messages: Required[Annotated[list[Message], Field(fail_fast=True, min_length=1)]]
    functions: Annotated[list[LegacyFunction], Field(min_length=1, max_length=128)] | None
    function_call: Annotated[Literal["none", "auto"] | Named, Field(union_mode="left_to_right")] | None
    tools: Annotated[list[AnyTool], Field(fail_fast=True, max_length=128)] | None
    tool_choice: ToolChoiceOption | None
    parallel_tool_calls: bool | None
    max_completion_tokens: Count | None
    n: Annotated[int, Field(ge=1, le=128)] | None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None
    presence_penalty: Penalty | None
    frequency_penalty: Penalty | None
    logprobs: bool | None
    # Its maximum is checked with its meaning, as the API words that in a way of its own.
    top_logprobs: Annotated[int, Field(ge=0)] | None
    user: str | None
    seed: Seed | None
    moderation: Moderation | None
    safety_identifier: Annotated[str, Field(max_length=128)] | None
    prompt_cache_options: PromptCacheOptions | None
    prompt_cache_key: Annotated[str, Field(max_length=64)] | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    response_format: ResponseFormat | None
    service_tier: ServiceTier | None
    max_tokens: Count | None
    reasoning_effort: Effort | None
    logit_bias: dict[str, Bias] | None
    stop: Annotated[str | Annotated[list[str], Field(max_length=4)], Field(union_mode="left_to_right")] | None
    stream: bool | None
    stream_options: StreamOptions | None
    store: bool | None
    metadata: Metadata | None
    prediction: Prediction | None
    verbosity: Literal["low", "medium", "high"] | None
    audio: AudioOptions | None
    modalities: Annotated[list[Literal["text", "audio"]], Field(fail_fast=True)] | None
    web_search_options: WebSearchOptions | None


CHAT_REQUEST: TypeAdapter[ChatRequest] = TypeAdapter(ChatRequest)
