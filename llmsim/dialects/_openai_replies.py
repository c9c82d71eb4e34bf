"""The shapes of what OpenAI's chat API answers: whole replies, chunks and errors.

Source: OpenAI's OpenAPI document, schemas CreateChatCompletionResponse, CreateChatCompletionStreamResponse and Error.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from llmsim.dialects._openai_messages import ServiceTier

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class Said(BaseModel):
    """What every part of a reply has in common: it cannot be changed, and has the keys of the API and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FunctionCall(Said):
    """A call of a function: `arguments` is JSON text."""

    name: str
    arguments: str


class CustomCall(Said):
    """A call of a custom tool: `input` is free text."""

    name: str
    input: str


class ToolCall(Said):
    """A call of one of the client's tools: of `function` or of `custom`, as `type` says."""

    id: str
    type: Literal["function", "custom"]
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class UrlCitation(Said):
    """A page that the text cites, and where."""

    start_index: int
    end_index: int
    url: str
    title: str


class Annotation(Said):
    """A note on the text."""

    type: Literal["url_citation"]
    url_citation: UrlCitation


class ResponseAudio(Said):
    """The reply as sound, in base64."""

    id: str
    expires_at: int
    data: str
    transcript: str


class ResponseMessage(Said):
    """The reply's message; `content` and `refusal` are always sent, null or not."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    annotations: list[Annotation] | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: FunctionCall | None = None
    audio: ResponseAudio | None = None


class TopLogprob(Said):
    """A token that could have stood here, and the logarithm of its probability."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(TopLogprob):
    """A token of the reply, and what else could have stood there."""

    top_logprobs: list[TopLogprob]


class Logprobs(Said):
    """The tokens of the text and of the refusal."""

    content: list[TokenLogprob] | None
    refusal: list[TokenLogprob] | None = None


class Choice(Said):
    """One of the alternatives."""

    index: int
    message: ResponseMessage
    logprobs: Logprobs | None
    finish_reason: FinishReason


class PromptTokensDetails(Said):
    """What the prompt's tokens are of."""

    cached_tokens: int = 0
    audio_tokens: int = 0
    cache_write_tokens: int = 0
    text_tokens: int | None = None
    image_tokens: int | None = None


class CompletionTokensDetails(Said):
    """What the completion's tokens are of."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0
    text_tokens: int | None = None


class Usage(Said):
    """Tokens in and out, and their sum."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class Envelope(Said):
    """What whole replies and chunks have in common."""

    id: str
    created: int
    model: str
    service_tier: ServiceTier | None = None
    system_fingerprint: str | None = None
    moderation: dict[str, Any] | None = None


class ChatCompletion(Envelope):
    """The reply of `POST /v1/chat/completions`."""

    object: Literal["chat.completion"]
    choices: list[Choice]
    usage: Usage | None = None
    metadata: dict[str, str] | None = None


class FunctionFragment(Said):
    """A fragment of a call; the name comes once, the fragments of `arguments` join to JSON text."""

    name: str | None = None
    arguments: str | None = None


class CustomFragment(Said):
    """A fragment of a call of a custom tool."""

    name: str | None = None
    input: str | None = None


class ToolCallFragment(Said):
    """A fragment of the call number `index`; its id and type come once."""

    index: int
    id: str | None = None
    type: Literal["function", "custom"] | None = None
    function: FunctionFragment | None = None
    custom: CustomFragment | None = None


class Delta(Said):
    """What a chunk adds to a message."""

    role: Literal["developer", "system", "user", "assistant", "tool"] | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallFragment] | None = None
    function_call: FunctionFragment | None = None
    audio: dict[str, Any] | None = None


class ChunkChoice(Said):
    """What a chunk adds to one of the alternatives."""

    index: int
    delta: Delta
    finish_reason: FinishReason | None
    logprobs: Logprobs | None = None


class ChatCompletionChunk(Envelope):
    """One event of a streamed reply."""

    object: Literal["chat.completion.chunk"]
    choices: list[ChunkChoice]
    usage: Usage | None = None
    obfuscation: str | None = None


class ErrorBody(Said):
    """What went wrong; all four keys are always there."""

    message: str
    type: str
    param: str | None
    code: str | None
