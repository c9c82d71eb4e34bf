"""What every screen may lean on: the backend, the pads, the themes, and one way to change something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from textual._context import active_message_pump
from textual.actions import ActionParseResult
from textual.app import App
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.screen import Screen
from textual.worker import WorkerFailed, active_worker

from llmsim.errors import LlmsimError
from llmsim.views.recording import Recorder
from llmsim_tui import palette
from llmsim_tui.backend import Backend
from llmsim_tui.deck import Deck
from llmsim_tui.heat import Heat
from llmsim_tui.text import reachable, safe, uptime
from llmsim_tui.trust import Frames

T = TypeVar("T")


class Console(App[None]):
    """An app with a backend; a `forgiving` one outlives a key that fails, and prints no traceback at its end."""

    def __init__(self, backend: Backend, *, forgiving: bool = False) -> None:
        super().__init__()
        self.backend = backend
        self.forgiving = forgiving
        self.failure: Exception | None = None
        self.deck = Deck()
        self.heat = Heat()
        self.intercepted: dict[str, Any] = {}
        self.recorder: Recorder | None = None
        self._away = ""
        self.own_themes: list[str] = []
        self._stamps: dict[Path, float] = {}

    @property
    def few_colors(self) -> bool:
        """Whether the terminal has only 16 colours, in which several outcomes look alike."""
        return not self.is_headless and self.console.color_system == "standard"

    def frames(self) -> Frames:
        """What drawing costs."""
        return Frames()

    @property
    def doubtful(self) -> bool:
        """Whether the times on the screen are not to be trusted; looked at once a second."""
        return False

    def attempt(
        self,
        action: Callable[[], Awaitable[T]],
        then: Callable[[T], object] | None = None,
        refused: Callable[[], object] | None = None,
    ) -> None:
        """Changes something through the backend; what cannot be done is told in a sentence, and nothing is changed."""
        work: Any = partial(self._attempt, action, then, refused)
        if self.may_change():
            self.run_worker(work, group="changes")
        elif refused is not None:
            refused()

    def may_change(self) -> bool:
        """Whether anything may be changed from here; says so if not."""
        if self.backend.locked:
            self.say(self.backend.locked, "warning")
        return not self.backend.locked

    async def _attempt(
        self,
        action: Callable[[], Awaitable[T]],
        then: Callable[[T], object] | None,
        refused: Callable[[], object] | None,
    ) -> None:
        try:
            result = await action()
        except (LlmsimError, OSError) as error:
            self.say(f"Nothing was changed: {error}", "error")
            if refused is not None:
                refused()
            return
        if then is not None:
            with suppress(NoMatches):  # a server elsewhere takes a while: the dialog may have been closed meanwhile
                then(result)
        self.refresh_views()

    async def asked(self, question: Awaitable[T]) -> T | None:
        """What the backend answers; None where it cannot be had, which is told in a sentence."""
        try:
            return await question
        except (LlmsimError, OSError) as error:
            self.say(str(error), "warning")
            return None

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Does what a key stands for; one that fails, in Textual's own dialogs too, is told instead of the end."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:
            if not self.forgiving:
                raise
            self.say(f"That did not work: {error!r}. Everything else goes on.", "error")
            return True

    def _handle_exception(self, error: Exception) -> None:
        """Closes the dialog that failed; else ends the console, and keeps the error for the one who started it."""
        if not self.forgiving:
            super()._handle_exception(error)
            return
        failed: Any = active_message_pump.get(None)
        if isinstance(error, WorkerFailed) and (worker := active_worker.get(None)) is not None:
            failed = worker.node
        above = () if failed is None else failed.ancestors_with_self
        screen = next((one for one in above if isinstance(one, Screen)), None)
        if screen is not None and screen is not self.screen_stack[0]:
            self.call_later(self._drop, screen, error)
            return
        self.failure = self.failure or error
        self._return_code = 1
        self._close_messages_no_wait()

    def _drop(self, screen: Screen[object], error: Exception) -> None:
        """Closes a dialog that failed; of one that was closed already, nothing is left to tell."""
        if screen is self.screen and len(self.screen_stack) > 1:
            self.pop_screen()
            self.say(f"A dialog failed and was closed: {error!r}. Everything else goes on.", "error")

    def undo(self, then: Callable[[], object] | None = None) -> None:
        """Takes the last change back, and says which."""

        def told(what: str | None) -> None:
            self.say(f"Taken back: {what}" if what else "There is no change to take back.")
            if then is not None:
                then()

        self.attempt(self.backend.undo, told)

    def redo(self, then: Callable[[], object] | None = None) -> None:
        """Makes the change again that was taken back last, and says which."""

        def told(what: str | None) -> None:
            self.say(f"Made again: {what}" if what else "Nothing was taken back that could be made again.")
            if then is not None:
                then()

        self.attempt(self.backend.redo, told)

    def hint(self) -> str:
        """What to do about a list that is empty; says also when a server elsewhere is lost, and when it is back."""
        away = self.backend.away
        if away != self._away:
            self.say(*((away, "warning") if away else ("Connected.",)))
            self._away = away
        if self.backend.kind == "replay":
            return "no request up to this moment of the recording"
        if not away and (tape := self.backend.taping()) is not None:
            return f"the real APIs answer, and nothing is listed here;\nit goes to {safe(tape['tape'])} · t shows it"
        told = away.replace("; ", "\n").replace(", or ", "\nor ")
        return told or f"no request yet · point a client at\nhttp://{reachable(self.backend.address)}/v1"

    def record(self, path: str = "") -> None:
        """Begins to record the session, into a file in the working directory if none is named; or stops."""
        if self.recorder is not None:
            recorder, self.recorder = self.recorder, None
            recorder.frame()
            recorder.stop()
            self.say(f"Recorded {uptime(self.backend.pulse().wall - recorder.started)} into {recorder.path}.")
            return
        stem = f"session-{datetime.now():%Y%m%d-%H%M%S}.jsonl.gz"
        try:
            self.recorder = self.recording(path or stem)
        except LlmsimError as error:
            self.say(f"Nothing is recorded: {error}", "warning")
            return
        self.say(f"Recording into {self.recorder.path}; R stops it.")

    def recording(self, path: str) -> Recorder:
        """A recording into that file; raises SettingsError where it cannot be."""
        return Recorder(self.backend.shown(), Path(path).expanduser().absolute(), self.backend.address)

    def action_record(self) -> None:
        """Records the session into a file, or stops."""
        self.record()

    def keep_recording(self) -> None:
        """Writes what has changed into the recording."""
        recorder = self.recorder
        if recorder is None:
            return
        recorder.frame()
        if recorder.over:
            self.recorder = None
            self.say(f"{recorder.problem[:1].upper()}{recorder.problem[1:]}.", "warning")

    async def type_on(self) -> None:
        """Goes on with keys that wait for a dialog."""

    def refresh_views(self) -> None:
        """Shows the present state without waiting for the next tick."""

    def say(self, words: str, severity: Any = "information") -> None:
        """Shows a sentence for a while; never read as markup, as clients have a say in some."""
        self.notify(words, severity=severity, markup=False)

    def hush(self) -> None:
        """Takes what was said away, but for errors and warnings: it would cover what has just been opened."""
        for one in [one for one in self._notifications if one.severity == "information"]:
            self._unnotify(one, refresh=False)
        self._refresh_notifications()

    def look_for_themes(self) -> None:
        """Registers the theme files that are new or newly written, and repaints if the shown one is among them."""
        stamps = palette.stamps()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        themes, problems = palette.load_all(stamps)
        for file in themes.values():
            self.register_theme(file.theme())
        self.own_themes = list(themes)
        for problem in problems:
            self.say(f"Theme left out: {problem}", "error")
        if self.theme in themes:
            self.refresh_css()
            self.theme_changed_signal.publish(self.current_theme)

    def wear(self, name: str) -> None:
        """Shows a theme; says which there are when there is none of that name."""
        known = name if name in self.available_themes else name.removeprefix("llmsim-")
        if known in self.available_themes:
            self.theme = known
        else:
            self.say(f"There is no theme {name!r}; there are {', '.join(self.own_themes)}.", "error")
            self.theme = self.own_themes[0] if self.own_themes else self.theme

    def action_next_theme(self) -> None:
        """Shows the next of the console's own themes."""
        names = self.own_themes
        place = names.index(self.theme) if self.theme in names else -1
        if names:
            self.theme = names[(place + 1) % len(names)]


def console(node: DOMNode) -> Console:
    """The console that a widget or screen belongs to."""
    return cast(Console, node.app)
