"""The mocks screen: what is in force, tried on what was seen, and every change of it undone by one key."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.editor import Editor
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.mocks import Mocks
from llmsim_tui.widgets.rows import Rows
from textual.widgets import TextArea
from tui.real import asked, simulated
from tui.stage import Stage, stage

SEA = {"name": "sea", "when": "text:sea model:gpt-4o", "reply": "blue", "priority": 3, "source": "rules/water.yaml"}
ANY = {"name": "moon", "when": "text:moon", "reply": {"text": "round"}}


async def dried(console: Stage) -> None:
    await console.app.workers.wait_for_complete([one for one in console.app.workers if one.group == "dry"])
    await console.tick()


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_list_says_what_took_what_and_the_dry_run_what_would(size: tuple[int, int]) -> None:
    simulator, backend = simulated()
    for text in ("the sea", "the sea again", "the moon", "nothing"):
        asked(simulator, text)
    asked(simulator, "sea", model="o3-mini")
    simulator.change(mocks=[SEA, ANY])
    asked(simulator, "the moon")
    async with stage(size, backend=backend) as console:
        await console.press("m")
        await dried(console)
        text = console.text()
        assert isinstance(console.app.screen, Mocks)
        assert "sea" in text
        assert "4 of the last 6 requests" in text
        if size[1] > 16:
            assert "2 × sea" in text
            assert "1 × nearest mock: sea, but for model:gpt-4o (#5)" in text
        if size[0] == 120:
            assert "water.yaml" in text
            assert "by hand" in text
        await console.press("escape")
        assert isinstance(console.app.screen, Live)


async def test_added_edited_switched_taken_away_and_all_of_it_undone() -> None:
    simulator, backend = simulated(mocks=[SEA])
    async with stage((80, 24), backend=backend) as console:
        await console.press("m", "a")
        assert isinstance(console.app.screen, Editor)
        await console.press("ctrl+s")
        assert [one.name for one in backend.settings().mocks] == ["sea", "greeting"]
        await console.press("down", "enter")
        console.fill("name: hello\nwhen: {text: hello}\nreply: hi\npriority: 7\n")
        await console.press("ctrl+s")
        assert asked(simulator, "hello").plan.mock == "hello"
        assert console.text().index("hello") < console.text().index("sea")
        await console.press("down", "space")
        assert not backend.settings().mocks[0].enabled
        assert "○" in console.text()
        assert "when water.yaml is saved the next time" in console.toasts()[-1]
        await console.press("up", "d")
        assert [one.name for one in backend.settings().mocks] == ["sea"]
        await console.press("u", "u")
        assert [one.enabled for one in backend.settings().mocks] == [True, True]
        await console.press("u", "u")
        assert [one.name for one in backend.settings().mocks] == ["sea"]
        await dried(console)


async def test_an_edited_mock_keeps_its_file_and_its_match_a_condition_a_line() -> None:
    _, backend = simulated(mocks=[SEA])
    async with stage((120, 40), backend=backend) as console:
        await console.press("m", "e")
        text = console.app.screen.query_one("#text", TextArea).text
        assert "when:\n  text: sea\n  model: gpt-4o\n" in text
        assert "source" not in text
        await console.press("ctrl+s")
        assert backend.settings().mocks[0].source == "rules/water.yaml"


async def test_without_a_mock_the_list_says_how_to_make_one() -> None:
    simulator, backend = simulated()
    asked(simulator, "tides")
    async with stage((80, 24), backend=backend) as console:
        await console.press("m", "d", "enter", "space")
        assert console.toasts()[-1] == "There is no mock yet: a adds one."
        assert "no mock yet" in console.text()
        await console.press("escape", "M")
        assert "tides" in console.app.screen.query_one("#text", TextArea).text


async def test_many_mocks_scroll_and_are_chosen_by_the_mouse() -> None:
    _, backend = simulated(mocks=[{"name": f"m{place}", "reply": "x"} for place in range(60)])
    async with stage((80, 24), backend=backend) as console:
        await console.press("m", "pagedown", "pagedown", "k")
        rows = console.app.screen.query_one(Rows)
        assert 0 < rows.top < rows.place
        assert f"m{rows.place}" in console.text()
        await console.pilot.click(rows, offset=(10, 2))
        assert rows.place == rows.top + 1
        await console.pilot.click(rows, offset=(10, 2), times=2)
        assert isinstance(console.app.screen, Editor)
