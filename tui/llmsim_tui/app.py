"""The console's app: puts screens, themes and clocks together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from textual.app import SystemCommand
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.theme import Theme

from llmsim.errors import SettingsError
from llmsim.views.recording import PACE
from llmsim_tui import keymap, palette
from llmsim_tui.backend import Backend
from llmsim_tui.commands import bindings, table, use
from llmsim_tui.console import Console
from llmsim_tui.screens.help import Help
from llmsim_tui.screens.jump import Jump
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.ticking import Palette, Ticking
from llmsim_tui.screenshot import placed
from llmsim_tui.trust import Frames, doubtful
from llmsim_tui.typeahead import TypeAhead
from llmsim_tui.widgets.lines import Lines

Part = tuple[Ticking, Callable[[], None]]
"""A part of a frame: the screen, and what draws it."""

MOST: Final = 10.0
"""Frames a second that are never exceeded: nobody sees more, and every one holds the replies up."""
_SLOW: Final = 0.040
_QUICK: Final = 0.020
"""Seconds a frame may take before every second one is left out, and below which none is."""


class LlmsimApp(TypeAhead, Console):
    """The console over a backend; `fps` frames a second, halved while frames are slow; 0 leaves ticking to others."""

    TITLE = "llmsim"
    CSS_PATH = "app.tcss"
    BINDINGS = bindings("app")

    def __init__(self, backend: Backend, *, theme: str = "night", fps: float = 4.0, forgiving: bool = False) -> None:
        super().__init__(backend, forgiving=forgiving)
        self.first_theme = theme
        self.fps = min(fps, MOST)
        self.beat = 0
        self.cost = 0.0
        self.slow = False
        self.keeps_picture = False
        self.last_picture = ""
        self._looked = -1
        self._doubtful = False
        self._before_preview: str | None = None

    def get_default_screen(self) -> Screen[None]:
        """The live screen, or that of a recording."""
        if self.backend.kind == "replay":
            from llmsim_tui.screens.replay import ReplayLive  # late: few consoles show one

            return ReplayLive()
        return Live()

    def on_mount(self) -> None:
        """Dresses, and starts the clocks."""
        self.look_for_themes()
        self._take_keys()
        self.theme_changed_signal.subscribe(self, self._repaint)
        self.wear(self.first_theme)
        if self.fps:
            self.start_clocks()

    def _take_keys(self) -> None:
        """Takes the user's own keys; a file that is wrong is told, and the table's keys hold."""
        try:
            keys = keymap.load()
        except SettingsError as error:
            keys = {}
            self.say(f"Keys as usual: {error}", "error")
        use(keys)
        self.set_keymap(keys)

    def start_clocks(self) -> None:
        """Starts every timer of the console; nothing else does."""
        self.set_interval(1 / self.fps, self.tick)
        self.set_interval(1.0, self.look_for_themes)
        self.set_interval(PACE, self.keep_recording)

    def tick(self) -> None:
        """Pulls from the backend and draws what has changed, part by part until the next tick.

        Every second time only, while frames are slow.
        """
        self.beat += 1
        if not self.is_running or (self.slow and self.beat % 2):
            return
        parts = self._parts()
        for place, part in enumerate(parts):
            if self.fps and place:
                self.set_timer(place / len(parts) / self.fps, partial(self._draw, part, len(parts)))
            else:
                self._draw(part, len(parts))

    def _draw(self, part: Part, parts: int) -> None:
        started = asyncio.get_running_loop().time()
        screen, draw = part
        if self.is_running and screen.is_mounted:
            self._show(draw)
            self.call_after_refresh(self._drawn, started, parts)

    def _drawn(self, started: float, parts: int = 1) -> None:
        self.cost += ((asyncio.get_running_loop().time() - started) * parts - self.cost) / 4 / parts
        self.slow = self.cost > (_QUICK if self.slow else _SLOW)

    def frames(self) -> Frames:
        """What drawing costs."""
        return Frames(self.cost, self.fps, self.slow)

    @property
    def doubtful(self) -> bool:
        """Whether the times are not to be trusted, by the last look."""
        if self.beat // 4 != self._looked:
            self._looked = self.beat // 4
            self._doubtful = doubtful(self.backend.honesty())
        return self._doubtful

    def exit(self, *given: Any, **named: Any) -> None:
        """Leaves; the last picture is kept where a report is to have one."""
        if self.keeps_picture and self.is_running and not self.last_picture:
            with suppress(Exception):  # a picture is not worth a console that cannot be left
                self.last_picture = self.export_screenshot(title="llmsim-tui")
        super().exit(*given, **named)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG, each word at its own place."""
        return placed(super().export_screenshot(title=title, simplify=simplify))

    def refresh_views(self) -> None:
        """Draws what has changed; what lies under a dialog once a second."""
        for _, draw in self._parts():
            self._show(draw)

    def _show(self, draw: Callable[[], None]) -> None:
        """Draws a part, unless its screen is just coming or going and has not all of its widgets."""
        with suppress(NoMatches):
            draw()

    def _parts(self) -> list[Part]:
        return [
            (screen, draw)
            for screen in self.screen_stack
            if isinstance(screen, Ticking) and screen.is_mounted and (screen is self.screen or self.beat % 4 == 0)
            for draw in screen.parts(self.beat)
        ]

    def _repaint(self, theme: Theme) -> None:
        plain = palette.ink(self).plain
        for screen in self.screen_stack:
            screen.set_class(plain, "-ascii")
            for widget in screen.query(Lines):
                widget.redraw()
        self.refresh_views()

    def action_help(self) -> None:
        """Shows every key."""
        if not isinstance(self.screen, Help):
            self.push_screen(Help())

    def action_jump(self) -> None:
        """Shows a letter at each place that can be gone to."""
        if not isinstance(self.screen, Jump | Palette):
            self.push_screen(Jump(self.screen))

    def action_command_palette(self) -> None:
        """Shows the command palette, once."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The commands of the table, a command for each pad, one for each theme."""
        live = self.screen_stack[0]
        for one in table():
            if one.on_palette and one.action != "command_palette" and not (one.changes and self.backend.read_only):
                where = live if one.where == "live" else self
                yield SystemCommand(
                    one.help, f"key {one.shows}", lambda w=where, a=one.action: self.call_next(w.run_action, a)
                )
        for digit, pad in enumerate(self.deck.pads if not self.backend.read_only else (), 1):
            words = f"{pad.terms()} · key {digit}"
            yield SystemCommand(
                f"fault: {pad.label}", words, lambda d=digit: self.call_next(live.run_action, f"pad({d})")
            )
        for name, theme in self.available_themes.items():
            if not theme.ansi:
                yield SystemCommand(f"theme: {name}", "colours of the console", lambda n=name: self.wear(n))

    def on_command_palette_opened(self) -> None:
        """Remembers the theme, as the palette shows others on trial."""
        self._before_preview = self.theme

    def on_command_palette_option_highlighted(self, event: CommandPalette.OptionHighlighted) -> None:
        """Shows a theme while it is highlighted."""
        words = str(event.highlighted_event.option.prompt)
        name = words.partition("theme: ")[2].split("\n")[0].strip()
        shown = name if name in self.available_themes else self._before_preview
        if shown and shown != self.theme:
            self.theme = shown

    def on_command_palette_closed(self, event: CommandPalette.Closed) -> None:
        """Takes the theme on trial off unless it was chosen."""
        if self._before_preview and not event.option_selected:
            self.theme = self._before_preview
        self._before_preview = None
