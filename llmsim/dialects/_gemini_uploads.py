"""Uploads to Gemini as they come: bit by bit to an address of their own, in two parts, or as nothing but the file.

Source: Google's API reference, "Files"; the headers as google-genai 3.4 and Google's own examples send them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from llmsim.dialects import Request
from llmsim.dialects import _gemini_proto as proto
from llmsim.dialects._gemini_checks import invalid

UPLOAD = "gemini.upload"
LARGEST = 2 << 30
_COMMANDS = {"start", "upload", "finalize", "query", "cancel"}
_LONGEST_NAME = 512
_BOUNDARY = re.compile(rb'multipart/related;.*boundary="?([^";,]+)"?', re.IGNORECASE)
_MIME_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+_-]*")
_NAME = re.compile(r"(?:files/)?([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)")


@dataclass(slots=True)
class Upload:
    """An upload under way: what its file is to be, how long where that was told, and what has come of it."""

    id: str
    about: Mapping[str, Any]
    expected: int | None = None
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    digest: Any = field(default_factory=sha256)


def header(request: Request, name: str) -> str:
    """One of the upload's own headers."""
    return request.headers.get(b"x-goog-upload-" + name.encode(), b"").decode("latin-1").strip()


def protocol(request: Request) -> str:
    """How the file comes: "resumable", "multipart", "raw", or "metadata" where only its name does."""
    told = header(request, "protocol").lower() or request.args.get("uploadType", "").lower()
    if told in ("resumable", "multipart", "raw", "media"):
        return "raw" if told == "media" else told
    if told:
        raise invalid(f"Invalid upload protocol: {told[:40]}")
    kind = request.headers.get(b"content-type", b"")
    return "multipart" if _BOUNDARY.match(kind) else "metadata" if kind.startswith(b"application/json") else "raw"


def expected_size(request: Request) -> int | None:
    """How many bytes are to come, where the client told that; raises Refused for no number and for too many."""
    told = header(request, "header-content-length")
    if not told:
        return None
    if not told.isascii() or not told.isdigit():
        raise invalid(f"Invalid value for header X-Goog-Upload-Header-Content-Length: {told[:40]}")
    if len(told) > 12 or int(told) > LARGEST:
        raise invalid(f"File is too large: at most {LARGEST} bytes can be uploaded.")
    return int(told)


def check_fits(upload: Upload, request: Request, ends: bool) -> None:
    """Raises Refused for bytes that do not follow those that have come, or are more or fewer than were announced."""
    offset = header(request, "offset")
    if offset and offset != str(upload.size):
        raise invalid(f"Invalid upload offset: {upload.size} bytes have been received.")
    most, whole = upload.expected, upload.size + len(request.body)
    if most is not None and (whole > most or (ends and whole < most)):
        raise invalid(f"Upload size mismatch: {most} bytes were announced, {whole} have come.")


def commands(request: Request) -> set[str]:
    """What is to be done with an upload: some of "start", "upload", "finalize", "query", "cancel"; raises Refused."""
    told = {one.strip().lower() for one in header(request, "command").split(",")} - {""}
    if told - _COMMANDS:
        raise invalid(f"Invalid upload command: {min(told - _COMMANDS)[:40]}")
    return told


def read_about(body: bytes, mime_type: str) -> dict[str, Any]:
    """What the file is to be; the type of its own word counts, else that of the header."""
    told: dict[str, Any] = dict(proto.read("CreateFileRequest", body).get("file", {}))
    told["mimeType"] = told.get("mimeType") or mime_type or "application/octet-stream"
    check_about(told)
    return told


def check_about(told: Mapping[str, Any]) -> None:
    """Raises Refused for a type or a name that cannot be."""
    if not _MIME_TYPE.fullmatch(told["mimeType"].partition(";")[0]):
        raise invalid(f"Unsupported MIME type: {told['mimeType'][:100]}")
    if len(told.get("displayName", "")) > _LONGEST_NAME:
        raise invalid(f"* CreateFileRequest.file.display_name: at most {_LONGEST_NAME} characters.\n")
    name = told.get("name")
    if name and not _NAME.fullmatch(name):
        raise invalid(
            f"* CreateFileRequest.file.name: {name[:100]}: File name may only contain lowercase alphanumeric "
            "characters or dashes (-), cannot begin or end with a dash, and has at most 40 characters.\n"
        )


def plain_name(told: Mapping[str, Any]) -> str:
    """The id that the client chose for its file, without "files/"; empty where it chose none."""
    match = _NAME.fullmatch(told.get("name") or "")
    return match[1] if match else ""


def read_parts(request: Request) -> tuple[dict[str, Any], bytes]:
    """What the file is to be and the file, from a body in two parts (RFC 2387)."""
    match = _BOUNDARY.match(request.headers.get(b"content-type", b""))
    # No more cuts than there is use for: a short boundary can stand in a body millions of times.
    parts = request.body.split(b"--" + match[1], 3) if match else []
    if len(parts) < 4:
        raise invalid("Failed to parse the multipart body: two parts are expected.")
    kind, data = _part(parts[2])
    return read_about(_part(parts[1])[1], kind), data


def _part(raw: bytes) -> tuple[str, bytes]:
    """A part's content type and its bytes."""
    head, _, data = raw.partition(b"\r\n\r\n")
    match = re.search(rb"content-type:\s*([^\r\n]+)", head, re.IGNORECASE)
    return (match[1].decode("latin-1").strip() if match else ""), data.removesuffix(b"\r\n")
