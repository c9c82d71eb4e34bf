"""What a fixture of aimock replies with, as an answer of llmsim's."""

from __future__ import annotations

import math
from typing import Any

from llmsim.mocks.imports.parts import Fields, Place, Report, call, calls

_WORDED = ("content", "toolCalls", "blocks", "reasoning")
_OTHER = {
    "embedding": "a vector of an embedding",
    "image": "a picture",
    "images": "pictures",
    "audio": "sound",
    "transcription": "a transcript",
    "video": "a film",
    "live": "a live session",
    "json": "the JSON of another service",
    "webSearches": "searches of the web",
    "redactedThinking": "redacted thinking",
}
_FINISH = ("stop", "length", "tool_calls", "content_filter", "end_turn", "max_tokens", "tool_use", "end", "calls")
_TOKENS = {
    "prompt_tokens": "input",
    "input_tokens": "input",
    "promptTokenCount": "input",
    "completion_tokens": "output",
    "output_tokens": "output",
    "candidatesTokenCount": "output",
}
_TOTALS = ("total_tokens", "totalTokenCount", "prompt_tokens_details", "completion_tokens_details")
_CHUNK = 20
"""Characters that aimock sends at once; about four are a token."""


def reply(one: dict[str, Any], place: Place, report: Report) -> Fields:
    """The answer of a fixture that is no error."""
    response, where = one["response"], (*place, "response")
    for name, told in _OTHER.items():
        if name in response:
            report.refuse((*where, name), f"{name}: a mock in llmsim cannot reply with {told}")
    report.others(where, response, (*_WORDED, *_OTHER, "usage", "finishReason", "error"))
    if not any(name in response for name in (*_WORDED[:3], *_OTHER)):
        report.refuse(where, "the response has neither content nor toolCalls, blocks or an error")
    answer = _words(response, where, report)
    finish = response.get("finishReason")
    if finish is not None and finish not in _FINISH:
        report.refuse((*where, "finishReason"), f"finishReason: {finish!r} is none of {', '.join(_FINISH)}")
    elif finish is not None:
        answer["finish"] = finish
    if response.get("usage") is not None:
        answer["usage"] = _usage(response["usage"], (*where, "usage"), report)
    latency = _latency(one, place, report)
    return {**answer, "latency": latency} if latency else answer


def _words(response: dict[str, Any], where: Place, report: Report) -> Fields:
    thinking = response.get("reasoning")
    if thinking is not None and not isinstance(thinking, str):
        report.refuse((*where, "reasoning"), "reasoning is a text")
    answer: Fields = {}
    if response.get("blocks"):
        answer["blocks"] = _blocks(response["blocks"], (*where, "blocks"), report)
        if isinstance(thinking, str) and thinking:
            answer["blocks"].insert(0, {"thinking": thinking})
        return answer
    if isinstance(thinking, str) and thinking:
        answer["thinking"] = thinking
    content = response.get("content")
    if isinstance(content, dict | list):
        answer["json"] = content
    elif isinstance(content, str):
        answer["text"] = content
    elif content is not None:
        report.refuse((*where, "content"), f"content is a text, a mapping or a list, not {content!r}")
    if "toolCalls" in response:
        answer["tool_calls"] = calls(response["toolCalls"], (*where, "toolCalls"), report)
    return answer


def _blocks(raw: Any, where: Place, report: Report) -> list[Fields]:
    made: list[Fields] = []
    for at, one in enumerate(raw if isinstance(raw, list) else [raw]):
        kind = one.get("type") if isinstance(one, dict) else None
        if kind == "text" and isinstance(one.get("text"), str):
            made.append({"text": one["text"]})
        elif kind == "toolCall" and isinstance(one.get("name"), str):
            made.append({"tool_call": call(one["name"], one.get("arguments"), one.get("id"))})
        else:
            report.refuse((*where, at), "a block is a text or a toolCall")
    return made


def _usage(raw: Any, where: Place, report: Report) -> Fields:
    if not isinstance(raw, dict):
        report.refuse(where, "usage is a mapping")
        return {}
    told = {own: raw[name] for name, own in _TOKENS.items() if name in raw}
    for group, name, own in (
        ("prompt_tokens_details", "cached_tokens", "cached"),
        ("completion_tokens_details", "reasoning_tokens", "thinking"),
    ):
        details = raw.get(group)
        if isinstance(details, dict) and name in details:
            told[own] = details[name]
    report.others(where, raw, (*_TOKENS, *_TOTALS))
    return told


def _latency(one: dict[str, Any], place: Place, report: Report) -> Fields:
    """A profile for how aimock waits: it waits before each chunk, llmsim before each token."""
    speed = _number(one, "replaySpeed", place, report) or 1.0
    chunk = _number(one, "chunkSize", place, report) or _CHUNK
    profile, recorded = one.get("streamingProfile"), one.get("recordedTimings")
    if isinstance(profile, dict):
        where = (*place, "streamingProfile")
        first, rate = _number(profile, "ttft", where, report), _number(profile, "tps", where, report)
        jitter = min(_number(profile, "jitter", where, report) or 0.0, 1.0)
        waits = (first or (1000 / rate if rate else 0.0), 1000 / rate if rate else 0.0)
        return {name: _spread(mean / speed, jitter) for name, mean in zip(("ttft", "tbt"), waits, strict=True)}
    if isinstance(recorded, dict):
        first = _number(recorded, "ttftMs", (*place, "recordedTimings"), report) or 0.0
        gaps = recorded.get("interChunkDelaysMs")
        samples = [gap / speed for gap in gaps if isinstance(gap, int | float)] if isinstance(gaps, list) else []
        between = {"kind": "empirical", "samples": samples} if samples else _spread(0.0)
        return {"ttft": _spread(first / speed), "tbt": between}
    flat = _number(one, "latency", place, report)
    return {"ttft": _spread(flat / speed), "tbt": _spread(flat * 4 / chunk / speed)} if flat else {}


def _spread(mean: float, jitter: float = 0.0) -> Fields:
    if jitter:
        return {"kind": "uniform", "mean": mean, "stddev": mean * jitter / math.sqrt(3)}
    return {"kind": "fixed", "mean": mean}


def _number(raw: dict[str, Any], name: str, place: Place, report: Report) -> float | None:
    value = raw.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0):
        return value
    report.refuse((*place, name), f"{name} is a number of at least 0, not {value!r}")
    return None
