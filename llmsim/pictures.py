"""Draws pictures that say what was asked for: real PNG, JPEG and WebP files, small and quickly made.

A picture is drawn in grey, one byte a pixel, and gets its colours by a palette; of the formats WebP alone takes more
than some ten milliseconds for a million pixels.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from llmsim.dice import Dice, mix

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

Format = Literal["png", "jpeg", "webp"]

MEDIA_TYPES: dict[str, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

# Grey is a place in the palette: nothing, the dark end of the ground, its light end, the text.
_NOTHING, _DARK, _LIGHT, _TEXT = 0, 40, 140, 255
_LONGEST_TEXT = 400


@dataclass(slots=True, frozen=True)
class Picture:
    """What is drawn: a text on a coloured ground, `width` by `height` pixels.

    `quality` is that of JPEG and WebP, 0 to 100. `variant` numbers pictures of the same text, which look different. A
    picture that is not finished yet is made of squares of `coarse` pixels.
    """

    text: str
    width: int
    height: int
    format: Format = "png"
    quality: int = 75
    transparent: bool = False
    variant: int = 0
    coarse: int = 1


@lru_cache(maxsize=64)
def draw(picture: Picture) -> bytes:
    """The picture as a file; the same for the same picture, and kept for the next who asks for it."""
    grey = _ground(picture)
    _write(grey, picture.text)
    if picture.coarse > 1:
        grey = _squares(grey, picture.coarse)
    grey.putpalette(_palette(mix(picture.text, picture.variant)))
    return _file(grey, picture)


def _ground(picture: Picture) -> Image.Image:
    """Grey that goes from dark to light, or nothing, with a few discs on it."""
    from PIL import Image, ImageDraw

    size = (picture.width, picture.height)
    if picture.transparent:
        grey = Image.new("L", size, _NOTHING)
    else:
        slope = Image.linear_gradient("L").point([_DARK + level * (_LIGHT - _DARK) // 255 for level in range(256)])
        grey = slope.resize(size, Image.Resampling.NEAREST)
    pen, dice = ImageDraw.Draw(grey), Dice(mix("discs", picture.text, picture.variant))
    for _ in range(5):
        x, y = dice.below(picture.width), dice.below(picture.height)
        radius = min(size) * dice.uniform(0.1, 0.3)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=dice.between(_DARK, _LIGHT + 30))
    return grey


def _write(grey: Image.Image, text: str) -> None:
    """Writes the text in the middle, as large as it fits."""
    from PIL import ImageDraw

    shown = textwrap.shorten(_plain(text[: 2 * _LONGEST_TEXT]), _LONGEST_TEXT, placeholder=" …")
    width, height = grey.size
    # A letter is some 0.55 of the font's size wide and its line 1.3 high; the text may fill a good part of the picture.
    size = int(min(width / 8, height / 6, (0.5 * width * height / (0.72 * max(1, len(shown)))) ** 0.5))
    if size < 4:
        return
    lines = textwrap.wrap(shown, max(1, int(width * 0.9 / (0.55 * size)))) or [""]
    pen: ImageDraw.ImageDraw = ImageDraw.Draw(grey)
    middle = (width / 2, height / 2)
    pen.multiline_text(middle, "\n".join(lines), fill=_TEXT, font=_font(size), anchor="mm", align="center")


def _plain(text: str) -> str:
    """The text without accents, for which the font has no letters."""
    parts = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join([letter for letter in parts if not unicodedata.combining(letter)])


@cache
def _face() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(12)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font: ImageFont.FreeTypeFont = _face().font_variant(size=size)
    return font


def _squares(grey: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    return grey.reduce(side).resize(grey.size, Image.Resampling.NEAREST)


def _palette(seed: int) -> list[int]:
    """256 colours from dark to light, of two hues; the last one is white."""
    from colorsys import hls_to_rgb

    dice = Dice(seed)
    hue, turn = dice.random(), dice.uniform(-0.2, 0.2)
    colours: list[int] = []
    for level in range(256):
        share = level / 255
        colours += [round(255 * part) for part in hls_to_rgb((hue + turn * share) % 1, 0.1 + 0.9 * share, 0.6)]
    return colours


def _file(image: Image.Image, picture: Picture) -> bytes:
    file = BytesIO()
    if picture.transparent:
        image.info["transparency"] = _NOTHING
    if picture.format == "png":
        image.save(file, "PNG", compress_level=1)
    elif picture.format == "jpeg":
        image.convert("RGB").save(file, "JPEG", quality=max(1, picture.quality))
    else:
        mode = "RGBA" if picture.transparent else "RGB"
        image.convert(mode).save(file, "WEBP", method=0, quality=picture.quality)
    return file.getvalue()
