"""The latency dialog: shaped before it is applied, applied to all or to one, taken back."""

from __future__ import annotations

from llmsim_tui.screens.latency import Latency
from llmsim_tui.widgets.slider import Choice, Slider
from tui.stage import Stage, stage

from llmsim.latency import Profile, Spread


def slider(console: Stage, name: str) -> Slider:
    return console.app.screen.query_one(f"#{name}", Slider)


async def test_nothing_changes_before_it_is_applied() -> None:
    async with stage((100, 28)) as console:
        before = console.backend.settings()
        await console.press("l")
        assert "each model its own" in console.text()
        await console.press("shift+right", "right")
        assert "not applied" in console.text()
        assert console.backend.settings() == before
        await console.press("a")
        assert console.backend.settings().latency_profile == "custom"
        assert "in force" in console.text()
        assert console.backend.settings().profile("custom").ttft.mean == slider(console, "ttft-mean").value


async def test_undo_loads_what_is_then_in_force() -> None:
    async with stage((100, 28)) as console:
        await console.press("l", "end", "a", "u")
        assert slider(console, "ttft-mean").value == 400
        assert console.backend.settings().latency_profile is None


async def test_escape_discards() -> None:
    async with stage((80, 24)) as console:
        before = console.backend.settings()
        await console.press("l", "end", "escape")
        assert console.backend.settings() == before
        assert not isinstance(console.app.screen, Latency)


async def test_a_typed_number_and_a_preset_shape_the_candidate() -> None:
    async with stage((100, 28)) as console:
        await console.press("l", *"1500", "enter")
        assert slider(console, "ttft-mean").value == 1500
        assert "≈ 3.48 s · 40 tok/s" in console.text()
        await console.press("tab", "down", "enter", "tab", "a")
        assert console.backend.settings().latency_profile == "gpt5"


async def test_one_model_can_be_shaped_alone() -> None:
    async with stage((100, 28)) as console:
        await console.press("l", *["down"] * 6, "right", *["up"] * 6, "home", "a")
        assert list(console.backend.settings().model_profiles) == ["gpt-4o"]
        assert console.backend.settings().model_profiles["gpt-4o"] == "custom-gpt-4o"
        assert "gpt-4o" in console.text()


async def test_live_apply_waits_until_the_slider_rests() -> None:
    async with stage((100, 28)) as console:
        await console.press("l", "t")
        changes = len(console.backend.past)
        for _ in range(3):
            await console.pilot.press("right")
        assert len(console.backend.past) == changes
        await console.tick()
        await console.tick()
        assert len(console.backend.past) == changes + 1
        assert "live-apply is on" in console.text()
        await console.press("t")
        assert "live-apply" not in "\n".join(console.lines()[:-1])


async def test_an_impossible_shape_is_told_and_not_applied() -> None:
    async with stage((100, 28)) as console:
        await console.press("l", "down", "end", "down", "right", "right", "right")
        assert console.app.screen.query_one("#ttft-kind", Choice).value == "uniform"
        assert "uniform spread" in console.text()
        await console.press("a")
        assert console.toasts()[-1].startswith("Not applied: ")
        assert console.backend.past == []


async def test_a_profile_of_samples_keeps_them_until_another_shape_is_taken() -> None:
    async with stage((100, 28)) as console:
        seen = Profile(ttft=Spread(kind="empirical", samples=(100, 200, 900)), tbt=Spread(mean=20))
        await console.backend.change(profiles={"seen": seen}, latency_profile="seen")
        await console.press("l")
        assert "from 3 samples" in console.text()
        await console.press("end", *"77", "enter")
        assert slider(console, "ttft-mean").value == 400
        await console.press("down", "down", "right", "up", "up", "end", "a")
        assert console.backend.settings().profile("custom").ttft.kind == "normal"


async def test_a_console_that_only_watches_may_shape_but_not_apply() -> None:
    async with stage((100, 28), read_only=True) as console:
        await console.press("l", "end", "a", "t")
        assert console.toasts()[-1].startswith("This console only watches")
        assert "a apply" not in console.lines()[-1]


async def test_a_click_beside_the_dialog_closes_it() -> None:
    async with stage((160, 45)) as console:
        await console.press("l")
        await console.pilot.click(offset=(1, 2))
        await console.settle()
        assert not isinstance(console.app.screen, Latency)


async def test_load_terms_are_shaped_applied_and_kept_beside_the_spreads() -> None:
    async with stage((100, 34)) as console:
        await console.press("l", "o", *"16", "enter", "down", "down", "2", "enter")
        assert "16 at once, 1000 more wait" in console.text()
        assert "40 tok/s alone, 13.3 when full" in console.text()
        await console.press("a")
        applied = console.backend.settings().profile("custom")
        assert (applied.slots, applied.slowing, applied.ttft.middle) == (16, 2.0, 400)
        await console.press("o", *"700", "enter", "a")
        assert console.backend.settings().profile("custom").slots == 16
        await console.press("o", "home")
        assert "not applied" in console.text() or "slowing: 2 is not allowed without slots" in console.text()


async def test_a_preset_with_load_terms_is_used_under_its_own_name() -> None:
    async with stage((100, 34)) as console:
        profiles = console.backend.profiles()
        wanted = next(name for name, one in profiles.items() if one.loaded)
        await console.press("l", "tab", "home", *["down"] * list(profiles).index(wanted), "enter", "tab", "a")
        assert console.backend.settings().latency_profile == wanted


async def test_the_waits_over_time_by_key_and_by_mouse_with_the_changes_that_made_them_longer() -> None:
    async with stage((120, 40)) as console:
        for _ in range(8):
            await console.wait(1.0)
        await console.press("4")
        for _ in range(12):
            await console.wait(1.0)
        await console.press("l", "h")
        seen = console.text()
        assert "first tokens · a column is 1 s · the denser the more" in seen
        assert "▼slow" in seen or "slow TTFT ×5▼" in seen
        assert "TTFT mean" not in seen
        assert "500 ms" in seen
        await console.press("h")
        assert "TTFT mean" in console.text()
        bar = console.app.screen.query_one("#keys")
        words = console.lines()[-1]
        await console.pilot.click(bar, offset=(words.index("over time"), 0))
        await console.settle()
        assert "a column is 1 s" in console.text()
        await console.press("o")
        assert "slots" in console.text()
        assert "a column is" not in console.text()


async def test_the_map_says_so_while_nothing_has_come() -> None:
    async with stage((60, 16), seconds=2.0, rate=0.0) as console:
        await console.press("l", "h")
        assert "no first token since this console was opened" in console.text()


async def test_what_was_applied_is_told_in_words_that_undo_repeats() -> None:
    async with stage((100, 30)) as console:
        await console.press("l", *"1500", "enter", "a", "escape", "u")
        assert "Taken back: latency of all models: 1.5 s to the first token, 25 ms a token" in console.toasts()


async def test_what_the_key_bar_has_no_room_for_is_a_click_on_its_end_away() -> None:
    async with stage((60, 16)) as console:
        await console.press("l")
        for word, seen in (("over time", "first token"), ("presets", "claude-opus")):
            while word not in (words := console.lines()[-1]):
                assert words.endswith("▸")
                await console.pilot.click(console.app.screen.query_one("#keys"), offset=(58, 0))
                await console.settle()
            await console.pilot.click(console.app.screen.query_one("#keys"), offset=(words.index(word), 0))
            await console.tick()
            assert seen in console.text()
