"""The parts that messages and tool results of OpenAI's Responses API are made of, as clients send them.

Source: OpenAI's OpenAPI document, schemas InputContent, OutputMessageContent and Annotation, and the newer fields of
its Python SDK. Null stands for leaving a field out, as clients send back what they were sent.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact

Text = Annotated[str, Field(max_length=10_485_760)]
Status = Literal["in_progress", "completed", "incomplete"]


@exact
class CacheBreakpoint(TypedDict, total=False):
    """Marks the end of a prefix worth caching."""

    mode: Required[Literal["explicit"]]
    ttl: Literal["30m", "12h"] | None


@exact
class InputText(TypedDict, total=False):
    """Text."""

    type: Required[Literal["input_text"]]
    text: Required[Text]
    prompt_cache_breakpoint: CacheBreakpoint | None


@exact
class InputImage(TypedDict, total=False):
    """An image: at a URL, as a data URL, or uploaded before."""

    type: Required[Literal["input_image"]]
    image_url: Annotated[str, Field(max_length=20_971_520)] | None
    file_id: str | None
    detail: Literal["low", "high", "auto", "original"] | None
    prompt_cache_breakpoint: CacheBreakpoint | None


@exact
class InputFile(TypedDict, total=False):
    """A file: at a URL, as a data URL, or uploaded before."""

    type: Required[Literal["input_file"]]
    file_id: str | None
    filename: str | None
    file_data: Annotated[str, Field(max_length=73_400_320)] | None
    file_url: str | None
    detail: Literal["auto", "low", "high"] | None
    prompt_cache_breakpoint: CacheBreakpoint | None


@exact
class TopLogprob(TypedDict, total=False):
    """A token that could have stood here."""

    token: Required[str]
    logprob: Required[float]
    bytes: list[int] | None


@exact
class TokenLogprob(TypedDict, total=False):
    """A token of the text and its log probability."""

    token: Required[str]
    logprob: Required[float]
    bytes: list[int] | None
    top_logprobs: list[TopLogprob] | None


@exact
class FileCitation(TypedDict):
    """A file that the text cites."""

    type: Literal["file_citation"]
    file_id: str
    index: int
    filename: str


@exact
class UrlCitation(TypedDict):
    """A page that the text cites, and where."""

    type: Literal["url_citation"]
    url: str
    start_index: int
    end_index: int
    title: str


@exact
class ContainerFileCitation(TypedDict):
    """A file in a container that the text cites, and where."""

    type: Literal["container_file_citation"]
    container_id: str
    file_id: str
    start_index: int
    end_index: int
    filename: str


@exact
class FilePath(TypedDict):
    """A file that the text names."""

    type: Literal["file_path"]
    file_id: str
    index: int


Annotations = Annotated[
    list[Annotated[FileCitation | UrlCitation | ContainerFileCitation | FilePath, Field(discriminator="type")]],
    Field(fail_fast=True),
]


@exact
class OutputText(TypedDict, total=False):
    """Text that the model said."""

    type: Required[Literal["output_text"]]
    text: Required[Text]
    annotations: Annotations | None
    logprobs: Annotated[list[TokenLogprob], Field(fail_fast=True)] | None
    # What the SDK's parse() adds to what it was sent.
    parsed: Any


@exact
class Refusal(TypedDict):
    """A refusal that the model said."""

    type: Literal["refusal"]
    refusal: Text


InputPart = Annotated[InputText | InputImage | InputFile, Field(discriminator="type")]
OutputPart = Annotated[OutputText | Refusal, Field(discriminator="type")]

# Lists are checked up to their first fault: a hostile body of a million faults costs no more than one.
InputContent = Annotated[Text | Annotated[list[InputPart], Field(fail_fast=True)], Field(union_mode="left_to_right")]
OutputContent = Annotated[Text | Annotated[list[OutputPart], Field(fail_fast=True)], Field(union_mode="left_to_right")]
