"""Reads the body of an embeddings request: from bytes to an Ask that holds its vectors, or to a refusal.

The vectors are made and worded here, since long requests are read in a thread of their own.

Source: OpenAI's OpenAPI document, schema CreateEmbeddingRequest; the refusals are those of the live API in 2026, as
users quote them.
"""

from __future__ import annotations

import re
from array import array
from base64 import b64encode
from functools import cache
from hashlib import blake2b
from sys import byteorder
from typing import Annotated, Any, Literal, Required

import orjson
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from llmsim import tokens, vectors
from llmsim.catalogue import Model, resolve
from llmsim.conversation import Ask, Message
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_refusals import NO_MODEL, invalid, misfit, read_object
from llmsim.dialects._openai_served import foreign, is_openais
from llmsim.errors import Failure, Refused

MOST_INPUTS = 2_048
MOST_TOKENS = 8_192
MOST_TOKENS_TOGETHER = 300_000

USUAL_SIZE = 1_536
LARGE_SIZE = 3_072

Texts = Annotated[list[str], Field(fail_fast=True, min_length=1)]
Ids = Annotated[list[int], Field(fail_fast=True, min_length=1)]
Input = str | Texts | Ids | Annotated[list[Ids], Field(fail_fast=True, min_length=1)]


@exact
class EmbeddingRequest(TypedDict, total=False):
    """The body of `POST /v1/embeddings`; null stands for leaving a field out."""

    model: Required[str]
    input: Required[Annotated[Input, Field(union_mode="left_to_right")]]
    encoding_format: Literal["float", "base64"] | None
    dimensions: Annotated[int, Field(ge=1)] | None
    user: str | None


@cache
def _adapter() -> TypeAdapter[EmbeddingRequest]:
    return TypeAdapter(EmbeddingRequest)


def read_embeddings(body: bytes) -> Ask:
    """What the client wants, and its answer's `data`; raises Refused where OpenAI's API refuses."""
    request = read_object(body)
    if request.get("model") in (None, ""):
        raise Refused(NO_MODEL)
    _validate(request)
    model = resolve(request["model"])
    check_model(model)
    size, shown = _sizes(request)
    given = _inputs(request["input"], request["model"])
    total = sum(count for _, count in given)
    if total > MOST_TOKENS_TOGETHER:
        raise invalid(
            f"Requested {total} tokens, max {MOST_TOKENS_TOGETHER} tokens per request", None, "max_tokens_per_request"
        )
    said = tuple((Message("user", text),) for text, _ in given)
    return Ask(
        model=request["model"],
        messages=tuple(one for (one,) in said),
        prompts=said,
        dialect="openai_embeddings",
        endpoint="/v1/embeddings",
        parts=1,
        prompt_tokens=total,
        digest=blake2b(body, digest_size=16).digest(),
        extra={"data": _data([text for text, _ in given], size, shown, request.get("encoding_format") or "float")},
    )


def _validate(request: dict[str, Any]) -> None:
    """Raises Refused where a field is not as it has to be; what is wrong within the input is not told."""
    try:
        _adapter().validate_python(request)
    except ValidationError as error:
        refused = misfit(_adapter(), error, request)
        failure = refused.failure
        if failure.code != "missing_required_parameter" and re.match(r"input(\[|$)", failure.param or ""):
            raise invalid(
                "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
            ) from None
        raise refused from None


def check_model(model: Model) -> None:
    """Raises Refused for OpenAI's own models that make no vectors."""
    if model.known and model.provider == "openai" and model.kind != "embedding":
        raise Refused(Failure("invalid", "You are not allowed to generate embeddings from this model", status=403))


def _sizes(request: dict[str, Any]) -> tuple[int, int]:
    """How many numbers the model's vectors have, and how many of them the client wants."""
    name: str = request["model"]
    size = LARGE_SIZE if "text-embedding-3-large" in name else USUAL_SIZE
    shown: int | None = request.get("dimensions")
    if shown is None:
        return size, size
    if "text-embedding-3" not in name:
        raise invalid("This model does not support specifying dimensions.")
    if shown > size:
        raise invalid(f"Invalid value for 'dimensions' = {shown}. Must be less than or equal to {size}.")
    return size, shown


# -- inputs


def _inputs(told: Any, model: str) -> list[tuple[str, int]]:
    """Every text with its length in tokens; raises Refused for those that cannot be."""
    several = isinstance(told, list) and not isinstance(told[0], int)
    if several and len(told) > MOST_INPUTS:
        raise invalid(f"Invalid 'input': array length must be {MOST_INPUTS} or less.")
    given = []
    for index, one in enumerate(told if several else [told]):
        where = f"input[{index}]" if several else "input"
        if not one:
            raise invalid(f"Invalid '{where}': input cannot be an empty string.")
        text, count = (one, tokens.count_tokens(one, model)) if isinstance(one, str) else _decoded(one, model)
        if count > MOST_TOKENS:
            raise invalid(f"Invalid '{where}': maximum input length is {MOST_TOKENS} tokens.")
        given.append((text, count))
    return given


def _decoded(ids: list[int], model: str) -> tuple[str, int]:
    if len(ids) > MOST_TOKENS:
        return "", len(ids)
    try:
        return tokens.decode(ids, tokens.encoding_for(model)), len(ids)
    except tokens.NoToken as error:
        if not is_openais(model):
            return foreign(ids), len(ids)
        raise invalid(
            f"Invalid token in input: {error.token}. Minimum value is 0, maximum value is {error.highest} (inclusive)."
        ) from None


# -- vectors


def _data(texts: list[str], size: int, shown: int, form: str) -> bytes:
    """The list of embeddings as JSON."""
    told = []
    for index, text in enumerate(texts):
        vector = vectors.embed(text, size)
        if shown < size:
            vector = vectors.shortened(vector, shown)
        worded = b'"%b"' % _base64(vector) if form == "base64" else orjson.dumps(vector.tolist())
        told.append(b'{"object":"embedding","index":%d,"embedding":%b}' % (index, worded))
    return b"[%b]" % b",".join(told)


def _base64(vector: array[float]) -> bytes:
    """The numbers as little-endian float32 in base64."""
    if byteorder != "little":
        vector.byteswap()
    return b64encode(vector)
