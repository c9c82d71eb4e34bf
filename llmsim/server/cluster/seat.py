"""One place for a worker: the process that has it, the channel to it, and its start again when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from llmsim.clock import keep
from llmsim.server.cluster.peer import Lost, Peer, Wire
from llmsim.server.cluster.report import Report
from llmsim.server.snapshot import Snapshot

if TYPE_CHECKING:
    from llmsim.server.cluster.hub import Hub

logger = logging.getLogger("llmsim")

_LONGEST_PAUSE = 5.0
"""Seconds between two starts of a worker that keeps dying; the first one comes at once."""
_LIVED = 30.0
"""Seconds after which a worker counts as having started well."""
_FAREWELL = 10.0
"""Seconds beyond their grace after which workers are killed that have not ended."""


class Seat:
    """A worker's place: `starts` is how many processes have had it, `figures` what each of them counted."""

    def __init__(self, hub: Hub, index: int, memory: int) -> None:
        self.hub, self.index = hub, index
        self.peer: Peer | None = None
        self.ready = False
        self.starts = 0
        self.figures: dict[int, Snapshot] = {}
        self.applying: set[asyncio.Task[Any]] = set()
        self._memory = memory
        self._process: Process | None = None
        self._began = 0.0
        self._pause = 0.0
        self._gone = asyncio.Event()

    async def fill(self) -> None:
        """Starts a process for this place."""
        ours, theirs = socket.socketpair()
        self._gone = asyncio.Event()
        self.starts += 1
        self._began = self.hub.simulator.clock.now()
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "llmsim.server.cluster.worker", str(theirs.fileno()), str(self._memory)),
            pass_fds=(theirs.fileno(), self._memory),
            stdin=DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
        )
        theirs.close()
        wire = Wire(self.hub)
        self.peer = wire.peer
        ours.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: wire, sock=ours)
        self.peer.tell("welcome", self.hub.welcome(self))
        self.hub.tell_state()

    @property
    def pid(self) -> int:
        """The process that has this place, 0 where none has."""
        return self._process.pid if self._process is not None else 0

    def spread(self, changes: Mapping[str, Any], revision: int) -> None:
        """Tells the worker of changes, and notes until it has taken them on."""
        if self.peer is None or self.peer.gone:
            return
        task = keep(self._apply(self.peer, changes, revision), "a change")
        self.applying.add(task)
        task.add_done_callback(self.applying.discard)

    async def _apply(self, peer: Peer, changes: Mapping[str, Any], revision: int) -> None:
        with suppress(Lost):
            await peer.ask("settings", changes, revision)

    def left(self) -> None:
        """Told that the process is gone."""
        self.ready = False
        self._gone.set()
        if not self.hub.closing:
            keep(self._again(), f"worker {self.index} again")

    async def _again(self) -> None:
        assert self._process is not None
        pid, status = self._process.pid, await self._process.wait()
        clock = self.hub.simulator.clock
        lived = clock.now() - self._began
        self._pause = (
            0.0 if lived > _LIVED else min(_LONGEST_PAUSE, max(0.25, 2 * self._pause)) if self._pause else 0.25
        )
        if lived > _LIVED or self.starts == 1:
            self._pause = 0.0
        told = f"worker {self.index} (process {pid}) {_ended(status)}; it is started again"
        if self.index == 0:
            told += ", and what clients had left with it is gone"
        logger.warning("%s", told)
        self.hub.simulator.events.add("warning", told, "hub", "worker")
        if self._pause:
            over = asyncio.Event()
            clock.call_at(clock.now() + self._pause, over.set)
            await over.wait()
        self._pause = self._pause or 0.125
        if not self.hub.closing:
            await self.fill()

    async def empty(self, grace: float) -> None:
        """Ends the process in good order."""
        process, peer = self._process, self.peer
        if process is None:
            return
        if peer is not None and not peer.gone:
            peer.tell("stop", grace)
        try:
            await asyncio.wait_for(process.wait(), grace + _FAREWELL)
        except TimeoutError:
            logger.warning("worker %d has not ended in time and is killed", self.index)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()

    def json(self, report: Report) -> dict[str, Any]:
        """How it is, for people."""
        owners = self.hub.lookout.owners
        live = sum(owners.get(number) is self for number in self.hub.meter.live)
        return {
            "index": self.index,
            "pid": self.pid,
            "ready": self.ready,
            "starts": self.starts,
            "requests": report.begun,
            "live": live,
        }


def _ended(status: int) -> str:
    """How a process ended, in words."""
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
