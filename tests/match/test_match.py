"""One match, two ways to write it: what holds for a request, what reads back as it was written, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from support import ask_for

from llmsim.conversation import Message, Tool, ToolCall
from llmsim.errors import SettingsError
from llmsim.match import ALWAYS, FIELDS, Match, Outcome, Subject
from llmsim.match.tree import All, Node, Not, Some

BODY = {"model": "gpt-4o-mini", "metadata": {"team": "blue", "size": 3, "deep": [{"on": True}, {"on": None}]}}


def subject(text: str = "I want a refund for order 42.", **fields: Any) -> Subject:
    messages = (
        Message("system", "You are terse."),
        Message("user", "Hello there"),
        Message("assistant", "Hi!"),
        Message("user", text),
    )
    given = {
        "model": "gpt-4o-mini",
        "messages": messages,
        "provider": "openai",
        "dialect": "openai_chat",
        "endpoint": "/v1/chat/completions",
        "key": "sk-ci-1",
        "client": "OpenAI/Python",
        "tools": (Tool("get_order"), Tool("refund")),
        "headers": {b"x-team": b"blue"},
        **fields,
    }
    return Subject(ask_for(**given), orjson.dumps(BODY), seen=2)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "model:gpt-4o*",
        "model:GPT-4O-mini",
        "provider:openai api:openai_chat endpoint:/v1/chat/*",
        "key:sk-ci-? client:openai*",
        "stream:false tools:true tool:refund",
        "tool_result:false",
        "turn:2 turn:>1 turn:1..2 turn:<=2 turn:>=2 turn:<3",
        "seen:2 attempt:0",
        "text:refund text:REFUND text:/order \\d+/ text:/ORDER/i",
        'text:"=I want a refund for order 42."',
        "system:terse",
        "any:Hi any:hello",
        "header.x-team:blue header.X-Team:*",
        "json.metadata.team:blue json.$.metadata.size:3 json.metadata.size:>2",
        "json.metadata.deep[0].on:true json.metadata.deep[1].on:null json.metadata.deep[*].on:true json.metadata:*",
        "refund openai 'I".replace("'", ""),
        "!key:prod not stream:true",
        "(model:o3 or model:gpt*) and (refund or cancel)",
        "!(model:o3 or key:prod)",
    ],
)
def test_it_holds(line: str) -> None:
    assert Match(line).holds(subject())
    assert not Match(line).failing(subject())


@pytest.mark.parametrize(
    "line",
    [
        "model:gpt-4o",
        "key:ci",
        "stream:true",
        "tool:refunds",
        "turn:>2",
        "seen:0",
        "text:=refund",
        "text:/^refund/",
        "system:verbose",
        "header.x-team:green",
        "header.x-other:*",
        "json.metadata.team:blu json.metadata.size:3",
        "json.metadata.none:*",
        "json.metadata.deep[0].on:>0",
        "!refund",
        "model:gpt* stream:true",
        "model:o3 or model:o4",
    ],
)
def test_it_does_not_hold(line: str) -> None:
    assert not Match(line).holds(subject())


def test_the_words_between_conditions_may_be_in_capitals() -> None:
    assert Match("model:a OR NOT stream:true AND turn:1") == Match("model:a or !stream:true turn:1")


def test_a_star_asks_that_there_is_one() -> None:
    nobody = subject(key="", client="", model="")
    assert not any(Match(f"{name}:*").holds(nobody) for name in ("key", "client", "model", "mock"))
    assert Match("!key:* provider:*").holds(nobody)


@pytest.mark.parametrize("line", ["json.n:1", "json.n:1.0", "json.m:-2", "json.m:<-1 json.m:-3..-1", "json.t:1"])
def test_numbers_in_a_body_are_numbers(line: str) -> None:
    assert Match(line).holds(Subject(ask_for(), b'{"n": 1.0, "m": -2, "t": "1"}'))


def test_what_fails_is_told_part_by_part() -> None:
    assert Match("model:gpt* stream:true (key:a or key:b)").failing(subject()) == ["stream:true", "key:a or key:b"]


def test_a_body_that_is_no_json_has_no_values() -> None:
    assert not Match("json.model:*").holds(Subject(ask_for(), b"\xff{"))


def test_the_journal_can_be_asked_how_it_went() -> None:
    told = Subject(ask_for(), outcome=Outcome(429, "limited", ("storm",), "refund"))
    assert Match("status:4xx outcome:limited fault:storm mock:refund limited").holds(told)
    assert not Match("status:2xx").holds(told)
    with pytest.raises(SettingsError, match="status: it is known once a request has been answered"):
        Match("model:a or !status:429").refuse_late()


def test_a_tools_result_and_its_turn_are_seen() -> None:
    call = ToolCall("call_1", "get_order", "{}")
    messages = (Message("user", "Hi"), Message("assistant", calls=(call,)), Message("tool", "42", call_id="call_1"))
    assert Match("tool_result:true turn:1").holds(Subject(ask_for(messages=messages)))


@pytest.mark.parametrize(
    ("mapping", "line"),
    [
        ({}, ""),
        (
            {"model": "gpt-4o*", "stream": True, "text": "/refund/", "not": {"key": "ci"}},
            "model:gpt-4o* stream:true text:/refund/ !key:ci",
        ),
        ({"model": ["a", "b"]}, "model:a or model:b"),
        ({"model": ["a", "b"], "turn": 3}, "(model:a or model:b) turn:3"),
        ({"header": {"x-team": "blue", "x-env": "ci"}}, "header.x-team:blue header.x-env:ci"),
        ({"json": {"metadata.team": "blue", "$.n": 3}}, "json.metadata.team:blue json.$.n:3"),
        ({"or": [{"model": "a"}, {"stream": True}]}, "model:a or stream:true"),
        ({"and": [{"turn": ">1"}, {"turn": "<4"}]}, "turn:>1 turn:<4"),
        ({"not": {"or": [{"model": "a"}, {"key": "b"}]}}, "!(model:a or key:b)"),
        ({"text": "two words"}, 'text:"two words"'),
        ({"has": "refund"}, "refund"),
        ({"has": "OR"}, "has:OR"),
    ],
)
def test_both_forms_mean_the_same_and_are_written_as_each_other(mapping: dict[str, Any], line: str) -> None:
    assert Match(mapping) == Match(line)
    assert str(Match(mapping)) == line
    assert Match(line).mapping() == mapping


NAMES = st.sampled_from(
    ["gpt-4o*", "o3", "a b", 'say "hi"', "x(y)", "or", "!no", "back\\slash", "a:b", "=exact", "/x y/i", "*"]
)
CONDITIONS = st.one_of(
    st.builds(
        lambda name, value: {name: value}, st.sampled_from(["model", "key", "client", "text", "any", "has"]), NAMES
    ),
    st.builds(lambda value: {"turn": value}, st.sampled_from([1, ">2", "2..4", "<=7"])),
    st.builds(lambda name, value: {name: value}, st.sampled_from(["stream", "tools", "tool_result"]), st.booleans()),
    st.builds(lambda name, value: {"header": {name: value}}, st.sampled_from(["x-a", "x-b"]), NAMES),
    st.builds(
        lambda path, value: {"json": {path: value}},
        st.sampled_from(["a.b", "$.c[0]", "$['x y']", "$.items[?(@.a == 'b)')]", "$..id"]),
        NAMES,
    ),
)
MATCHES = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda parts: {"and": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@given(raw=MATCHES)
@settings(max_examples=300, deadline=None)
def test_what_is_written_reads_as_the_same_match(raw: dict[str, Any]) -> None:
    match = Match(raw)
    assert Match(str(match)).tree == match.tree
    assert Match(match.mapping()).tree == match.tree
    assert Match(yaml.safe_load(yaml.safe_dump(match.mapping(), sort_keys=False))) == match


LEAVES = CONDITIONS.map(lambda raw: Match(raw).tree)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Some(tuple(parts))),
    ),
    max_leaves=8,
)


@given(tree=TREES)
@settings(max_examples=200, deadline=None)
def test_every_tree_is_written_in_both_forms_so_that_it_reads_as_the_same(tree: Node) -> None:
    match = Match(tree)
    assert Match(str(match)).tree == match.tree
    assert Match(match.mapping()).tree == match.tree
    assert match.holds(subject()) == tree.holds(subject())


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({"not": {}}, "!()"),
        ("not ()", "!()"),
        ({"model": "a", "not": {}}, "model:a !()"),
        ({"or": [{"model": "a"}, {"not": {}}]}, "model:a or !()"),
        ({"not": {"not": {}}}, ""),
        ("( ) model:a", "model:a"),
        (All(()), ""),
        (Some(()), "!()"),
        (Some((All(()),)), ""),
    ],
)
def test_what_asks_for_nothing_stands_in_empty_parentheses(raw: Any, line: str) -> None:
    assert str(Match(raw)) == line
    assert Match(line) == Match(raw) == Match(Match(raw).mapping())


def test_a_match_of_the_most_levels_reads_again_and_one_of_more_is_refused() -> None:
    """Both forms count the joints of what is meant, not the signs that it takes to write it."""

    def levels(count: int) -> dict[str, Any]:
        raw: dict[str, Any] = {"model": "a"}
        for _ in range(count):
            raw = {"model": "a", "not": raw}
        return raw

    match = Match(levels(25))
    assert Match(str(match)) == match == Match(match.mapping())
    with pytest.raises(SettingsError, match="a match has at most 50 levels of and, or and not"):
        Match(levels(26))


@given(text=st.one_of(st.text(max_size=60), st.text("()! aor/:", max_size=30)))
@settings(max_examples=500, deadline=None)
def test_any_line_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        match = Match(text)
    except SettingsError:
        return
    assert Match(str(match)).tree == match.tree


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("modle:gpt-4o", "modle: there is no such condition; there are provider, api"),
        ("stream:maybe", "stream: 'maybe' is not allowed; it is true or false"),
        ("turn:three", "turn: 'three' is no number; allowed are 3, >3"),
        ("text:/(/", r"text: /\(/ is no regular expression of RE2: missing \)"),
        (r"text:/(a)\1/", "is no regular expression of RE2: invalid escape sequence"),
        ("text:/a(?=b)/", "is no regular expression of RE2"),
        ("(model:a", "column 9 of .* a closing parenthesis is missing"),
        ("model:a)", "column 8 of .* a closing parenthesis without an opening one"),
        ("model:a or", "column 11 of .* a condition is missing"),
        ("model:", "a value is missing"),
        ('text:"open', "a quotation mark is not closed"),
        ("header:x", "header: it is written header.NAME:VALUE"),
        ("model.x:y", "model: it is written model:VALUE"),
        ("json.a[:x", "a word with a colon is written in quotation marks"),
        ("json.a..:x", "json.a..: this is no JSONPath"),
        ("text:" + "x" * 2000, "text: a value has at most 1000 characters"),
        ("(" * 80 + "a", "at most 50 parentheses"),
        ("a" * 200_001, "a match has at most 200,000 characters"),
        ("turn:3..2", "nothing is in that range"),
        ({"model": None}, "model: None is not allowed"),
        (7, "7 is no match"),
        ({"modle": "x"}, "modle: there is no such condition"),
        ({"model": []}, "model: the list has no value"),
        ({"model": {"a": 1}}, "model: .* is not allowed"),
        ({"header": "x"}, "header: it is a mapping"),
        ({"or": {}}, "or: it is a list of matches"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(raw: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        Match(raw)


@pytest.mark.parametrize(
    "many",
    [
        lambda count: " ".join(f"a{at}" for at in range(count)),
        lambda count: " or ".join(f"a{at}" for at in range(count)),
        lambda count: {"text": list(range(count))},
        lambda count: {"header": {"x-team": ["a"] * (count - 1), "x-name": "b"}},
        lambda count: {"or": [{"and": [{"model": "a"}] * (count // 2)}, "a " * (count - count // 2)]},
        lambda count: {"or": [{}] * count},
    ],
)
def test_it_has_so_many_conditions_and_no_more(many: Callable[[int], Any]) -> None:
    whole = Match(many(1000))
    assert Match(str(whole)) == Match(whole.mapping()) == whole
    for count in (1001, 20_000):
        with pytest.raises(SettingsError, match=r"^a match has at most 1,000 conditions$"):
            Match(many(count))


def test_an_expression_that_hangs_others_takes_linear_time() -> None:
    assert not Match("text:/(a+)+$/").holds(subject("a" * 100_000 + "b"))


@pytest.mark.parametrize("function", ["search", "match"])
def test_an_expression_in_a_jsonpath_takes_linear_time_too(function: str) -> None:
    path = f"$.messages[?{function}(@.content, '(a+)+c|(a|aa)+d|(.*a){{12}}e')]"
    body = orjson.dumps({"messages": [{"content": "a" * 50_000 + "b"}]})
    assert not Match({"json": {path: "*"}}).holds(Subject(ask_for(), body))
    assert Match({"json": {"$.m[?search(@.c, '^a+b$')].c": "aab"}}).holds(Subject(ask_for(), b'{"m":[{"c":"aab"}]}'))
    assert not Match({"json": {"$.m[?search(@.c, '(')]": "*"}}).holds(Subject(ask_for(), b'{"m":[{"c":"("}]}'))


@pytest.mark.parametrize("path", ["$.m[?@.c =~ /(a+)+$/]", "$.a | $.b", "$.a[?isinstance(@.b, 'x')]"])
def test_a_jsonpath_is_one_of_the_standard(path: str) -> None:
    with pytest.raises(SettingsError, match="this is no JSONPath"):
        Match({"json": {path: "*"}})


def test_a_body_that_is_nested_too_deeply_to_be_looked_through_has_nothing() -> None:
    body = b'{"a":' * 300 + b"1" + b"}" * 300
    assert not Match({"json": {"$..b": "*"}}).holds(Subject(ask_for(), body))
    assert Match({"json": {"a.a": "*"}}).holds(Subject(ask_for(), body))


def test_it_is_a_field_of_models_like_any_other() -> None:
    class Rule(BaseModel):
        when: Match = ALWAYS

    assert Rule.model_validate({"when": {"model": "a"}}).when == Match("model:a")
    assert Rule(when=Match("model:a")).model_dump(mode="json") == {"when": "model:a"}
    assert hash(Match("model:a")) == hash(Match({"model": "a"}))
    assert repr(Match("a")) == "Match('a')"
    assert Rule.model_json_schema()["properties"]["when"]["anyOf"]


def test_every_condition_says_what_it_means() -> None:
    assert all(field.meaning for field in FIELDS.values())
