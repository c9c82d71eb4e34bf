"""The scenario dialog: a file is named and played; and what was done by hand is written as one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import yaml
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from llmsim.errors import LlmsimError, SettingsError
from llmsim_tui.backend import Backend
from llmsim_tui.commands import bindings
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import safe
from llmsim_tui.widgets.slider import Choice
from llmsim_tui.widgets.words import Words

_FOLDERS: Final = (".", "scenarios", "examples/scenarios", "examples")
_NONE: Final = "none chosen"
_PROBLEMS: Final = 6
"""Lines of problems that are shown."""


class ScenarioRun(Dialog):
    """Asks for a scenario's file and begins it."""

    BINDINGS = bindings("scenario")
    AUTO_FOCUS = "#path"
    place = "scenario"

    def compose(self) -> ComposeResult:
        """A path, and what came of it."""
        files = found()
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "run a scenario"
            yield Input(
                placeholder=f"its file, such as {files[0] if files else 'storm.yaml'}",
                suggester=SuggestFromList(files),
                id="path",
                compact=True,
            )
            if files:
                yield Choice("found here", [_NONE, *files], id="here")
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Says what runs already, and which files there are."""
        self.show_keys()
        play = self.console.backend.playing()
        running = f"{play.name} is running and would be stopped. " if play and play.state == "running" else ""
        files = found()
        there = (
            f"Here: {', '.join(files[:8])} · the beginning of a name will do"
            if files
            else "There is no scenario in the working directory."
        )
        self._say(running + there)

    def _say(self, words: str) -> None:
        self.query_one("#sentence", Static).update(safe(words, lines=True))

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """Names the file that is chosen."""
        chosen = message.choice.value
        self.query_one("#path", Input).value = "" if chosen == _NONE else chosen

    def on_input_submitted(self) -> None:
        """Enter begins it, in the field too."""
        self.action_begin()

    def action_begin(self) -> None:
        """Begins it, if it can be read."""
        path = self.query_one("#path", Input).value.strip()
        if path and self.console.may_change():
            self.run_worker(self._begin(path), group="changes", exclusive=True)

    async def _begin(self, path: str) -> None:
        try:
            await self.console.backend.begin_scenario(meant(path))
        except (LlmsimError, OSError) as error:
            self._say("\n".join(str(error).splitlines()[:_PROBLEMS]))
            return
        self.dismiss()
        self.console.refresh_views()


def found() -> list[str]:
    """Files in and below the working directory that look like scenarios."""
    paths = [path for folder in _FOLDERS for path in sorted(Path(folder).glob("*.y*ml"))]
    return [str(path) for path in paths if _looks(path)]


def meant(told: str) -> str:
    """The file that is meant: this one, or the only one found here whose name begins so."""
    fits = [one for one in found() if Path(one).name.startswith(told)]
    return fits[0] if len(fits) == 1 and not Path(told).expanduser().exists() else told


def _looks(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(20_000)
    except (OSError, UnicodeDecodeError):
        return False
    return any(text.startswith(name) or f"\n{name}" in text for name in ("phases:", "steps:"))


async def save(backend: Backend) -> str:
    """Writes what was done by hand as a scenario into the working directory; gives the file's path."""
    fields = dict(await backend.recorded())
    if not fields.get("steps"):
        raise SettingsError("nothing has been changed yet that a scenario could repeat")
    return _write(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))


def _write(text: str) -> str:
    stem = f"scenario-{datetime.now():%Y%m%d-%H%M%S}"
    for name in (f"{stem}.yaml", *(f"{stem}-{number}.yaml" for number in range(2, 100))):
        path = Path(name)
        if not path.exists():
            path.write_text(text, "utf-8")
            return str(path.resolve())
    raise SettingsError(f"there are too many files called {stem}")
