"""The index finds what looking at every mock would find, and looks at few."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from support import ask_for

from llmsim.match import Subject
from llmsim.mocks import Mock, named
from llmsim.mocks.index import Index

WORDS = ["refund", "order", "cancel", "a", "Ünïcode", "two words"]
MODELS = ["gpt-4o", "o3", "claude-sonnet-4-5", "gpt-4o*", "*"]
CONDITIONS = st.one_of(
    st.sampled_from(MODELS).map(lambda model: {"model": model}),
    st.sampled_from([*WORDS, "/ref(und)?/", "/^order/i", "=refund", "/ZWEI|two/", "*"]).map(
        lambda text: {"text": text}
    ),
    st.sampled_from(["k1", "k2", "k*"]).map(lambda key: {"key": key}),
    st.sampled_from(["blue", "=blue"]).map(lambda value: {"header": {"x-team": value}}),
    st.booleans().map(lambda stream: {"stream": stream}),
)
WHENS = st.lists(
    st.one_of(
        CONDITIONS,
        CONDITIONS.map(lambda one: {"not": one}),
        st.lists(CONDITIONS, min_size=2, max_size=2).map(lambda two: {"or": two}),
    ),
    max_size=3,
).map(lambda parts: {"and": parts} if parts else {})
SUBJECTS = st.builds(
    lambda text, model, key, team, stream: Subject(
        ask_for(text, model=model, key=key, headers={b"x-team": team}, stream=stream)
    ),
    st.lists(st.sampled_from([*WORDS, "REFUND", "ORDER 5", ""]), max_size=3).map(" ".join),
    st.sampled_from(["gpt-4o", "GPT-4o", "gpt-4o-mini", "o3"]),
    st.sampled_from(["k1", "k2", ""]),
    st.sampled_from([b"blue", b"Blue", b"light blue"]),
    st.booleans(),
)


@given(
    whens=st.lists(st.tuples(WHENS, st.integers(-1, 1)), max_size=12),
    subjects=st.lists(SUBJECTS, min_size=1, max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_it_finds_the_mock_that_looking_at_each_finds(whens, subjects) -> None:
    mocks = named([{"when": when, "priority": priority, "reply": "x"} for when, priority in whens])
    index = Index(mocks)
    for subject in subjects:
        holding = [one for one in sorted(mocks, key=lambda one: -one.priority) if one.when.holds(subject)]
        found = index.find(subject, lambda _: True)
        assert found == (holding[0] if holding else None)


def thousand(when: str) -> list[Mock]:
    return list(named([{"name": f"m{at}", "when": when.format(at=at), "reply": str(at)} for at in range(2000)]))


def test_of_thousands_few_are_looked_at() -> None:
    subject = Subject(ask_for("please look for order number 1234 again", model="model-7", key="key-3"))
    for when in (
        'text:"order number {at} "',
        "model:model-{at}",
        "text:/number {at} again/",
        "key:key-{at} stream:false",
    ):
        assert len(list(Index(thousand(when)).candidates(subject))) <= 1


def test_expressions_too_large_for_one_set_are_spread_over_several() -> None:
    long = [{"when": {"text": f"/{at} {'(ab?c|d[e-z]){40}' * 12}/"}, "reply": "x"} for at in range(40)]
    index = Index(named([*long, {"when": {"text": "hello"}, "reply": "y"}]))
    found = index.find(Subject(ask_for("well, hello")), lambda _: True)
    assert found is not None
    assert found.name == "mock-41"


def test_what_came_nearest_is_told_with_what_it_lacked() -> None:
    mocks = named(
        [
            {"name": "far", "when": "model:o3 stream:true key:x", "reply": "a"},
            {"name": "near", "when": "model:gpt-4o text:refund", "reply": "b"},
        ]
    )
    near = Index(mocks).nearest(Subject(ask_for("cancel")), lambda _: "")
    assert near is not None
    assert (near.name, near.failing) == ("near", ("text:refund",))
    assert near.told() == "nearest mock: near, but for text:refund"
    spent = Index(mocks).nearest(Subject(ask_for("refund")), lambda one: "it has answered 1 times")
    assert spent is not None
    assert spent.failing == ("it has answered 1 times",)


def test_a_mock_of_words_answers_no_request_for_numbers() -> None:
    mocks = named([{"name": "words", "reply": "a"}, {"name": "error", "reply": {"error": {"status": 500}}}])
    found = Index(mocks).find(Subject(ask_for(parts=1)), lambda _: True)
    assert found is not None
    assert found.name == "error"
