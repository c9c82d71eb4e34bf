"""Rates, pads and help: small dialogs, each done in a few keys."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.help import Help
from llmsim_tui.screens.pad_edit import PadEdit
from llmsim_tui.screens.rates import Rates
from llmsim_tui.widgets.slider import Choice
from textual.widgets import Input
from tui.stage import stage


async def test_rates_are_set_and_taken_back() -> None:
    async with stage((80, 24)) as console:
        await console.press("r", "shift+right", "down", *"25", "enter")
        assert "not applied" in console.text()
        await console.press("a")
        settings = console.backend.settings()
        assert (settings.rate_limit_rate, settings.server_error_rate) == (0.1, 0.25)
        assert "in force" in console.text()
        await console.press("u")
        assert console.backend.settings().rate_limit_rate == 0
        await console.press("up", "a", "escape")
        assert not isinstance(console.app.screen, Rates)


async def test_a_number_out_of_range_is_told_with_the_range() -> None:
    async with stage((80, 24)) as console:
        await console.press("r", *"250", "enter")
        assert console.toasts()[-1] == "429 rate: type a number from 0% to 100%; got 250."
        await console.press(*"1.", "backspace", "escape")
        assert isinstance(console.app.screen, Rates)


async def test_e_and_a_digit_edit_a_pad() -> None:
    async with stage((80, 24)) as console:
        await console.press("e")
        assert "edit which pad?" in console.lines()[-1]
        await console.press("1")
        assert isinstance(console.app.screen, PadEdit)
        await console.press(*"40", "enter", "enter")
        pad = console.app.deck.pads[0]
        assert pad.fault["probability"] == 0.4
        assert (pad.label, pad.seconds, pad.fault["status"]) == ("429 storm", 20, 429)
        assert "40% 20s" in pad.terms()


async def test_any_other_key_ends_the_wait_for_a_digit() -> None:
    async with stage((80, 24)) as console:
        await console.press("e", "l")
        assert "edit which pad?" not in console.lines()[-1]
        assert not isinstance(console.app.screen, PadEdit)
        await console.press("2")
        assert console.backend.pulse().armed


async def test_another_kind_brings_its_own_fields() -> None:
    async with stage((100, 30)) as console:
        await console.press("e", "1", "down", "right")
        assert console.app.screen.query_one("#kind", Choice).value == "slow"
        assert "ttft factor" in console.text()
        assert "retry after" not in console.text()
        console.app.screen.query_one("#label", Input).value = "molasses today"
        console.app.screen.query_one("#seconds", Input).value = ""
        await console.press("enter")
        pad = console.app.deck.pads[0]
        assert (pad.label, pad.short, pad.seconds, pad.fault["kind"]) == ("molasses today", "molasses", None, "slow")


async def test_a_choice_among_numbers_and_yes_or_no_keeps_their_kind() -> None:
    async with stage((100, 30)) as console:
        await console.press("e", "1", "down", "down", "right", "enter")
        assert console.app.deck.pads[0].fault["status"] == 500
        await console.press("e", "6", "down", "down", "down", "right", "enter")
        assert console.app.deck.pads[5].fault["reset"] is False


async def test_an_armed_pad_is_armed_anew_when_it_is_kept() -> None:
    async with stage((80, 24)) as console:
        await console.press("1", "e", "1", *"10", "enter", "up", "up", "enter")
        assert console.backend.settings().faults[0].fault.probability == 0.1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("seconds", "soon", "'soon' is no number"),
        ("seconds", "-3", "for_s"),
        ("field-after_ms", "-1", "after_ms"),
        ("field-after_tokens", "many", "after_tokens"),
    ],
)
async def test_what_cannot_be_is_told_in_the_dialog(field: str, value: str, words: str) -> None:
    async with stage((80, 24)) as console:
        before = console.app.deck.pads[0]
        await console.press("e", "1")
        console.app.screen.query_one(f"#{field}", Input).value = value
        await console.press("enter")
        assert "Not kept: " in console.text()
        assert words in console.text()
        await console.press("escape")
        assert console.app.deck.pads[0] is before


async def test_help_lists_every_key_and_scrolls() -> None:
    async with stage((80, 24)) as console:
        await console.press("question_mark")
        assert "arm the fault pad, or lift it" in console.text()
        await console.press("j", "j", "j", "k", "question_mark")
        assert not isinstance(console.app.screen, Help)


@pytest.mark.parametrize("key", ["l", "r", "enter", "question_mark"])
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_safety_line_stays_above_every_dialog(key: str, size: tuple[int, int]) -> None:
    async with stage(size) as console:
        await console.press("1", key)
        assert "429 20s" in console.lines()[0].replace("429 storm", "429")
        await console.wait(5)
        assert "429 15s" in console.lines()[0].replace("429 storm", "429")
        assert console.lines()[-1].startswith(" esc")


async def test_what_was_said_before_does_not_lie_over_a_dialog_but_errors_stay() -> None:
    async with stage((80, 24)) as console:
        console.app.say("It is in the clipboard.")
        console.app.say("That cannot be.", "error")
        await console.press("l")
        assert console.toasts() == ["That cannot be."]
