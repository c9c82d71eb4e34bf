"""Everything that operators write into files: configuration, mocks of all forms, scenarios."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from llmsim.errors import SettingsError
from llmsim.server import config, mock_files, scenario_files


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


def scenario(data: bytes) -> None:
    """A scenario."""
    _reads(scenario_files.read, data)
