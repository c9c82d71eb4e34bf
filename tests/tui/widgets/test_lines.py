"""What live widgets draw is what Textual would, for less: only lines that have changed are drawn again."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

import pytest
from llmsim_tui.widgets.ground import Whole
from llmsim_tui.widgets.lines import Line, Lines, Panel
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from tui.stage import Stage, stage


class Sheet(Panel):
    """A panel of given lines, beside the others."""

    DEFAULT_CSS = "Sheet { position: absolute; offset: 3 3; width: 30; height: 6; border: round $accent; }"
    given: Sequence[str] = ("one", "two")

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        for words in self.given:
            yield Line(self.ink).add(words, self.ink.text).strip(width)

    def say(self, *given: str) -> list[int]:
        """Shows these; gives the lines that are drawn again for it, by their place in the frame."""
        self.render_lines(self.crop)
        self._repaint_regions.clear()
        self.given = given
        self.redraw()
        return [y for region in sorted(self._repaint_regions) for y in region.line_range]

    @property
    def crop(self) -> Region:
        return Region(0, 0, *self.outer_size)

    def text(self) -> list[str]:
        return [strip.text for strip in self.render_lines(self.crop)]


async def _sheet(console: Stage) -> Sheet:
    sheet = Sheet()
    await console.app.screen.mount(sheet)
    await console.settle()
    return sheet


def _cells(strips: Sequence[Strip]) -> list[list[tuple[str, Style | None]]]:
    return [[(char, style) for text, style, _ in strip for char in text] for strip in strips]


def _compared(console: Stage) -> int:
    """How many widgets there are, each compared, cell by cell, with what Textual itself makes of its lines."""
    widgets = [one for one in console.app.screen.query(Lines) if one.display and one.outer_size]
    for widget in widgets:
        for crop in (Region(0, 0, *widget.outer_size), Region(1, 0, max(1, widget.outer_size.width // 2), 1)):
            assert _cells(widget.render_lines(crop)) == _cells(Widget.render_lines(widget, crop)), widget
    return len(widgets)


@pytest.mark.parametrize("theme", ["night", "day", "contrast"])
async def test_each_cell_is_what_textual_would_make_of_it(theme: str) -> None:
    async with stage((120, 40), theme=theme) as console:
        assert _compared(console) > 6
        await console.press("1", "tab", "tab")
        assert _compared(console) > 6
        console.app.screen.set_class(True, "-stale")
        await console.settle()
        assert _compared(console) > 6
        await console.press("l")
        assert _compared(console) > 6


async def test_without_colours_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage((120, 40)) as console:
        assert console.app.no_color
        assert _compared(console) > 6


async def test_a_line_that_has_not_changed_is_not_drawn_again() -> None:
    async with stage((120, 40)) as console:
        sheet = await _sheet(console)
        before = sheet.render_lines(sheet.crop)
        assert sheet.say("one", "two") == []
        assert sheet.render_lines(sheet.crop) is before
        assert sheet.say("one", "new", "three") == [2, 3]
        after = sheet.render_lines(sheet.crop)
        assert [a is b for a, b in zip(before, after, strict=True)] == [True, True, False, False, True, True]
        assert [line[1:6] for line in sheet.text()[1:5]] == ["one  ", "new  ", "three", "     "]
        assert sheet.say("one") == [2, 3]
        assert sheet.say(*"abcdefgh") == [1, 2, 3, 4]
        assert [line[1] for line in sheet.text()[1:5]] == ["a", "b", "c", "d"]


async def test_what_lines_stand_on_is_looked_at_too() -> None:
    async with stage((120, 40)) as console:
        sheet = await _sheet(console)
        calm = _cells(sheet.render_lines(sheet.crop))
        for change in ("focus", "border", "background", "width", "padding", "opacity"):
            match change:
                case "focus":
                    sheet.focus()
                case "border":
                    sheet.styles.border = ("heavy", "red")
                case "background":
                    sheet.styles.background = "blue"
                case "width":
                    sheet.styles.width = 20
                case "padding":
                    sheet.styles.padding = (0, 1)
                case "opacity":
                    sheet.styles.opacity = 0.5
            await console.settle()
            drawn = sheet.render_lines(sheet.crop)
            assert _cells(drawn) != calm, change
            assert _cells(drawn) == _cells(Widget.render_lines(sheet, sheet.crop)), change
            calm = _cells(drawn)


async def test_lines_that_are_no_longer_shown_need_no_collector_of_garbage() -> None:
    def alive() -> int:
        return sum(type(one) is Whole for one in gc.get_objects())

    async with stage((120, 40)) as console:
        sheet = await _sheet(console)
        console.lines()
        gc.collect()
        gc.disable()
        try:
            before = alive()
            for number in range(9):
                assert sheet.say(f"{number}", "two") == [1]
                console.lines()
            assert alive() == before
        finally:
            gc.enable()
