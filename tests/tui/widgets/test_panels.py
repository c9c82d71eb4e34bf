"""Streams and events: what is under way and what has happened, with the mouse and the keys."""

from __future__ import annotations

from tui.stage import stage


class _Event:
    def stop(self) -> None: ...


async def test_streams_show_progress_text_and_what_holds_them_up() -> None:
    async with stage((100, 28)) as console:
        await console.press("5")
        await console.wait(3)
        text = console.text()
        assert "t/s" in text
        assert "stall 5s" in text
        streams = console.one("#streams")
        await console.pilot.click(streams, offset=(5, 3))
        assert streams.chosen == streams.state[1].number
        streams.on_mouse_scroll_up(_Event())
        assert streams.chosen == streams.state[0].number
        streams.on_mouse_scroll_down(_Event())
        await console.pilot.click(streams, offset=(5, 3), times=2)
        assert type(console.app.screen).__name__ == "Inspector"


async def test_the_newest_event_is_on_top_and_older_ones_a_key_away() -> None:
    async with stage((100, 28)) as console:
        for place in range(40):
            console.backend.say("note", f"event {place}", "alice")
        await console.tick()
        log = console.one("#events")
        assert "event 39 (alice)" in console.text()
        log.focus()
        await console.press(*["down"] * 5)
        assert "event 39" not in console.text()
        log.on_mouse_scroll_up(_Event())
        log.on_mouse_scroll_up(_Event())
        await console.press("up")
        assert "event 39" in console.text()
        for _ in range(30):
            log.on_mouse_scroll_down(_Event())
        await console.tick()
        assert "serving on" in console.text()
