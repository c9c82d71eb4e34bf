"""Writes the lines of the log in a thread, so that a reader who is slow or asleep never stops a reply."""

from __future__ import annotations

import atexit
import logging
from collections import deque
from threading import Condition, Thread
from typing import TextIO

MOST_WAITING = 2_000
"""Lines that may wait for a slow reader; what is logged beyond them is counted and left out."""

MOST_A_SECOND = 20
"""Lines a second that say the same but for their values, such as one error of every request."""

_KINDS = 200
_FAREWELL = 1.0
"""Seconds that a reader has at the end to take what waits."""


class Lines(logging.Handler):
    """Takes records, words them at once, and has them written in their order."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._wake = Condition()
        self._thread: Thread | None = None
        self._lost = 0
        self._busy = False
        self._seen: dict[tuple[str, str], list[float]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Puts a record among those to be written."""
        unseen = self._unseen(record)
        if unseen is None:
            return
        if unseen:
            record.fields = {**getattr(record, "fields", {}), "like_it_not_shown": unseen}
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        with self._wake:
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                return
            self._waiting.append(line)
            if self._thread is None or not self._thread.is_alive():  # a fork leaves threads behind
                self._begin()
            self._wake.notify_all()

    def _unseen(self, record: logging.LogRecord) -> int | None:
        """How many like it were left out before; None where this one is left out too."""
        kind = (record.name, str(record.msg)[:200])
        found = self._seen.get(kind)
        if found is None:
            if len(self._seen) >= _KINDS:
                self._seen.clear()
            found = self._seen[kind] = [record.created, 0, 0]
        if not 0 <= record.created - found[0] < 1.0:
            found[0], found[1] = record.created, 0
        found[1] += 1
        if found[1] > MOST_A_SECOND:
            found[2] += 1
            return None
        unseen, found[2] = int(found[2]), 0
        return unseen

    def _begin(self) -> None:
        self._thread = Thread(target=self._write, name="llmsim log", daemon=True)
        self._thread.start()
        atexit.register(self.flush)

    def _write(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                self._wake.notify_all()
                while not self._waiting:
                    self._wake.wait()
                lines, self._waiting, self._busy = [*self._waiting], deque(), True
                lost, self._lost = self._lost, 0
            if lost:
                lines.append(f"llmsim: {lost} lines of the log are left out: nobody read them in time")
            try:
                self._stream.write("\n".join((*lines, "")))
                self._stream.flush()
            except (OSError, ValueError):  # nobody is there any more to read it
                continue

    def flush(self) -> None:
        """Waits until all is written, a second at most."""
        with self._wake:
            if self._thread is not None and self._thread.is_alive():
                self._wake.wait_for(lambda: not self._waiting and not self._busy, _FAREWELL)
