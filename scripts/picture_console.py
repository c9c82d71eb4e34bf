"""Draws docs/console.svg: the console of made-up traffic in the midst of a 429 storm, the same picture on every run.

python scripts/picture_console.py docs/console.svg
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tui")]


async def picture() -> str:
    """The live screen four seconds after the first pad was pressed."""
    from tui.stage import stage

    async with stage((120, 40), seconds=34.0) as console:
        await console.press("1")
        await console.wait(2.0)
        await console.wait(2.0)
        return console.app.export_screenshot(title="llmsim-tui")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    Path(sys.argv[1]).write_text(asyncio.run(picture()), "utf-8")
