"""The tape dialogs: one begins to record real APIs, with upstreams and masks; one shows how it goes, and stops it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import Input, Static, TextArea

from llmsim.errors import LlmsimError, SettingsError
from llmsim_tui.commands import bindings
from llmsim_tui.console import Console
from llmsim_tui.palette import ink
from llmsim_tui.screens.sheet import Sheet
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import amount, moment, safe
from llmsim_tui.widgets.lines import told
from llmsim_tui.widgets.slider import Choice
from llmsim_tui.widgets.words import Words, row

_AROUND: Final = 6
"""Lines beside the rows: bars, frame, and a sentence of two."""
_KEYS: Final = {"the clients' own": "never", "of the server's environment": "env"}
_FIELDS: Final = {
    "default": ("else goes to", "the first: requests that say nothing of whose they are"),
    "phone_regions": ("phones of", "countries whose numbers have no + in front: DE FR …"),
}
_ANSWERS: Final = "From then on the real APIs answer: no fault, no limit, no mock meets a request."


def tape_dialog(console: Console) -> Dialog | None:
    """What the key opens: how the recording goes, else what begins one; None, and a sentence, where none can be."""
    if console.backend.taping() is not None:
        return TapeWatch()
    if console.backend.untaped:
        console.say(console.backend.untaped, "warning")
        return None
    return TapeStart()


class TapeStart(Dialog):
    """Asks which APIs are recorded, to which tape and with which masks, and begins."""

    BINDINGS = bindings("tape")
    AUTO_FOCUS = "#upstreams"
    place = "tape"
    begins = False
    """Whether it is being begun, which is done once."""

    def compose(self) -> ComposeResult:
        """A row for each thing that can be told."""
        from llmsim.server.record.upstreams import HOMES  # late: few consoles record

        homes = "\n".join(f"{name}={url}" for name, url in HOMES.items())
        where = "" if self.console.backend.kind == "local" else " on the server's machine"
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"record real APIs to a tape{where}"
            with VerticalScroll(id="rows", can_focus=False):
                yield row("upstreams", _area("upstreams", homes, "one a line, as openai=https://api.openai.com"))
                yield row("tape", Input(f"tape-{datetime.now():%Y%m%d-%H%M%S}.jsonl", id="tape", compact=True))
                yield Choice("keys", list(_KEYS), id="inject_keys")
                yield row("mask too", _area("mask_patterns", "", "regular expressions, one a line: ACME-[0-9]+"))
                for name, (words, placeholder) in _FIELDS.items():
                    yield row(words, Input(id=name, placeholder=placeholder, compact=True))
            yield Words(_ANSWERS, id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Fills the key bar."""
        self.show_keys()
        self.on_resize()

    def on_resize(self, event: Resize | None = None) -> None:
        """Scrolls the rows where not all of them fit."""
        self.query_one("#rows").styles.max_height = max(3, self.app.size.height - _AROUND)

    def _lines(self, name: str) -> list[str]:
        return [line.strip() for line in self.query_one(f"#{name}", TextArea).text.splitlines() if line.strip()]

    def _options(self) -> dict[str, Any]:
        """What the rows say, as the control API has it; raises SettingsError for a name that comes twice."""
        upstreams: dict[str, str] = {}
        for line in self._lines("upstreams"):
            name, _, url = (part.strip() for part in line.partition("="))
            if name in upstreams:
                raise SettingsError(f"upstreams: {name} is given twice")
            upstreams[name] = url
        made: dict[str, Any] = {
            "upstreams": upstreams,
            "tape": self.query_one("#tape", Input).value.strip(),
            "default": self.query_one("#default", Input).value.strip(),
            "inject_keys": _KEYS[self.query_one("#inject_keys", Choice).value],
            "mask_patterns": self._lines("mask_patterns"),
        }
        regions = self.query_one("#phone_regions", Input).value.replace(",", " ").split()
        return {**made, "phone_regions": regions} if regions else made

    def _refused(self, why: object) -> None:
        words = f"Nothing is recorded: {why}"
        if self.is_attached:
            self.query_one("#sentence", Static).update(safe(words))
        else:
            self.console.say(words, "error")

    def action_begin(self) -> None:
        """Begins, if it can be; what stands in the way is told here, and nothing is changed."""
        if self.begins:
            return
        try:
            options = self._options()
        except SettingsError as error:
            self._refused(error)
            return
        self.begins = True
        self.query_one("#sentence", Static).update("beginning …")
        # The app's: a server elsewhere does what it was asked to, even when the dialog has been closed meanwhile.
        self.app.run_worker(self._begin(options), group="changes")

    async def _begin(self, options: Mapping[str, Any]) -> None:
        backend = self.console.backend
        try:
            if backend.untaped:
                raise SettingsError(backend.untaped)
            await backend.begin_tape(options)
        except (LlmsimError, OSError) as error:
            self.begins = False
            self._refused(error)
            return
        self.dismiss()
        self.console.say(f"The real APIs answer now, recorded to {options['tape']}; t shows and stops it.")
        self.console.refresh_views()

    def on_input_submitted(self) -> None:
        """Enter begins, in a field of one line."""
        self.action_begin()

    def action_rows(self, by: int) -> None:
        """Goes to another field."""
        rows = "Choice, Input, TextArea"
        self.focus_next(rows) if by > 0 else self.focus_previous(rows)


class TapeWatch(Sheet):
    """How the recording goes, and the key that stops it."""

    BINDINGS = bindings("taping")
    place = "taping"
    title_words = "real APIs are recorded"

    def on_mount(self) -> None:
        """Looks."""
        self.show_keys()
        self.tick(0)

    def tick(self, beat: int) -> None:
        """Looks again."""
        self.show(told(ink(self.app), self._worded()))

    def _worded(self) -> Text:
        colors, tape = ink(self.app), self.console.backend.taping()
        if tape is None:
            return Text("Nothing is recorded any more: the simulator answers.", colors.dim)
        ends = ", ".join(f"{count} {end}" for end, count in sorted(tape["ends"].items()))
        rows = [
            ("tape", f"{tape['tape']}, {amount(tape['bytes'])}B"),
            *(("upstream", f"{name}  {url}") for name, url in tape["upstreams"].items()),
            ("since", moment(tape["since"])),
            ("exchanges", f"{tape['exchanges']}" + (f": {ends}" if ends else "")),
            ("under way", str(tape["live"])),
            ("masked", f"{tape['masked']} secrets and personal data"),
        ]
        text = Text()
        for what, words in rows:
            text.append(f"{what:<12}", colors.dim).append(f"{safe(words)}\n", colors.text)
        if tape["lost"]:
            lost = f"{tape['lost']} exchanges are not on it: {tape['problem']}"
            text.append(f"\n{safe(lost)}\n", colors.tone["failed"])
        text.append("\nThe real APIs answer: no fault, no limit, no mock meets a request.", colors.dim)
        return text

    def action_end(self) -> None:
        """Stops the recording."""
        self.console.attempt(self.console.backend.end_tape, self._ended)

    def _ended(self, tape: Mapping[str, Any] | None) -> None:
        self.dismiss()
        if tape is None:
            self.console.say("Nothing was being recorded any more.")
            return
        words = f"{tape['exchanges']} exchanges were recorded to {tape['tape']}; the simulator answers again."
        late = f" {tape['live']} under way are recorded to their end." if tape["live"] else ""
        self.console.say(words + late)


def _area(name: str, text: str, placeholder: str) -> TextArea:
    return TextArea(text, id=name, placeholder=placeholder, soft_wrap=False, compact=True, theme="css")
