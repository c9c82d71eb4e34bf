"""What an exchange costs, counted in instructions of Python's machine: the same on every machine, whatever else runs.

The ceilings are a twentieth above what was counted when they were set. Whoever lets a request do more than that
raises them knowingly, or takes it out again; `make instructions` counts the processor's own, by valgrind.
"""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bench.apis import Api, request
from bench.exchanges import Wire, served_by
from bench.servers import Kind
from llmsim.clock import ToldClock

CEILINGS: dict[tuple[Api, str], int] = {
    ("chat", "whole"): 2950,
    ("chat", "stream"): 3100,
    ("responses", "whole"): 3600,
    ("responses", "stream"): 4050,
    ("anthropic", "whole"): 3400,
    ("anthropic", "stream"): 3550,
    ("gemini", "whole"): 3550,
    ("gemini", "stream"): 3800,
}
MARGIN = 1.0 if sys.version_info[:2] == (3, 11) else 1.3
"""Counted with Python 3.11; other versions have other instructions."""


class Counter:
    """Counts the instructions that are executed while it is entered, in files whose path has `within` in it."""

    def __init__(self, within: str = "") -> None:
        self.count = 0
        self._within = within

    def __enter__(self) -> "Counter":
        self.before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _called(self, frame: FrameType, event: str, value: Any) -> Any:
        if self._within not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._executed

    def _executed(self, frame: FrameType, event: str, value: Any) -> Any:
        self.count += event == "opcode"
        return self._executed


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize("api", ["chat", "responses", "anthropic", "gemini"])
async def test_an_exchange_costs_no_more_than_it_did(api: Api, mode: str, tmp_path: Path) -> None:
    wire = Wire()
    protocol = served_by(wire, tmp_path)
    asked = request(api, stream=mode == "stream")
    counts = []  # the first of them also loads what it needs
    for _ in range(5):
        protocol._lanes.desk.simulator.reset("counts")  # each is the first of its kind, and gets the same reply
        with Counter() as counter:
            protocol.data_received(asked)
        counts.append(counter.count)
    protocol.connection_lost(None)
    assert min(counts) <= CEILINGS[api, mode] * MARGIN
    assert wire.last.startswith(b"HTTP/1.1 200 ")


PACED = 680
"""Instructions of a token that comes alone, as nearly all do in real traffic: with its tick and the told clock."""


async def test_a_token_that_comes_alone_costs_no_more_than_it_did(tmp_path: Path, clock: ToldClock) -> None:
    wire = Wire()
    protocol = served_by(wire, tmp_path, Kind.PACED, clock)
    protocol.data_received(request("chat", stream=True))
    await clock.advance(3)
    before = wire.written
    with Counter("/llmsim/") as counter:
        await clock.advance(2)
    tokens = wire.written - before
    assert tokens >= 50
    assert counter.count / tokens <= PACED * MARGIN
    protocol.connection_lost(None)
