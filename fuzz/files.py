"""Everything that operators write into files: configuration, mocks of all forms, scenarios."""

from __future__ import annotations

import contextlib
import gzip
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.application import Broken
from llmsim.errors import SettingsError, TapeError
from llmsim.server import config, mock_files, scenario_files
from llmsim.tapes.reader import Tape
from llmsim.tapes.take import Take


@cache
def _folder() -> Path:
    held = tempfile.TemporaryDirectory(prefix="llmsim-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    _KEPT.append(held)
    return Path(held.name)


_KEPT: list[Any] = []


def _reads(read: Callable[[Path], Any], data: bytes) -> None:
    """Reads the bytes as a file, TOML where the first one is a T; whatever is wrong is told as SettingsError."""
    path = _folder() / ("file.toml" if data[:1] == b"T" else "file.yaml")
    path.write_bytes(data[1:])
    with contextlib.suppress(SettingsError):
        read(path)


def configuration(data: bytes) -> None:
    """A configuration file."""
    _reads(config.load, data)


def mocks(data: bytes) -> None:
    """A file of mocks, of our own form or of another tool's."""
    _reads(mock_files.look, data)


def tape(data: bytes) -> None:
    """A tape, or a compressed one where the first byte is a Z; the takes that can be read are written again."""
    path = _folder() / ("tape.jsonl.gz" if data[:1] == b"Z" else "tape.jsonl")
    for old in _folder().glob("tape*"):
        old.unlink()
    path.write_bytes(gzip.compress(data[1:], 1) if data[:2] == b"Z\n" else data[1:])
    with contextlib.suppress(TapeError):
        for take in Tape(_folder() / "tape.jsonl"):
            if Take.of_line(take.line()) != take:
                raise Broken(f"{take!r} is not what it is written as")


def scenario(data: bytes) -> None:
    """A scenario."""
    _reads(scenario_files.read, data)
