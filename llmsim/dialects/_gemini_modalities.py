"""Pictures and sounds that Gemini replies with: which one is due, what it costs, and the part it is told as.

Source: Google's guides "Image generation" and "Speech generation".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

from llmsim import catalogue, pictures, sounds
from llmsim.dialects._gemini_checks import invalid
from llmsim.dialects._gemini_models import Ability

Json = Mapping[str, Any]

IMAGE_TOKENS = 1290
"""What a picture of a million pixels costs."""
AUDIO_RATE = 25
"""Tokens a second of speech."""
_MOST_SECONDS = 120.0
_SIZES = {"512": 0.5, "0.5K": 0.5, "1K": 1, "2K": 2, "4K": 4}
# Aspect ratio -> width and height of a picture of 1K.
_RATIOS = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_ACCEPTS = {"image": "* IMAGE\n* IMAGE, TEXT\n* TEXT\n", "speech": "* AUDIO\n"}


class Medium(NamedTuple):
    """A picture of `width` by `height` pixels, or a sound of so many `seconds`; `text` is what it says."""

    modality: str
    tokens: int
    text: str
    width: int = 0
    height: int = 0
    seconds: float = 0.0


def medium_of(config: Json, text: str, able: Ability) -> Medium | None:
    """What is due instead of words, None where words are; raises Refused where the model cannot do what is asked."""
    model, asked = catalogue.resolve(able.name), set(config.get("responseModalities", ())) - {"MODALITY_UNSPECIFIED"}
    if not able.generation:
        return None
    if model.known:
        _check(model.kind, asked, able.name)
    if "AUDIO" in asked:
        seconds = min(_MOST_SECONDS, sounds.spoken_seconds(text))
        return Medium("AUDIO", round(AUDIO_RATE * seconds), text, seconds=seconds)
    if "IMAGE" in asked or (not asked and model.known and model.kind == "image"):
        return _picture(config, text)
    return None


def _check(kind: str, asked: set[str], name: str) -> None:
    can = {"image": {"IMAGE", "TEXT"}, "speech": {"AUDIO"}}.get(kind, {"TEXT"})
    if asked - can or (kind == "speech" and not asked):
        raise invalid(
            f"The requested combination of response modalities ({', '.join(sorted(asked or {'TEXT'}))}) is not "
            f"supported by the model. models/{name} accepts the following combination of response modalities:\n"
            f"{_ACCEPTS.get(kind, '* TEXT' + chr(10))}"
        )


def _picture(config: Json, text: str) -> Medium:
    told = config.get("imageConfig", {})
    ratio, size = told.get("aspectRatio") or "1:1", told.get("imageSize") or "1K"
    if ratio not in _RATIOS:
        raise invalid(f"Invalid aspect ratio: {ratio[:20]}. Supported aspect ratios are: {', '.join(_RATIOS)}.")
    if size not in _SIZES:
        raise invalid(f"Invalid image size: {size[:20]}. Supported image sizes are: {', '.join(_SIZES)}.")
    if config.get("candidateCount", 1) > 1:
        raise invalid("Multiple candidates is not enabled for this model")
    times = _SIZES[size]
    width, height = (int(side * times) for side in _RATIOS[ratio])
    return Medium("IMAGE", int(IMAGE_TOKENS * max(1, times / 2)), text, width, height)


def part(medium: Medium, variant: int) -> dict[str, Any]:
    """The part that a picture or a sound is told as; pictures of other variants look different."""
    if medium.modality == "AUDIO":
        kind, data = "audio/L16;codec=pcm;rate=24000", sounds.sound("pcm", medium.seconds).whole()
    else:
        kind = "image/png"
        data = pictures.draw(pictures.Picture(medium.text, medium.width, medium.height, variant=variant))
    return {"inlineData": {"mimeType": kind, "data": b64encode(data).decode()}}
