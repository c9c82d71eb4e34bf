"""The pads: a digit arms and lifts, + adds time, an impossible pad is refused and the old one kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llmsim_tui.deck import PADS, Deck, find
from tui.fake import FakeBackend

from llmsim.errors import SettingsError
from llmsim.settings import Settings


@pytest.mark.parametrize("pad", PADS, ids=lambda pad: pad.label)
def test_every_pad_that_comes_along_can_be_armed(pad: object) -> None:
    Settings().changed(faults=({"label": pad.label, **pad.fault},))  # type: ignore[attr-defined]


async def test_a_digit_arms_and_the_same_digit_lifts() -> None:
    backend, deck = FakeBackend(rate=0), Deck()
    await deck.press(backend, 3)
    armed = find(backend.pulse().armed, 3)
    assert armed is not None
    assert (armed.label, armed.left) == ("503 overload", 20)
    await deck.press(backend, 3)
    assert backend.pulse().armed == ()


async def test_more_time_goes_to_the_pad_armed_last() -> None:
    backend, deck = FakeBackend(rate=0), Deck()
    assert await deck.extend(backend) == "No pad of this console is armed: press 1-8 first."
    await deck.press(backend, 1)
    await deck.press(backend, 2)
    assert await deck.extend(backend) is None
    assert [one.left for one in backend.pulse().armed] == [20, 15]


async def test_a_pad_without_a_fuse_takes_no_more_time() -> None:
    backend, deck = FakeBackend(rate=0), Deck()
    deck.keep(1, replace(PADS[0], seconds=None))
    await deck.press(backend, 1)
    assert "stays until it is lifted" in (await deck.extend(backend) or "")
    assert deck.pads[0].terms() == "70% until lifted"


def test_an_impossible_pad_is_refused_in_a_sentence() -> None:
    deck = Deck()
    with pytest.raises(SettingsError, match="probability"):
        deck.keep(1, replace(PADS[0], fault={"kind": "refuse", "probability": 1.4}))
    with pytest.raises(SettingsError, match="for_s"):
        deck.keep(1, replace(PADS[0], seconds=-1.0))
    assert deck.pads[0] is PADS[0]
