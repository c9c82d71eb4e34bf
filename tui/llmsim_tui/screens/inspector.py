"""The inspector: all that is known of one exchange, and why it went as it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from llmsim_tui.backend import Row
from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.mock_edit import mock_from
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import amount, moment, safe
from llmsim_tui.widgets.flows import Flows

PAGES: Final = ("summary", "request", "reply")
_LONGEST: Final = 64_000
"""Characters of a request or reply that are shown; more would hold up the picture."""


class Inspector(Dialog):
    """Summary, request and reply; side by side where there is room, else as pages."""

    BINDINGS = bindings("inspector")
    place = "inspector"

    def __init__(self, number: int, flows: Flows) -> None:
        super().__init__()
        self.number = number
        self.flows = flows
        self.page = 0
        self._shown: Any = None

    def compose(self) -> ComposeResult:
        """Three scrolls of text."""
        with Container(id="dialog"):
            for name in PAGES:
                with VerticalScroll(id=name) as scroll:
                    scroll.border_title = name
                    yield Static(id=f"{name}-text", markup=False)
        yield from self.keys()

    def on_mount(self) -> None:
        """Shows the exchange."""
        self.show_keys()
        self.on_resize()
        self.tick(0)

    def on_resize(self, event: Resize | None = None) -> None:
        """Side by side from 100 columns on."""
        self.set_class(self.app.size.width < 100, "-pages")
        self._turn()

    def _turn(self) -> None:
        pages = self.has_class("-pages")
        for place, name in enumerate(PAGES):
            self.query_one(f"#{name}").display = not pages or place == self.page
        self.query_one(f"#{PAGES[self.page]}").focus()

    def action_page(self, by: int) -> None:
        """Turns the page, or moves the focus to it."""
        self.page = (self.page + by) % len(PAGES)
        self._turn()

    def action_step(self, by: int) -> None:
        """Goes to the exchange listed next to this one."""
        number = self.flows.beside(self.number, by)
        if number is not None:
            self.number = number
            self.flows.select(number)
            self.tick(0)
            for name in PAGES:
                self.query_one(f"#{name}").scroll_home(animate=False)

    def action_mock(self) -> None:
        """Opens an editor with a mock that answers such a request as this one was answered."""
        mock_from(self.console, self.number)

    def tick(self, beat: int) -> None:
        """Shows the exchange as it stands."""
        detail = self.console.backend.detail(self.number)
        key = (self.number, detail, ink(self.app))
        if key == self._shown:
            return
        self._shown = key
        dialog = self.query_one("#dialog")
        if detail is None:
            dialog.border_title = f"#{self.number}"
            self._put("summary", Text("This exchange is no longer kept; j and k go to its neighbours."))
            self._put("request", Text())
            self._put("reply", Text())
            return
        row: Row = detail["row"]
        dialog.border_title = Content(f"#{row.number} {safe(row.endpoint)}")
        self._put("summary", self._summary(row, detail))
        self._put("request", _body(detail["request"]["body"]))
        self._put("reply", _body(detail.get("reply"), "nothing yet" if row.outcome == "live" else "nothing"))

    def _put(self, name: str, text: Text) -> None:
        self.query_one(f"#{name}-text", Static).update(text)

    def _summary(self, row: Row, detail: Mapping[str, Any]) -> Text:
        colors = ink(self.app)
        text = Text()
        word = f"{row.status or ''} {'under way' if row.outcome == 'live' else row.outcome}".strip()
        text.append(f"{word}\n\n", colors.tone[row.outcome])
        for name, value in _facts(row, str(detail.get("mock") or "")):
            text.append(f"{name:<9}", colors.dim).append(f"{value}\n", colors.text)
        why = detail.get("why") or ()
        if why:
            text.append("\nwhy\n", colors.key)
            for line in why:
                text.append(f"{safe(str(line))}\n", colors.text)
        text.rstrip()
        return text


def _facts(row: Row, mock: str) -> list[tuple[str, str]]:
    """What is known of an exchange, as names and values."""
    pace = ""
    if row.tokens > 1 and row.duration is not None and row.ttft is not None and row.duration > row.ttft:
        pace = f" · {(row.tokens - 1) / (row.duration - row.ttft):.1f} tok/s"
    return [
        ("time", moment(row.wall)),
        ("client", safe(row.client) + (f" · retry {row.attempt}" if row.attempt else "")),
        ("model", safe(row.model)),
        ("answer", "streamed" if row.stream else "whole"),
        ("ttft", "none" if row.ttft is None else f"{row.ttft * 1000:.1f} ms"),
        ("duration", "under way" if row.duration is None else f"{row.duration:.3f} s"),
        ("tokens", f"{amount(row.tokens)} of {amount(row.planned)} planned{pace}"),
        ("prompt", f"{amount(row.prompt_tokens)} tokens"),
        ("profile", safe(row.profile) or "none"),
        ("text by", safe(row.origin) or "none"),
        ("mock", safe(mock) or "none"),
        ("faults", safe(", ".join(row.faults)) or "none"),
    ]


def _indented(text: str) -> str:
    """JSON with a line a value, anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text[:1] in {"{", "["} else text
    except ValueError:
        return text


def _body(raw: Any, nothing: str = "nothing") -> Text:
    text = _indented(str(raw or ""))
    shown = safe(text[:_LONGEST], lines=True)
    more = f"\n… and {amount(len(text) - _LONGEST)} characters more" if len(text) > _LONGEST else ""
    return Text(shown + more if text else nothing)
