"""What a client may send to OpenAI's API of vector stores.

Source: OpenAI's OpenAPI document, schemas CreateVectorStoreRequest, CreateVectorStoreFileRequest,
CreateVectorStoreFileBatchRequest, VectorStoreSearchRequest and those that update the same.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects._openai_assistants_types import Chunking, Share
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_refusals import invalid
from llmsim.dialects._openai_types import Metadata

MOST_AT_ONCE = 2000
"""Files in one batch."""

FileIds = Annotated[list[str], Field(fail_fast=True, max_length=500)]
Value = Annotated[bool | float | Annotated[str, Field(max_length=512)], Field(union_mode="left_to_right")]
Attributes = Annotated[dict[Annotated[str, Field(max_length=64)], Value], Field(max_length=16)]


@exact
class ExpiresAfter(TypedDict):
    """When a vector store expires, in days after it was last used."""

    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


@exact
class UpdateStore(TypedDict, total=False):
    """The body of `POST /v1/vector_stores/{id}`."""

    name: str | None
    expires_after: ExpiresAfter | None
    metadata: Metadata | None


@exact
class CreateStore(UpdateStore, total=False):
    """The body of `POST /v1/vector_stores`."""

    file_ids: FileIds | None
    description: str | None
    chunking_strategy: Chunking | None


@exact
class UpdateFile(TypedDict):
    """The body of `POST /v1/vector_stores/{id}/files/{id}`."""

    attributes: Attributes | None


@exact
class CreateFile(TypedDict, total=False):
    """The body of `POST /v1/vector_stores/{id}/files`."""

    file_id: Required[str]
    attributes: Attributes | None
    chunking_strategy: Chunking | None


@exact
class CreateBatch(TypedDict, total=False):
    """The body of `POST /v1/vector_stores/{id}/file_batches`."""

    file_ids: Annotated[list[str], Field(fail_fast=True, min_length=1, max_length=MOST_AT_ONCE)] | None
    files: Annotated[list[CreateFile], Field(fail_fast=True, min_length=1, max_length=MOST_AT_ONCE)] | None
    attributes: Attributes | None
    chunking_strategy: Chunking | None


@exact
class Ranking(TypedDict, total=False):
    """Which finds are good enough."""

    ranker: Literal["none", "auto", "default-2024-11-15"] | None
    score_threshold: Share | None


@exact
class Comparison(TypedDict):
    """Compares an attribute with a value."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: str
    value: Annotated[
        bool | float | str | list[Annotated[float | str, Field(union_mode="left_to_right")]],
        Field(union_mode="left_to_right"),
    ]


@exact
class Compound(TypedDict):
    """Joins filters."""

    type: Literal["and", "or"]
    filters: Annotated[list[Filter], Field(fail_fast=True)]


Filter = Annotated[Comparison | Compound, Field(discriminator="type")]


@exact
class Search(TypedDict, total=False):
    """The body of `POST /v1/vector_stores/{id}/search`."""

    query: Required[
        Annotated[
            Annotated[str, Field(min_length=1)]
            | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)],
            Field(union_mode="left_to_right"),
        ]
    ]
    rewrite_query: bool | None
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None
    filters: Filter | None
    ranking_options: Ranking | None


@cache
def adapter(shape: type) -> TypeAdapter[Any]:
    """The validator of one of these bodies, built when it is first needed."""
    return TypeAdapter(shape)


def check_chunks(told: Any, where: str = "") -> None:
    """Raises Refused where chunks of a valid body overlap by more than half, wherever in it they are described."""
    if isinstance(told, list):
        for index, one in enumerate(told):
            check_chunks(one, f"{where}[{index}]")
    elif isinstance(told, dict):
        overlap, length = (told.get(f"{name}_tokens") for name in ("chunk_overlap", "max_chunk_size"))
        if isinstance(overlap, int) and isinstance(length, int) and overlap * 2 > length:
            param = f"{where}.chunk_overlap_tokens".lstrip(".")
            raise invalid(
                f"Invalid '{param}': the overlap must not exceed half of 'max_chunk_size_tokens', which is {length}.",
                param,
                "invalid_value",
            )
        for name, one in told.items():
            check_chunks(one, f"{where}.{name}".lstrip("."))
