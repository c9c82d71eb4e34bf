"""Words and figures that are safe to draw: client text loses its control characters, figures keep their width."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Final

from rich.cells import cell_len, set_cell_size

_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that a terminal obeys, hides or cannot draw."""

_AGENT: Final = re.compile(r"(?:Async)?([\w.-]+)/(?:Python|JS|Go|Java|Ruby|\d)")
"""A user agent as the providers' SDKs and most HTTP clients write it."""

_TAIL: Final = 4
"""Cells that one character of a text tail may be cut to: enough for any wide or combined one."""


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def safe(text: str, lines: bool = False) -> str:
    """The text with control, format and bidirectional characters shown as symbols, never obeyed.

    With `lines` a newline stays one and a tab becomes spaces; without, both are shown like the rest.
    """
    if text.isascii() and text.isprintable():
        return text
    if lines:
        return "\n".join(safe(line.expandtabs(4)) for line in text.replace("\r\n", "\n").split("\n"))
    return "".join(_shown(char) if unicodedata.category(char) in _UNSEEN else char for char in text)


def clip(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis."""
    if text.isascii():
        return text.ljust(width) if len(text) <= width else text[: max(0, width - 1)] + "…"[:width]
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…"[:width]


def tail(text: str, width: int) -> str:
    """The end of a text in at most `width` cells, control characters shown and blank space as single spaces."""
    line = safe(" ".join(text[-width * _TAIL :].split()))
    while cell_len(line) > width:
        line = line[max(1, (cell_len(line) - width) // 2) :]
    return line


def amount(number: float) -> str:
    """A count in at most five characters: 9999, 12.3k, 4.5M."""
    if number < 10_000:
        return f"{number:.0f}"
    for size, unit in ((1e3, "k"), (1e6, "M"), (1e9, "G")):
        if number < size * 999.5:
            return f"{number / size:.1f}{unit}" if number < size * 99.95 else f"{number / size:.0f}{unit}"
    return f"{number / 1e12:.0f}T"


def uptime(seconds: float) -> str:
    """A span as m:ss, from an hour on as h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def countdown(seconds: float) -> str:
    """What is left of a fuse, rounded up: 14s, from 100 seconds on as m:ss."""
    whole = ceil(seconds)
    return f"{whole}s" if whole < 100 else uptime(whole)


def millis(seconds: float) -> str:
    """A wait in milliseconds, from 10 s on in seconds: 255ms, 12.3s."""
    return f"{seconds * 1000:.0f}ms" if seconds < 9.9995 else span(seconds)


def span(seconds: float) -> str:
    """A span in seconds in at most six characters: 0.04s, 12.31s, 431.2s, from 1000 s on in minutes."""
    if seconds < 99.995:
        return f"{seconds:.2f}s"
    return f"{seconds:.1f}s" if seconds < 999.95 else f"{seconds / 60:.0f}min"


def wait(milliseconds: float) -> str:
    """A wait with its unit, to three figures: 22 ms, 1.5 s."""
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms"
    return f"{milliseconds / 1000:.3g} s"


def brief(client: str) -> str:
    """What names a client in a narrow column: of an SDK's user agent its name, of anything else all of it."""
    agent = _AGENT.match(client)
    return agent[1] if agent else client


def briefly(line: str) -> str:
    """A line that begins with a client's name, which is shortened as in a narrow column."""
    name, _, rest = line.partition(" ")
    agent = _AGENT.match(name)
    return f"{agent[1]}{':' * name.endswith(':')} {rest}" if agent else line


def moment(wall: float) -> str:
    """A moment of the server's clock as the local time of day."""
    return _time_of_day(int(wall))


@lru_cache(maxsize=1024)
def _time_of_day(second: int) -> str:
    return datetime.fromtimestamp(second).strftime("%H:%M:%S")


def reachable(address: str) -> str:
    """An address that a client on this machine can open: that of all networks is none."""
    host, _, port = address.rpartition(":")
    return f"{ {'0.0.0.0': '127.0.0.1', '[::]': '[::1]'}.get(host, host) }:{port}"


def flag(mark: str) -> str:
    """The mark of a change as a flag on a chart: a sign, then words; one of words alone gets one."""
    if not mark[:1].isalnum():
        return mark
    return f"!{mark[:-1]}" if mark.endswith("!") else f"△{mark}"


def share(part: float) -> str:
    """A share of one as a percentage: 41%, 0.5%."""
    return f"{part * 100:.3g}%"
