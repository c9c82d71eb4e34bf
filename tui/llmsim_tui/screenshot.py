"""A picture of the screen as SVG in which each word stands at its own place, whoever draws it.

Rich gives a run of words its place and its length, with spaces that must not be lost in between; some programs that
draw SVG (librsvg among them) lose them all the same, and let the words slide to the left.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final

from rich.cells import cell_len

_TEXT: Final = re.compile(
    r'(?P<head><text class="[^"]*" )x="(?P<x>[\d.]+)"(?P<y> y="[\d.]+" )textLength="(?P<length>[\d.]+)"'
    r"(?P<tail>[^>]*>)(?P<text>[^<]*)</text>"
)
_WORDS: Final = re.compile("[^\xa0]+(?:\xa0[^\xa0]+)*")
"""Words with single spaces between them."""


def placed(svg: str) -> str:
    """The picture with a text for all that more than one space keeps apart, and none around it."""
    return _TEXT.sub(_apart, svg)


def _apart(found: re.Match[str]) -> str:
    text = unescape(found["text"])
    if not (cells := cell_len(text)):
        return found[0]
    left, cell = float(found["x"]), float(found["length"]) / cells
    parts = []
    for words in _WORDS.finditer(text):
        x, length = left + cell * cell_len(text[: words.start()]), cell * cell_len(words[0])
        place = f'{found["head"]}x="{x:.1f}"{found["y"]}textLength="{length:.1f}"{found["tail"]}'
        parts.append(f"{place}{escape(words[0], quote=False)}</text>".replace("\xa0", "&#160;"))
    return "".join(parts)
