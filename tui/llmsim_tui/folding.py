"""How the live screen folds: which panel gets which cells of a terminal, whatever its size."""

from __future__ import annotations

from typing import Final

from textual.geometry import Region

PANELS: Final = ("requests", "streams", "latency", "retries", "limits", "events", "chart")
"""The panels that can be zoomed; all but the last are tabs where there is no room for all of them."""

TABS: Final = PANELS[:6]

Places = dict[str, Region]


DOCKED: Final = 160
"""Columns from which the inspector is docked beside the list."""


def docks(width: int, height: int) -> bool:
    """Whether there is room for the inspector beside the list."""
    return width >= DOCKED and height >= 16


def fold(
    width: int, height: int, tab: str = "requests", zoomed: str = "", inspecting: bool = False, limited: bool = True
) -> Places:
    """The region of each visible widget; those left out are hidden.

    The safety line, the pads, a panel and the key bar always have their place. Below 60x16 the chart goes, below 100
    columns the side column becomes tabs, from 32 rows on pads and charts are taller. The inspector, where it is open
    and there is room, takes the place of the side column. Rate limits have a place of their own where there are any
    (`limited`) and room.
    """
    tiny, narrow, tall = width < 60 or height < 16, width < 100, height >= 32
    rows = 1 if narrow else 1 + tall
    pads = min(rows * (2 if narrow else 1), max(1, height - 3))
    places: Places = {
        "safety": Region(0, 0, width, 1),
        "pads": Region(0, 1, width, pads),
        "keys": Region(0, max(1, height - 1), width, 1),
    }
    top = 1 + pads
    room = max(1, height - top - 1)
    if zoomed:
        return places | {zoomed: Region(0, top, width, room)}
    if tiny:
        return places | {"requests": Region(0, top, width, room)}
    chart = 11 if tall else 7 if height >= 20 else 5
    low, left = top + chart, room - chart
    if narrow:
        return places | {"chart": Region(0, top, width, chart), tab: Region(0, low, width, left)}
    if inspecting and docks(width, height):
        main = width - max(72, width * 45 // 100)
        return places | {
            "chart": Region(0, top, main, chart),
            "requests": Region(0, low, main, left),
            "inspector": Region(main, top, width - main, room),
        }
    side = max(38, width * 3 // 10)
    main = width - side
    places |= {
        "chart": Region(0, top, main, chart),
        "latency": Region(main, top, side, chart),
        "requests": Region(0, low, main, left),
    }
    for name, rows in _side(left, limited).items():
        places[name] = Region(main, low, side, rows)
        low += rows
    return places


def _side(height: int, limited: bool) -> dict[str, int]:
    """The rows of each panel of the side column, from its top: streams take what the others leave."""
    if height < 20:
        rows = {"retries": 4 if height < 16 else 5, "events": 4}
    elif height < 36:
        rows = {"retries": 6, "limits": 4, "events": 5}
    else:
        rows = {"retries": 10, "limits": 8, "events": 10}
    if not limited:
        rows.pop("limits", None)
    return {"streams": height - sum(rows.values()), **rows}


def tabbed(width: int, height: int) -> bool:
    """Whether panels are tabs of one place at this size."""
    return 60 <= width < 100 and height >= 16
