"""The safety line: where this is, how it goes and what is in force; it shortens, but it is never folded away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import PurePath
from typing import Any

from textual.strip import Strip

from llmsim_tui.backend import ArmedFault, Pulse
from llmsim_tui.deck import fuse
from llmsim_tui.palette import BOLD
from llmsim_tui.rules import Play
from llmsim_tui.text import amount, clip, safe, tail, uptime
from llmsim_tui.widgets.lines import Line, Lines

_LAG = 0.025
"""Loop lag (p95, seconds) from which the times on screen are no longer to be trusted to the frame."""

_AWAY = "disconnected"
"""The state of a server elsewhere that is not heard; its figures are then the last ones, and dimmed."""

_NAME = 16
"""Cells that the name of a server elsewhere keeps."""

_TIGHTEST = 12
"""Steps of shortening: 1 the uptime goes, 2 chips to a word, 3 the address to its port, 4 two chips, 5 tokens a second,
6 lag, as long as it is small, 7 the doubt about times, 8 requests a second, 9 one chip, 10 chips as a number, 11 half
the name of a server and no gaps before figures, 12 the replies under way go, and the mark of what is serving.

Of a server that is gone its last figures go first: when it is tried again is worth more than they are."""


@dataclass(frozen=True)
class Safety:
    """What the line says; rounded, so that equal states look equal."""

    address: str
    state: str
    up: int
    rate: str
    tokens: str
    live: int
    error: str
    lag: int
    amber: bool
    chips: tuple[tuple[str, str], ...]
    frozen: bool
    speed: float
    note: str
    scene: tuple[str, str] = ("", "")
    doubtful: bool = False
    tape: tuple[int, str] | None = None
    held: int = 0

    @classmethod
    def of(
        cls,
        address: str,
        pulse: Pulse,
        frozen: bool,
        speed: float,
        note: str,
        play: Play | None = None,
        doubtful: bool = False,
        taping: Mapping[str, Any] | None = None,
    ) -> Safety:
        """The line for this pulse, the scenario that runs and the real APIs that are recorded."""
        return cls(
            address=address,
            state=pulse.state,
            up=int(pulse.up),
            rate=f"{pulse.requests_per_s:.1f}" if pulse.requests_per_s < 1000 else amount(pulse.requests_per_s),
            tokens=amount(pulse.tokens_per_s),
            live=pulse.live,
            error=f"{ceil(pulse.error_share * 100 - 1e-9)}%",
            lag=round(pulse.lag_p95 * 1000),
            amber=pulse.lag_p95 > _LAG,
            chips=tuple(_chip(one) for one in pulse.armed),
            frozen=frozen,
            speed=speed,
            note=note,
            doubtful=doubtful,
            scene=_scene(play),
            held=pulse.held,
            tape=None if taping is None else (taping["exchanges"], PurePath(safe(taping["tape"])).name),
        )


def _scene(play: Play | None) -> tuple[str, str]:
    """The name and phase of the scenario that runs, and how far it is."""
    if play is None or play.state != "running":
        return "", ""
    return safe(play.phase or play.name), f"{play.elapsed:.0f}/{play.lasts:.0f}s"


def _chip(one: ArmedFault) -> tuple[str, str]:
    """The label, and what is left of the fuse at a width that stays."""
    left = fuse(one)
    return safe(one.label), f" {left:>3}" if left else ""


def _short(address: str, note: str, tight: int) -> str:
    """The port alone; of a server elsewhere its name as well, as far as there is room: it must never be mistaken."""
    host, _, port = address.rpartition(":")
    if not note.startswith("REMOTE"):
        return f":{port}"
    most = _NAME if tight < 11 else _NAME // 2
    return f"{host if len(host) <= most else host[: most - 1] + '…'}:{port}"


class SafetyLine(Lines):
    """One line, at any width."""

    state: Safety | None = None

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The widest wording that fits."""
        if self.state is None:
            return
        for tight in range(_TIGHTEST + 1):
            line = self._worded(self.state, tight)
            if line.width <= width or tight == _TIGHTEST:
                yield line.strip(width)
                return

    def _worded(self, state: Safety, tight: int) -> Line:
        ink = self.ink
        gap = "  " if tight < 2 else " "
        tone = {"serving": ink.tone["ok"], "stopping": ink.tone["limited"]}.get(state.state, ink.tone["failed"])
        line = Line(ink).add(" ").add("● " if tight < 12 else "", tone)
        address = safe(state.address)
        line.add(address if tight < 3 else _short(address, state.note, tight), ink.bold)
        if state.state != "serving":
            line.add(" " + state.state.upper(), ink.tone["failed"])
        if tight < 1:
            line.add(gap + "up ", ink.dim).add(uptime(state.up), ink.text)
        here = state.state != _AWAY
        if tight < (8 if here else 2):
            self._figure(line, state.rate, 6, "r/s")
        if tight < (5 if here else 1):
            self._figure(line, state.tokens, 6, "tok/s")
        room = 5 if tight < 11 else 0
        if tight < (12 if here else 3):
            self._figure(line, str(state.live), room, "live")
        self._figure(line, state.error, room, "err", state.error != "0%")
        if tight < (6 if here else 1) or (state.amber and here):
            line.add(gap + "lag ", ink.dim)
            line.add(f"{state.lag}ms".rjust(5 if tight < 2 else 4), ink.tone["limited"] if state.amber else ink.text)
        self._badges(line, state, tight, gap)
        return line

    def _figure(self, line: Line, figure: str, width: int, unit: str, bad: bool = False) -> None:
        ink = self.ink
        fresh = ink.tone["failed"] if bad else ink.bold
        gone = self.state is not None and self.state.state == _AWAY  # the last that was heard, no longer what is
        line.add(figure, ink.dim if gone else fresh, width=max(width, len(figure) + 1), right=True)
        line.add(f" {unit}", ink.dim)

    def _taping(self, line: Line, tape: tuple[int, str], tight: int, gap: str) -> None:
        """That real APIs answer, at any width: it is not the session that `REC` with a time tells of."""
        words = f"REC APIs {amount(tape[0])}" + (" exchanges" if tight < 2 else "")
        room = 28 if tight < 4 else 14 if tight < 9 else 0
        line.add(gap).add(f" {words} → {tail(tape[1], room)} " if room else f" {words} ", self.ink.chip)

    def _badges(self, line: Line, state: Safety, tight: int, gap: str) -> None:
        ink = self.ink
        if state.tape is not None:
            self._taping(line, state.tape, tight, gap)
        if state.speed != 1:
            line.add(gap).add(f" ×{state.speed:g} ", ink.badge)
        if state.held:
            line.add(gap).add(f" {amount(state.held)} HELD ", ink.chip)
        if state.frozen:
            line.add(gap).add(" FROZEN ", ink.badge)
        if state.scene[1]:
            room = 20 if tight < 2 else 8 if tight < 4 else 0
            name = f"{clip(state.scene[0], room).rstrip()} " if room else ""
            line.add(gap).add(f" ▶ {name}{state.scene[1]} ", ink.badge)
        if state.doubtful and tight < (7 if state.state != _AWAY else 1):
            line.add(gap).add("times? H", ink.tone["limited"] + BOLD)
        if state.note:
            notes = state.note.split(" · ")
            kept = len(notes) if tight < 2 or state.state == _AWAY else 3 if tight < 4 else 2
            kept = kept if tight < 10 else 1
            line.add(gap).add(f" {' · '.join(notes[:kept])} ", ink.badge)
        shown = len(state.chips) if tight < 4 else 2 if tight < 9 else max(0, 10 - tight)
        for label, left in state.chips[:shown]:
            line.add(gap).add(f" {label if tight < 2 else label.split(' ')[0]}{left} ", ink.chip)
        if len(state.chips) > shown:
            line.add(gap).add(f" {'+' if shown else ''}{len(state.chips) - shown} armed ", ink.chip)
