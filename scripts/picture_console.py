"""Draws the pictures of the console in docs/: made-up traffic on a told clock, the same pictures on every run.

python scripts/picture_console.py docs
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tui")]

PICTURES: dict[str, tuple[tuple[int, int], str, tuple[str, ...]]] = {
    "console": ((120, 40), "night", ("1", "wait", "wait")),
    "console_heat": ((120, 32), "night", (*["second"] * 45, "4", *["second"] * 30, "0", *["second"] * 25, "l", "h")),
    "console_inspector": ((170, 44), "night", ("5", *["wait"] * 4, "select", "enter", "tab", "tab")),
    "console_latency": ((120, 40), "night", ("l", "shift+right")),
    "console_settings": ((120, 32), "paper", ("comma", "down", "down", "down")),
    "console_small": ((80, 24), "day", ("1", "wait", "wait")),
}
"""Each picture's file, size, theme and keys."""

ELSEWHERE = {
    "console_attached": (120, 40),
    "console_away": (100, 24),
    "console_intercept": (120, 32),
    "console_replay": (120, 40),
}
"""Each picture of a server elsewhere and its size."""


async def picture(size: tuple[int, int], theme: str, keys: tuple[str, ...]) -> str:
    """One screen after some keys."""
    from tui.stage import stage

    async with stage(size, theme=theme, seconds=34.0) as console:
        for key in keys:
            if key == "wait":
                await console.wait(2.0)
            elif key == "second":
                await console.wait(1.0)
            elif key == "select":
                console.one("#requests").select(304)
            else:
                await console.press(key)
        return console.app.export_screenshot(title="llmsim-tui")


async def elsewhere(name: str) -> str:
    """A console attached to a server, one whose server has gone, or one that shows what was recorded."""
    from llmsim_tui.local import LocalBackend
    from llmsim_tui.replay import ReplayBackend
    from tui.far import begun, busy
    from tui.stage import stage

    from llmsim.views.recording import Recorder
    from llmsim.views.session import read

    server, far = await busy()
    shown, seconds = far, 5.0 if name == "console_away" else 0.0
    if name == "console_replay":
        with TemporaryDirectory() as folder:
            recorder = Recorder(far, Path(folder) / "session.jsonl", far.address)
            for _ in range(40):
                await far.pull()
                recorder.frame()
                await server.clock.advance(0.25)
            recorder.stop()
            shown = ReplayBackend(read(Path(folder) / "session.jsonl"), clock=server.clock)
            shown.seek(4.0)
    if name == "console_intercept":
        server.lift()
        server.arm({"kind": "hold", "id": "intercept", "label": "intercept", "scope": "provider:openai"})
        dice = random.Random(5)
        for place in range(6):
            begun(server, dice, f"agent-{place:02}", 0)
            await server.clock.advance(0.4)
        shown = LocalBackend(server, "127.0.0.1:8080")
    async with stage(ELSEWHERE[name], backend=shown, seconds=0) as console:
        for _ in range(3):
            await far.pull()
            await console.tick()
        far.there = not seconds
        await server.clock.advance(seconds)
        await far.pull()
        await console.tick()
        return console.app.export_screenshot(title="llmsim-tui")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name, given in PICTURES.items():
        (Path(sys.argv[1]) / f"{name}.svg").write_text(asyncio.run(picture(*given)), "utf-8")
    for name in ELSEWHERE:
        (Path(sys.argv[1]) / f"{name}.svg").write_text(asyncio.run(elsewhere(name)), "utf-8")
