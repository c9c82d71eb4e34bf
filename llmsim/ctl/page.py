"""What `llmsim ctl` prints: aligned columns for people, the API's JSON for programs."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from shutil import get_terminal_size
from typing import Any, TextIO
from unicodedata import east_asian_width

from llmsim.signs import in_json, safe

_COLOURS = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "bold": "1"}
_PAINT = re.compile(rf"(\x1b\[(?:{'|'.join(_COLOURS.values())}|0)m)")
_GOOD = {"ok"}
_BAD = {"failed", "cut"}
_WARN = {"limited", "abandoned", "live"}


class Page:
    """Where the output goes; with `json` only what the API told is written, as JSON."""

    def __init__(self, json: bool = False, to: TextIO | None = None) -> None:
        self.json = json
        self.to = to or sys.stdout
        self.coloured = not json and self.to.isatty() and not os.environ.get("NO_COLOR")

    def told(self, value: Any) -> bool:
        """Writes what the API told, if that is wanted; False where people are to read it."""
        if self.json:
            self.line(in_json(json.dumps(value, indent=2, ensure_ascii=False)))
        return self.json

    def row(self, value: Any) -> None:
        """A value as one line of JSON."""
        self.line(in_json(json.dumps(value, ensure_ascii=False)))

    def line(self, text: str = "") -> None:
        """A line, or several; what would steer the terminal is written out, but for the colours that it was painted in.

        What its encoding cannot show is shown as a question mark.
        """
        if not text.replace("\n", "").isprintable():
            parts = _PAINT.split(text) if self.coloured else [text]
            text = "".join(part if at % 2 else safe(part, lines=True) for at, part in enumerate(parts))
        encoding = self.to.encoding or "utf-8"
        self.to.write(text.encode(encoding, "replace").decode(encoding) + "\n")

    def table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[Any]],
        right: str = "",
        *,
        least: Sequence[int] = (),
        headed: bool = True,
    ) -> None:
        """Rows below their heads, all of one width; heads named in `right` have their values at the right.

        `least` are widths of columns at least, for a table that goes on without its heads. On a terminal the last
        column ends where the line does.
        """
        texts = [[plain(cell) for cell in row] for row in rows]
        least = least or [0] * len(heads)
        widths = [max(few, *map(width, column)) for few, *column in zip(least, heads, *texts, strict=True)]
        if self.to.isatty():
            room = max(10, get_terminal_size().columns - sum(widths[:-1]) - 2 * len(widths[:-1]))
            texts = [[*cells, short(last, room)] for *cells, last in texts]
        at_right = [head in right.split() for head in heads]
        if headed:
            self.line(self.paint("dim", self._row([""] * len(heads), heads, widths, at_right)))
        for row in texts:
            self.line(self._row(heads, row, widths, at_right))

    def _row(self, heads: Sequence[str], row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
        told = []
        for head, cell, wide, flag in zip(heads, row, widths, right, strict=True):
            pad = " " * (wide - width(cell))
            text = self._word(head, cell)
            told.append(pad + text if flag else text + pad)
        return "  ".join(told).rstrip()

    def pairs(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Names and values in two columns; further lines of a value stand below its first."""
        told = list(pairs)
        wide = max((width(name) for name, _ in told), default=0)
        for name, value in told:
            first, *more = [plain(one) for one in value] or ["-"] if isinstance(value, list) else [plain(value)]
            self.line(f"{self.paint('dim', name)}{' ' * (wide - width(name))}  {first}")
            for one in more:
                self.line(" " * (wide + 2) + one)

    def verdict(self, met: bool, sentence: str) -> None:
        """Whether something was met, and the sentence about it."""
        word = self.paint("good" if met else "bad", "met  " if met else "UNMET")
        self.line(f"{word}  {plain(sentence)}")

    def paint(self, colour: str, text: str) -> str:
        """The text in a colour, where there are colours."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.coloured and text else text

    def _word(self, head: str, text: str) -> str:
        if head != "outcome":
            return text
        for colour, words in (("good", _GOOD), ("bad", _BAD), ("warn", _WARN)):
            if text in words:
                return self.paint(colour, text)
        return text


def plain(value: Any) -> str:
    """A value in one line of plain text; characters that could steer a terminal are left out."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else " " for sign in str(value))


def block(text: str) -> str:
    """A text of several lines, plain."""
    return "\n".join("".join(sign if sign.isprintable() else " " for sign in line) for line in text.splitlines())


def width(text: str) -> int:
    """How many columns of a terminal it takes."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def short(text: str, limit: int) -> str:
    """At most so many characters of it."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clock(moment: Any) -> str:
    """A moment of the API, seconds or RFC 3339, as the time of day here."""
    try:
        if isinstance(moment, str):
            at = datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone()
        else:
            at = datetime.fromtimestamp(float(moment)).astimezone()
    except (ValueError, TypeError, OverflowError, OSError):
        return plain(moment)
    return at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def ms(value: Any) -> str:
    """Milliseconds, short."""
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def lasting(value: Any) -> str:
    """Seconds as hours, minutes and seconds."""
    if not isinstance(value, int | float):
        return "-"
    hours, rest = divmod(int(value), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{round(value, 1):g} s"
