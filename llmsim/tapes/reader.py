"""Reads a tape take by take, whatever its length, compressed or not, with all its parts."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from llmsim.errors import TapeError
from llmsim.tapes import parts
from llmsim.tapes.take import LONGEST, Take


class Tape:
    """A tape on disk: `run.jsonl` with its parts `run.0001.jsonl.gz` and so on, in the order of writing.

    Raises TapeError where there is none. To iterate gives the takes, one at a time in memory; a line that cannot be
    read raises TapeError which names file and line. The last line alone may be broken, as a crash leaves it: it is left
    out, and `dropped` says so.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files = parts.files(self.path)
        self.dropped = ""
        if not self.files:
            raise TapeError(f"{self.path}: there is no such tape")

    def __iter__(self) -> Iterator[Take]:
        """The takes."""
        return (take for _, take in self.placed())

    def placed(self) -> Iterator[tuple[str, Take]]:
        """The takes, each with its place: `run.jsonl line 3`."""
        self.dropped = ""
        for path in self.files:
            yield from self._lines(path, path == self.files[-1])

    def _lines(self, path: Path, last: bool) -> Iterator[tuple[str, Take]]:
        broken, place = "", ""
        for number, line in enumerate(_read(path), 1):
            if broken:  # it was not the last one after all
                raise TapeError(f"{place}: {broken}")
            place = f"{path} line {number}"
            if not line.strip():
                continue
            try:
                take = Take.of_line(line)
            except TapeError as error:
                broken = str(error)
                continue
            yield place, take
        if broken and not last:
            raise TapeError(f"{place}: {broken}")
        if broken:
            self.dropped = f"{place}, the last one, is left out: {broken}"


def _read(path: Path) -> Iterator[bytes]:
    """The lines of a file; of a compressed one that breaks off, what can be had of the line where it does."""
    try:
        with _open(path) as file:
            yield from _each(path, file)
    except OSError as error:  # gzip.BadGzipFile is one as well
        raise TapeError(f"{path}: it cannot be read: {error.strerror or error}") from None
    except zlib.error as error:
        raise TapeError(f"{path}: it cannot be read: {error}") from None


def _open(path: Path) -> BinaryIO:
    """The file, whatever its name: what begins like gzip is compressed."""
    with path.open("rb") as file:
        start = file.read(2)
    return cast(BinaryIO, gzip.open(path, "rb")) if start == b"\x1f\x8b" else path.open("rb")


def _each(path: Path, file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(LONGEST + 1)
        except EOFError:
            yield b"{"  # the file was cut, so that this is its last line, and no whole one
            return
        if not line:
            return
        if len(line) > LONGEST:
            raise TapeError(f"{path} line {number}: it is longer than {LONGEST >> 20} MiB")
        yield line
