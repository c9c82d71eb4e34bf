"""Sliders: every value has its place on the track, and every place its value."""

from __future__ import annotations

import pytest
from llmsim_tui.widgets.slider import Choice, Scale, Slider
from tui.stage import stage

LOG = Scale(1, 60_000)
SHARE = Scale(0, 1, linear=True)


@pytest.mark.parametrize("value", [0, 1, 2, 10, 123, 900, 4_000, 60_000])
def test_a_value_comes_back_from_its_place(value: float) -> None:
    assert LOG.value(LOG.place(value)) == pytest.approx(value, rel=0.01)


def test_the_ends_hold() -> None:
    assert (LOG.value(0), LOG.value(2), LOG.place(1e9), LOG.place(0.2)) == (0, 60_000, 1, 0)
    assert (SHARE.value(-1), SHARE.value(2), SHARE.least, LOG.least) == (0, 1, 0, 0)


@pytest.mark.parametrize("scale", [LOG, SHARE, Scale(0.1, 5_000)])
def test_steps_go_all_the_way_up_and_down(scale: Scale) -> None:
    value, seen = scale.least, [scale.least]
    while value < scale.high:
        value = scale.step(value, 0.01)
        assert value > seen[-1]
        seen.append(value)
    assert 95 <= len(seen) <= 110
    while value > scale.least:
        lower = scale.step(value, -0.01)
        assert lower < value
        value = lower


def test_values_are_round_to_three_figures() -> None:
    assert all(float(f"{LOG.value(place / 97):.3g}") == LOG.value(place / 97) for place in range(98))


async def test_the_mouse_drags_the_knob_and_the_wheel_nudges_it() -> None:
    async with stage((80, 24), seconds=1) as console:
        await console.press("r")
        slider = console.app.screen.query_one("#server_error_rate", Slider)
        track = slider.size.width - 14 - 10 - 2
        await console.pilot.mouse_down(slider, offset=(14 + track // 2, 0))
        assert slider.value == pytest.approx(0.5, abs=0.02)
        await console.pilot.hover(slider, offset=(14 + track, 0))
        assert slider.value == 1
        await console.pilot.mouse_up(slider, offset=(14 + track, 0))
        await console.pilot.hover(slider, offset=(14, 0))
        assert slider.value == 1
        slider.on_mouse_scroll_down(_Event())  # type: ignore[arg-type]
        assert slider.value == 0.99
        slider.on_mouse_scroll_up(_Event())  # type: ignore[arg-type]
        assert slider.value == 1


async def test_a_choice_turns_with_arrows_clicks_and_the_wheel() -> None:
    async with stage((100, 28), seconds=1) as console:
        await console.press("l", "down", "down", "left")
        choice = console.app.screen.query_one("#ttft-kind", Choice)
        assert choice.value == "fixed"
        await console.pilot.click(choice, offset=(20, 0))
        await console.pilot.click(choice, offset=(14, 0))
        assert choice.value == "fixed"
        choice.on_mouse_scroll_up(_Event())  # type: ignore[arg-type]
        assert choice.value == "uniform"
        choice.on_mouse_scroll_down(_Event())  # type: ignore[arg-type]
        assert choice.value == "fixed"


class _Event:
    def stop(self) -> None: ...
