"""What Google's OpenAI-compatible API reads otherwise than OpenAI's: names of models, fields of its own, vectors.

Source: Google's guide "OpenAI compatibility".
"""

from __future__ import annotations

from base64 import b64encode
from sys import byteorder
from typing import Any

import orjson

from llmsim.conversation import Ask
from llmsim.dialects._gemini_checks import invalid
from llmsim.dialects._gemini_embeddings_request import check_embeds, size_of, vector_of
from llmsim.errors import Failure

_PREFIXES = ("models/", "google/")
_GOOGLES = ("extra_body", "google")


def plain_name(model: str) -> str:
    """A model's name without the collection that it stands in."""
    for prefix in _PREFIXES:
        model = model.removeprefix(prefix)
    return model


def as_openai(body: bytes, *without: str) -> tuple[bytes, dict[str, Any]]:
    """The body as OpenAI's API takes it, and what it said; no object is left as it is, for OpenAI's reader to refuse.

    Fields that Google adds, those in `without` and the model's collection are taken out.
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body, {}
    if not isinstance(told, dict):
        return body, {}
    kept = {name: value for name, value in told.items() if name not in _GOOGLES and name not in without}
    if isinstance(kept.get("model"), str):
        kept["model"] = plain_name(kept["model"])
    return orjson.dumps(kept), told


def with_vectors(ask: Ask, told: dict[str, Any]) -> Ask:
    """An ask for embeddings with vectors of the Gemini model's size, or fewer numbers of them; raises Refused."""
    check_embeds(ask.model)
    most, size = size_of(ask.model), told.get("dimensions")
    if size is not None and (type(size) is not int or not 1 <= size <= most):
        raise invalid(f"* EmbedContentRequest.output_dimensionality: must be in the range [1, {most}].\n")
    data = []
    for index, (message,) in enumerate(ask.prompts):
        vector = vector_of(message.text, ask.model, size)
        if told.get("encoding_format") != "base64":
            worded = orjson.dumps(vector.tolist())
        else:
            if byteorder != "little":
                vector.byteswap()
            worded = b'"%b"' % b64encode(vector)
        data.append(b'{"object":"embedding","index":%d,"embedding":%b}' % (index, worded))
    ask.extra = {**ask.extra, "data": b"[%b]" % b",".join(data)}
    return ask


def worded_as_google(failure: Failure) -> Failure:
    """A refusal in OpenAI's words as Google words it: unknown fields, bodies that are no JSON, models there are not."""
    message, extra = failure.message or "", failure.extra
    if failure.code == "unknown_parameter" and failure.param:
        place, _, name = failure.param.rpartition(".")
        where = f" at '{place}'" if place else ""
        text = f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
        return Failure("invalid", text, extra=((place, text),))
    if message.startswith("We could not parse the JSON body"):
        return Failure("invalid", "Invalid JSON payload received. Unexpected token.")
    if "openai.com" in message:
        about = f" '{failure.param}'" if failure.param else ""
        return Failure("invalid", f"Request contains an invalid argument{about}.")
    if failure.code == "model_not_found" and not message:
        name = str(extra or "")[:200]
        return Failure(
            "not_found",
            f"models/{name} is not found for API version v1main, or is not supported for generateContent. Call "
            "ListModels to see the list of available models and their supported methods.",
        )
    return failure
