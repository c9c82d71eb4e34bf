"""Folding: at any size the safety line, the pads, a panel and the keys have their place, and nothing overlaps."""

from __future__ import annotations

from itertools import combinations

import pytest
from llmsim_tui.folding import PANELS, fold, tabbed

SIZES = [(20, 5), (59, 24), (60, 16), (80, 24), (99, 40), (100, 24), (100, 32), (120, 40), (160, 50), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("zoomed", ["", "events"])
def test_nothing_overlaps_and_everything_is_on_the_screen(size: tuple[int, int], zoomed: str) -> None:
    places = fold(*size, zoomed=zoomed)
    assert {"safety", "pads", "keys"} < set(places)
    assert set(places) & set(PANELS)
    for one, other in combinations(places.values(), 2):
        assert not one.overlaps(other)
    assert all(region.right <= size[0] and region.bottom <= size[1] for region in places.values())


def test_wide_and_tall_shows_every_panel() -> None:
    assert set(PANELS) < set(fold(120, 40))


def test_narrow_has_tabs_under_the_chart() -> None:
    assert {"chart", "events"} < set(fold(80, 24, tab="events"))
    assert "requests" not in fold(80, 24, tab="events")
    assert tabbed(80, 24)
    assert not tabbed(120, 40)
    assert not tabbed(50, 24)


def test_tiny_keeps_safety_pads_and_list() -> None:
    assert set(fold(50, 14)) == {"safety", "pads", "keys", "requests"}


def test_zoom_gives_one_panel_all_the_room() -> None:
    assert fold(80, 24, zoomed="streams")["streams"].height == 20
