"""Has what the leader decides written down in Redis before it is told to anybody, of many requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from llmsim.clock import keep
from llmsim.server.cluster.ledger import Ledger

_PATIENCE = 3.0
"""Seconds after which an answer goes out unwritten: longer than Redis is waited for, so that it is lost by then."""

Write = Callable[[Mapping[bytes, bytes], list[bytes], bool], Awaitable[bool]]


class Scribe:
    """Writes one batch after the other; what is counted while one is under way goes into the next."""

    def __init__(self, ledger: Ledger, write: Write) -> None:
        self._ledger, self._write = ledger, write
        self._next: asyncio.Future[bool] | None = None
        self._whole = self._writing = False

    def start(self, whole: bool = False) -> asyncio.Future[bool]:
        """Has what was touched so far written down, or with `whole` everything; tells whether this one still leads."""
        self._whole = self._whole or whole
        batch = self._next
        if batch is None:
            batch = self._next = asyncio.get_running_loop().create_future()
        if not self._writing:  # also where a write that failed left a batch behind
            self._writing = True
            keep(self._run(), "writing down")
        return batch

    async def written(self, whole: bool = False) -> bool:
        """Waits for that; False where another replica leads meanwhile, so that nothing of it counts."""
        batch = self.start(whole)
        await asyncio.wait({batch}, timeout=_PATIENCE)
        return batch.result() if batch.done() else True

    async def _run(self) -> None:
        try:
            while (batch := self._next) is not None:
                self._next = None
                whole, self._whole = self._whole, False
                led = True
                try:
                    led = await self._once(whole or self._ledger.fresh)
                finally:
                    batch.set_result(led)
        finally:
            self._writing = False

    async def _once(self, whole: bool) -> bool:
        first, gone = self._ledger.fresh, list[bytes]()
        if whole:
            changed, gone = self._ledger.changes()
        else:
            changed = self._ledger.news()
        return await self._write(changed, gone, first) if changed or gone or first else True
