"""The line to a server elsewhere: one connection for the picture, one for each change, never in the console's loop."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from llmsim.ctl.client import Client

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds without a byte after which a server counts as gone."""


class KeptClient(Client):
    """Asks over one connection again and again; a new one is made where the old one broke."""

    _kept: http.client.HTTPConnection | None = None

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        connection, self._kept = self._kept or self._connection(), None
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._kept = connection

    def close(self) -> None:
        """Closes the connection."""
        connection, self._kept = self._kept, None
        if connection is not None:
            connection.close()


async def apart(work: Callable[[], T]) -> T:
    """What comes of work that waits for others, done in a thread of its own that nobody waits for at the end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as problem:
            error = problem
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="llmsim link", daemon=True).start()
    return await done
