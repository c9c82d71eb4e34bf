"""What each of OpenAI's image models can do, and what its pictures cost in tokens.

Source: OpenAI's API reference and OpenAPI document, images, and its guide "Image generation" for the costs.
"""

from __future__ import annotations

import re
from math import ceil

from llmsim.dialects._openai_refusals import invalid

DALLE2, DALLE3, GPT = "dall-e-2", "dall-e-3", "gpt-image"

_SIZES = {
    DALLE2: ("256x256", "512x512", "1024x1024"),
    DALLE3: ("1024x1024", "1792x1024", "1024x1792"),
    GPT: ("1024x1024", "1024x1536", "1536x1024", "auto"),
}
_QUALITIES = {DALLE2: ("standard",), DALLE3: ("standard", "hd"), GPT: ("low", "medium", "high", "auto")}
_LONGEST_PROMPT = {DALLE2: 1_000, DALLE3: 4_000, GPT: 32_000}

# The largest picture of the models that draw any size, and how much longer than wide it may be.
_MOST_PIXELS, _LONGEST_SIDE, _STRETCH = 3840 * 2160, 3840, 3

# Tokens of a picture by its quality, for square, upright and flat ones; other sizes by their share of a square's.
_COSTS = {
    "low": (272, 408, 400),
    "medium": (1056, 1584, 1568),
    "high": (4160, 6240, 6208),
    "xhigh": (6240, 9360, 9312),
    "max": (8320, 12480, 12416),
}


def family(model: str) -> str:
    """Whose rules hold for a model: those of its family; an unknown one is taken for a GPT image model."""
    name = model.lower().rsplit("/", 1)[-1]
    return next((old for old in (DALLE2, DALLE3) if name.startswith(old)), GPT)


def _draws_any_size(model: str) -> bool:
    version = re.search(r"gpt-image-(\d{1,4})", model.lower())
    return version is None or int(version[1]) >= 2


def _draws_finer(model: str) -> bool:
    version = re.search(r"gpt-image-(\d{1,4})(?:\.(\d{1,4}))?", model.lower())
    return version is not None and (int(version[1]), int(version[2] or 0)) >= (2, 5)


def size_of(model: str, told: str | None, usual: str = "1024x1024") -> tuple[int, int]:
    """The picture's width and height in pixels; raises Refused for a size that the model does not draw."""
    known = _SIZES[family(model)]
    text = told or usual
    if text == "auto" and "auto" in known:
        return 1024, 1024
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if text not in known:
        if match is None or family(model) != GPT or not _draws_any_size(model):
            raise invalid(
                f"Invalid value: '{text[:40]}'. Supported values are: {listed(known)}.", "size", "invalid_value"
            )
        _check(int(match[1]), int(match[2]), text)
    width, _, height = text.partition("x")
    return int(width), int(height)


def _check(width: int, height: int, text: str) -> None:
    short, long = sorted((width, height))
    if short % 16 or long % 16 or not short:
        why = "Width and height must both be divisible by 16."
    elif long > _STRETCH * short:
        why = "The aspect ratio must be between 1:3 and 3:1."
    elif long > _LONGEST_SIDE or width * height > _MOST_PIXELS:
        why = "The maximum supported resolution is 3840x2160."
    else:
        return
    raise invalid(f"Invalid size '{text}'. {why}", "size", "invalid_value")


def quality_of(model: str, told: str | None) -> str:
    """The quality that the model draws with; raises Refused for one that it has not."""
    known = _QUALITIES[family(model)]
    if _draws_finer(model):
        known = ("low", "medium", "high", "xhigh", "max", "auto")
    if told is None or (told == "auto" and "auto" in known):
        return "high" if "auto" in known else "standard"
    if told not in known:
        raise invalid(
            f"Invalid value: '{told[:40]}'. Supported values are: {listed(known)}.", "quality", "invalid_value"
        )
    return told


def check_prompt(model: str, prompt: str) -> None:
    """Raises Refused for a prompt that is empty or longer than the model takes."""
    if not prompt:
        what = "empty string. Expected a string with minimum length 1, but got an empty string instead."
        raise invalid(f"Invalid 'prompt': {what}", "prompt", "empty_string")
    most = _LONGEST_PROMPT[family(model)]
    if len(prompt) > most:
        what = f"Expected a string with maximum length {most}, but got a string with length {len(prompt)} instead."
        raise invalid(f"Invalid 'prompt': string too long. {what}", "prompt", "string_above_max_length")


def output_tokens(quality: str, width: int, height: int) -> int:
    """What one picture costs that a GPT image model draws."""
    square, upright, flat = _COSTS.get(quality, _COSTS["high"])
    exact = {(1024, 1024): square, (1024, 1536): upright, (1536, 1024): flat}.get((width, height))
    return exact if exact is not None else ceil(square * width * height / (1024 * 1024))


def input_tokens(width: int, height: int, fidelity: str | None) -> int:
    """What a picture costs that a GPT image model is given: by tiles of 512 pixels once its short side is 512."""
    scale = 512 / min(width, height)
    tiles = ceil(round(width * scale) / 512) * ceil(round(height * scale) / 512)
    fine = (4160 if width == height else 6240) if fidelity == "high" else 0
    return 65 + 129 * tiles + fine


def listed(values: tuple[str, ...]) -> str:
    """The values as the API lists them: `'a', 'b', and 'c'`."""
    *most, last = [f"'{value}'" for value in values]
    return f"{', '.join(most)}, and {last}" if len(most) > 1 else " and ".join([*most, last])
