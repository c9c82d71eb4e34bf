"""Reads requests for embeddings: from the body to an Ask that holds the vectors, or to a refusal in Google's words.

The vectors are made and worded here, since long requests are read in a thread of their own.

Source: Google's API reference, "Embeddings"; the refusals are those of the live API as users quote them.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from llmsim import catalogue, vectors
from llmsim.conversation import Ask, Message
from llmsim.dialects import _gemini_proto as proto
from llmsim.dialects._gemini_checks import content_faults, invalid
from llmsim.dialects._gemini_made import Made
from llmsim.dialects._gemini_prompt_cost import prompt_cost
from llmsim.dialects._gemini_request import Target
from llmsim.errors import Failure, Refused

Json = Mapping[str, Any]

MOST_REQUESTS = 100
_SIZES = {"text-embedding-004": 768, "text-embedding-005": 768, "embedding-001": 768}
LARGEST = 3072

# Its vectors are of length 1 only as a whole ("Embeddings", "Ensuring quality for smaller dimensions").
_CUT_ONLY = "gemini-embedding-001"


def read_one(target: Target, body: bytes) -> Ask:
    """The ask of `:embedContent`."""
    request = proto.read("EmbedContentRequest", body)
    _check([request], target, "EmbedContentRequest")
    return _ask([request], target, body, b'{"embedding":%b,"usageMetadata":{"promptTokenCount":%d}}')


def read_batch(target: Target, body: bytes) -> Ask:
    """The ask of `:batchEmbedContents`; the vectors come in the order of the requests."""
    requests = proto.read("BatchEmbedContentsRequest", body).get("requests", [])
    message = "BatchEmbedContentsRequest.requests"
    if not requests:
        raise invalid(f"* {message}: requests is not specified\n")
    if len(requests) > MOST_REQUESTS:
        raise invalid(f"* {message}: at most {MOST_REQUESTS} requests can be in one batch\n")
    for index, request in enumerate(requests):
        if request.get("model") != f"models/{target.model}" and target.dialect != "vertex":
            raise invalid(f"* {message}[{index}].model: unexpected model name format\n")
    _check(requests, target, message)
    return _ask(requests, target, body, b'{"embeddings":[%b],"usageMetadata":{"promptTokenCount":%d}}')


def read_instances(target: Target, body: bytes) -> Ask:
    """The ask of Google Cloud's `:predict` for an embedding model."""
    told = proto.read_json(body)
    instances = told.get("instances") if isinstance(told, dict) else None
    if not isinstance(instances, list) or not instances:
        raise invalid("Invalid prediction request: instances is empty.")
    if not all(isinstance(one, dict) and isinstance(one.get("content"), str) for one in instances):
        raise invalid("Invalid prediction request: the content of each instance must be a string.")
    parameters = told.get("parameters") if isinstance(told.get("parameters"), dict) else {}
    size = {"outputDimensionality": parameters["outputDimensionality"]} if "outputDimensionality" in parameters else {}
    requests = [{"content": {"parts": [{"text": one["content"]}]}, **size} for one in instances]
    requests = proto.checked("BatchEmbedContentsRequest", {"requests": requests})["requests"]
    _check(requests, target, "PredictRequest.instances")
    counts = [sum(prompt_cost({"contents": [one["content"]]}, target.model).values()) for one in requests]
    data = b",".join(
        b'{"embeddings":{"statistics":{"truncated":false,"token_count":%d},%b}' % (count, _vector_of(one, target)[1:])
        for one, count in zip(requests, counts, strict=True)
    )
    letters = sum(len(one["content"]) for one in instances)
    told_back = b'{"predictions":[%b],"metadata":{"billableCharacterCount":%d}}' % (data, letters)
    texts = [_text(request) for request in requests]
    return _asked(target, texts, sum(counts), body, told_back)


def check_embeds(model: str) -> None:
    """Raises Refused for a model that is known to make no embeddings; unknown names may stand for one that does."""
    known = catalogue.find(model)
    if known is not None and known.kind != "embedding":
        raise Refused(Failure("not_found", code="model_not_found", extra=model))


def _check(requests: Sequence[Json], target: Target, message: str) -> None:
    check_embeds(target.model)
    most = size_of(target.model)
    for index, request in enumerate(requests):
        where = f"{message}[{index}]" if len(requests) > 1 or "." in message else message
        if "content" not in request:
            raise invalid(f"* {where}.content: content is required\n")
        found = list(content_faults([request["content"]], f"{where}.content"))
        if found:
            raise invalid("".join(f"* {one}\n" for one in found).replace("content[0]", "content"))
        size = _size(request)
        if size is not None and not 1 <= size <= most:
            raise invalid(f"* {where}.output_dimensionality: output_dimensionality must be in the range [1, {most}].\n")


def _ask(requests: Sequence[Json], target: Target, body: bytes, form: bytes) -> Ask:
    texts = [_text(request) for request in requests]
    spent = sum(sum(prompt_cost({"contents": [one["content"]]}, target.model).values()) for one in requests)
    data = b",".join([_vector_of(request, target) for request in requests])
    return _asked(target, texts, spent, body, form % (data, spent))


def _asked(target: Target, texts: Sequence[str], spent: int, body: bytes, answer: bytes) -> Ask:
    said = tuple((Message("user", text),) for text in texts)
    return Ask(
        target.model,
        messages=tuple(one for (one,) in said),
        prompts=said,
        dialect=target.dialect,
        endpoint=target.endpoint,
        prompt_tokens=spent,
        digest=blake2b(body, digest_size=16).digest(),
        parts=1,
        extra={"make": lambda exchange: Made(answer)},
    )


def _text(request: Json) -> str:
    """The words of a content; media stand for themselves by their bytes."""
    words = []
    for part in request["content"]["parts"]:
        told = part.get("inlineData") or part.get("fileData") or {}
        words.append(part.get("text", "") or told.get("fileUri") or told.get("data", "")[:1000])
    return "\n".join(words)


def _vector_of(request: Json, target: Target) -> bytes:
    return b'{"values":%b}' % orjson.dumps(vector_of(_text(request), target.model, _size(request)).tolist())


def vector_of(text: str, model: str, size: int | None) -> array[float]:
    """The vector of a text as the model gives it: the first `size` numbers of it, all where that is None."""
    vector = vectors.embed(text, size_of(model))
    if size is None or size == len(vector):
        return vector
    return vector[:size] if model == _CUT_ONLY else vectors.shortened(vector, size)


def _size(request: Json) -> int | None:
    """How many numbers are asked for; Google Cloud puts that among other settings."""
    told = request.get("embedContentConfig")
    more: Json = told if isinstance(told, dict) else {}
    size = request.get("outputDimensionality", more.get("outputDimensionality", more.get("output_dimensionality")))
    return size if isinstance(size, int) else None


def size_of(model: str) -> int:
    """How many numbers a model's vectors have, unless fewer are asked for."""
    return _SIZES.get(model, LARGEST)
