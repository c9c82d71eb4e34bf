"""Writes a tape: each take in one write, so that a crash can cost no more than the last one."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from llmsim.errors import TapeError
from llmsim.tapes import parts
from llmsim.tapes.take import LONGEST, Take

try:
    import fcntl
except ImportError:  # Windows: nothing keeps two recorders from one tape
    fcntl = None  # type: ignore[assignment]

_TAIL = 1 << 16


class Writer:
    """Appends to a tape that only its owner may read; `said` holds what was found amiss when it was opened.

    A file of more than `rotate_at` bytes becomes a numbered part and is compressed beside the writing. A tape whose
    name ends in `.gz` is compressed as well when it is closed. At `limit` bytes in all, compressed parts by their size
    on disk, `write` raises TapeError and writes nothing more. One thread at a time may write.
    """

    def __init__(self, path: str | Path, *, rotate_at: int = 64 << 20, limit: int = 8 << 30) -> None:
        self.path = Path(path)
        self.rotate_at, self.limit = rotate_at, limit
        self.said = ""
        self.takes = 0
        self._file = parts.plain(self.path)
        self._compressing: list[threading.Thread] = []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._open()
        except OSError as error:
            raise TapeError(f"{self.path}: it cannot be written: {error.strerror or error}") from None
        try:
            self._tidy()
        except (OSError, TapeError) as error:
            os.close(self._descriptor)
            if isinstance(error, TapeError):
                raise
            raise TapeError(f"{self.path}: it cannot be written: {error.strerror or error}") from None

    @property
    def size(self) -> int:
        """Bytes on disk, all parts together."""
        if self._descriptor < 0:
            return sum(_size(one) for one in parts.files(self.path))
        return self._size + sum(_size(one) for one in parts.rotated(self.path).values())

    def write(self, take: Take) -> None:
        """Appends a take; raises TapeError when it is not on the tape, which is then as it was before."""
        line = take.line()
        if self._rotated + self._size + len(line) > self.limit:
            raise TapeError(f"{self.path}: the tape is full: it may have {self.limit} bytes")
        if self._size and self._size + len(line) > self.rotate_at:
            self._rotate()
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                raise OSError(0, "the disk is full")
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise TapeError(f"{self.path}: it cannot be written: {error.strerror or error}") from None
        self._size += len(line)
        self.takes += 1

    def close(self) -> None:
        """Closes the tape, and compresses what is to be; an empty one leaves no file behind."""
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        for thread in self._compressing:
            thread.join()
        if not self._size:
            self._file.unlink(missing_ok=True)
        elif self.path.name.endswith(".gz"):
            _compressed(self._file)

    # -- files

    def _open(self) -> int:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise TapeError(f"{self.path}: another recorder is writing to it") from None
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)  # it may have been there, open to all
        self._size = os.fstat(descriptor).st_size
        self._rotated = sum(_size(one) for one in parts.rotated(self.path).values())
        return descriptor

    def _tidy(self) -> None:
        """Makes good what a crash has left: a broken last line, a file that was being compressed."""
        self._recognise()
        whole = _whole(self._descriptor, self._size)
        if whole < self._size:
            self.said = f"{self._file}: the last line was broken and is taken away, {self._size - whole} bytes"
            os.ftruncate(self._descriptor, whole)
            self._size = whole
        closed = parts.zipped(self._file)
        if closed.is_file():
            if self._size and parts.same(self._file, closed):  # stopped before the original was taken away
                closed.unlink()
            else:
                closed.rename(parts.zipped(parts.part(self.path, self._next())))
        for one in parts.rotated(self.path).values():
            if one.suffix != ".gz":
                self._compress(one)

    def _recognise(self) -> None:
        """Raises TapeError for a file that is no tape: nothing of it may be taken away, and nothing added."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            line = file.readline(LONGEST)
        try:
            if line.endswith(b"\n"):
                Take.of_line(line)
            elif line and not line.startswith(b'{"'):
                raise TapeError("it has no whole line")
        except TapeError as error:
            raise TapeError(f"{self._file}: it is no tape, and is left as it is: {error}") from None

    def _rotate(self) -> None:
        os.close(self._descriptor)
        moved = parts.part(self.path, self._next())
        self._file.rename(moved)
        self._descriptor = self._open()
        self._compress(moved)

    def _next(self) -> int:
        return max(parts.rotated(self.path), default=0) + 1

    def _compress(self, path: Path) -> None:
        thread = threading.Thread(target=_compressed, args=(path,), name="tape compressor", daemon=True)
        self._compressing = [one for one in self._compressing if one.is_alive()] + [thread]
        thread.start()


def _compressed(path: Path) -> None:
    """Compresses a part; where there is no room for that, it stays as it is, and is tried again at the next start."""
    with contextlib.suppress(OSError):
        parts.compress(path)


def _size(path: Path) -> int:
    """Bytes of a file; of one that was compressed in this moment, what it is now."""
    for one in (path, parts.zipped(path)):
        with contextlib.suppress(FileNotFoundError):
            return one.stat().st_size
    return 0


def _whole(descriptor: int, size: int) -> int:
    """Where the last whole line ends."""
    end = size
    while end:
        start = max(0, end - _TAIL)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
