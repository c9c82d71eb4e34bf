"""The suites against several workers: `TEST_WORKERS=3` puts such a server in the place of the one in the test's loop.

The hub runs in a thread of its own. A test that looks into what only one process has is skipped, and says so.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from llmsim.journal import Journal
from llmsim.metrics import Meter
from llmsim.server.cluster.hub import Hub
from llmsim.server.config import Config

WORKERS = int(os.environ.get("TEST_WORKERS") or 1)
"""Processes that the servers of `running` are to be made of."""

_PATIENCE, _SOON = 60.0, 10.0

_THROUGH = ("settings", "clock", "events", "limiter", "history", "hits", "started")
"""What the hub's simulator has as the only one does."""


class Several:
    """One server of several processes, used as a Runner is; told nothing between tests but through the hub."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields, self.used = fields, False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.hub: Hub = self.ask(self._start)
        self.config, self.url, self.address = self.hub.config, self.hub.url, self.hub.address
        self.simulator = Core(self)

    async def _start(self) -> Hub:
        hub = Hub(Config(**self.fields, workers=WORKERS))
        await hub.start()
        return hub

    def ask(self, work: Callable[..., Coroutine[Any, Any, Any]], *given: Any) -> Any:
        """Has something done in the hub's loop, and waits for it."""
        return asyncio.run_coroutine_threadsafe(work(*given), self._loop).result(_PATIENCE)

    def call(self, method: str, path: str, body: Any = None) -> None:
        """Calls the control API."""
        url = f"{self.url}/llmsim/{path}"
        httpx.request(method, url, json=body, trust_env=False, timeout=_PATIENCE).raise_for_status()

    def fresh(self) -> None:
        """As it was at the start."""
        self.simulator.reset()

    def nothing_left(self) -> None:
        """Holds the workers to leave no live exchange behind; ends those that they do, for the tests that follow."""
        end = time.monotonic() + _SOON
        while self.simulator.meter.live:
            if time.monotonic() > end:
                left = len(self.simulator.meter.live)
                self.cut()
                raise AssertionError(f"{left} replies are left under way")
            time.sleep(0.02)

    def cut(self) -> None:
        """Ends all replies under way, and those that come of them."""
        self.simulator.change(latency_profile="instant")
        end = time.monotonic() + _PATIENCE
        while (live := self.simulator.meter.live) and time.monotonic() < end:
            for number in list(live):
                self.simulator.act(number, "cut")

    def stop(self) -> None:
        """Ends all processes."""
        self.ask(self.hub.stop, 0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def __getattr__(self, name: str) -> Any:
        self.cut()
        pytest.skip(f"{name}: only a server of one process has it in the test's own process")


class Core:
    """The simulator of all workers, as a test that has a server in its own loop uses the only one."""

    def __init__(self, several: Several) -> None:
        self._several = several

    def _done(self, name: str, *given: Any, **more: Any) -> Any:
        hub = self._several.hub

        async def do() -> Any:
            made = getattr(hub.simulator, name)(*given, **more)
            await hub.applied()
            return made

        return self._several.ask(do)

    def _looked(self) -> Any:
        hub = self._several.hub

        async def look() -> Any:
            await hub.lookout.look()
            await hub.lookout.read()
            return hub.simulator

        return self._several.ask(look)

    @property
    def journal(self) -> Journal:
        """The journal of all workers at this moment."""
        journal: Journal = self._looked().journal
        return journal

    @property
    def meter(self) -> Meter:
        """The figures of all workers at this moment."""
        meter: Meter = self._looked().meter
        return meter

    @property
    def store(self) -> Stored:
        """What clients have left, of which only worker 0 knows more than how much it is."""
        return Stored(self._several)

    def act(self, number: int, action: str, *, value: float = 1.0, who: str = "") -> bool:
        """Acts on a reply where it is played."""
        self._looked()
        path = f"{self._several.url}/llmsim/exchanges/{number}/{action}"
        return httpx.post(path, json={"value": value}, trust_env=False, timeout=_PATIENCE).status_code == 200

    def __getattr__(self, name: str) -> Any:
        if name in ("change", "arm", "lift", "undo", "redo", "reset"):
            return lambda *given, **more: self._done(name, *given, **more)
        if name in _THROUGH:
            return getattr(self._several.hub.simulator, name)
        self._several.cut()
        pytest.skip(f"simulator.{name}: only a server of one process has it in the test's own process")


class Stored:
    """The store of worker 0, which can be emptied from here."""

    def __init__(self, several: Several) -> None:
        self._several = several

    def clear(self) -> None:
        """Forgets everything."""
        self._several.simulator.reset("store")

    def __getattr__(self, name: str) -> Any:
        self._several.cut()
        pytest.skip(f"simulator.store.{name}: only a server of one process has it in the test's own process")


_running: list[Several] = []


@contextmanager
def several(fields: dict[str, Any]) -> Iterator[Several]:
    """A server of several processes with these settings; one that nobody uses any more is used again."""
    made = next((one for one in _running if one.fields == fields and not one.used), None)
    if made is None:
        end(lambda one: not one.used)
        made = Several(fields)
        _running.append(made)
    else:
        made.fresh()
    made.used = True
    try:
        yield made
    finally:
        made.used = False


@atexit.register
def end(which: Callable[[Several], bool] = lambda _: True) -> None:
    """Ends all servers, or some."""
    for one in [one for one in _running if which(one)]:
        _running.remove(one)
        one.stop()
