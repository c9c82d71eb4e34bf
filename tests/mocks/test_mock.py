"""What a mock may say, how it reads back, and what is refused."""

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from llmsim.conversation import Block
from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.mocks import Answer, Mock, named
from llmsim.settings import Settings


@pytest.mark.parametrize(
    "raw",
    [
        {"reply": "Hello"},
        {
            "name": "refund",
            "when": "model:gpt* text:/refund/",
            "priority": 5,
            "reply": "Sure.",
            "times": 2,
            "per": "key",
        },
        {"replies": ["one", {"json": {"a": 1}}], "then": "loop"},
        {"reply": {"json": None}},
        {"reply": {"thinking": "hm", "text": "ah", "usage": {"output": 7}, "latency": "fast", "finish": "length"}},
        {"reply": {"tool_calls": [{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": "{oops"}]}},
        {"reply": {"blocks": [{"text": "a"}, {"tool_call": {"name": "f"}}, {"text": "b"}]}},
        {"reply": {"error": {"status": 529, "message": "Too busy."}}},
        {"reply": {"raw": {"status": 418, "body": "tea", "headers": {"x-pot": "short"}}}},
        {"reply": {"refusal": "No."}, "state": {"machine": "m", "when": ["start"], "to": "done"}, "enabled": False},
        {"reply": {"text": "{{ text }}", "template": True}},
        {"reply": {"generator": "words"}},
    ],
)
def test_it_reads_back_as_it_was_written(raw: dict[str, Any]) -> None:
    mock = Mock.model_validate(raw)
    assert mock.flat() == raw
    assert Mock.model_validate(mock.model_dump(mode="json")) == mock


@pytest.mark.parametrize(
    "raw",
    [
        {"replies": [{"x": 1}] * 10_000},
        {"reply": {"tool_calls": [{}] * 100_000}},
        {"reply": {"blocks": [{}] * 100_000}},
        {"reply": "a", "state": {"when": [1] * 100_000}},
    ],
)
def test_of_very_many_parts_that_are_none_the_first_is_told(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        Mock.model_validate(raw)
    assert raised.value.error_count() <= 2


def test_a_mock_has_so_many_replies_and_no_more() -> None:
    assert len(Mock.model_validate({"replies": ["a"] * 10_000}).answers) == 10_000
    with pytest.raises(ValidationError, match="replies: there are 10,001 of them; at most 10,000 are allowed"):
        Mock.model_validate({"replies": ["a"] * 10_001})


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({}, "either reply or replies"),
        ({"reply": "a", "replies": ["b"]}, "either reply or replies"),
        ({"reply": {"text": "a", "refusal": "b"}}, "this one has text, refusal"),
        ({"reply": {"text": "a", "error": {"status": 500}}}, "this one has text, error"),
        ({"reply": {"error": {"status": 299}}}, "Input should be 400"),
        ({"reply": {"blocks": [{"text": "a", "thinking": "b"}]}}, "exactly one of text"),
        ({"reply": {"text": "{% if %}", "template": True}}, "template line 1"),
        ({"reply": {"raw": {"headers": {"content-length": "5"}}}}, "is told by the server itself"),
        ({"reply": {"raw": {"headers": {"x\ny": "5"}}}}, "no name of a header"),
        ({"reply": {"raw": {"headers": {"x": "a\r\nb"}}}}, "no value of a header"),
        ({"reply": {"raw": {"headers": {"x": "日本"}}}}, "no value of a header"),
        ({"reply": {"raw": {"content_type": "text/html\r\nx-evil: 1"}}}, "content_type: .* is no value of a header"),
        ({"reply": {"raw": {"status": 204, "body": "x"}}}, "body: an answer with status 204 has none"),
        ({"reply": {"raw": {"body": "\ud800"}}}, "half of a surrogate pair"),
        ({"reply": {"json": _nested(101)}}, "nested more than 100 levels deep"),
        ({"reply": {"json": 1 << 64}}, "too large"),
        ({"reply": {"json": float("nan")}}, "no number of JSON"),
        ({"reply": {"json": {"a": "\udc00"}}}, "half of a surrogate pair"),
        ({"reply": {"json": b"hi"}}, "a bytes is no value of JSON"),
        ({"reply": {"error": {"code": "\ud800"}}}, "code"),
        ({"reply": {"generator": "nobody"}}, "there is no 'nobody'"),
        ({"reply": {"tool_calls": [{"name": "f", "arguments": {"a": {1, 2}}}]}}, "a set is no value of JSON"),
        ({"reply": {"finish": "never"}}, "finish"),
        ({"reply": "a", "times": 0}, "times"),
        ({"reply": "a", "when": "status:500"}, "only the journal has it"),
        ({"reply": "a", "when": "modle:x"}, "there is no such condition"),
        ({"reply": "a", "wehn": "model:x"}, "wehn"),
    ],
)
def test_what_cannot_be_is_refused(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Mock.model_validate(raw)


def test_what_yaml_reads_without_quotation_marks_is_told_as_json_has_it() -> None:
    told = {1: "a", False: date(2024, 1, 31), None: [datetime(2024, 1, 31, 12, 5)]}
    for raw in ({"json": told}, {"tool_calls": [{"name": "f", "arguments": told}]}):
        reply = Answer.model_validate(raw).reply(Dice(1), "mock")
        words = "".join(reply.segments) or reply.calls[0].arguments
        assert words == '{"1":"a","false":"2024-01-31","null":["2024-01-31T12:05:00"]}'
    deep = Answer.model_validate({"json": _nested(100)})
    assert deep.reply(Dice(1), "mock").segments == ("[" * 100 + "1" + "]" * 100,)


def test_the_providers_own_words_for_the_end_are_understood() -> None:
    assert [Answer(text="a", finish=word).finish for word in ("max_tokens", "tool_use", "content_filter", "stop")] == [
        "length",
        "calls",
        "filter",
        "end",
    ]


def test_names_are_given_by_place_and_come_once() -> None:
    assert [one.name for one in named([{"reply": "a"}, {"name": "mock-1", "reply": "b"}])] == ["mock-1'", "mock-1"]
    with pytest.raises(SettingsError, match="'a' comes twice"):
        named([{"name": "a", "reply": "x"}, {"name": "a", "reply": "y"}])


def test_a_profile_must_be_there() -> None:
    with pytest.raises(SettingsError, match=r"mocks.slow.latency: there is no profile 'snail'"):
        Settings().changed(mocks=[{"name": "slow", "reply": {"text": "a", "latency": "snail"}}])


def test_blocks_stay_in_their_order() -> None:
    answer = Answer.model_validate(
        {"blocks": [{"thinking": "t"}, {"text": "a"}, {"tool_call": {"name": "f", "id": "c"}}]}
    )
    reply = answer.reply(Dice(1), "mock")
    assert [block.kind for block in reply.blocks] == ["thought", "text", "call"]
    assert reply.blocks[1] == Block("text", "a")
    assert [call.id for call in reply.calls] == ["c"]


@pytest.mark.parametrize("value", [[1] * 100_000, {"a": [[0] * 60_000, [0] * 60_000]}])
def test_a_value_has_so_many_values_in_it(value: Any) -> None:
    for reply in (
        {"json": value},
        {"raw": {"body": value}},
        {"tool_calls": [{"name": "f", "arguments": {"a": value}}]},
    ):
        with pytest.raises(ValidationError, match="too many values"):
            Answer.model_validate(reply)


@pytest.mark.parametrize("reply", [{"tool_calls": [{"name": "f"}] * 10_001}, {"blocks": [{"text": ""}] * 10_001}])
def test_a_reply_has_so_many_parts(reply: Any) -> None:
    with pytest.raises(ValidationError, match="at most 10000 items"):
        Answer.model_validate(reply)
