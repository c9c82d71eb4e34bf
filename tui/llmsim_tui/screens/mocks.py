"""The mocks: what is answered to which requests, tried on what was seen, switched, edited and taken away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import PurePath
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from llmsim.mocks import Mock
from llmsim_tui import mocking
from llmsim_tui.commands import bindings
from llmsim_tui.drafts import written
from llmsim_tui.rules import Tried
from llmsim_tui.screens.mock_edit import NEW, mock_edit
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import amount, safe
from llmsim_tui.widgets.rows import Head, Item, Rows
from llmsim_tui.widgets.words import Words

_HEADS: Final = (
    Head("on", 2),
    Head("prio", 5, right=True),
    Head("name", 18),
    Head("match", 0),
    Head("took", 6, right=True),
    Head("last 100", 8, right=True, since=60),
    Head("file", 16, since=90),
)
_LAST: Final = 100
_NEAR: Final = 20
"""Near misses that are told, the most frequent first."""


class Mocks(Dialog):
    """A list of mocks, and below it how they do on the last requests."""

    BINDINGS = bindings("mocks")
    AUTO_FOCUS = "#list"
    place = "mocks"

    def __init__(self) -> None:
        super().__init__()
        self.tried: Sequence[Tried] = ()
        self._tried_on: object = None

    def compose(self) -> ComposeResult:
        """The list, and the dry run."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "mocks"
            yield Rows(_HEADS, "no mock yet · a adds one\nor m on a request in the inspector", id="list")
            with VerticalScroll(id="dry") as dry:
                dry.border_title = "dry run"
                yield Words(id="dry-text")
        yield from self.keys()

    def on_mount(self) -> None:
        """Shows them, and tries them."""
        self.show_keys()
        self.tick(0)

    def tick(self, beat: int) -> None:
        """Shows them as they stand; tries them again when they have changed."""
        backend = self.console.backend
        mocks, answered = backend.settings().mocks, backend.answered()
        taken = Counter(one.mock for one in self.tried)
        asked = sorted(mocks, key=lambda one: -one.priority)  # in the order in which they are asked
        self.query_one(Rows).show([_item(one, answered.get(one.name, 0), taken[one.name]) for one in asked])
        if mocks is not self._tried_on:
            self._tried_on = mocks
            self.action_try()

    def action_try(self) -> None:
        """Tries them on the last requests."""
        self.run_worker(self._try(), group="dry", exclusive=True)

    async def _try(self) -> None:
        backend = self.console.backend
        self.tried = await self.console.asked(backend.try_mocks(backend.settings().mocks, _LAST)) or ()
        self.query_one("#dry-text", Static).update(safe("\n".join(dry_run(self.tried)), lines=True))
        self.tick(0)

    def _chosen(self) -> Mock | None:
        item = self.query_one(Rows).item
        mocks = self.console.backend.settings().mocks
        found = next((one for one in mocks if item is not None and one.name == item.name), None)
        if found is None:
            self.console.say("There is no mock yet: a adds one.")
        return found

    def action_add(self) -> None:
        """Opens the editor over a new one."""
        mock_edit(self.console, "a new mock", NEW)

    def action_edit(self) -> None:
        """Opens the editor over the selected one."""
        mock = self._chosen()
        if mock is not None:
            mock_edit(self.console, f"mock {mock.name}", _text(mock), mock.name, mock.source)

    def on_rows_opened(self) -> None:
        """Enter edits."""
        self.action_edit()

    def action_switch(self) -> None:
        """Switches the selected one on or off."""
        self._change(mocking.switch)

    def action_drop(self) -> None:
        """Takes the selected one away."""
        self._change(mocking.drop)

    def _change(self, how: Callable[[Any, str], Coroutine[Any, Any, None]]) -> None:
        mock = self._chosen()
        if mock is not None:
            self.console.attempt(lambda: how(self.console.backend, mock.name), lambda _: self._kept(mock))

    def _kept(self, mock: Mock) -> None:
        """Says that a file has the last word."""
        if mock.source:
            self.console.say(
                f"{mock.name} is as before again when {PurePath(mock.source).name} is saved the next time."
            )

    def action_undo(self) -> None:
        """Takes the last change back."""
        self.console.undo()

    def action_redo(self) -> None:
        """Makes it again."""
        self.console.redo()


def _item(mock: Mock, answered: int, taken: int) -> Item:
    cells = (
        "●" if mock.enabled else "○",
        str(mock.priority),
        mock.name,
        str(mock.when) or "every request",
        amount(answered),
        str(taken),
        PurePath(mock.source).name or "by hand",
    )
    return Item(mock.name, cells, "" if mock.enabled else "dim")


def _text(mock: Mock) -> str:
    """A mock as YAML, its match a condition a line."""
    fields = {name: value for name, value in mock.flat().items() if name != "source"}
    if "when" in fields:
        fields["when"] = mock.when.mapping()
    return written(fields)


def dry_run(tried: Sequence[Tried]) -> list[str]:
    """How the mocks do on the requests, in lines: how many were taken, which mocks would have, what nearly was."""
    if not tried:
        return ["no request yet to try them on"]
    taken = Counter(one.mock for one in tried if one.mock)
    lines = [f"{sum(taken.values())} of the last {len(tried)} requests would have been answered by a mock"]
    lines += [f"{count:>5} × {name}" for name, count in taken.most_common()]
    near = Counter(one.near for one in tried if one.near)
    examples = {one.near: one.number for one in tried if one.near}
    if near:
        lines.append("near misses")
    return lines + [f"{count:>5} × {words} (#{examples[words]})" for words, count in near.most_common(_NEAR)]
