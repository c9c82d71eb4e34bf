"""What is recorded of llmsim is replayed byte by byte, but for ids and dates, and at the same moments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from replaying import SETTINGS, again, ask, chat, content, message, replaying, response
from taped import Ear, recorded

from llmsim.tapes import Take

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

OPENAI_TOOL = {"tools": [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]}
RESPONSES_TOOL = {"tools": [{"type": "function", "name": "weather", "parameters": CITY, "strict": False}]}
ANTHROPIC_TOOL = {"tools": [{"name": "weather", "input_schema": CITY}], "tool_choice": {"type": "any"}}
GEMINI_TOOL = {
    "tools": [{"functionDeclarations": [{"name": "weather", "parameters": CITY}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}

WHOLE = {
    "chat": chat(),
    "chat with tools": chat("Weather?", tool_choice="required", **OPENAI_TOOL),
    "chat with choices": chat("Twice", n=2),
    "responses": response(),
    "responses with tools": response("Weather?", tool_choice="required", **RESPONSES_TOOL),
    "messages": message(),
    "messages with tools": message("Weather?", **ANTHROPIC_TOOL),
    "messages with thinking": message("Think", **THINKING),
    "gemini": content(),
    "gemini with tools": content("Weather?", **GEMINI_TOOL),
}
STREAMED = {
    "chat": chat(stream=True, stream_options={"include_usage": True}),
    "chat with tools": chat("Weather?", stream=True, tool_choice="required", **OPENAI_TOOL),
    "chat with choices": chat("Twice", stream=True, n=2),
    "responses": response(stream=True),
    "responses with tools": response("Weather?", stream=True, tool_choice="required", **RESPONSES_TOOL),
    "messages": message(stream=True),
    "messages with tools": message("Weather?", stream=True, **ANTHROPIC_TOOL),
    "messages with thinking": message("Think", stream=True, **THINKING),
    "gemini": content(stream=True),
    "gemini as an array": content("Array", stream=True, query=""),
    "gemini with tools": content("Weather?", stream=True, **GEMINI_TOOL),
}
REQUESTS = {
    **{f"{name}, whole": one for name, one in WHOLE.items()},
    **{f"{n}, streamed": o for n, o in STREAMED.items()},
}


_SEALED = re.compile(rb'("(?:id|[a-z_]+_id|responseId)"\s*:\s*)"[^"]*"|("(?:created|[a-z]+_at)"\s*:\s*)\d+')


def sealed(body: bytes) -> bytes:
    """The body without its ids and dates."""
    return _SEALED.sub(rb"\1\2_", body)


FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "429": {"kind": "refuse", "status": 429, "retry_after": 2},
    "a cut": {"kind": "cut", "after_tokens": 4, "reset": False},
    "a cut before the first byte": {"kind": "cut", "after_tokens": 0},
    "a stall": {"kind": "stall", "after_tokens": 3, "for_ms": 2000},
    "an error in mid-stream": {"kind": "refuse", "status": 529, "after_tokens": 3},
    "a broken event": {"kind": "garble"},
}


class Played(NamedTuple):
    """All of the requests: as they were recorded, as they are replayed, and so with the recorded ids."""

    takes: list[Take]
    fresh: list[Ear]
    same: list[Ear]

    def each(self, ears: list[Ear]) -> Iterator[tuple[str, Take, Ear]]:
        return zip(REQUESTS, self.takes, ears, strict=True)


@pytest.fixture(params=FAULTS, scope="module")
def played(request: pytest.FixtureRequest) -> Played:
    """Recorded under a fault, replayed without any."""
    fault = FAULTS[request.param]
    takes = recorded(SETTINGS.changed(faults=[fault] if fault else []), *map(again, REQUESTS.values()))
    fresh = ask(replaying(takes), *REQUESTS.values())
    return Played(takes, fresh, ask(replaying(takes, replay_ids="recorded"), *REQUESTS.values()))


def test_all_of_it_is_byte_equal_but_for_ids_and_dates(played: Played) -> None:
    for name, take, ear in played.each(played.fresh):
        assert (ear.status, ear.end) == (take.status, take.end), name
        assert sealed(ear.told) == sealed(take.body), name
        if name.startswith(("chat,", "responses,")) and take.status == 200 and len(take.body) > 200:
            assert ear.told != take.body, f"{name}: its ids are those of the recording"


def test_with_recorded_ids_all_of_it_is_byte_equal(played: Played) -> None:
    for name, take, ear in played.each(played.same):
        assert ear.told == take.body, name
        told = [(key.decode(), value.decode()) for key, value in ear.headers if key != b"x-llmsim-exchange"]
        assert told == [one for one in take.headers if one[0] != "x-llmsim-exchange"], name


def test_it_comes_at_the_same_moments(played: Played) -> None:
    """To a millisecond, the step of the pacer, which is what one reply alone is played by."""
    for name, take, ear in played.each(played.fresh):
        assert [len(frame.data) for frame in ear.frames] == [len(frame.data) for frame in take.frames], name
        for ours, theirs in zip(ear.frames, take.frames, strict=True):
            assert ours.at == pytest.approx(theirs.at, abs=0.0011), name
        assert ear.ended == pytest.approx(take.ended, abs=0.03), name  # a reset waits for what is on its way
