"""The shapes of OpenAI's requests for images.

Source: OpenAI's OpenAPI document, schemas CreateImageRequest, CreateImageEditRequest, EditImageBodyJsonParam and
CreateImageVariationRequest, and the newer types of its SDK. DALL·E takes other fields than the GPT image models.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact

Count = Annotated[int, Field(ge=1, le=10)]
ResponseFormat = Literal["url", "b64_json"]


@exact
class GptFields(TypedDict, total=False):
    """What the GPT image models take, drawing or editing."""

    model: str | None
    n: Count | None
    size: str | None
    quality: str | None
    background: Literal["transparent", "opaque", "auto"] | None
    moderation: Literal["low", "auto"] | None
    output_format: Literal["png", "webp", "jpeg"] | None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None
    stream: bool | None
    complexity: Literal["low", "medium", "high"] | None
    safety_identifier: str | None
    user: str | None


@exact
class GptGeneration(GptFields, total=False):
    """The body of `POST /v1/images/generations` for a GPT image model."""

    prompt: Required[str]


@exact
class GptEdit(GptFields, total=False):
    """The form of `POST /v1/images/edits` for a GPT image model, its files left out."""

    prompt: Required[str]
    input_fidelity: Literal["high", "low"] | None


@exact
class ImageRef(TypedDict, total=False):
    """An image by its URL or by the id of an uploaded file."""

    image_url: Annotated[str, Field(max_length=20_971_520)]
    file_id: str


@exact
class GptJsonEdit(GptEdit, total=False):
    """The JSON body of `POST /v1/images/edits`."""

    images: Required[Annotated[list[ImageRef], Field(min_length=1, max_length=16)]]
    mask: ImageRef | None


@exact
class DalleFields(TypedDict, total=False):
    """What both DALL·E models take."""

    model: str | None
    n: Count | None
    size: str | None
    response_format: ResponseFormat | None
    user: str | None


@exact
class DalleGeneration(DalleFields, total=False):
    """The body of `POST /v1/images/generations` for DALL·E."""

    prompt: Required[str]
    quality: str | None
    style: Literal["vivid", "natural"] | None


@exact
class DalleEdit(DalleFields, total=False):
    """The form of `POST /v1/images/edits` for DALL·E 2, its files left out."""

    prompt: Required[str]


@cache
def adapter(shape: type) -> TypeAdapter[Any]:
    """Checks requests of that shape; made when first needed."""
    return TypeAdapter(shape)
