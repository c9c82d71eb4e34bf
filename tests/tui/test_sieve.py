"""The filter: a match in its one-line form, over a history of any length, for replies still under way too."""

from __future__ import annotations

import pytest
from llmsim_tui.sieve import Sieve
from tui.real import asked, simulated

from llmsim.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", [1, 2, 3]), ("gpt", [1, 3]), ("model:gpt*", [1, 3]), ("model:gpt", []), ("status:5xx", [3]),
        ("outcome:failed", [3]), ("fault:broken", [3]), ("client:AGENT*", [1, 2, 3]), ("key:sk-b", [2]),
        ("text:/the s.a/", [1]), ("!model:gpt*", [2]), ("stream:true text:moon", [2]), ("sea or key:sk-b", [1, 2]),
        ("provider:openai status:200", [1, 2]),
    ],
)  # fmt: skip
def test_a_line_means_what_it_means_everywhere(text: str, meant: list[int]) -> None:
    simulator, backend = simulated()
    asked(simulator, "the sea")
    asked(simulator, "the moon", model="o3-mini", key="sk-b")
    simulator.arm({"kind": "refuse", "status": 503, "label": "broken"})
    asked(simulator, "stars")
    assert list(Sieve.of(text, backend.sift).update(*backend.numbers())) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stat:429", "stat: there is no such condition; there are provider, api"),
        ("model:", "a value is missing"),
        ("text:/(/", "no regular expression"),
        ("(sea", "a closing parenthesis is missing"),
    ],
)
def test_what_cannot_be_read_is_told_as_everywhere(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
        Sieve.of(text, simulated()[1].sift)


class Sifted:
    """Exchanges that cost so much each; those in `live` are under way, all but those in `out` are meant."""

    def __init__(self, cost: int, last: int = 9_999) -> None:
        self.cost, self.last, self.work, self.looked = cost, last, 0, 0
        self.live: set[int] = set()
        self.out: set[int] = set()

    def look(self, number: int) -> tuple[bool, bool] | None:
        self.work += self.cost
        self.looked += 1
        return (number in self.live, number not in self.out) if number <= self.last else None


@pytest.mark.parametrize("cost", [8, 100, 5_000])
def test_a_long_past_is_looked_through_a_stretch_a_tick(cost: int) -> None:
    sifted = Sifted(cost)
    sieve = Sieve("", sifted)
    first = len(sieve.update(0, 9_999))
    assert 1 <= first <= 6_000 / cost + 1
    while len(sieve.matches) < 10_000:
        before = sifted.looked
        sieve.update(0, 9_999)
        assert sifted.looked - before <= 6_000 / cost + 1
    assert sieve.matches == list(range(10_000))
    assert list(sieve.update(9_990, 9_999)) == list(range(9_990, 10_000))


def test_a_burst_of_new_ones_and_many_under_way_are_looked_at_in_turns() -> None:
    sifted = Sifted(10, last=50_000)
    sieve = Sieve("", sifted)
    sieve.update(0, 0)
    sifted.live = set(range(1, 5_000))
    for _ in range(20):
        before = sifted.looked
        sieve.update(0, 4_999)
        assert sifted.looked - before <= 900
    assert sieve.matches == list(range(5_000))
    sifted.live, sifted.out = set(), set(range(1, 5_000))
    for _ in range(20):
        sieve.update(0, 4_999)
    assert sieve.matches == [0]
    assert not sieve.open


def test_a_reply_under_way_is_looked_at_until_it_has_ended() -> None:
    simulator, backend = simulated()
    exchange = asked(simulator, live=True)
    live, ok = Sieve.of("outcome:live", backend.sift), Sieve.of("outcome:ok", backend.sift)
    assert (list(live.update(1, 1)), list(ok.update(1, 1))) == ([1], [])
    simulator.end(exchange, "done")
    assert (list(live.update(1, 1)), list(ok.update(1, 1))) == ([], [1])


def test_what_is_no_longer_kept_is_forgotten() -> None:
    sifted = Sifted(10, last=1)
    sifted.live = {0, 1}
    sieve = Sieve("", sifted)
    assert list(sieve.update(0, 1)) == [0, 1]
    sifted.last = -1
    assert list(sieve.update(0, 1)) == []
