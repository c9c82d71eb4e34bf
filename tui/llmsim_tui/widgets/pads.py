"""The row of fault pads: a digit arms one, its fuse drains as its fill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.backend import ArmedFault
from llmsim_tui.deck import Deck, Pad, find, fuse, in_words
from llmsim_tui.text import amount, clip, safe, share
from llmsim_tui.widgets.lines import Line, Lines, plainly


@dataclass(frozen=True)
class Face:
    """What one pad looks like; `fuse` says what is left of it, `left` is that share (1.0 where it has none).

    `label` and `terms` are those of the fault in force: who armed it may have other pads.
    """

    pad: Pad
    armed: bool
    fuse: str
    left: float
    hits: int
    label: str = ""
    terms: str = ""

    @classmethod
    def of(cls, pad: Pad, armed: ArmedFault | None, probability: float = 1.0) -> Face:
        """The pad as it stands; the fill in sixtieths, so that it moves only when a cell of it does."""
        if armed is None:
            return cls(pad, False, "", 0.0, 0)
        parts = [1.0]
        if armed.left is not None and armed.seconds:
            parts.append(armed.left / armed.seconds)
        if armed.more is not None and armed.most:
            parts.append(armed.more / armed.most)
        left = ceil(60 * min(parts)) / 60
        terms = f"{in_words(armed) or f'of {share(probability)}'} {armed.scope}".rstrip()
        return cls(pad, True, fuse(armed), left, armed.hits, safe(armed.label or pad.label), safe(terms))


class Pads(Lines):
    """Eight pads, in one row or two as the width allows."""

    state: tuple[Face, ...] = ()

    class Pressed(Message):
        """A pad has been clicked."""

        def __init__(self, digit: int) -> None:
            self.digit = digit
            super().__init__()

    @property
    def abreast(self) -> int:
        """How many pads stand in a row."""
        return 8 if self.size.width >= 100 or self.size.height == 1 else 4

    @property
    def termed(self) -> bool:
        """Whether each pad has a second line."""
        return self.abreast == 8 and self.size.height > 1

    def show(self, deck: Deck, armed: list[ArmedFault], probabilities: Mapping[str, float]) -> None:
        """Shows the pads with the faults in force, and the share of requests each of these meets, by their ids."""
        there = [(pad, find(armed, digit)) for digit, pad in enumerate(deck.pads, 1)]
        self.show_state(tuple(Face.of(pad, one, probabilities.get(one.id, 1.0) if one else 1.0) for pad, one in there))

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """Pads four or eight abreast, a second line of terms below each where there is room."""
        abreast = self.abreast
        for start in range(0, len(self.state), abreast):
            faces = list(enumerate(self.state, 1))[start : start + abreast]
            yield self._row(faces, width, abreast, False)
            if self.termed:
                yield self._row(faces, width, abreast, True)

    def _row(self, faces: list[tuple[int, Face]], width: int, abreast: int, terms: bool) -> Strip:
        segments: list[Segment] = []
        for place, (digit, face) in enumerate(faces):
            room = width * (place + 1) // abreast - width * place // abreast - 1
            if terms:
                segments += self._terms(face, room)
            else:
                segments += self._pad(digit, face, room)
            segments.append(Segment(" "))
        return Strip(segments).adjust_cell_length(width)

    def _terms(self, face: Face, room: int) -> list[Segment]:
        """Below a pad: how many requests it has hit while it is armed, else what it would do."""
        line = Line(self.ink)
        words = f"  {face.pad.terms()}"
        if face.armed:
            line.add(f"  {amount(face.hits)}✗", self.ink.tone["armed"])
            words = f" {face.terms}"
        return line.add(words, self.ink.dim, width=room - line.width).segments

    def _pad(self, digit: int, face: Face, room: int) -> list[Segment]:
        ink = self.ink
        if not face.armed:
            label = face.pad.label if len(face.pad.label) + 3 <= room else face.pad.short
            line = Line(ink).add(f" {digit}", ink.key + ink.head.background_style)
            return line.add(f" {label}", ink.text + ink.head.background_style, width=max(1, room - 2)).segments
        text = clip(_worded(digit, face, room, not self.termed), room)
        text = plainly(text) if ink.plain else text
        full = max(1, round(face.left * room))
        rest = ink.tone["armed"] + ink.head.background_style
        return [Segment(text[:full], ink.chip), Segment(text[full:], rest)]

    def on_click(self, event: events.Click) -> None:
        """Presses the pad under the mouse."""
        abreast = self.abreast
        row = event.y if abreast == 4 else 0
        self.post_message(self.Pressed(1 + min(7, row * 4 + event.x * abreast // max(1, self.size.width))))


def _worded(digit: int, face: Face, room: int, hits: bool) -> str:
    """The longest wording of an armed pad that fits; with its hits where no other line tells them."""
    left = f" {face.fuse:>3}" if face.fuse else ""
    met = f" {amount(face.hits)}✗" if hits else ""
    short = face.pad.short if face.label == face.pad.label else clip(face.label, len(face.pad.short) + 1).rstrip()
    for words in (f" {digit} {face.label}{left}{met}", f" {digit} {short}{left}{met}", f" {digit} {short}{left}"):
        if len(words) <= room:
            return words
    return f" {digit}{left}"
