"""The messages that a client may send to OpenAI's chat API, by role, and the parts they are made of.

Source: OpenAI's OpenAPI document, schema ChatCompletionRequestMessage. Where the live API is known to take more than
that document says (no content, null), more is taken here.
"""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast"]

exact = with_config(ConfigDict(strict=True, extra="forbid"))
# For what clients send back as it came from this API or from another one, with keys that only replies have.
echoed = with_config(ConfigDict(strict=True, extra="allow"))


@exact
class CacheBreakpoint(TypedDict):
    """Marks the end of a prefix worth caching."""

    mode: Literal["explicit"]


@exact
class TextPart(TypedDict, total=False):
    """Text, as a part of a message."""

    type: Required[Literal["text"]]
    text: Required[str]
    prompt_cache_breakpoint: CacheBreakpoint


@exact
class ImageUrl(TypedDict, total=False):
    """Where an image is: a URL, or the image itself as a data URL."""

    url: Required[str]
    detail: Literal["auto", "low", "high", "original"] | None


@exact
class ImagePart(TypedDict, total=False):
    """An image, as a part of a message."""

    type: Required[Literal["image_url"]]
    image_url: Required[ImageUrl]
    prompt_cache_breakpoint: CacheBreakpoint


@exact
class InputAudio(TypedDict):
    """A sound in base64."""

    data: str
    format: Literal["wav", "mp3"]


@exact
class AudioPart(TypedDict, total=False):
    """A sound, as a part of a message."""

    type: Required[Literal["input_audio"]]
    input_audio: Required[InputAudio]
    prompt_cache_breakpoint: CacheBreakpoint


@exact
class InputFile(TypedDict, total=False):
    """A file: uploaded before, or itself as a data URL."""

    filename: str | None
    file_data: str | None
    file_id: str | None


@exact
class FilePart(TypedDict, total=False):
    """A file, as a part of a message."""

    type: Required[Literal["file"]]
    file: Required[InputFile]
    prompt_cache_breakpoint: CacheBreakpoint


@echoed
class SaidPart(TypedDict):
    """Text that the model said."""

    type: Literal["text"]
    text: str


@echoed
class RefusalPart(TypedDict):
    """A refusal that the model said."""

    type: Literal["refusal"]
    refusal: str


# Lists are checked up to their first fault: a hostile body of a million faults costs no more than one.
UserPart = Annotated[TextPart | ImagePart | AudioPart | FilePart, Field(discriminator="type")]
AssistantPart = Annotated[SaidPart | RefusalPart, Field(discriminator="type")]
Texts = Annotated[
    str | Annotated[list[TextPart], Field(fail_fast=True, min_length=1)], Field(union_mode="left_to_right")
]
UserContent = Annotated[
    str | Annotated[list[UserPart], Field(fail_fast=True, min_length=1)], Field(union_mode="left_to_right")
]
AssistantContent = Annotated[
    str | Annotated[list[AssistantPart], Field(fail_fast=True)], Field(union_mode="left_to_right")
]
ToolContent = Annotated[str | Annotated[list[TextPart], Field(fail_fast=True)], Field(union_mode="left_to_right")]


@echoed
class CalledFunction(TypedDict):
    """The function that was called; `arguments` is JSON text."""

    name: str
    arguments: str


@echoed
class FunctionToolCall(TypedDict):
    """A call of a function."""

    id: str
    type: Literal["function"]
    function: CalledFunction


@echoed
class CalledCustom(TypedDict):
    """The custom tool that was called, with free text."""

    name: str
    input: str


@echoed
class CustomToolCall(TypedDict):
    """A call of a custom tool."""

    id: str
    type: Literal["custom"]
    custom: CalledCustom


Name = Annotated[str, Field(pattern=r"^[^\s<|\\/>]+$")]
"""Who of several with the same role speaks."""

AnyToolCall = Annotated[FunctionToolCall | CustomToolCall, Field(discriminator="type")]


@exact
class SystemMessage(TypedDict, total=False):
    """Instructions."""

    role: Required[Literal["system"]]
    content: Texts | None
    name: Name | None


@exact
class DeveloperMessage(TypedDict, total=False):
    """Instructions, by the name that newer models know them by."""

    role: Required[Literal["developer"]]
    content: Texts | None
    name: Name | None


@exact
class UserMessage(TypedDict, total=False):
    """What the user says."""

    role: Required[Literal["user"]]
    content: UserContent | None
    name: Name | None


@echoed
class AssistantMessage(TypedDict, total=False):
    """What the model said before."""

    role: Required[Literal["assistant"]]
    content: AssistantContent | None
    refusal: str | None
    name: Name | None
    tool_calls: Annotated[list[AnyToolCall], Field(fail_fast=True, min_length=1)] | None
    function_call: CalledFunction | None


@exact
class ToolMessage(TypedDict, total=False):
    """What a tool answered."""

    role: Required[Literal["tool"]]
    content: ToolContent | None
    tool_call_id: Required[str]
    name: str | None


@exact
class FunctionMessage(TypedDict, total=False):
    """What a function answered, in the API's first way of calling functions."""

    role: Required[Literal["function"]]
    content: str | None
    name: Required[str]


Message = Annotated[
    SystemMessage | AssistantMessage | UserMessage | FunctionMessage | ToolMessage | DeveloperMessage,
    Field(discriminator="role"),
]
