"""Tapes as archives, cassettes and fixtures, and back."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import orjson
import pytest
from replaying import SETTINGS, ask, chat, content, message, replaying
from taped import recorded

from llmsim.errors import TapeError
from llmsim.mocks import imports
from llmsim.tapes import Take
from llmsim.taping import aimock, files, har, vcr

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    tools = {"tools": [{"type": "function", "function": {"name": "w"}}], "tool_choice": "required"}
    requests = [chat("Hi"), chat("Hi", stream=True), message("Ho", stream=True), content("Ha"), chat("Call", **tools)]
    found = recorded(SETTINGS, *requests)
    limited = recorded(SETTINGS.changed(faults=[{"kind": "refuse", "status": 429, "retry_after": 3}]), chat("No"))
    cut = recorded(SETTINGS.changed(faults=[{"kind": "cut", "after_tokens": 3}]), chat("Cut", stream=True))
    return [replace(take, id=f"take-{number}") for number, take in enumerate((*found, *limited, *cut))]


def same(ours: Take, theirs: Take) -> None:
    """All that an exchange is, but for its id and the name of the upstream."""
    for name in ("method", "path", "query", "dialect", "request_body", "status", "body", "end"):
        assert getattr(ours, name) == getattr(theirs, name), name


# -- HAR


def test_an_archive_is_one_and_loses_nothing(takes: list[Take]) -> None:
    made = json.loads(orjson.dumps(har.archive(takes)))
    jsonschema.validate(made, json.loads((ROOT / "har_schema.json").read_text()))
    assert made["log"]["entries"][0]["request"]["url"] == "https://api.openai.com/v1/chat/completions"
    notes: list[str] = []
    for before, after in zip(takes, har.takes(made, notes), strict=True):
        same(after, before)
        assert [frame.data for frame in after.frames] == [frame.data for frame in before.frames]
        assert [frame.at for frame in after.frames] == pytest.approx([frame.at for frame in before.frames], abs=1e-5)
        assert after.at == pytest.approx(before.at, abs=0.001)
    assert notes == []


def test_the_events_of_another_tools_archive_are_spread_over_its_time(takes: list[Take]) -> None:
    made = har.archive(takes[1:2])
    (entry,) = made["log"]["entries"]
    del entry["response"]["_frames"]
    entry["timings"].update(wait=400, receive=600)
    notes: list[str] = []
    (take,) = har.takes(made, notes)
    assert take.body == takes[1].body
    assert take.frames[0].at == pytest.approx(0.4)
    assert take.frames[-1].at == pytest.approx(1.0)
    assert len(take.frames) > 10
    assert "spread evenly" in notes[0]


def test_an_archives_path_may_be_below_a_gateways() -> None:
    (take,) = recorded(SETTINGS, chat("Hi"))
    made = har.archive([take])
    made["log"]["entries"][0]["request"]["url"] = "https://gateway.example/tenant/openai/v1/chat/completions?a=b"
    (told,) = har.takes(made, [])
    assert (told.path, told.query, told.dialect) == ("/v1/chat/completions", "a=b", "openai_chat")
    assert told.upstream == "gateway.example"


# -- VCR


def test_a_cassette_is_replayed_as_its_takes_are(takes: list[Take]) -> None:
    told = vcr.cassette(takes[:5])
    notes: list[str] = []
    back = list(vcr.takes(told, notes))
    for before, after in zip(takes, back, strict=False):
        same(after, before)
    assert "nothing of time" in notes[0]
    assert orjson.loads(ask(replaying(back), chat("Hi"))[0].told)["object"] == "chat.completion"


def test_bodies_of_a_cassette_that_are_compressed_are_decoded(takes: list[Take]) -> None:
    told = vcr.cassette(takes[:1])
    response = told["interactions"][0]["response"]
    response["body"]["string"] = gzip.compress(takes[0].body)
    response["headers"]["Content-Encoding"] = ["gzip"]
    (take,) = vcr.takes(told, [])
    assert (take.body, take.coding) == (takes[0].body, "gzip")
    assert take.header("content-encoding") == ""
    response["body"]["string"] = takes[0].body.decode()  # vcrpy with decode_compressed_response, header kept
    assert next(vcr.takes(told, [])).body == takes[0].body


def test_a_cassette_of_ruby_is_read(takes: list[Take]) -> None:
    one = vcr.cassette(takes[:1])["interactions"][0]
    request = {**one["request"], "method": "post", "body": {"encoding": "UTF-8", "string": one["request"]["body"]}}
    ruby = {**one, "request": request, "recorded_at": "Tue, 01 Nov 2011 04:58:44 GMT"}
    (take,) = vcr.takes({"http_interactions": [ruby], "recorded_with": "VCR 6.0.0"}, [])
    same(take, takes[0])


# -- aimock


def test_takes_become_fixtures_that_are_mocks_again(takes: list[Take]) -> None:
    notes: list[str] = []
    told = aimock.fixtures(takes, notes)
    assert [one["match"].get("sequenceIndex") for one in told["fixtures"][:2]] == [0, 1]
    assert told["fixtures"][5]["response"]["error"]["message"]
    assert told["fixtures"][5]["response"]["retryAfter"] == 3
    assert told["fixtures"][4]["response"]["toolCalls"][0]["name"] == "w"
    assert told["fixtures"][2]["streamingProfile"]["ttft"] > 100
    assert notes == ["take 7, POST /v1/chat/completions, is left out: it is no reply in words to a message"]
    read = imports.read(json.loads(orjson.dumps(told)))
    assert read is not None
    assert read.problems == ()
    assert len(read.mocks) >= 6


# -- files


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    for text, sentence in (
        ('{"fixtures": []}', "`llmsim mocks convert` makes mocks of them"),
        ('{"hello": 1}', "this is neither a tape nor a HAR nor a cassette of VCR"),
        ('{"log": {"entries": [{}]}}', r"log\.entries\[0\]: it cannot be read: KeyError\('request'\)"),
        ("{", "this is no JSON"),
    ):
        path = tmp_path / "a.json"
        path.write_text(text)
        with pytest.raises(TapeError, match=sentence):
            list(files.read(path, []))


def test_a_file_is_not_written_over_and_an_empty_tape_not_written(tmp_path: Path, takes: list[Take]) -> None:
    path = tmp_path / "a.jsonl"
    assert files.write(path, "tape", takes, []) == 7
    with pytest.raises(TapeError, match="--force"):
        files.write(path, "tape", takes, [])
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TapeError, match="nothing to write"):
        files.write(tmp_path / "b.jsonl", "tape", [], [])
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]


def test_tapes_are_merged_in_the_order_of_time_and_each_take_once(takes: list[Take]) -> None:
    later = [replace(take, at=take.at + 1, id=f"b{take.id}") for take in takes]
    merged = files.merged([takes, later, takes])
    assert len(merged) == 14
    assert [take.at for take in merged] == sorted(take.at for take in merged)
