"""Counts the tokens of a prompt to Gemini, by modality.

Source: Google's guides "Understand and count tokens", "Image understanding", "Audio understanding" and "Document
understanding". Text is counted with a vocabulary that is near Gemini's own, which is not published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from llmsim import media
from llmsim.tokens import count_tokens

Json = Mapping[str, Any]
Media = tuple[str, bytes]
Find = Callable[[str], Media | None]

PER_CONTENT = 1
VIDEO_RATE = 258 + media.GEMINI_AUDIO_RATE
"""Tokens a second of video: one frame, and its sound."""
_VIDEO_BYTES = 250_000
"""Bytes a second of a usual video (an estimate)."""
_UNKNOWN_SECONDS = 60


def nowhere(uri: str) -> Media | None:
    """Finds no file."""
    return None


def prompt_cost(request: Json, model: str, find: Find = nowhere) -> Counter[str]:
    """Tokens by modality of contents, instructions and tools; `find` gives type and bytes of a file by its URI."""
    spent: Counter[str] = Counter()
    for content in (*request.get("contents", ()), *filter(None, [request.get("systemInstruction")])):
        spent["TEXT"] += PER_CONTENT
        for part in content.get("parts", ()):
            _add(spent, part, model, find)
    for tool in request.get("tools", ()):
        for function in tool.get("functionDeclarations", ()):
            spent["TEXT"] += count_tokens(orjson.dumps(function).decode(), model)
    return spent


def _add(spent: Counter[str], part: Json, model: str, find: Find) -> None:
    if "text" in part:
        spent["TEXT"] += count_tokens(part["text"], model)
    elif "inlineData" in part:
        told = part["inlineData"]
        kind = told.get("mimeType", "")
        # The header of an image tells its size, so the rest of it is not decoded.
        limit = media.HEADER_BYTES if kind.startswith("image/") else None
        _add_media(spent, kind, media.decode_base64(told.get("data", ""), limit) or b"", model)
    elif "fileData" in part:
        found = find(part["fileData"].get("fileUri", ""))
        kind, data = found or (part["fileData"].get("mimeType", ""), None)
        _add_media(spent, part["fileData"].get("mimeType") or kind, data, model)
    else:
        spent["TEXT"] += sum(count_tokens(text, model) for text in _words(part))


def _words(part: Json) -> list[str]:
    """What there is to read in calls, results and code."""
    words = []
    for kind in ("functionCall", "functionResponse", "executableCode", "codeExecutionResult"):
        told = part.get(kind)
        if told is None:
            continue
        words += [told[key] for key in ("name", "code", "output") if key in told]
        words += [orjson.dumps(told[key]).decode() for key in ("args", "response") if key in told]
    return words


def _add_media(spent: Counter[str], kind: str, data: bytes | None, model: str) -> None:
    """Adds what media cost; without their bytes, what media of that type usually cost."""
    sort = kind.partition("/")[0].lower()
    if sort == "image":
        size = media.image_size(data) if data is not None else None
        spent["IMAGE"] += media.gemini_image_tokens(*(size or media.UNKNOWN_SIZE), model)
    elif sort == "audio":
        seconds = media.audio_seconds(data, kind.lower()) if data is not None else _UNKNOWN_SECONDS
        spent["AUDIO"] += media.audio_tokens(seconds, media.GEMINI_AUDIO_RATE)
    elif sort == "video":
        seconds = len(data) / _VIDEO_BYTES if data is not None else _UNKNOWN_SECONDS
        spent["VIDEO"] += media.audio_tokens(seconds, VIDEO_RATE)
    elif sort == "text" and data is not None:
        spent["TEXT"] += count_tokens(data.decode("utf-8", "replace"), model)
    else:
        spent["DOCUMENT"] += (media.pdf_pages(data) if data is not None else 1) * media.GEMINI_PAGE_TOKENS


def details(spent: Mapping[str, int]) -> list[dict[str, Any]]:
    """Tokens by modality as `promptTokensDetails` lists them."""
    return [{"modality": kind, "tokenCount": count} for kind, count in spent.items() if count]


def texts(contents: Sequence[Json]) -> str:
    """All text of contents, each part in a line of its own."""
    return "\n".join(part["text"] for content in contents for part in content.get("parts", ()) if "text" in part)
