"""Fifty clients under one limit: together never more than it allows, none starved, and every word of it true."""

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim.clock import ToldClock
from llmsim.conversation import Ask
from llmsim.limits import Limit
from llmsim.limits.limiter import Limiter
from llmsim.match import Subject

CLIENTS = 50


class Crowd:
    """Clients that ask, wait as long as they are told, ask again, and settle a while after they were let in."""

    def __init__(self, limits, wants, lasts, used):
        self.clock = ToldClock(start=12_345.678)
        self.limiter = Limiter(self.clock)
        self.limits, self.wants, self.lasts, self.used = limits, wants, lasts, used
        self.queue = [(self.clock.now(), number, "ask", number) for number in range(CLIENTS)]
        self.granted = []
        self.served = [0] * CLIENTS
        self.running = self.most_running = self.order = 0
        self.number = 0

    def run(self, seconds):
        """Plays all that happens in so many seconds; gives the moments and amounts that were let in."""
        heapq.heapify(self.queue)
        self.order, end = CLIENTS, self.clock.now() + seconds
        while self.queue and self.queue[0][0] <= end:
            moment, _, what, which = heapq.heappop(self.queue)
            self.clock._now = max(moment, self.clock._now)
            (self.ask if what == "ask" else self.settle)(which)
        return self.granted

    def later(self, seconds, what, which):
        self.order += 1
        heapq.heappush(self.queue, (self.clock.now() + seconds, self.order, what, which))

    def ask(self, client):
        self.number += 1
        want = self.wants[client % len(self.wants)]
        subject = Subject(Ask("gpt-4o", key="k", number=self.number))
        standing = self.limiter.admit(subject, self.limits, want, want)
        if standing.refused:
            assert standing.wait > 0 or standing.refused == "concurrency"
            self.later(standing.wait or 0.05, "ask", client)
            return
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        self.served[client] += 1
        self.granted.append((self.clock.now(), int(want * 2 * self.used)))
        self.later(self.lasts, "settle", (self.number, client))

    def settle(self, what):
        number, client = what
        want = self.wants[client % len(self.wants)]
        self.running -= 1
        spent = int(want * 2 * self.used)
        self.limiter.settle(number, min(want, spent), max(0, spent - want))
        self.later(0.3, "ask", client)


def most_over(granted, limit, amount):
    """By how much any stretch of time got more than a full bucket and what came back meanwhile."""
    level, last, worst = float(limit), granted[0][0], 0.0
    for moment, spent in granted:
        level = min(limit, level + (moment - last) * limit / 60) - amount(spent)
        last, worst = moment, max(worst, -level)
    return worst


@pytest.mark.parametrize("lasts", [0.25, 1.5, 90.0])
def test_requests_are_never_over_the_limit_and_nobody_is_starved(lasts):
    crowd = Crowd((Limit(rpm=120),), [10], lasts, 1.0)
    granted = crowd.run(300)
    assert most_over(granted, 120, lambda _: 1) <= 1e-3
    assert min(crowd.served) >= 1
    if lasts < 90:
        assert 120 + 5 * 120 - 1 <= len(granted) <= 120 + 5 * 120 + 1


@settings(derandomize=True, deadline=None, max_examples=8)
@given(
    st.integers(5_000, 50_000),
    st.lists(st.integers(1, 120), min_size=1, max_size=5),
    st.sampled_from([0.25, 1.5, 20.0, 90.0]),
    st.sampled_from([1.0, 0.5, 0.1, 0.0]),
)
def test_tokens_as_they_were_really_used_are_never_over_the_limit(tpm, wants, lasts, used):
    crowd = Crowd((Limit(tpm=tpm),), wants, lasts, used)
    granted = crowd.run(120)
    assert most_over(granted, tpm, lambda spent: spent) <= 1e-2


def test_a_limit_that_is_settled_is_used_up_not_half_of_it():
    crowd = Crowd((Limit(tpm=6_000),), [50], 1.0, 0.5)
    granted = crowd.run(300)
    assert sum(spent for _, spent in granted) >= 0.95 * (6_000 + 5 * 6_000)
    assert min(crowd.served) >= 1


def test_no_more_run_at_one_time_than_may():
    crowd = Crowd((Limit(concurrency=7, rpm=6_000),), [1], 1.0, 1.0)
    crowd.run(60)
    assert crowd.most_running == 7
    assert min(crowd.served) >= 1
