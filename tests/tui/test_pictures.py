"""The pictures in docs/ come of scripts: they name files that the guides show, and the demo is a well-formed SVG."""

from __future__ import annotations

import runpy
import xml.etree.ElementTree as Tree
from pathlib import Path

from tui.stage import stage

ROOT = Path(__file__).parents[2]


def test_every_picture_is_there_and_shown_somewhere() -> None:
    script = runpy.run_path(str(ROOT / "scripts/picture_console.py"))
    guides = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "docs/console.md"))
    for name in (*script["PICTURES"], *script["ELSEWHERE"], "demo"):
        assert (ROOT / "docs" / f"{name}.svg").is_file()
        assert f"{name}.svg" in guides


async def test_a_demo_draws_each_line_once_for_as_long_as_it_stays() -> None:
    recorder = runpy.run_path(str(ROOT / "scripts/record_demo.py"))
    async with stage((100, 30), seconds=5.0) as console:
        screens = [console.strips()]
        await console.press("1")
        screens.append(console.strips())
    drawn = recorder["animated"](screens)
    Tree.fromstring(drawn)
    assert drawn.count("follow") < 2 * sum("follow" in line.text for line in screens[0]) + 2
    assert "@keyframes" in drawn
    assert "429 storm" in drawn
