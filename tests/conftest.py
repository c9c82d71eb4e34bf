"""Fixtures that any test may use: a clock that is told the time, and a simulator that lives by it."""

import gc
import logging
from collections.abc import Generator, Iterator
from pathlib import Path

import certifi
import pytest

from llmsim.clock import ToldClock
from llmsim.settings import Settings
from llmsim.simulator import Simulator


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the collector of garbage, a sixth of all time, need not look through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody speaks TLS here, yet each client of the SDKs reads all authorities there are, which takes it 20 ms."""
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    bundle = tmp_path_factory.mktemp("authorities") / "one.pem"
    bundle.write_text(first + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(bundle))
        yield


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
