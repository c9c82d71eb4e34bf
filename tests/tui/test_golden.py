"""Whole screens as text, reviewed by eye; written anew with LLMSIM_UPDATE_GOLDEN=1."""

from __future__ import annotations

import pytest
from tui.stage import golden, stage


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_live_with_a_storm(size: tuple[int, int]) -> None:
    async with stage(size) as console:
        await console.press("1")
        await console.wait(2.0)
        await console.wait(2.5)
        golden(f"live_{size[0]}x{size[1]}", console.lines())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_latency_with_a_candidate(size: tuple[int, int]) -> None:
    async with stage(size) as console:
        await console.press("l", "shift+right")
        golden(f"latency_{size[0]}x{size[1]}", console.lines())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_inspector_of_a_finished_reply(size: tuple[int, int]) -> None:
    async with stage(size) as console:
        console.one("#requests").select(240)
        await console.press("enter")
        golden(f"inspector_{size[0]}x{size[1]}", console.lines())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_help(size: tuple[int, int]) -> None:
    async with stage(size) as console:
        await console.press("question_mark")
        golden(f"help_{size[0]}x{size[1]}", console.lines())


async def test_ascii_with_no_sign_that_a_bare_terminal_lacks() -> None:
    async with stage((100, 32)) as console:
        console.app.register_theme(_ascii_theme())
        console.app.theme = "plain"
        await console.press("1")
        await console.wait(2.0)
        seen = console.lines()
        golden("live_ascii_100x32", seen)
        assert all(line.isascii() for line in seen)


def _ascii_theme():  # type: ignore[no-untyped-def]
    from llmsim_tui.palette import ThemeFile

    return ThemeFile.model_validate({"name": "plain", "colors": {"primary": "#88aaff"}, "glyphs": "ascii"}).theme()
