"""The request list sorted and marked, and the panels beside it: by keys and by the mouse."""

from __future__ import annotations

from llmsim_tui.backend import Gauge
from llmsim_tui.screens.limits import Limits
from llmsim_tui.screens.verdicts import Verdicts
from llmsim_tui.widgets.flows import Flows
from tui.stage import Stage, stage

from llmsim.limits import Limit


def listed(console: Stage, what: str) -> list[float]:
    """A figure of each row in sight, from the top."""
    flows = console.one(Flows)
    rows = [console.backend.row(number) for number in flows.numbers[: flows.page_rows]]
    return [getattr(row, what) for row in rows]


async def test_the_list_is_sorted_by_a_key_or_a_click_stands_still_and_follows_again() -> None:
    async with stage((120, 40)) as console:
        flows = console.one(Flows)
        await console.press("o")
        assert "by first token · f follow" in console.text()
        assert (waits := listed(console, "ttft")) == sorted(waits, reverse=True)
        assert flows.cursor == flows.numbers[0]
        before = list(flows.numbers)
        await console.wait(3.0)
        assert flows.numbers == before
        await console.press("down", "enter", "j")
        assert flows.cursor == before[2]
        await console.press("escape", "f")
        assert f"{len(console.backend.exchanges)} · follow" in console.text()
        heading = next(line for line in console.lines() if " dur " in line)
        await console.pilot.click(Flows, offset=(heading.index("dur") - flows.region.x, 1))
        await console.tick()
        assert "dur▼" in console.text()
        assert (spans := listed(console, "duration")) == sorted(spans, reverse=True)
        await console.pilot.click(Flows, offset=(heading.index("dur") - flows.region.x, 1))
        assert flows.following


async def test_marked_requests_are_seen_and_listed_alone() -> None:
    async with stage((80, 24)) as console:
        flows = console.one(Flows)
        await console.press("asterisk", "up", "up", "asterisk")
        marked = sorted(flows.marks)
        assert f"◆{marked[0]}" in console.text()
        await console.press("o", "o", "o", "o")
        assert flows.numbers == marked
        assert "2 · marked · f follow" in console.text()
        await console.press("asterisk", "o")
        assert flows.following
        assert len(flows.marks) == 1


async def test_retries_and_limits_have_panels_that_open_what_they_stand_for() -> None:
    async with stage((120, 40)) as console:
        assert "no limit yet" not in console.text()
        await console.press("1")
        await console.wait(3.0)
        assert "too early" in console.text()
        await console.pilot.click("#retries", offset=(3, 1), times=2)
        assert isinstance(console.app.screen, Verdicts)
        await console.press("escape")
        console.one("#retries").focus()
        await console.press("enter")
        assert isinstance(console.app.screen, Verdicts)
        await console.press("escape")
        await console.backend.change(limits=(Limit(name="free", rpm=20),))
        await console.tick()
        assert "no request has met a limit yet" in console.text()
        left = [Gauge("free", f"key-{n:03}", "rpm", 20, 20.0 - n % 20, float(n), 0, 0) for n in range(300)]
        console.backend.buckets_left = left
        await console.tick()
        assert "2 of 300" in console.text()
        assert "1/20" in console.text()
        console.one("#limits").focus()
        await console.press("enter")
        assert isinstance(console.app.screen, Limits)


async def test_a_click_on_a_tab_turns_to_its_panel_at_every_width() -> None:
    async with stage((60, 16)) as console:
        for width, height in ((60, 16), (80, 24)):
            await console.resize(width, height)
            for name in ("streams", "latency", "retries", "limits", "events", "requests"):
                row, line = next(
                    (y, line) for y, line in enumerate(console.lines()) if "retries" in line and "[ ]" in line
                )
                await console.pilot.click(offset=(line.index(name) + 1, row))
                await console.tick()
                assert console.app.screen.tab == name
