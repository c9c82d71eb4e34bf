"""Sliders and choices of one row each, for the dialogs that shape waits, rates and faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.text import clip, safe, share, wait
from llmsim_tui.widgets.lines import Line, Lines

_LABEL = 14
_VALUE = 10


@dataclass(frozen=True)
class Scale:
    """A slider's track from `low` to `high`; a logarithmic one (the default) has zero left of `low`."""

    low: float
    high: float
    linear: bool = False

    def place(self, value: float) -> float:
        """Where on the track a value is, 0 to 1."""
        if self.linear:
            return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        if value < self.low:
            return 0.0
        return min(1.0, 0.01 + 0.99 * log10(value / self.low) / log10(self.high / self.low))

    def value(self, place: float) -> float:
        """The value at a place of the track, to three figures."""
        if self.linear:
            return round(self.low + (self.high - self.low) * min(1.0, max(0.0, place)), 4)
        if place < 0.01:
            return 0.0
        raw: float = self.low * (self.high / self.low) ** ((min(1.0, place) - 0.01) / 0.99)
        return min(self.high, round(raw, 2 - floor(log10(raw))))

    def step(self, value: float, part: float) -> float:
        """The value a part of the track further on, and never the same one unless at an end."""
        return self.value(self.place(value) + part)

    @property
    def least(self) -> float:
        """The smallest value there is."""
        return self.low if self.linear else 0.0


class Slider(Lines, can_focus=True):
    """A value on a track: arrows, a typed number, the mouse or the wheel set it."""

    class Changed(Message):
        """The slider has been moved to another value."""

        def __init__(self, slider: Slider) -> None:
            self.slider = slider
            super().__init__()

    def __init__(
        self,
        label: str,
        scale: Scale,
        value: float = 0.0,
        *,
        id: str | None = None,
        words: Callable[[float], str] | None = None,
    ) -> None:
        super().__init__(id=id)
        self.label = label
        self.scale = scale
        self.words = words
        self.value = value
        self.mark: float | None = value
        self.note = ""
        self.entry = ""
        self._dragged = False

    def worded(self, value: float) -> str:
        """The value with its unit; a linear track is one of shares, any other without words of its own one of waits."""
        if self.words is not None:
            return self.words(value)
        return share(value) if self.scale.linear else wait(value)

    def put(self, value: float, mark: float | None = None, note: str = "") -> None:
        """Sets the value without telling anyone; `mark` is the value in force, `note` stands for a track out of use."""
        self.value, self.mark, self.note, self.entry = value, mark, note, ""
        self.redraw()

    def move(self, value: float) -> None:
        """Sets the value and tells."""
        if not self.note and value != self.value:
            self.value = value
            self.redraw()
            self.post_message(self.Changed(self))

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """Label, track and value."""
        ink = self.ink
        line = Line(ink).add(self.label, ink.bold if self.has_focus else ink.dim, width=_LABEL)
        if self.note:
            yield line.add(" ").add(self.note, ink.dim).strip(width)
            return
        room = max(3, width - _LABEL - _VALUE - 1)
        knob = round(self.scale.place(self.value) * (room - 1))
        cells = ["━"] * knob + ["─"] * (room - knob)
        if self.mark is not None:
            cells[round(self.scale.place(self.mark) * (room - 1))] = "┼"
        hand = ink.key if self.has_focus else ink.text
        line.add("".join(cells[:knob]), ink.bar).add("●", hand).add("".join(cells[knob + 1 :]), ink.faint)
        words = f"{self.entry}▌" if self.entry else self.worded(self.value)
        line.add(words, ink.key if self.entry else ink.text, width=width - line.width, right=True)
        yield line.strip(width)

    def on_key(self, event: events.Key) -> None:
        """Arrows move by a hundredth, with shift by a tenth; digits begin an entry."""
        steps = {"left": -0.01, "right": 0.01, "shift+left": -0.1, "shift+right": 0.1, "home": -2.0, "end": 2.0}
        if event.key in steps:
            self.move(self.scale.step(self.value, steps[event.key]))
        elif event.character and event.character in "0123456789.":
            self.entry = (self.entry + event.character)[: _VALUE - 2]
        elif self.entry and event.key in {"enter", "escape", "backspace"}:
            self._end(event.key)
        else:
            return
        event.stop()
        event.prevent_default()
        self.redraw()

    def _end(self, key: str) -> None:
        entry, self.entry = self.entry, self.entry[:-1] if key == "backspace" else ""
        if key == "enter":
            self._commit(entry)

    def _commit(self, entry: str) -> None:
        try:
            value = float(entry) / (100 if self.scale.linear else 1)
        except ValueError:
            value = -1.0
        if self.scale.least <= value <= self.scale.high:
            self.move(value)
            return
        low, high = self.worded(self.scale.least), self.worded(self.scale.high)
        self.notify(f"{self.label}: type a number from {low} to {high}; got {entry}.", severity="error", markup=False)

    def _drag(self, x: int) -> None:
        self.move(self.scale.value((x - _LABEL) / max(1, self.size.width - _LABEL - _VALUE - 2)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Takes the knob."""
        self.focus()
        self._dragged = True
        self.capture_mouse()
        self._drag(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags the knob."""
        if self._dragged:
            self._drag(event.x)

    def on_mouse_up(self) -> None:
        """Lets the knob go."""
        self._dragged = False
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One step up."""
        self.move(self.scale.step(self.value, 0.01))
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One step down."""
        self.move(self.scale.step(self.value, -0.01))
        event.stop()


class Choice(Lines, can_focus=True):
    """One of several words, turned with the arrows, a click or the wheel."""

    class Changed(Message):
        """Another word has been chosen."""

        def __init__(self, choice: Choice) -> None:
            self.choice = choice
            super().__init__()

    def __init__(self, label: str, options: Sequence[str], value: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.label = label
        self.options = list(options)
        self.value = value or self.options[0]

    def put(self, value: str, options: Sequence[str] | None = None) -> None:
        """Sets the word, and the words to choose among, without telling anyone."""
        self.options = list(options) if options is not None else self.options
        self.value = value
        self.redraw()

    def turn(self, by: int) -> None:
        """Takes the next word, or the one before."""
        place = self.options.index(self.value) if self.value in self.options else 0
        self.value = self.options[(place + by) % len(self.options)]
        self.redraw()
        self.post_message(self.Changed(self))

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """Label, and the word between two arrows."""
        ink = self.ink
        hand = ink.key if self.has_focus else ink.dim
        line = Line(ink).add(self.label, ink.bold if self.has_focus else ink.dim, width=_LABEL)
        place = self.options.index(self.value) + 1 if self.value in self.options else 0
        many = f" {place}/{len(self.options)}"
        room = max(1, width - _LABEL - 4 - len(many))
        word = clip(safe(self.value), room).rstrip()
        line.add("◂ ", hand).add(word, ink.text + Style(bold=self.has_focus)).add(" ▸", hand)
        yield line.add(many, ink.dim).strip(width)

    def on_key(self, event: events.Key) -> None:
        """Arrows turn."""
        if event.key in {"left", "right"}:
            self.turn(1 if event.key == "right" else -1)
            event.stop()

    def on_click(self, event: events.Click) -> None:
        """The left arrow turns back, all else forth."""
        self.turn(-1 if event.x < _LABEL + 2 else 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turns back."""
        self.turn(-1)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turns forth."""
        self.turn(1)
        event.stop()
