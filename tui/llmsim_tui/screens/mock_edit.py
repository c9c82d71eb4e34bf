"""The editor of mocks: a new one, one made from a request, or one that is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmsim.mocks import Mock
from llmsim_tui import mocking
from llmsim_tui.console import Console
from llmsim_tui.drafts import written
from llmsim_tui.screens.editor import Editor

NEW: Final = """\
# Which requests, and what they are answered with
name: greeting
when:
  text: hello
reply:
  text: |
    Hello! How can I help?
"""


def mock_edit(console: Console, title: str, text: str, instead: str = "", source: str = "") -> None:
    """Opens the editor over a mock's text; it takes the place of the mock `instead`, and keeps its `source`."""
    backend = console.backend

    async def apply(mock: Mock) -> None:
        await mocking.put(backend, mock.model_copy(update={"source": source}) if source else mock, instead)

    if console.may_change():
        console.push_screen(Editor(title, text, Mock, apply, check=lambda mock: mocking.taken(backend, mock, instead)))


def mock_from(console: Console, number: int) -> None:
    """Opens the editor over a mock made from a request."""

    def opened(fields: Mapping[str, Any] | None) -> None:
        if fields is None:
            console.say(f"#{number} is no longer kept: choose a newer request.", "warning")
        else:
            mock_edit(console, f"mock from #{number}", written(fields))

    console.attempt(lambda: console.backend.draft(number), opened)
