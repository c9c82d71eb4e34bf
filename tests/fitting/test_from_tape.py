"""A tape of any of the APIs tells the profile that it was recorded under."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from taped import CHAT, GEMINI_STREAM, MESSAGES, RESPONSES, post, recorded

from llmsim.dialects import Request
from llmsim.errors import TapeError
from llmsim.fitting import from_tape
from llmsim.fitting.fit import fit
from llmsim.fitting.needs import FitError
from llmsim.latency import Profile, Spread
from llmsim.settings import Settings
from llmsim.tapes import Take, Writer

PROFILE = Profile(ttft=Spread(kind="lognormal", mean=400, stddev=120), tbt=Spread(kind="gamma", mean=25, stddev=12))
SETTINGS = Settings(profiles={"known": PROFILE}, latency_profile="known", target_tokens=40)


def turn(number: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"What of {number}?"}]


def chat(number: int, **fields: Any) -> Request:
    body = {"model": "gpt-4o", "messages": turn(number), "stream": True, **fields}
    return post(CHAT, {**body, "stream_options": {"include_usage": True}} if body["stream"] else body)


def message(number: int) -> Request:
    return post(MESSAGES, {"model": "claude-sonnet-4-5", "messages": turn(number), "max_tokens": 200, "stream": True})


def response(number: int) -> Request:
    return post(RESPONSES, {"model": "gpt-4o", "input": f"What of {number}?", "stream": True})


def content(number: int) -> Request:
    body = {"contents": [{"parts": [{"text": f"What of {number}?"}]}]}
    return post(GEMINI_STREAM, body, "alt=sse" if number % 2 else "")


def tape(folder: Path, *takes: Take) -> Path:
    path = folder / "run.jsonl"
    writer = Writer(path)
    for take in takes:
        writer.write(take)
    writer.close()
    return path


@pytest.mark.parametrize(
    ("request_of", "model"),
    [(chat, "gpt-4o"), (response, "gpt-4o"), (message, "claude-sonnet-4-5-20250929"), (content, "gemini-2.5-flash")],
    ids=["chat", "responses", "messages", "gemini"],
)
def test_the_profile_of_a_recording_is_found_again(tmp_path: Path, request_of: Any, model: str) -> None:
    path = tape(tmp_path, *recorded(SETTINGS, *map(request_of, range(40))))
    (fitted,) = fit(from_tape.read(path))
    assert (fitted.model, fitted.replies) == (model, 40)
    assert fitted.ttft is not None
    assert fitted.ttft.spread.middle == pytest.approx(400, rel=0.15)
    assert fitted.tbt is not None
    assert fitted.tbt.spread.kind == "gamma"
    assert fitted.tbt.spread.mean == pytest.approx(25, rel=0.05)
    assert fitted.tbt.spread.stddev == pytest.approx(12, rel=0.1)


def test_replies_under_way_at_once_are_counted(tmp_path: Path) -> None:
    path = tape(tmp_path, *recorded(SETTINGS, *map(chat, range(10)), apart=0.001))
    (fitted,) = fit(from_tape.read(path))
    assert fitted.most == 10


def test_the_prompt_is_what_the_reply_says_it_was(tmp_path: Path) -> None:
    (seen,) = from_tape.replies(iter(recorded(SETTINGS, chat(1))))
    assert seen.prompt == 12
    assert len(seen.gaps) == 39


def test_errors_and_whole_replies_tell_no_pace(tmp_path: Path) -> None:
    whole, refused = chat(1, stream=False), post(CHAT, {"model": "gpt-4o"})
    with pytest.raises(FitError, match="no streamed reply on this tape"):
        from_tape.read(tape(tmp_path, *recorded(SETTINGS, whole, refused)))


def test_a_tape_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = tape(tmp_path, *recorded(SETTINGS, chat(1)))
    assert from_tape.mine(path)
    other = tmp_path / "results.json"
    other.write_text('{"benchmarks": []}')
    assert not from_tape.mine(other)


def test_a_tape_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="there is no such tape"):
        from_tape.read(tmp_path / "none.jsonl")
