"""Which files are another tool's, and that what llmsim has no counterpart for is told, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from llmsim.mocks import Mock, imports


def fixture(match: Any = None, response: Any = None, **more: Any) -> dict[str, Any]:
    match = {"userMessage": "a"} if match is None else match
    return {"fixtures": [{"match": match, "response": {"content": "b"} if response is None else response, **more}]}


def rule(**more: Any) -> dict[str, Any]:
    content = '{"choices": [{"message": {"content": "b"}}]}'
    return {"rules": [{"path": "/v1/chat/completions", "response": {"status": 200, "content": content}, **more}]}


def answering(content: str, status: Any = 200) -> dict[str, Any]:
    return rule(response={"status": status, "content": content})


def behaviour(**more: Any) -> dict[str, Any]:
    return {"behaviors": [{"type": "reply", "text": "b", **more}]}


def read(raw: Any) -> imports.Imported:
    found = imports.read(raw)
    assert found is not None
    for made in found.mocks:
        Mock.model_validate(made.fields)
    return found


@pytest.mark.parametrize(
    "raw",
    [None, [], {}, [{"reply": "a"}], {"mocks": []}, {"fixtures": {}}, {"rules": [{}]}, {"responses": 1}],
)
def test_other_files_are_none_of_theirs(raw: Any) -> None:
    assert imports.read(raw) is None


@pytest.mark.parametrize(
    ("raw", "tool"),
    [
        (fixture(), "aimock"),
        ({"fixtures": []}, "aimock"),
        (rule(), "mock-llm"),
        ({"responses": {"a": "b"}}, "mockllm"),
        (behaviour(), "llmock"),
    ],
)
def test_each_tools_form_is_known(raw: Any, tool: str) -> None:
    found = read(raw)
    assert (found.tool, found.problems) == (tool, ())


F, R, B = ("fixtures", 0), ("rules", 0), ("behaviors", 0)
REFUSED: list[tuple[Any, tuple[Any, ...], str]] = [
    (fixture(match={"predicate": "x"}), (*F, "match", "predicate"), "a function cannot be read from a file"),
    (fixture(match={"userMassage": "x"}), (*F, "match", "userMassage"), "there is no such condition"),
    (fixture(match={"userMessage": 3}), (*F, "match", "userMessage"), "userMessage is a text, not 3"),
    (fixture(match={"turnIndex": "1"}), (*F, "match", "turnIndex"), "turnIndex is a whole number"),
    (fixture(match={"systemMessage": [1]}), (*F, "match", "systemMessage"), "a text or a list of texts"),
    (fixture(match={"model": "gpt*"}), (*F, "match", "model"), "no name of a model"),
    (fixture(match={"endpoint": "fal"}), (*F, "match", "endpoint"), "no API that answers to 'fal'"),
    (fixture(match=[1]), F, "a match and a response"),
    (fixture(response="b"), (*F, "response"), "a mapping"),
    (fixture(response={}), (*F, "response"), "neither content nor toolCalls"),
    *[
        (fixture(response={name: value}), (*F, "response", name), f"{name}: a mock in llmsim cannot reply with")
        for name, value in {
            "embedding": [0.1], "image": {}, "images": [], "audio": "x", "transcription": {}, "video": {},
            "json": {}, "live": {}, "webSearches": ["x"], "redactedThinking": ["x"],
        }.items()
    ],
    (fixture(response={"content": 3}), (*F, "response", "content"), "a text, a mapping or a list"),
    (fixture(response={"content": "b", "finishReason": "x"}), (*F, "response", "finishReason"), "'x' is none of"),
    (fixture(response={"toolCalls": [{"arguments": {}}]}), (*F, "response", "toolCalls", 0), "no tool call"),
    (fixture(response={"blocks": [{"type": "image"}]}), (*F, "response", "blocks", 0), "a text or a toolCall"),
    (fixture(response={"error": "x"}), (*F, "response", "error"), "an error has a message"),
    (fixture(response={"error": {"message": "x"}, "status": 99}), (*F, "response", "status"), "200 to 599"),
    (fixture(truncateAfterChunks=2), (*F, "truncateAfterChunks"), "arm the fault cut"),
    (fixture(disconnectAfterMs=2), (*F, "disconnectAfterMs"), "arm the fault cut"),
    (fixture(chaos={"dropRate": 1}), (*F, "chaos"), "arm the faults"),
    (fixture(latency=-1), (*F, "latency"), "a number of at least 0"),
    (rule(path="/v1/(chat|x)"), (*R, "path"), "more than a path with .*"),
    (rule(match="length(body.messages) > `3`"), (*R, "match"), "the function length()"),
    (rule(match="contains(messages[-1].content, 'a')"), (*R, "match"), "neither in body nor in headers"),
    (rule(match="!body.tools"), (*R, "match"), "write !(body.tools)"),
    (rule(match="body.messages[*].content"), (*R, "match"), "a list alone is true"),
    (rule(match="body.a == "), (*R, "match"), "a value is missing"),
    (rule(match="body.a ~ 'x'"), (*R, "match"), "column 7"),
    (rule(match="(" * 40 + "body.a"), (*R, "match"), "at most 30 parentheses"),
    (rule(match="body.a | [0]"), (*R, "match"), "cannot be read"),
    (rule(sequence="1"), (*R, "sequence"), "no number of a request"),
    (rule(response={}), (*R, "response"), "a response with a content"),
    (answering("{"), (*R, "response", "content"), "content is no JSON"),
    (answering("{}", 42), (*R, "response", "status"), "200 to 599"),
    (answering('{"a": "{{jmes request length(body)}}"}'), (*R, "response", "content"), "only a plain path"),
    ({"responses": {"a": 1}}, ("responses", "a"), "a text for a text"),
    ({"responses": {}, "settings": {"lag_enabled": True, "lag_factor": 0}}, ("settings", "lag_factor"), "above 0"),
    *[
        ({"behaviors": [{"type": kind}]}, (*B, "type"), "is no part of a mock in llmsim")
        for kind in ("delay", "slow_first_token", "stream_fault", "tool_fault")
    ],
    (behaviour(type="x"), B, "'x' is none of reply, fail"),
    ({"behaviors": [{"type": "reply"}]}, B, "a text or tool_calls"),
    (behaviour(times=0), (*B, "times"), "neither a number of requests nor null"),
    (behaviour(finish_reason="x"), (*B, "finish_reason"), "'x' is none of"),
    (behaviour(match={"provider": "cohere"}), (*B, "match", "provider"), "nothing for 'cohere'"),
    (behaviour(match={"model": "gpt-[45]"}), (*B, "match", "model"), "nothing for 'gpt-[45]'"),
    (behaviour(match={"colour": "red"}), (*B, "match", "colour"), "there is no such condition"),
    (behaviour(type="fail", status=200), (*B, "status"), "no status of an error"),
    ({"chaos": {"latency_ms": 3}}, (), "has no replies"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "place", "sentence"), REFUSED)
def test_what_has_no_counterpart_is_refused_at_its_place(raw: Any, place: tuple[Any, ...], sentence: str) -> None:
    found = read(raw)
    assert [one.place for one in found.problems] == [place]
    assert sentence in found.problems[0].sentence
    assert not found.mocks or found.tool == "mockllm"


@pytest.mark.parametrize(
    ("raw", "place", "sentence"),
    [
        (fixture(metadata={"systemHash": "x"}), (*F, "metadata"), "metadata is left out"),
        (fixture(response={"content": "b", "id": "x"}), (*F, "response", "id"), "id is left out"),
        ({**fixture(), "$schema": "x"}, ("$schema",), "$schema is left out"),
        ({**rule(), "streaming": {"chunkSize": 3}}, ("streaming",), "streaming is left out"),
        (rule(path="/v1/models", method="GET"), R, "llmsim answers this by itself"),
        (behaviour(note="x"), (*B, "note"), "note is left out"),
    ],
)
def test_what_changes_no_answer_is_left_out_and_told(raw: Any, place: tuple[Any, ...], sentence: str) -> None:
    found = read(raw)
    assert not found.problems
    assert [one.place for one in found.notes] == [place]
    assert sentence in found.notes[0].sentence


def test_a_fallback_before_a_turn_is_told() -> None:
    both = [*fixture()["fixtures"], *fixture(match={"userMessage": "ab", "turnIndex": 1})["fixtures"]]
    assert [one.place for one in read({"fixtures": both}).notes] == [("fixtures", 1, "match", "turnIndex")]
    assert not read({"fixtures": both[::-1]}).notes


@pytest.mark.parametrize(
    ("more", "latency"),
    [
        ({"latency": 20}, {"ttft": {"kind": "fixed", "mean": 20}, "tbt": {"kind": "fixed", "mean": 4}}),
        (
            {"streamingProfile": {"ttft": 100, "tps": 50}, "replaySpeed": 2},
            {"ttft": {"kind": "fixed", "mean": 50}, "tbt": {"kind": "fixed", "mean": 10}},
        ),
        (
            {"recordedTimings": {"ttftMs": 9, "interChunkDelaysMs": [1, 2]}},
            {"ttft": {"kind": "fixed", "mean": 9}, "tbt": {"kind": "empirical", "samples": [1, 2]}},
        ),
    ],
)
def test_waits_become_a_profile(more: Any, latency: Any) -> None:
    assert read(fixture(**more)).mocks[0].fields["reply"]["latency"] == latency


def test_a_very_long_text_is_looked_for_in_pieces() -> None:
    for raw in (fixture(match={"userMessage": "x/y" * 1000}), {"responses": {"x/y" * 1000: "b"}}):
        Mock.model_validate(read(raw).mocks[0].fields)
