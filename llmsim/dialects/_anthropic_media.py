"""Checks and counts the images and documents in a conversation with Claude, those uploaded before among them.

Source: Anthropic's guides "Vision", "PDF support" and "Files API"; the texts are the live API's, as users quote them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmsim import media
from llmsim.dialects._anthropic_wire import invalid
from llmsim.errors import Failure, Refused
from llmsim.tokens import count_tokens

Json = dict[str, Any]

MOST_IMAGE_BYTES = 5 << 20
MOST_PIXELS = 8000
MOST_PAGES = 600

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")

_MAGIC = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


@dataclass(slots=True)
class File:
    """A file that a client has uploaded; moments are seconds since the epoch."""

    id: str
    filename: str
    mime_type: str
    data: bytes
    created: int
    expires: int | None = None


Files = Callable[[str], File | None]
"""Finds a file by its id."""


def check_block(path: str, block: Json, files: Files) -> None:
    """Raises Refused where an image or a document is not what it says it is, or a file is not there."""
    if block["type"] == "container_upload":
        _file(block["file_id"], files)
    source = block.get("source")
    if not isinstance(source, dict):
        return
    where = f"{path}.source.{source['type']}"
    if source["type"] == "url":
        if not source["url"].startswith("https://"):
            raise invalid(f"{where}.url: Only HTTPS URLs are supported.")
    elif source["type"] == "file":
        _check_file(where, block["type"], _file(source["file_id"], files))
    elif source["type"] == "base64":
        (_check_image if block["type"] == "image" else _check_pdf)(where, block, source)


def _file(id: str, files: Files) -> File:
    found = files(id)
    if found is None:
        raise Refused(Failure("not_found", f"File not found: {id[:200]}"))
    return found


def _check_file(where: str, kind: str, file: File) -> None:
    images = file.mime_type in IMAGES
    if kind == "image" and not images:
        raise invalid(f"{where}: File {file.id} is of type {file.mime_type}, which is not an image")
    if kind == "document" and file.mime_type not in ("application/pdf", "text/plain"):
        raise invalid(f"{where}: File {file.id} is of type {file.mime_type}, which is not supported as a document")


def _check_image(where: str, block: Json, source: Json) -> None:
    data = media.decode_base64(source["data"], media.HEADER_BYTES)
    if data is None:
        raise invalid(f"{where}: invalid base64 data")
    size = len(source["data"]) * 3 // 4
    if size > MOST_IMAGE_BYTES:
        raise invalid(f"{where}: image exceeds 5 MB maximum: {size} bytes > {MOST_IMAGE_BYTES} bytes")
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if kind is None:
        raise invalid("Could not process image")
    if kind != source["media_type"]:
        raise invalid(
            f"{where}: The image was specified using the {source['media_type']} media type, but the image appears to "
            f"be a {kind} image"
        )
    pixels = media.image_size(data)
    downsizes = (block.get("transformations") or {}).get("oversized_image") == "downsize"
    if pixels is not None and max(pixels) > MOST_PIXELS and not downsizes:
        raise invalid(
            f"{where}.data: At least one of the image dimensions exceed max allowed size: {MOST_PIXELS} pixels",
            "image_dimensions_too_large",
        )


def _check_pdf(where: str, block: Json, source: Json) -> None:
    head = media.decode_base64(source["data"], 1024)
    if head is None:
        raise invalid(f"{where}.data: invalid base64 data")
    if b"%PDF-" not in head:
        raise invalid("The PDF specified was not valid.")
    if media.pdf_pages(media.decode_base64(source["data"]) or b"") > MOST_PAGES:
        raise invalid(f"A maximum of {MOST_PAGES} PDF pages may be provided.")


# -- what they cost


def image_cost(block: Json, model: str, files: Files) -> int:
    """The tokens of an image; one that is not at hand counts as one of a usual size."""
    source = block["source"]
    data: bytes | None = None
    if source["type"] == "base64":
        data = media.decode_base64(source["data"], media.HEADER_BYTES)
    elif source["type"] == "file":
        file = files(source["file_id"])
        data = file.data[: media.HEADER_BYTES] if file else None
    size = (media.image_size(data) if data else None) or media.UNKNOWN_SIZE
    return media.anthropic_image_tokens(*size, model)


def document_cost(block: Json, model: str, files: Files) -> int:
    """The tokens of a document with its title and context, without the blocks that it may be of.

    One that is not at hand counts as a page.
    """
    source = block["source"]
    total = sum(count_tokens(block[name], model) for name in ("title", "context") if block.get(name))
    if source["type"] == "text":
        return total + count_tokens(source["data"], model)
    if source["type"] == "content":
        return total + (count_tokens(source["content"], model) if isinstance(source["content"], str) else 0)
    if source["type"] == "base64":
        return total + media.PAGE_TOKENS * media.pdf_pages(media.decode_base64(source["data"]) or b"")
    file = files(source["file_id"]) if source["type"] == "file" else None
    if file is not None and file.mime_type == "text/plain":
        return total + count_tokens(file.data.decode("utf-8", "replace"), model)
    return total + media.PAGE_TOKENS * (media.pdf_pages(file.data) if file is not None else 1)
