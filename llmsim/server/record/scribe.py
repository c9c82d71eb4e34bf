"""Masks takes and writes them to the tape, one after the other, beside the loop that serves."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from llmsim.errors import TapeError
from llmsim.tapes import Take, Writer
from llmsim.tapes.masking import Masker

logger = logging.getLogger("llmsim")


class Scribe:
    """A tape in the making; what cannot be written is counted and said once, and what is passed on goes on."""

    def __init__(self, writer: Writer, masker: Masker) -> None:
        self.writer = writer
        self.ends: Counter[str] = Counter()
        self.masked = 0
        self.lost = 0
        self.problem = ""
        self.heard: Callable[[Take], object] = lambda _: None
        """Told each take once it is on the tape, in the thread that writes."""
        self._masker = masker
        self._thread = ThreadPoolExecutor(1, "recorder")

    async def keep(self, take: Take, own: Sequence[str]) -> None:
        """Returns when the take is on the tape, or cannot be; whoever waits may be cancelled, the writing is not."""
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._written, take, own)
        await asyncio.shield(work)

    def _written(self, take: Take, own: Sequence[str]) -> None:
        try:
            masked = self._masker.take(take, own)
        except Exception as error:  # whatever it is: what is not masked is not written
            # Not the message, which may hold a part of what was to be masked.
            self._lose(f"an exchange could not be masked and is not recorded: {type(error).__name__}")
            return
        try:
            self.writer.write(masked)
        except TapeError as error:
            self._lose(str(error))
            return
        self.heard(masked)
        self.ends[masked.end] += 1
        self.masked += masked.masked

    def _lose(self, why: str) -> None:
        self.lost += 1
        if why != self.problem:
            logger.error("%s", why)
        self.problem = why

    async def close(self) -> None:
        """Writes what waits, and closes the tape."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.writer.close)
        self._thread.shutdown()
