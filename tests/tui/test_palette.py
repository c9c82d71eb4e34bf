"""Themes: readable in every pair of colours, checked with clear words, switched and reloaded while the console runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmsim_tui.contrast import command, pairs
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
def test_every_text_and_area_of_every_theme_can_be_read(path: Path) -> None:
    assert [one for one in pairs(load(path)) if one.poor] == []


def test_the_check_of_a_theme_prints_the_poorest_first_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["check", str(SHIPPED[0])]) == 0
    assert "all 55 pairs can be read well" in capsys.readouterr().out
    poor = tmp_path / "poor.yaml"
    poor.write_text("name: poor\ncolors: {primary: '#333333', background: '#000000', foreground: '#444444'}")
    assert command(["check", str(poor)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[2].startswith(" ✗")
    assert "cannot be read well" in told[-1]
    assert command(["check", str(tmp_path / "none.yaml")]) == 2
    assert command(["show"]) == 2


def test_the_contrast_of_black_and_white_is_21() -> None:
    assert contrast(Color(0, 0, 0), Color(255, 255, 255)) == pytest.approx(21)
    assert contrast(Color(9, 9, 9), Color(9, 9, 9)) == 1


def test_seven_themes_come_along() -> None:
    names = {"night", "day", "high-contrast", "ember", "forest", "slate", "paper"}
    assert {load(path).name for path in SHIPPED} == names == {path.stem for path in SHIPPED}


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
