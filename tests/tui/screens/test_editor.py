"""The editor of rules, opened over a request: what is wrong is told by line, what is right is applied as a whole."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.editor import Editor
from llmsim_tui.screens.inspector import Inspector
from textual.widgets import TextArea
from tui.real import asked, simulated
from tui.stage import stage

SIZES = pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")


@SIZES
async def test_m_makes_a_mock_of_a_request_that_answers_the_next_one(size: tuple[int, int]) -> None:
    simulator, backend = simulated()
    asked(simulator, "tell me about the sea")
    async with stage(size, backend=backend) as console:
        await console.press("enter", "m")
        text = console.app.screen.query_one("#text", TextArea).text
        assert "model: gpt-4o" in text
        assert "text: tell me about the sea" in text
        assert "it can be applied" in console.text()
        console.fill(text.split("reply:")[0] + "reply: It is blue.\n")
        await console.press("ctrl+s")
        assert isinstance(console.app.screen, Inspector)
        assert asked(simulator, "Tell me about the SEA, please").plan.mock == "like-1"
        assert not asked(simulator, "something else").plan.mock
        await console.press("escape", "u")
        assert backend.settings().mocks == ()
        assert console.toasts()[-1] == "Taken back: mock like-1 added"


async def test_a_problem_is_told_by_line_and_nothing_is_changed() -> None:
    simulator, backend = simulated()
    asked(simulator)
    async with stage((80, 24), backend=backend) as console:
        await console.press("enter", "m")
        console.fill("name: a\nreply: {text: b}\npriority: high\ntimes: 0\n")
        await console.tick()
        assert "✗ 3:1 priority" in console.text()
        assert "and 1 more" in console.text()
        await console.press("ctrl+s")
        assert isinstance(console.app.screen, Editor)
        assert console.toasts()[-1].startswith("Nothing was changed: 3:1 priority")
        await console.press("f8")
        assert console.app.screen.query_one("#text", TextArea).cursor_location == (2, 0)
        await console.press("f8", "f8")
        assert console.app.screen.query_one("#text", TextArea).cursor_location == (2, 0)
        await console.press("escape")
        assert backend.settings().mocks == ()


async def test_a_name_that_is_taken_and_a_profile_that_is_none_are_told() -> None:
    simulator, backend = simulated(mocks=[{"name": "a", "reply": "x"}])
    asked(simulator)
    async with stage((80, 24), backend=backend) as console:
        await console.press("enter", "m")
        console.fill("name: a\nreply: y\n")
        await console.tick()
        assert "there is a mock 'a' already" in console.text()
        console.fill("name: b\nreply: {text: y, latency: nowhere}\n")
        await console.press("ctrl+s")
        assert "there is no profile 'nowhere'" in console.toasts()[-1]
        assert isinstance(console.app.screen, Editor)
        assert [one.name for one in backend.settings().mocks] == ["a"]


async def test_a_long_text_is_read_when_the_keys_rest() -> None:
    simulator, backend = simulated()
    asked(simulator)
    async with stage((80, 24), backend=backend) as console:
        await console.press("enter", "m")
        console.fill("name: a\nreply: " + "x" * 5000 + "\n")
        await console.press("ctrl+s")
        assert [one.name for one in backend.settings().mocks] == ["a"]


async def test_a_console_that_only_watches_opens_no_editor() -> None:
    async with stage((80, 24), read_only=True) as console:
        await console.press("enter", "m")
        assert isinstance(console.app.screen, Inspector)


async def test_the_inspector_says_which_mock_answered_and_which_came_nearest() -> None:
    simulator, backend = simulated(mocks=[{"name": "sea", "when": "text:sea model:gpt-4o", "reply": "blue"}])
    asked(simulator, "the sea")
    asked(simulator, "the moon")
    async with stage((120, 40), backend=backend) as console:
        await console.press("enter")
        assert "nearest mock: sea, but for text:moon" not in console.text()
        assert "nearest mock: sea, but for text:sea" in console.text().replace("\n", " ")
        await console.press("k")
        assert "mock     sea" in console.text()


async def test_a_request_that_was_refused_makes_a_mock_of_its_error() -> None:
    simulator, backend = simulated(faults=[{"kind": "refuse", "status": 503}])
    asked(simulator, "=odd")
    draft = await backend.draft(1)
    assert draft is not None
    assert draft["reply"]["error"]["status"] == 503
    assert draft["when"]["text"] == "==odd"
    assert await backend.draft(99) is None
