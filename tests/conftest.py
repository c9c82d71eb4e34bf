"""Fixtures that any test may use: a clock that is told the time, and a simulator that lives by it."""

import logging
from collections.abc import Iterator

import pytest

from llmsim.clock import ToldClock
from llmsim.settings import Settings
from llmsim.simulator import Simulator


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A console takes the log to itself; the next test is to find it as it was."""
    logger = logging.getLogger("llmsim")
    propagates = logger.propagate
    yield
    logger.propagate = propagates


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture
def simulator(clock: ToldClock) -> Simulator:
    """Replies of five tokens: the first after 100 ms, each next one 10 ms later."""
    even = {"ttft": {"kind": "fixed", "mean": 100}, "tbt": {"kind": "fixed", "mean": 10}}
    settings = Settings(profiles={"even": even}, latency_profile="even", generator="words", target_tokens=5)
    return Simulator(settings, clock=clock)
