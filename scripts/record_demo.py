"""Records docs/demo.svg: a 429 storm in two keys over made-up traffic, as an animation that any browser plays.

python scripts/record_demo.py docs/demo.svg

Each line of the screen is drawn once for as long as it stays the same, so that the file is a tenth of its frames.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from html import escape
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tui")]

SIZE = (100, 30)
FRAME = 0.8
"""Seconds that a frame stays."""
WIDTH, HEIGHT = 8.4, 18
"""Pixels of a cell."""
GROUND = "#16161e"

STEPS: tuple[tuple[str, float], ...] = (
    ("", 0.0), ("", 1.0), ("1", 0.5), ("", 1.0), ("", 1.0), ("", 1.5), ("", 1.5), ("", 2.0), ("0", 0.5), ("", 1.5),
    ("", 2.0), ("enter", 0.0), ("tab", 0.0), ("escape", 1.0), ("l", 0.0), ("shift+right", 0.0), ("escape", 1.0),
)  # fmt: skip
"""Keys, and the seconds that pass after each."""


async def frames() -> list[list[Strip]]:
    """The screens, one a step."""
    from tui.stage import stage

    seen = []
    async with stage(SIZE, seconds=34.0) as console:
        for key, seconds in STEPS:
            if key:
                await console.press(*([key] if key != "enter" else ["up", "up", "up", "up", key]))
            await console.wait(seconds)
            seen.append(console.strips())
    return seen


def animated(screens: list[list[Strip]]) -> str:
    """The screens as one SVG; a group of lines for each set of frames in which they are seen."""
    shown: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number, strips in enumerate(screens):
        for row, strip in enumerate(strips):
            shown[row, _line(strip, row)].append(number)
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for (_, drawn), numbers in shown.items():
        groups[tuple(numbers)].append(drawn)
    count, (columns, rows) = len(screens), SIZE
    styles, parts = [], []
    for name, (numbers, lines) in enumerate(groups.items()):
        kind = ""
        if len(numbers) < count:
            kind = f' class="g{name}"'
            styles.append(_keyframes(f"g{name}", set(numbers), count))
        parts.append(f"<g{kind}>{''.join(lines)}</g>")
    width, height = columns * WIDTH + 20, rows * HEIGHT + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"'
        ' aria-label="The console: a 429 storm armed with one key, watched, and lifted with another">\n<style>'
        "text{font:14px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}" + "".join(styles) + "</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _keyframes(name: str, numbers: set[int], count: int) -> str:
    """A rule that shows a group in its frames and at no other time."""
    steps, before = [], None
    for number in range(count):
        seen = number in numbers
        if seen is not before:
            steps.append(f"{100 * number / count:.3f}%{{visibility:{'visible' if seen else 'hidden'}}}")
            before = seen
    return f".{name}{{animation:{name} {count * FRAME:g}s step-end infinite}}@keyframes {name}{{{''.join(steps)}}}"


def _line(strip: Strip, row: int) -> str:
    """One line of the screen: areas first, then its text."""
    areas, texts, column = [], [], 0
    top = 10 + row * HEIGHT
    for segment in Segment.simplify(strip):
        style, cells = segment.style or Style(), segment.cell_length
        left, span = 10 + column * WIDTH, cells * WIDTH
        behind = _hex(style.bgcolor)
        if behind and behind != GROUND:
            areas.append(f'<rect x="{left:.0f}" y="{top}" width="{span:.0f}" height="{HEIGHT}" fill="{behind}"/>')
        if segment.text.strip():
            bold = ' font-weight="bold"' if style.bold else ""
            texts.append(
                f'<text x="{left:.0f}" y="{top + 13}" textLength="{span:.0f}"'
                f' fill="{_hex(style.color) or "#c0caf5"}"{bold}>{escape(segment.text)}</text>'
            )
        column += cells
    return "".join((*areas, *texts))


def _hex(color: object) -> str:
    return color.get_truecolor().hex if color is not None and not color.is_default else ""  # type: ignore[attr-defined]


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    Path(sys.argv[1]).write_text(animated(asyncio.run(frames())), "utf-8")
