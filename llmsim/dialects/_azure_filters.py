"""What Azure's content filter says about prompts and answers: nothing bad, unless the plan ends by the filter.

Source: Azure OpenAI documentation, "Content filtering", annotations; streams as users quote them.
"""

from __future__ import annotations

from typing import Any

import orjson

_SAFE = {"filtered": False, "severity": "safe"}
_BAD = {"filtered": True, "severity": "medium"}
_NO_ATTACK = {"filtered": False, "detected": False}

ANSWER: dict[str, Any] = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}
FILTERED: dict[str, Any] = {**ANSWER, "violence": _BAD}
PROMPT: dict[str, Any] = {
    "hate": _SAFE,
    "jailbreak": _NO_ATTACK,
    "self_harm": _SAFE,
    "sexual": _SAFE,
    "violence": _SAFE,
}
REFUSED_PROMPT: dict[str, Any] = {**PROMPT, "violence": _BAD}

_KEY = b'"content_filter_results":%b,'
_EMPTY, _OK, _CUT = (_KEY % orjson.dumps(results) for results in ({}, ANSWER, FILTERED))


def opening(prompts: int) -> bytes:
    """The first event of a stream, about the prompts alone."""
    told = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": _asked(prompts)}
    return b"data: %b\n\n" % orjson.dumps(told)


def streamed(events: bytes) -> bytes:
    """Events of a chat or of a completion with the filter's results; of what is no text they are empty.

    Inserts them as bytes, as parsing every event would cost more than making it: a quoted name and a colon stand
    nowhere but where a key does, since quotes within JSON strings are escaped.
    """
    told = events.replace(b'"delta":{', _EMPTY + b'"delta":{')
    told = told.replace(_EMPTY + b'"delta":{"content":', _OK + b'"delta":{"content":')
    told = told.replace(b'{"text":', b"{" + _OK + b'"text":').replace(_OK + b'"text":"",', _EMPTY + b'"text":"",')
    if b'"finish_reason":"content_filter"' in told:
        told = told.replace(_EMPTY + b'"delta":{},"logprobs":null,"finish_reason":"content_filter"', _ENDED)
    return told


_ENDED = _CUT + b'"delta":{},"logprobs":null,"finish_reason":"content_filter"'


def whole(body: bytes, prompts: int) -> bytes:
    """The body of a chat or of a completion with the filter's results."""
    told = orjson.loads(body)
    for choice in told["choices"]:
        choice["content_filter_results"] = _results(choice)
    told["prompt_filter_results"] = _asked(prompts)
    return orjson.dumps(told)


def _results(choice: dict[str, Any]) -> dict[str, Any]:
    if choice["finish_reason"] == "content_filter":
        return FILTERED
    text = choice["message"].get("content") if "message" in choice else choice["text"]
    return ANSWER if text else {}


def _asked(prompts: int) -> list[dict[str, Any]]:
    return [{"prompt_index": index, "content_filter_results": PROMPT} for index in range(prompts)]
