"""What the inspector says of one exchange, in words: facts, why, times asked and achieved, bodies, differences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Any, Final

from rich.text import Text

from llmsim_tui.backend import Row
from llmsim_tui.palette import Ink
from llmsim_tui.text import amount, moment, safe, wait

Detail = Mapping[str, Any]

LONGEST: Final = 64_000
"""Characters of a request or reply that are shown; more would hold up the picture."""
_TELLING: Final = ("finish_reason", "stop_reason", "finishReason", "status", "error", "usage", "usageMetadata")
"""Fields in the last events of a stream that say how it ended."""
_LATE: Final = 50.0
"""Milliseconds from which on a piece that came late is worth a colour."""
_DIFFERENCES: Final = 2_000
"""Lines of a difference that are shown, and characters of each."""


def summary(ink: Ink, detail: Detail, tries: Sequence[Row]) -> Text:
    """Everything but the bodies."""
    row: Row = detail["row"]
    text = Text()
    word = f"{row.status or ''} {'under way' if row.outcome == 'live' else row.outcome}".strip()
    text.append(f"{word}\n\n", ink.tone[row.outcome]).append("why\n", ink.key)
    for line in detail["why"]:
        text.append(f"{safe(str(line))}\n", ink.text)
    text.append("\n")
    for name, value in _facts(row, str(detail.get("mock") or "")):
        text.append(f"{name:<9}", ink.dim).append(f"{value}\n", ink.text)
    if not detail.get("pending"):
        text.append_text(times(ink, detail))
    if len(tries) > 1:
        text.append("\ntries of this call\n", ink.key)
        text.append_text(_tries(ink, tries, row.number))
    text.rstrip()
    return text


def _facts(row: Row, mock: str) -> list[tuple[str, str]]:
    """What is known of an exchange, as names and values."""
    return [
        ("time", moment(row.wall)),
        ("client", safe(row.client) + (f" · retry {row.attempt}" if row.attempt else "")),
        ("model", safe(row.model)),
        ("answer", "streamed" if row.stream else "whole"),
        ("ttft", "none" if row.ttft is None else f"{row.ttft * 1000:.1f} ms"),
        ("duration", "under way" if row.duration is None else f"{row.duration:.3f} s"),
        ("tokens", f"{amount(row.tokens)} of {amount(row.planned)} planned"),
        ("prompt", f"{amount(row.prompt_tokens)} tokens"),
        ("profile", safe(row.profile) or "none"),
        ("text by", safe(row.origin) or "none"),
        ("mock", safe(mock) or "none"),
        ("faults", safe(", ".join(row.faults)) or "none"),
    ]


def _tries(ink: Ink, tries: Sequence[Row], here: int) -> Text:
    """A line a try: when it came after the one before, and what became of it."""
    text, before = Text(), None
    for count, row in enumerate(tries, 1):
        sign = "▸" if row.number == here else " "
        word = "under way" if row.outcome == "live" else f"{row.status or ''} {row.outcome}".strip()
        gap = f"  after {row.wall - before:.2f} s" if before is not None and row.wall >= before else ""
        text.append(f"{sign} {count}  #{row.number:<7}", ink.bold if row.number == here else ink.dim)
        text.append(f"{word}", ink.tone[row.outcome]).append(f"{gap}\n", ink.dim)
        before = row.wall + (row.duration or 0.0)
    return text


def times(ink: Ink, detail: Detail) -> Text:
    """Asked beside achieved; only the plan's where the pace was changed by hand."""
    asked, achieved = detail["asked"], detail["achieved"]
    text = Text().append("\nasked and achieved\n", ink.key)
    if achieved["first"] is None and achieved["last"] is None:
        due = asked["last"] if asked["first"] is None else asked["first"]
        return text.append(f"the first of it is due after {wait(due)}\n", ink.text)
    if not detail["steady"]:
        return text.append("its pace was changed by hand: nothing to compare\n", ink.tone["limited"])
    for name, words in (("first", "first piece"), ("last", "last piece"), ("pace", "tokens/s")):
        wanted, came = asked[name], achieved[name]
        if wanted is None and came is None:
            continue
        shown = ["…" if one is None else f"{one:.1f}" if name == "pace" else wait(one) for one in (wanted, came)]
        text.append(f"{words:<13}", ink.dim).append(f"{shown[0]:>10}", ink.dim).append(f"{shown[1]:>10}\n", ink.text)
    late = detail["late"]
    words = f"no piece came more than {max(0.1, late):.1f} ms late\n"
    return text.append(words, ink.text if late < _LATE else ink.tone["limited"])


def request(ink: Ink, detail: Detail) -> Text:
    """The request's first line, its body, its headers."""
    told = detail["request"]
    text = Text().append(f"{safe(told['method'])} {safe(told['path'])}\n", ink.bold)
    return _headers(ink, text.append("\n").append_text(body(told["body"], told["cut"])), told["headers"])


def response(ink: Ink, detail: Detail, raw: bool) -> Text:
    """The response: its bytes, or what they say."""
    told, row = detail["response"], detail["row"]
    text = Text().append(f"{told['status'] or 'no answer yet'}\n", ink.tone[row.outcome])
    nothing = "nothing yet" if row.outcome == "live" else "nothing"
    if raw:
        if told["status"] and not told["kept"]:
            return text.append("\nThe bytes of this answer are not kept.", ink.dim)
        shown = body(told["body"], told["cut"], nothing, plain=True)
        return _headers(ink, text.append("\n").append_text(shown), told["headers"])
    streamed = told["body"].startswith(("data:", "event:")) or not told["kept"]
    shown = detail["reply"] if streamed else told["body"]
    text.append("\n").append_text(body(shown, told["cut"] and not streamed, nothing))
    if streamed and (last := _ending(told["body"])):
        text.append("\n\n").append(safe(last, lines=True), ink.dim)
    return text


def _ending(raw: str) -> str:
    """What the last events of a stream tell beside its text: why it ended, what it cost."""
    told = []
    for line in raw[-8_000:].splitlines():
        name, _, data = line.partition(":")
        if name != "data" or not data.strip().startswith("{"):
            continue
        try:
            event = json.loads(data)
        except ValueError:
            told.append(f"broken event: {data.strip()[:200]}")
            continue
        for key, value in _walk(event):
            if key in _TELLING and value:
                told.append(f"{key}: {json.dumps(value, ensure_ascii=False)[:300]}")
    return "\n".join(dict.fromkeys(told))


def _walk(value: Any) -> list[tuple[str, Any]]:
    """The pairs in a JSON value, two levels deep and in its lists."""
    if not isinstance(value, dict):
        return []
    found = list(value.items())
    for inner in value.values():
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict):
                found += [pair for pair in one.items() if not isinstance(pair[1], list)]
    return found


def _headers(ink: Ink, text: Text, headers: Sequence[Sequence[str]]) -> Text:
    text.append("\n")
    for name, value in headers:
        text.append(f"\n{safe(name)}: ", ink.dim).append(safe(value), ink.text)
    return text


def _indented(text: str) -> str:
    """JSON with a line a value, anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text[:1] in {"{", "["} else text
    except ValueError:
        return text


def body(raw: str, cut: bool = False, nothing: str = "nothing", plain: bool = False) -> Text:
    """A body as text; what is too long for a screen says how much is missing."""
    text = raw if plain else _indented(raw)
    shown = safe(text[:LONGEST], lines=True)
    more = f"\n… and {amount(len(text) - LONGEST)} characters more" if len(text) > LONGEST else ""
    return Text(shown + (more or "\n… the body was longer" * cut) if text else nothing)


def difference(ink: Ink, old: Detail, new: Detail) -> Text:
    """What differs between two tries: requests first, then replies."""
    text = Text()
    for name, lines in (("request", _request_lines), ("reply", _reply_lines)):
        found = list(unified_diff(lines(old), lines(new), lineterm="", n=2))[2:]
        text.append(f"{name}\n", ink.key)
        if not found:
            text.append("the same\n", ink.dim)
        for line in found[:_DIFFERENCES]:
            tone = {"+": ink.tone["ok"], "-": ink.tone["failed"], "@": ink.dim}.get(line[:1], ink.text)
            text.append(safe(line[:_DIFFERENCES]) + "\n", tone)
        text.append("\n")
    text.rstrip()
    return text


def _request_lines(detail: Detail) -> list[str]:
    told = detail["request"]
    heads = [f"{name}: {value}" for name, value in told["headers"]]
    return [f"{told['method']} {told['path']}", *heads, "", *_indented(told["body"])[:LONGEST].splitlines()]


def _reply_lines(detail: Detail) -> list[str]:
    told, row = detail["response"], detail["row"]
    heads = [f"{name}: {value}" for name, value in told["headers"]]
    words = detail["reply"] or _indented(told["body"])
    spans = [f"faults: {', '.join(row.faults) or 'none'}", f"mock: {detail['mock'] or 'none'}"]
    return [f"{row.status or 'no answer'} {row.outcome}", *spans, *heads, "", *words[:LONGEST].splitlines()]
