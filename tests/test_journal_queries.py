"""The journal finds exchanges by a match, in either direction, a few at a time, and previews a rule on what was."""

import asyncio
from dataclasses import replace

import orjson
import pytest
from histories import History

from llmsim.conversation import Ask, Message
from llmsim.journal import Journal
from llmsim.journal.search import LONGEST, in_turns
from llmsim.match import Match


def journal_of(history: History) -> Journal:
    journal = Journal()
    for exchange in history.exchanges:
        journal.add(exchange)
    return journal


def mixed() -> History:
    history = History()
    history.ok(0.0, client="web", text="Refund my order", headers={b"x-team": b"blue"})
    history.refused(1.0, client="web", key="sk-other5678901234", text="Hello")
    history.cut(2.0, client="batch", model="claude-opus-4-5", text="refund it", faults=("cut", "noon"))
    history.left(3.0, client="batch", attempt=1)
    history.ok(4.0, client="web", mock="refunds", stream=False)
    history.live(5.0, client="web", text="still at it")
    return history


def found(match: str, **more) -> list[int]:
    return [one.number for one in journal_of(mixed()).find(Match(match), **more)]


@pytest.mark.parametrize(
    ("match", "numbers"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("client:web", [1, 2, 5, 6]),
        ("key:sk-other*", [2]),
        ("model:claude*", [3]),
        ("status:429", [2]),
        ("outcome:limited", [2]),
        ("outcome:cut or outcome:abandoned", [3, 4]),
        ("!outcome:ok", [2, 3, 4, 6]),
        ("outcome:live", [6]),
        ("fault:noon", [3]),
        ("mock:refunds", [5]),
        ("stream:false", [5]),
        ("attempt:1", [4]),
        ("header.x-team:blue", [1]),
        ("text:refund", [1, 3]),
        ("refund client:web", [1]),
        ("any:refund !client:web", [3]),
        ("text:still", [6]),
        ("json.messages[0].content:Hello", [2]),
        ("(client:batch text:refund) or status:429", [2, 3]),
        ("429", [2]),
        ("client:nobody", []),
    ],
)
def test_each_condition_finds_what_it_means_also_in_what_has_ended(match, numbers):
    assert found(match) == numbers


def test_a_query_is_bounded_by_numbers_and_by_a_limit():
    assert found("", after=2) == [3, 4, 5, 6]
    assert found("", before=3) == [1, 2]
    assert found("", after=1, before=5, limit=2) == [2, 3]
    assert found("", limit=2, newest_first=True) == [6, 5]
    assert found("client:web", before=5, newest_first=True) == [2, 1]
    assert found("", limit=0) == []
    assert found("", after=99) == []
    assert found("", before=0) == []


def test_numbers_hold_where_the_oldest_have_gone():
    journal = Journal(count=3)
    for exchange in mixed().exchanges:
        journal.add(exchange)
    assert [one.number for one in journal.find(Match(""), after=2, before=6)] == [4, 5]


def test_matches_are_counted():
    journal = journal_of(mixed())
    assert journal.count(Match("client:web")) == 4
    assert journal.count(Match("client:web"), after=1) == 3


def test_a_rule_is_previewed_on_the_last_requests():
    preview = journal_of(mixed()).preview(Match("client:web"), last=4)
    assert (preview.matched, preview.looked_at, preview.numbers) == (2, 4, (5, 6))
    assert str(preview) == "2 of the last 4 requests"


def test_texts_of_ended_exchanges_are_in_what_is_read_again():
    asked = []

    def reread(exchange):
        asked.append(exchange.number)
        return Ask("x", (Message("system", "be kind"), Message("user", "first"), Message("user", "second")))

    journal = journal_of(mixed())
    assert [one.number for one in journal.find(Match("client:batch text:second"), reread=reread)] == [3, 4]
    assert asked == [3, 4]
    assert journal.count(Match("client:batch system:kind turn:2"), reread=reread) == 2
    assert journal.count(Match("client:batch text:first"), reread=reread) == 0


def test_what_the_client_is_stays_known_where_the_request_is_read_again():
    journal = journal_of(mixed())
    match = Match("(key:sk-other* text:again) or (attempt:1 text:again)")
    assert [one.number for one in journal.find(match, reread=lambda _: Ask("x", (Message("user", "again"),)))] == [2, 4]


def test_a_request_that_cannot_be_read_is_searched_as_it_came():
    journal = journal_of(mixed())
    assert journal.count(Match("text:refund"), reread=lambda _: None) == 2
    history = History()
    history.refused(0.0, 400, body=b'{"messages": broken \xff')
    assert journal_of(history).count(Match("any:broken")) == 1


def test_escapes_of_json_make_no_difference_to_words():
    history = History()
    history.ok(0.0, body=b'{"messages":[{"content":"caf\\u00e9\\nau lait"}]}')
    assert journal_of(history).count(Match('text:"café"')) == 1


def test_a_very_long_request_is_not_read_again():
    history = History()
    history.ok(0.0, body=orjson.dumps({"messages": [{"content": "needle " + "x" * LONGEST}]}))

    def reread(exchange):
        raise AssertionError

    assert journal_of(history).count(Match("text:needle"), reread=reread) == 1


def test_how_often_the_same_request_came_before_is_asked_of_the_exchange():
    assert found("seen:0") == [1, 2, 3, 4, 5, 6]


def long_journal(count: int) -> Journal:
    history = History()
    for number in range(count):
        history.ok(float(number), text=f"number {number}")
    return journal_of(history)


def test_a_long_history_is_searched_with_pauses():
    journal = long_journal(2000)
    steps = list(journal.search(Match("status:500")))
    assert set(steps) == {None}
    assert len(steps) >= 3
    deep = list(journal.search(Match("text:nothing"), reread=lambda _: None))
    assert len(deep) > 3 * len(steps)


def test_what_comes_and_goes_meanwhile_changes_nothing():
    journal = long_journal(1500)
    steps = journal.search(Match("status:500"))
    next(steps)
    journal.clear()
    history = History()
    journal.add(history.refused(0.0, 500))
    assert [step for step in steps if step] == []
    assert journal.count(Match("status:500")) == 1


async def test_others_have_their_turn_during_a_search():
    journal, turns = long_journal(2000), []

    async def other():
        for turn in range(5):
            turns.append(turn)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    matched = await in_turns(journal.search(Match("model:gpt-4o")))
    assert len(matched) == 2000
    assert turns
    await task


def test_a_match_on_a_fault_knows_it_by_its_id_too():
    history = History()
    exchange = history.cut(0.0, faults=("at noon",))
    exchange.plan = replace(exchange.plan, struck=("fault-7",))
    assert journal_of(history).count(Match("fault:fault-7")) == 1
