"""What every console test stands on: UTC, no user themes, a cursor that does not blink."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input


async def take_turns(*_: float) -> None:
    """Lets every message pump have its turns; Textual's own wait looks at the machine's load, which others share."""
    for _turn in range(40):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def quiet_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    monkeypatch.setattr("textual.app.wait_for_idle", take_turns)
    monkeypatch.setattr("textual.pilot.wait_for_idle", take_turns)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
