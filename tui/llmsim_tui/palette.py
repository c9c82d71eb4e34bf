"""Themes: read from YAML files, checked, given to Textual, and turned into the inks that widgets draw with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from weakref import WeakKeyDictionary

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from llmsim.errors import SettingsError
from llmsim.settings import explain

Glyphs = Literal["block", "braille", "ascii"]


def _color(value: str) -> str:
    try:
        Color.parse(value)
    except ColorParseError:
        raise ValueError(f"{value!r} is no colour; write it as '#7aa2f7'") from None
    return value


Hex = Annotated[str, AfterValidator(_color)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Colors(_Strict):
    """The roles of a Textual theme; those left out are made from `primary`."""

    primary: Hex
    secondary: Hex | None = None
    accent: Hex | None = None
    foreground: Hex | None = None
    background: Hex | None = None
    surface: Hex | None = None
    panel: Hex | None = None
    success: Hex | None = None
    warning: Hex | None = None
    error: Hex | None = None


class Status(_Strict):
    """Colours with a meaning: what became of an exchange, and what is in force."""

    ok: Hex | None = None
    limited: Hex | None = None
    failed: Hex | None = None
    cut: Hex | None = None
    abandoned: Hex | None = None
    live: Hex | None = None
    retry: Hex | None = None
    armed: Hex | None = None
    preview: Hex | None = None


_ROLE: Final = {
    "ok": "success",
    "limited": "warning",
    "failed": "error",
    "cut": "secondary",
    "abandoned": "foreground",
    "live": "primary",
    "retry": "accent",
    "armed": "error",
    "preview": "accent",
}
"""The Textual role that stands in for a status colour that a theme does not name."""


class ThemeFile(_Strict):
    """One theme file."""

    name: str
    dark: bool = True
    colors: Colors
    status: Status = Status()
    glyphs: Glyphs = "block"
    editor: dict[str, Hex] = {}

    def theme(self) -> Theme:
        """The theme as Textual takes it; status colours and glyphs travel in its variables."""
        named = self.status.model_dump(exclude_none=True)
        variables = {f"sim-{name}": color for name, color in named.items()} | {"sim-glyphs": self.glyphs}
        return Theme(name=self.name, dark=self.dark, variables=variables, **self.colors.model_dump(exclude_none=True))


def load(path: Path) -> ThemeFile:
    """Reads one theme file; raises SettingsError with the file and what is wrong in it."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # seven of them are read before anything is seen
        return ThemeFile.model_validate(yaml.load(path.read_text("utf-8"), Loader=loader))
    except ValidationError as error:
        raise SettingsError(f"{path.name}: {explain(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from None


def folders() -> list[Path]:
    """Where themes are: those that come with llmsim, then the user's own, which win."""
    packed = Path(__file__).parent / "themes"
    shipped = packed if packed.is_dir() else Path(__file__).parents[2] / "themes"
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return [shipped, Path(config) / "llmsim" / "themes"]


def stamps() -> dict[Path, float]:
    """Every theme file there is, with the moment it was last written."""
    return {path: path.stat().st_mtime for folder in folders() for path in sorted(folder.glob("*.yaml"))}


def load_all(paths: Mapping[Path, Any]) -> tuple[dict[str, ThemeFile], list[str]]:
    """The themes of these files by name, and a sentence for each file that is no theme."""
    themes: dict[str, ThemeFile] = {}
    problems: list[str] = []
    for path in paths:
        try:
            theme = load(path)
        except (SettingsError, OSError) as error:
            problems.append(str(error))
        else:
            themes[theme.name] = theme
    return themes, problems


BOLD: Final = Style(bold=True)
"""What is put on a tone to make it heavier."""


@dataclass(frozen=True, eq=False)
class Ink:
    """Everything a widget draws with, for one theme; `tone` are text colours by status name, `fill` their areas."""

    text: Style
    bold: Style
    dim: Style
    faint: Style
    accent: Style
    key: Style
    head: Style
    cursor: Style
    idle: Style
    bar: Style
    tone: Mapping[str, Style]
    fill: Mapping[str, Color]
    chip: Style
    badge: Style
    glyphs: Glyphs
    shapes: bool

    @property
    def plain(self) -> bool:
        """Whether only ASCII may be drawn."""
        return self.glyphs == "ascii"


def _style(color: Color, background: Color | None = None, bold: bool = False) -> Style:
    return Style(
        color=color.rich_color, bgcolor=background.rich_color if background else None, bold=True if bold else None
    )


def make_ink(variables: Mapping[str, str], no_color: bool = False) -> Ink:
    """The inks of a theme, from its Textual variables."""
    color = {name: Color.parse(variables[name]) for name in ("foreground", "background", "panel", "primary", "accent")}
    fore, back, accent = color["foreground"], color["background"], Color.parse(variables["text-accent"])
    fills, tones = {}, {}
    for name, role in _ROLE.items():
        own = variables.get(f"sim-{name}")
        fills[name] = Color.parse(own or variables[role])
        tones[name] = _style(Color.parse(own or variables.get(f"text-{role}", variables[role])))
    accent = color["accent"] if "sim-ok" in variables else accent
    cursor = back.blend(color["primary"], 0.30)
    glyphs: Any = variables.get("sim-glyphs", "block")
    return Ink(
        text=_style(fore),
        bold=_style(fore, bold=True),
        dim=_style(back.blend(fore, 0.72)),
        faint=_style(back.blend(fore, 0.28)),
        accent=_style(accent),
        key=_style(accent, bold=True),
        head=_style(color["panel"].blend(fore, 0.72), color["panel"]),
        cursor=Style(bgcolor=cursor.rich_color, bold=True),
        idle=Style(bgcolor=back.blend(fore, 0.12).rich_color),
        bar=_style(color["primary"]),
        tone=tones,
        fill=fills,
        chip=_style(_on(fills["armed"]), fills["armed"], bold=True),
        badge=_style(_on(color["primary"]), color["primary"], bold=True),
        glyphs=glyphs,
        shapes=no_color or glyphs == "ascii",
    )


def _on(fill: Color) -> Color:
    """Black or white, whichever is read more easily on the fill."""
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    return black if contrast(black, fill) >= contrast(white, fill) else white


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


_inks: WeakKeyDictionary[App[Any], tuple[Mapping[str, str], Ink]] = WeakKeyDictionary()


def ink(app: App[Any]) -> Ink:
    """The inks of the theme that the app shows; made once for each change of theme.

    With 16 colours, in which several outcomes look alike, they differ by shape as without colours.
    """
    known = _inks.get(app)
    if known is None or known[0] is not app.theme_variables:
        known = _inks[app] = (
            app.theme_variables,
            make_ink(app.theme_variables, app.no_color or getattr(app, "few_colors", False)),
        )
    return known[1]
