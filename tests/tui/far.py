"""A server elsewhere without a network: a simulator on a told clock whose frames a real remote backend is given."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from llmsim_tui.remote import RemoteBackend
from tui.real import ask_of, simulated

from llmsim.ctl.client import ControlError
from llmsim.exchange import Exchange
from llmsim.server.control import Control
from llmsim.server.control.call import Call
from llmsim.server.control.console import console as told
from llmsim.settings import Settings
from llmsim.simulator import Simulator

MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4.5", "a-model-whose-name-is-longer-than-any-column-there-is")
TEXTS = ("hello", "tell me of the storm", "訳してください 🙂", "and now?")


class Far(RemoteBackend):
    """The console's side of the line; `there` says whether the server answers."""

    def __init__(self, simulator: Simulator, **options: Any) -> None:
        super().__init__("http://staging-7.example.com:8080", clock=simulator.clock, **options)
        self.control = Control(simulator)
        self.there = True

    async def _call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        raise ControlError(f"cannot reach {self.address}: connection refused")

    def _fetched(self, asked: Mapping[str, Any], mocks: Any) -> tuple[dict[str, Any], Settings | None, str]:
        if not self.there:
            raise ControlError(f"cannot reach {self.address}: connection refused; start a server")
        call = Call(self.control, {}, {name: str(value) for name, value in asked.items()}, {}, b"")
        telling = told(call)
        try:
            telling.send(None)
        except StopIteration as end:
            frame = end.value
        settings = self.control.simulator.settings if "settings" in frame else None
        return frame, settings, ""


async def busy(seconds: float = 24.0, seed: int = 5, **settings: Any) -> tuple[Simulator, Far]:
    """A server after some traffic, the last eight seconds of it a storm; clients ask again after what went wrong."""
    simulator, _ = simulated(latency_profile="gpt4o", rpm=900, seed=11, **settings)
    dice, clock = random.Random(seed), simulator.clock
    due: list[tuple[float, str, int]] = [
        (0.13 * n, f"agent-{dice.randrange(9):02}", 0) for n in range(int(seconds / 0.13))
    ]
    ends: list[tuple[float, int, Exchange]] = []
    started = clock.now()
    while due:
        due.sort(reverse=True)
        at, client, attempt = due.pop()
        await _pass(simulator, ends, started + at)
        if at > seconds - 8 and not simulator.settings.faults:
            simulator.arm(
                {"kind": "refuse", "status": 429, "probability": 0.6, "label": "429 storm", "for_s": 20, "id": "pad-1"}
            )
        exchange = begun(simulator, dice, client, attempt)
        if exchange.plan.failure is not None and attempt < 3 and at < seconds:
            due.append((at + 0.4 * 2**attempt, client, attempt + 1))
        length = 0.02 if exchange.plan.failure is not None else exchange.plan.times[-1]
        ends.append((clock.now() + length, exchange.number, exchange))
    far = Far(simulator)
    for _ in range(3):
        await far.pull()
    return simulator, far


def begun(simulator: Simulator, dice: random.Random, client: str, attempt: int) -> Exchange:
    ask = ask_of({"model": dice.choice(MODELS), "text": dice.choice(TEXTS)})
    ask.client, ask.key, ask.attempt = client, "sk-test", attempt
    exchange = simulator.begin(ask, b"{}")
    exchange.status = 200 if exchange.plan.failure is None else exchange.plan.failure.status or 500
    return exchange


async def _pass(simulator: Simulator, ends: list[tuple[float, int, Exchange]], moment: float) -> None:
    """Lets time pass, replies go out and end."""
    ends.sort(reverse=True)
    while ends and ends[-1][0] <= moment:
        at, _, exchange = ends.pop()
        await simulator.clock.advance(max(0.0, at - simulator.clock.now()))  # type: ignore[attr-defined]
        _played(exchange, at)
        exchange.take(at)
        simulator.end(exchange, "failed" if exchange.plan.failure else "done")
    await simulator.clock.advance(max(0.0, moment - simulator.clock.now()))  # type: ignore[attr-defined]
    for _, _, exchange in ends:
        _played(exchange, moment)


def _played(exchange: Exchange, now: float) -> None:
    """The first piece at its moment, then what is due."""
    if exchange.first is None and now >= (first := exchange.started + exchange.plan.times[0]):
        exchange.take(first)
    exchange.take(now)
