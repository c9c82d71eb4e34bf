"""Tells what the images, sounds and documents in a request cost in tokens, by each provider's rules.

Nothing is decoded and nothing is fetched: sizes come from file headers, and media behind a URL count as `UNKNOWN_SIZE`.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from math import ceil, floor, sqrt
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

# What an image of unknown size counts as: the default output size of image generators.
UNKNOWN_SIZE = (1024, 1024)

# Bytes that hold the size of nearly every image: only a JPEG with a large preview inside needs more.
HEADER_BYTES = 65_536


def decode_base64(text: str, limit: int | None = None) -> bytes | None:
    """The bytes behind base64 text, standard or URL-safe, padded or not; None where it is not base64.

    With a limit, only the first `limit` bytes are decoded (and only they are checked).
    """
    if limit is not None:
        text = text[: -(-limit // 3) * 4]
    try:
        raw = text.encode("ascii").translate(_URL_SAFE, b" \t\r\n").rstrip(b"=")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)[:limit]
    except (UnicodeEncodeError, binascii.Error):
        return None


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def data_url(url: str, limit: int | None = None) -> tuple[str, bytes] | None:
    """The media type and the bytes of a data URL (RFC 2397), the first `limit` ones; None for any other text."""
    head, comma, body = url.partition(",")
    if not comma or head[:5].lower() != "data:":
        return None
    kind, *parameters = (part.strip() for part in head[5:].split(";"))
    encoded = bool(parameters) and parameters[-1].lower() == "base64"
    data = decode_base64(body, limit) if encoded else unquote_to_bytes(body)[:limit]
    return None if data is None else (kind.lower() or "text/plain", data)


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, JPEG, GIF, WebP or BMP from its first bytes; None for anything else."""
    try:
        size = _image_size(data)
    except IndexError:
        return None
    return size if size and min(size) > 0 else None


def _image_size(data: bytes) -> tuple[int, int] | None:
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _big(data, 16, 4), _big(data, 20, 4)
    if data[:3] == b"\xff\xd8\xff":
        return _jpeg_size(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _little(data, 6, 2), _little(data, 8, 2)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_size(data)
    if data[:2] == b"BM":
        if _little(data, 14, 4) == 12:
            return _little(data, 18, 2), _little(data, 20, 2)
        height = _little(data, 22, 4)
        # A height below zero says that the rows stand from top to bottom.
        return _little(data, 18, 4), height if height < 1 << 31 else (1 << 32) - height
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            return _big(data, at + 7, 2), _big(data, at + 5, 2)
        else:
            at += 2 + _big(data, at + 2, 2)
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] == b"VP8X":
        return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    if data[12:16] == b"VP8L":
        bits = _little(data, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8 ":
        return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    return None


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_field(data, at, size), "little")


def _big(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_field(data, at, size), "big")


def _field(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError(at)
    return data[at : at + size]


class _Tiles(NamedTuple):
    """OpenAI's older rule: so many tokens for the image and so many for each tile of 512 px."""

    base: int
    tile: int


class _Patches(NamedTuple):
    """OpenAI's newer rule: so many tokens for each patch of 32 px, up to a number of patches for each detail."""

    multiplier: float
    high: int = 1_536
    low: int = 1_536
    original: int = 1_536
    auto: str = "high"


# OpenAI's guide "Images and vision", section "Calculating costs"; the newest families as LiteLLM 1.109 counts them. The
# first pattern that matches the start of a name counts.
_OPENAI_IMAGES: tuple[tuple[str, _Tiles | _Patches], ...] = (
    (r"gpt-4o-mini", _Tiles(2833, 5667)),
    (r"gpt-4\.1-mini", _Patches(1.62)),
    (r"gpt-4\.1-nano", _Patches(2.46)),
    (r"gpt-5-mini", _Patches(1.62)),
    (r"gpt-5-nano", _Patches(2.46)),
    (r"o4-mini|codex-mini", _Patches(1.72)),
    (r"gpt-5\.[23]", _Patches(1.2)),
    (r"gpt-5\.4", _Patches(1.2, high=2_500, original=10_000)),
    (r"gpt-5\.5", _Patches(1.2, high=2_500, low=256, original=10_000, auto="original")),
    (r"gpt-(5\.[6-9]|[6-9])", _Patches(1.2, high=2_500, low=256, original=30_000, auto="original")),
    (r"gpt-5", _Tiles(70, 140)),
    (r"o[13](-|$)", _Tiles(75, 150)),
    (r"computer-use", _Tiles(65, 129)),
    (r"", _Tiles(85, 170)),
)


@lru_cache(maxsize=256)
def _openai_rule(model: str) -> _Tiles | _Patches:
    name = model.strip().lower().removeprefix("ft:").rsplit("/", 1)[-1]
    return next(rule for pattern, rule in _OPENAI_IMAGES if re.match(pattern, name))


def image_tokens(model: str, width: int, height: int, detail: str = "auto") -> int:
    """What an image costs one of OpenAI's models, by its guide "Images and vision"; a model without a rule as gpt-4o.

    `detail` is "low", "high", "auto" or "original"; anything else counts as "auto". Width and height are in pixels.
    """
    rule = _openai_rule(model[:64])
    if isinstance(rule, _Tiles):
        return rule.base if detail == "low" else rule.base + rule.tile * _tiles(width, height)
    named = detail if detail in ("low", "high", "original") else rule.auto
    budget = {"low": rule.low, "high": rule.high, "original": rule.original}[named]
    return ceil(_patches(width, height, budget) * rule.multiplier)


def _tiles(width: int, height: int) -> int:
    """The tiles of 512 px of an image once it fits 2048 by 2048 and its short side 768 px; it is never enlarged."""
    scale = min(1.0, 2048 / max(width, height), 768 / min(width, height))
    return ceil(max(1, floor(width * scale)) / 512) * ceil(max(1, floor(height * scale)) / 512)


def _patches(width: int, height: int, budget: int) -> int:
    """The patches of 32 px of an image, once it is shrunk to the budget so that one side is a whole number of them."""
    patches = ceil(width / 32) * ceil(height / 32)
    if patches <= budget:
        return patches
    shrink = sqrt(32 * 32 * budget / (width * height))
    across, down = width * shrink / 32, height * shrink / 32
    fit = min(floor(across) / across, floor(down) / down) if min(across, down) >= 1 else 1.0
    return min(budget, max(1, ceil(round(across * fit, 6))) * max(1, ceil(round(down * fit, 6))))


def anthropic_image_tokens(width: int, height: int, model: str = "") -> int:
    """What an image costs Claude: a token for each patch of 28 px (Anthropic's guide "Vision"; it used to say w*h/750).

    A larger image is first shrunk to 1568 px and 1568 tokens; since Opus 4.7 to 2576 px and 4784 tokens.
    """
    edge, budget = (2576, 4784) if _reads_finely(model) else (1568, 1568)
    scale = min(1.0, edge / max(width, height))
    while True:
        tokens = ceil(max(1, round(width * scale)) / 28) * ceil(max(1, round(height * scale)) / 28)
        if tokens <= budget:
            return tokens
        scale *= min(0.995, sqrt(budget / tokens))


def _reads_finely(model: str) -> bool:
    version = re.search(r"claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)", model.lower())
    return version is not None and (int(version[1]), int(version[2] or 0)) >= (4, 7)


def gemini_image_tokens(width: int, height: int, model: str = "") -> int:
    """What an image costs Gemini: 258 tokens a tile; from Gemini 3 on 1120 whatever its size (its default resolution).

    Up to 384 px it is one tile; above, it is shrunk to 3072 px and cut into tiles of two thirds of its short side, 256
    to 768 px (Google's guides "Image understanding" and "Media resolution").
    """
    generation = re.search(r"gemini-(\d{1,4})", model.lower())
    if generation and int(generation[1]) >= 3:
        return 1120
    if max(width, height) <= 384:
        return 258
    scale = min(1.0, 3072 / max(width, height))
    across, down = width * scale, height * scale
    unit = min(768, max(256, floor(min(across, down) / 1.5)))
    return 258 * ceil(across / unit) * ceil(down / unit)


# Bytes a second of sounds whose header does not say: raw samples as OpenAI's APIs take them (16 bit, 24 kHz, mono;
# G.711 at 8 kHz), and compressed speech at the bit rates usual for it (an estimate).
_BYTES_PER_SECOND = {"pcm16": 48_000, "pcm": 48_000, "g711_ulaw": 8_000, "g711_alaw": 8_000, "flac": 50_000}
_COMPRESSED = 8_000

OPENAI_AUDIO_RATE = 10
"""Tokens a second of sound that goes in: one for 100 ms (OpenAI's guide "Managing costs" of the Realtime API)."""

OPENAI_SPEECH_RATE = 20
"""Tokens a second of sound that comes out: one for 50 ms (ibid.)."""

GEMINI_AUDIO_RATE = 32
"""Tokens a second of sound (Google's guide "Audio understanding")."""


def audio_seconds(data: bytes, format: str = "") -> float:
    """How long a sound lasts: exact for WAV, by the bit rate of the first frame for MP3, else estimated from its size.

    The bytes decide where they can; `format` ("wav", "mp3", "pcm16", "audio/flac") where they cannot.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _wav_seconds(data)
    name = format.lower().rsplit("/", 1)[-1].removeprefix("x-")
    if data[:3] == b"ID3" or name in ("mp3", "mpeg", "mpga"):
        return _mp3_seconds(data)
    return len(data) / _BYTES_PER_SECOND.get(name, _COMPRESSED)


def audio_tokens(seconds: float, rate: int = OPENAI_AUDIO_RATE) -> int:
    """What a sound costs in tokens, at a rate in tokens a second; any sound costs at least one."""
    return max(1, ceil(seconds * rate)) if seconds > 0 else 0


def _wav_seconds(data: bytes) -> float:
    at, rate = 12, 48_000
    while at + 8 <= len(data):
        name, size = data[at : at + 4], _little(data, at + 4, 4)
        if name == b"fmt " and at + 20 <= len(data):
            rate = _little(data, at + 16, 4) or rate
        elif name == b"data":
            # Recorders that stream do not know the size yet and write 0 or the largest number.
            present = len(data) - at - 8
            return (min(size, present) or present) / rate
        at += 8 + size + size % 2
    return 0.0


_MP3_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),  # MPEG 1, layer III
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),  # MPEG 2 and 2.5, layer III
}


def _mp3_seconds(data: bytes) -> float:
    start = 0
    if data[:3] == b"ID3" and len(data) >= 10:
        # The tag's size is written in four groups of seven bits.
        start = 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9])
    frame = re.search(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]", data[start : start + HEADER_BYTES])
    if frame is None:
        return max(0, len(data) - start) / _COMPRESSED
    kbits = _MP3_KBITS[frame[0][1] >= 0xFA][frame[0][2] >> 4]
    return (len(data) - start - frame.start()) * 8 / (kbits * 1000)


GEMINI_PAGE_TOKENS = 258
"""What a page of a PDF costs Gemini (Google's guide "Document understanding")."""

PAGE_TOKENS = 2_000
"""What a page of a PDF costs the others (Anthropic's guide "PDF support": 1,500 to 3,000; for OpenAI an estimate)."""


def pdf_pages(data: bytes) -> int:
    """How many pages a PDF has, at least 1: those its plain objects name, else one for each 50 kB (an estimate)."""
    pages = len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", data))
    return pages or max(1, round(len(data) / 50_000))
