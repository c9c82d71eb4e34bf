"""Reads the body of a moderation request: from bytes to an Ask that holds its results, or to a refusal.

Source: OpenAI's OpenAPI document, schema CreateModerationRequest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim import tokens
from llmsim.catalogue import Model, resolve
from llmsim.conversation import Ask, Message
from llmsim.dialects._openai_completions_request import check_window
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_moderations_scores import CATEGORIES, PICTURED, THRESHOLD, scores
from llmsim.dialects._openai_refusals import invalid, missing, read_object, validated, wrong_type
from llmsim.errors import Refused

USUAL_MODEL = "omni-moderation-latest"
MOST_INPUTS = 2_048
_OLDER = "text-moderation"
_OLDER_ANSWERS_AS = "text-moderation-007"
_NEWER_CATEGORIES = frozenset(("illicit", "illicit/violent"))


@exact
class Text(TypedDict):
    """A text to look at."""

    type: Literal["text"]
    text: str


@exact
class Picture(TypedDict):
    """Where a picture is, or the picture itself as a data URL."""

    url: str


@exact
class PicturePart(TypedDict):
    """A picture to look at."""

    type: Literal["image_url"]
    image_url: Picture


Part = Annotated[Text | PicturePart, Field(discriminator="type")]


@exact
class ModerationRequest(TypedDict, total=False):
    """The body of `POST /v1/moderations`, once it is known what its input is; null stands for leaving a field out."""

    model: str | None


@exact
class TextsRequest(ModerationRequest, total=False):
    """A request whose input is a text, or several that are judged one by one."""

    input: Annotated[
        str | Annotated[list[str], Field(fail_fast=True, min_length=1, max_length=MOST_INPUTS)],
        Field(union_mode="left_to_right"),
    ]


@exact
class PartsRequest(ModerationRequest, total=False):
    """A request whose input is texts and pictures that are judged together."""

    input: Annotated[list[Part], Field(fail_fast=True, min_length=1, max_length=MOST_INPUTS)]


@cache
def _adapter(parts: bool) -> TypeAdapter[Any]:
    return TypeAdapter(PartsRequest if parts else TextsRequest)


def read_moderation(body: bytes) -> Ask:
    """What the client wants, and its results; raises Refused where OpenAI's API refuses."""
    request = read_object(body)
    told = request.get("input")
    if "input" not in request:
        raise Refused(missing("input"))
    in_parts = isinstance(told, list) and bool(told) and isinstance(told[0], dict)
    validated(_adapter(in_parts), request)
    name = request.get("model") or USUAL_MODEL
    model = resolve(name)
    _check(model, name, told, in_parts)
    texts, addresses = _taken_apart(told, in_parts)
    counts = [tokens.count_tokens(text, name) for text in texts]
    check_window(model, max(counts, default=0))
    older = name.startswith(_OLDER)
    return Ask(
        model=name,
        messages=tuple(Message("user", text) for text in texts),
        prompts=tuple((Message("user", text),) for text in texts) or ((),),
        dialect="openai_moderations",
        endpoint="/v1/moderations",
        parts=1,
        prompt_tokens=sum(counts),
        digest=blake2b(body, digest_size=16).digest(),
        extra={
            "model": _OLDER_ANSWERS_AS if older else name,
            "results": [_result(texts, addresses, older)]
            if in_parts
            else [_result([text], (), older) for text in texts],
        },
    )


def _check(model: Model, name: str, told: Any, in_parts: bool) -> None:
    if model.known and model.kind != "moderation":
        raise invalid(
            f"Invalid value for 'model' = {name}. Please check the OpenAI API documentation and try again.", "model"
        )
    if not in_parts:
        return
    if name.startswith(_OLDER):
        raise Refused(wrong_type("input[0]", "string", told[0]))
    pictures = sum(part["type"] == "image_url" for part in told)
    if pictures > 1:
        raise invalid(f"Number of images ({pictures}) exceeds maximum of 1", "input", "too_many_images")
    for index, part in enumerate(told):
        url = part["image_url"]["url"] if part["type"] == "image_url" else "data:"
        if not url.lower().startswith(("http://", "https://", "data:")):
            where = f"input[{index}].image_url.url"
            raise invalid(
                f"Invalid '{where}'. Expected a valid URL, but got a value with an invalid format.",
                where,
                "invalid_value",
            )


def _taken_apart(told: Any, in_parts: bool) -> tuple[list[str], list[str]]:
    """The texts and the addresses of pictures; a picture that came itself has none."""
    if not in_parts:
        return ([told] if isinstance(told, str) else told), []
    texts = [part["text"] for part in told if part["type"] == "text"]
    urls = [part["image_url"]["url"] for part in told if part["type"] == "image_url"]
    return texts, ["" if url[:5].lower() == "data:" else url for url in urls]


def _result(texts: Sequence[str], addresses: Sequence[str], older: bool) -> dict[str, Any]:
    """One result; what a category was looked for in is told by the newer models alone."""
    told = scores(texts, addresses)
    if older:
        told = {category: score for category, score in told.items() if category not in _NEWER_CATEGORIES}
    found = {category: score >= THRESHOLD for category, score in told.items()}
    result: dict[str, Any] = {"flagged": any(found.values()), "categories": found, "category_scores": told}
    if not older:
        looked_at = {category: ["text"] if texts else [] for category in CATEGORIES}
        for category in PICTURED if addresses else ():
            looked_at[category].append("image")
        result["category_applied_input_types"] = looked_at
    return result
