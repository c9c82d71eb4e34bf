"""The console on a stage: a made-up backend, a told clock, keys pressed, the screen read as text."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from llmsim_tui.app import LlmsimApp
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import TextArea
from textual.worker import WorkerCancelled
from tui.fake import FakeBackend, Told

GOLDEN = Path(__file__).parent / "golden"
_AWAITED = {"changes", "tries", "preview", "dry"}
"""Workers whose outcome is on the screen."""
_ROUNDS = 50
"""More than any change takes: what moves for ever is seen as it then stands."""


@dataclass
class Stage:
    app: LlmsimApp
    pilot: Pilot[None]
    backend: Any
    clock: Told

    async def settle(self) -> None:
        """Until every change has been made and drawn, and what drawing itself has set off too."""
        for _ in range(_ROUNDS):
            if changes := [one for one in self.app.workers if one.group in _AWAITED]:
                with suppress(WorkerCancelled):  # a newer one has taken its place, and is waited for next
                    await self.app.workers.wait_for_complete(changes)
            await self.pilot.pause()
            if not self._unsettled():
                return

    def _unsettled(self) -> bool:
        """Whether the screen is still to be laid out or drawn, or a widget has a message that it has not read.

        One pause is not enough: its last act is to draw, and what waits for that (the first look at a size, a focus)
        would come whenever Textual's own timer does, which is in the middle of what a test counts or compares.
        """
        screen = self.app.screen
        return bool(
            self.app._waiting
            or any(one.group in _AWAITED for one in self.app.workers)
            or screen._callbacks
            or screen._dirty_widgets
            or screen._layout_required
            or screen._scroll_required
            or screen._repaint_required
            or any(one.message_queue_size or one._next_callbacks for one in self._pumps())
        )

    def _pumps(self) -> list[MessagePump]:
        return [self.app, *self.app.screen.walk_children(with_self=True)]

    async def tick(self, times: int = 4) -> None:
        for _ in range(times):
            self.app.slow, self.app.cost = False, 0.0
            self.app.tick()
        await self.settle()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.settle()
        await self.tick()

    async def resize(self, width: int, height: int) -> None:
        """Another terminal size, and until it has been drawn."""
        await self.pilot.resize_terminal(width, height)
        while self.app.screen.size != (width, height) or len(self.lines()) != height:
            await self.pilot.pause(0.01)
        await self.tick()

    async def write(self, text: str) -> None:
        names = {" ": "space", ":": "colon", "!": "exclamation_mark", "/": "slash", ".": "full_stop", "*": "asterisk"}
        await self.press(*(names.get(char, char) for char in text))

    async def click(self, where: Any, *offset: int, times: int = 1) -> None:
        """A click on that cell of a widget."""
        found = self.app.screen.query_one(where) if isinstance(where, str | type) else where
        await self.pilot.click(found, offset=(offset[0], offset[1]) if offset else None, times=times)
        await self.settle()
        await self.tick()

    async def on_bar(self, *words: str) -> None:
        """Clicks on words of the key bar, which is turned on until they are there."""
        for word in words:
            bar = self.app.screen.query_one("#keys")
            for _ in range(12):
                if f" {word}  " in (line := self.lines()[-1] + "  "):
                    break
                await self.click(bar, self.app.size.width - 2, 0)
            await self.click(bar, line.index(f" {word}  ") + 1, 0)

    async def on_line(self, words: str, nth: int = 0, times: int = 1) -> None:
        """Clicks on these words wherever they stand on the screen, on the n-th line that has them."""
        there = [(line.index(words), y) for y, line in enumerate(self.lines()) if words in line]
        widget, region = self.app.screen.get_widget_at(*there[nth])
        await self.click(widget, there[nth][0] - region.x, there[nth][1] - region.y, times=times)

    def fill(self, text: str) -> None:
        """Puts a text into the editor in front, as a paste does."""
        self.app.screen.query_one("#text", TextArea).text = text

    async def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        await self.tick()

    def strips(self) -> list[Strip]:
        return [Strip(line) for line in self.app.screen._compositor.render_strips()]

    def lines(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.strips()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def toasts(self) -> list[str]:
        return [one.message for one in self.app._notifications]

    def one(self, kind: Any) -> Any:
        return self.app.screen_stack[0].query_one(kind)


@asynccontextmanager
async def stage(
    size: tuple[int, int] = (120, 40),
    theme: str = "night",
    seconds: float = 30.0,
    backend: Any = None,
    **options: Any,
) -> AsyncIterator[Stage]:
    """The console after that many seconds of traffic; of a real simulator the clock is told elsewhere."""
    backend = backend or FakeBackend(Told(), **options)
    clock = getattr(backend, "now", None) or Told()
    app = LlmsimApp(backend, theme=theme, fps=0)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        made = Stage(app, pilot, backend, clock)
        await made.settle()
        await made.wait(seconds)
        yield made


def golden(name: str, lines: list[str]) -> None:
    """Compares a screen with the reviewed one; LLMSIM_UPDATE_GOLDEN=1 writes it instead."""
    path = GOLDEN / f"{name}.txt"
    seen = "\n".join(lines) + "\n"
    if os.environ.get("LLMSIM_UPDATE_GOLDEN"):
        path.write_text(seen, "utf-8")
    reviewed = path.read_text("utf-8")
    assert seen == reviewed, "\n".join(unified_diff(reviewed.splitlines(), seen.splitlines(), name, "seen", n=0))
