"""All that is known of one exchange, on pages: summary, bodies, stream, copy, difference; docked or in a dialog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from llmsim.errors import LlmsimError
from llmsim_tui import facts
from llmsim_tui.backend import Row
from llmsim_tui.commands import bindings
from llmsim_tui.console import Console, console
from llmsim_tui.palette import ink
from llmsim_tui.snippets import FORMS
from llmsim_tui.text import safe
from llmsim_tui.widgets.flows import Act
from llmsim_tui.widgets.lines import told
from llmsim_tui.widgets.tabs import Tabs
from llmsim_tui.widgets.timeline import Timeline, Tokens
from llmsim_tui.widgets.words import Words

PAGES: Final = ("summary", "request · response", "stream", "copy", "difference")
_PANES: Final = (("summary",), ("request", "response"), ("stream",), ("copy",), ("difference",))
_BESIDE: Final = 90
"""Columns from which request and response stand side by side."""
_LOOK: Final = 8
"""Ticks between two looks for tries that have come since."""
_ORIGINS: Final = 100
"""Requests asked again of which is remembered what they are like."""
_GONE: Final = "This exchange is no longer kept; j and k go to its neighbours."


class Dossier(Container):
    """The pages of one exchange; who shows it says what its neighbours are."""

    BINDINGS = bindings("inspector")

    class Closed(Message):
        """It is not wanted any more."""

    class Stepped(Message):
        """A neighbour in the list is wanted."""

        def __init__(self, by: int) -> None:
            self.by = by
            super().__init__()

    class Wanted(Message):
        """Another exchange is wanted, wherever it stands."""

        def __init__(self, number: int) -> None:
            self.number = number
            super().__init__()

    class Mocked(Message):
        """A mock is to be made from the exchange."""

        def __init__(self, number: int) -> None:
            self.number = number
            super().__init__()

    def __init__(self, number: int = -1, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.number = number
        self.page = 0
        self.raw = False
        self.form = 0
        self.tries: Sequence[int] = ()
        self._origins: dict[int, int] = {}
        self._looks = 0
        self._shown: dict[str, Any] = {}

    @property
    def console(self) -> Console:
        """The app, with its backend."""
        return console(self)

    def compose(self) -> ComposeResult:
        """The line of pages, and all panes; those of one page are seen."""
        yield Tabs(id="pages")
        with Horizontal(id="panes"):
            for names in _PANES:
                for name in names:
                    if name == "stream":
                        yield Tokens(id="stream")
                    else:
                        with VerticalScroll(id=name):
                            yield Words(id=f"{name}-text")

    def on_mount(self) -> None:
        """Shows the first page."""
        self._turn(focus=False)

    def on_resize(self) -> None:
        """Two panes side by side where there is room."""
        self.set_class(self.size.width < _BESIDE, "-narrow")
        self._turn(focus=False)

    @property
    def _beside_it(self) -> bool:
        """Whether the timeline stands beside the summary."""
        return self.page == 0 and self.size.width >= _BESIDE

    # -- what is shown

    def show(self, number: int) -> None:
        """Looks into another exchange, from its beginning on."""
        self.number, self.tries = number, ()
        for scroll in self.query(VerticalScroll):
            scroll.scroll_home(animate=False)
        self.query_one(Tokens).top = 0
        self.refresh_page()
        self._look_for_tries()

    def _look_for_tries(self) -> None:
        self.run_worker(self._link(self.number), group="tries", exclusive=True)

    def tick(self) -> None:
        """Draws what has changed; looks for tries again now and then, as a call that went wrong comes again."""
        self._looks += 1
        row = self.console.backend.row(self.number)
        if self._looks % _LOOK == 0 and row is not None and row.outcome != "ok":
            self._look_for_tries()
        self.refresh_page()

    async def _link(self, number: int) -> None:
        """Finds the other tries of the call; until they are found there is this one."""
        try:
            tries = await self.console.backend.tries(number)
        except LlmsimError:
            return  # a server that is away: the safety line tells of it, and it is asked again
        if number == self.number:
            self.tries = tries
            self.refresh_page()

    def refresh_page(self) -> None:
        """Draws what has changed on the page that is seen; the other pages cost nothing."""
        if not self.is_mounted or self.number < 0:
            return
        detail, colors = self.console.backend.detail(self.number), ink(self.app)
        self._entitle(detail)
        pane = PAGES[self.page].split(" ")[0]
        rows = [row for number in self.tries if (row := self.console.backend.row(number)) is not None]
        key = (self.number, detail, colors, self.raw, self.form, rows, self._beside_it)
        if self._shown.get(pane) == key:
            return
        self._shown = {pane: key}
        if detail is None or (detail.get("pending") and pane != "summary"):
            words = _GONE if detail is None else str(detail["why"][0])
            for name in _PANES[self.page]:
                self._put(name, Text(words))
            return
        if pane == "stream" or self._beside_it:
            self.query_one(Tokens).show_state(Timeline.of(detail))
        if pane == "request":
            self._put("request", facts.request(colors, detail))
            self._put("response", facts.response(colors, detail, self.raw))
        elif pane == "copy":
            self._put("copy", Text(safe(self._copied(detail)[: facts.LONGEST], lines=True)))
        elif pane == "difference":
            self._put("difference", self._difference(detail))
        elif pane == "summary":
            self._put("summary", facts.summary(colors, detail, rows))

    def _put(self, name: str, text: Text) -> None:
        if name == "stream":
            self.query_one(Tokens).show_state(Timeline(words=text.plain))
        else:
            self.query_one(f"#{name}-text", Static).update(told(ink(self.app), text))

    def _entitle(self, detail: Any) -> None:
        row: Row | None = detail["row"] if detail is not None else None
        words = f"#{self.number}" + (f" {safe(row.endpoint)}" if row is not None else "")
        self.border_title = Content(words)
        note = {1: "raw" if self.raw else "decoded", 3: list(FORMS)[self.form]}.get(self.page, "")
        self.query_one(Tabs).show(PAGES, self.page, note)

    def _difference(self, detail: Any) -> Text:
        before = self._beside(-1)
        old = self.console.backend.detail(before) if before is not None else None
        if old is None:
            return Text("There is no earlier try of this call; h and l go along its tries.", ink(self.app).dim)
        text = Text(f"#{before} − and #{self.number} +\n\n", ink(self.app).dim)
        return text.append_text(facts.difference(ink(self.app), old, detail))

    def _turn(self, focus: bool = True) -> None:
        for place, names in enumerate(_PANES):
            for name in names:
                beside = name == "stream" and self._beside_it
                self.query_one(f"#{name}").display = place == self.page or beside
        self.refresh_page()
        if focus:
            self.take_focus()

    def take_focus(self) -> None:
        """Gives the keys to the page that is seen."""
        self.query_one(f"#{_PANES[self.page][0]}").focus()

    # -- keys

    def action_page(self, by: int) -> None:
        """Turns the page."""
        self.page = (self.page + by) % len(PAGES)
        self._turn()

    def on_tabs_turned(self, message: Tabs.Turned) -> None:
        """A click turns to that page."""
        message.stop()
        self.page = message.place
        self._turn()

    def action_close(self) -> None:
        """Is done with."""
        self.post_message(self.Closed())

    def action_step(self, by: int) -> None:
        """Goes to the neighbour in the list."""
        self.post_message(self.Stepped(by))

    def _beside(self, by: int) -> int | None:
        """The try before this one, or the one after; before one that was asked again stands what it is like."""
        if by < 0 and self.number in self._origins:
            return self._origins[self.number]
        place = list(self.tries).index(self.number) + by if self.number in self.tries else -1
        return self.tries[place] if 0 <= place < len(self.tries) else None

    def action_try(self, by: int) -> None:
        """Goes to another try of the same call."""
        number = self._beside(by)
        if number is None:
            self.console.say(f"#{self.number} has no {'later' if by > 0 else 'earlier'} try.")
        else:
            self.post_message(self.Wanted(number))

    def action_difference(self) -> None:
        """Shows what differs from the try before."""
        self.page = PAGES.index("difference")
        self._turn()

    def action_raw(self) -> None:
        """Shows the response's bytes, or what they say."""
        self.raw = not self.raw
        self.page = 1
        self._turn()

    def action_copy(self) -> None:
        """Copies it and shows what was copied; once more takes the next form."""
        here = PAGES.index("copy")
        if self.page == here:
            self.form = (self.form + 1) % len(FORMS)
        self.page = here
        self._turn()
        detail = self.console.backend.detail(self.number)
        if detail is None or detail.get("pending"):
            self.console.say(_GONE if detail is None else "There is nothing to copy of it: it is not known here.")
            return
        self.app.copy_to_clipboard(self._copied(detail))
        name, after = (list(FORMS)[(self.form + by) % len(FORMS)] for by in (0, 1))
        self.console.say(f"#{self.number} is in the clipboard as {name}, without its key; y again: {after}.")

    def _copied(self, detail: Any) -> str:
        return list(FORMS.values())[self.form](detail, self.console.backend.address)

    def action_resend(self) -> None:
        """Asks the same once more and looks into that."""
        backend, number = self.console.backend, self.number

        def told(again: int) -> None:
            self.console.say(f"#{number} was asked again: it is #{again} now, by the client “resent”.")
            self._origins = dict([*self._origins.items(), (again, number)][-_ORIGINS:])
            self.post_message(self.Wanted(again))

        self.console.attempt(lambda: backend.resend(number), told)

    def action_act(self, what: str) -> None:
        """Wants something done to it."""
        self.post_message(Act(self.number, what))

    def action_mock(self) -> None:
        """Makes a mock of it."""
        self.post_message(self.Mocked(self.number))
