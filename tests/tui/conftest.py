"""What every console test stands on: UTC, no user themes, a cursor that does not blink, styles parsed once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet
from textual.notifications import Notification
from textual.widgets import Input


async def take_turns(*_: float) -> None:
    """Lets every message pump have its turns; Textual's own wait looks at the machine's load, which others share."""
    for _turn in range(40):
        await asyncio.sleep(0)


@pytest.fixture(scope="session", autouse=True)
def styles_parsed_once() -> Iterator[None]:
    """Each console that starts parses the styles of all widgets; the same text with the same colours is parsed once."""
    parsed: dict[Any, Any] = {}
    parse = Stylesheet._parse_rules

    def once(sheet: Stylesheet, *text: Any, **told: Any) -> Any:
        key = (text, *sorted(told.items()), *sorted(sheet._variables.items()))
        if key not in parsed:
            parsed[key] = parse(sheet, *text, **told)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", once)
        yield


@pytest.fixture(autouse=True)
def quiet_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    monkeypatch.setattr(Notification, "time_left", 3600.0)  # five seconds of a busy machine may be one step of a test
    monkeypatch.setattr("textual.app.wait_for_idle", take_turns)
    monkeypatch.setattr("textual.pilot.wait_for_idle", take_turns)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
