"""Themes: readable in every pair of colours, checked with clear words, switched and reloaded while the console runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmsim_tui.palette import ThemeFile, contrast, folders, load, load_all, make_ink, stamps
from rich.color import ColorSystem
from rich.style import Style
from textual.color import Color

from llmsim.errors import SettingsError

SHIPPED = sorted(folders()[0].glob("*.yaml"))


def variables(file: ThemeFile) -> dict[str, str]:
    theme = file.theme()
    return {**theme.to_color_system().generate(), **theme.variables}


def color(style: Style) -> Color:
    assert style.color is not None
    return Color.from_rich_color(style.color)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_text_of_every_theme_can_be_read(path: Path) -> None:
    file = load(path)
    ink, roles = make_ink(variables(file)), variables(file)
    grounds = {name: Color.parse(roles[name]) for name in ("background", "surface", "panel")}
    texts = {"text": ink.text, "dim": ink.dim, "accent": ink.accent, "key": ink.key, "bar": ink.bar, **ink.tone}
    poor = {
        (name, ground): round(contrast(color(style), back), 2)
        for name, style in texts.items()
        for ground, back in grounds.items()
        if contrast(color(style), back) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_fill_stands_out_and_its_words_too(path: Path) -> None:
    file = load(path)
    ink, back = make_ink(variables(file)), Color.parse(variables(file)["background"])
    assert all(contrast(fill, back) >= 3 for fill in ink.fill.values())
    for words in (ink.chip, ink.badge):
        assert words.bgcolor is not None
        assert contrast(color(words), Color.from_rich_color(words.bgcolor)) >= 4.5
    for row in (ink.cursor, ink.idle):
        assert row.bgcolor is not None
        assert contrast(color(ink.text), Color.from_rich_color(row.bgcolor)) >= 4.5


def test_the_contrast_of_black_and_white_is_21() -> None:
    assert contrast(Color(0, 0, 0), Color(255, 255, 255)) == pytest.approx(21)
    assert contrast(Color(9, 9, 9), Color(9, 9, 9)) == 1


def test_the_themes_that_come_along_are_night_day_and_high_contrast() -> None:
    assert {load(path).name for path in SHIPPED} == {"night", "day", "high-contrast"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\ncolors: {primary: nonsense}", "colors.primary: 'nonsense' is no colour"),
        ("name: x\ncolors: {}", "colors.primary: Field required"),
        ("name: x\ncolors: {primary: red}\nglyph: block", "glyph"),
        ("name: [", "not readable as YAML"),
        ("name: x\ncolors: {primary: red}\nglyphs: runes", "'block', 'braille' or 'ascii'"),
    ],
)
def test_a_broken_file_is_told_by_name_and_reason(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load(path)
    assert str(raised.value).startswith("mine.yaml: ")
    assert words.lower() in str(raised.value).lower()


def test_only_primary_is_needed_and_status_colours_follow_the_roles() -> None:
    file = ThemeFile.model_validate({"name": "x", "colors": {"primary": "#88aaff"}})
    roles = variables(file)
    ink = make_ink(roles)
    assert ink.fill["failed"] == Color.parse(roles["error"])
    assert ink.fill["live"] == Color.parse(roles["primary"])


def test_own_themes_win_over_those_that_come_along() -> None:
    mine = folders()[1]
    mine.mkdir(parents=True)
    (mine / "night.yaml").write_text("name: night\ncolors: {primary: '#ffffff'}")
    (mine / "bad.yaml").write_text("nothing")
    themes, problems = load_all(stamps())
    assert themes["night"].colors.primary == "#ffffff"
    assert len(problems) == 1
    assert problems[0].startswith("bad.yaml: ")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_areas_and_text_take_on_no_colour_of_their_own_where_there_are_only_256(path: Path) -> None:
    colors = load(path).colors
    for name in ("background", "surface", "panel"):
        shown = Color.parse(getattr(colors, name)).rich_color.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
        assert max(shown) - min(shown) <= 6, name
