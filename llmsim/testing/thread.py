"""A thread with an event loop of its own, where a simulator lives beside code that has another loop, or none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs work in its own loop and waits for what comes of it; `start` and `stop` may follow each other again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._up = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Returns when the loop runs; nothing happens if it does already."""
        if self.alive:
            return
        self._up.clear()
        # A daemon, so that a program whose user forgot to stop it can end all the same.
        self._thread = threading.Thread(target=self._live, name=self._name, daemon=True)
        self._thread.start()
        self._up.wait()

    def _live(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._until_the_end())

    async def _until_the_end(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._up.set()
        await self._end.wait()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine gives, or raises, in the loop; this thread waits. Raises RuntimeError when it is over."""
        if not self.alive or self._loop is None or threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the thread does not run, or asks itself")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, work: Callable[[], T]) -> T:
        """What the function gives, or raises, called in the loop; right here once that is over, or within it."""
        if not self.alive or threading.current_thread() is self._thread:
            return work()

        async def called() -> T:
            return work()

        return self.run(called())

    def stop(self) -> None:
        """Ends the loop, with everything in it, and the thread."""
        if not self.alive or self._loop is None or self._end is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
