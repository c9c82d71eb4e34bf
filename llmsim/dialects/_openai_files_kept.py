"""The files that OpenAI keeps for its clients, shared by every API that makes or reads them.

Source: OpenAI's OpenAPI document, schemas OpenAIFile and FileExpirationAfter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects import Desk
from llmsim.dialects._openai_messages import exact
from llmsim.errors import Failure, Refused

KIND = "openai.file"

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
PURPOSES: tuple[str, ...] = get_args(Purpose)

BATCH_DAYS = 30
"""How long batch files are kept where their client does not say (OpenAI API reference, files)."""

_DAY = 86_400


@exact
class ExpiresAfter(TypedDict):
    """When a file is deleted, in seconds from its creation."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3600, le=BATCH_DAYS * _DAY)]


@dataclass(slots=True)
class StoredFile:
    """A file: the object that clients are told of, and its bytes."""

    id: str
    meta: dict[str, Any]
    data: bytes


def make(
    id: str, filename: str, purpose: str, data: bytes, created: int, expires: dict[str, Any] | None = None
) -> StoredFile:
    """A file that nobody keeps yet; `expires` is an ExpiresAfter, `created` in seconds since the epoch."""
    meta: dict[str, Any] = {
        "id": id,
        "object": "file",
        "bytes": len(data),
        "created_at": created,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
    }
    seconds = expires["seconds"] if expires else BATCH_DAYS * _DAY if purpose == "batch" else None
    if seconds is not None:
        meta["expires_at"] = created + seconds
    return StoredFile(id, meta, data)


def check_size(desk: Desk, size: int) -> None:
    """Raises Refused for more bytes than can be kept at all."""
    if size + 2000 > desk.store.size_limit:
        raise Refused(Failure("too_large", extra=desk.store.size_limit))


def keep(desk: Desk, file: StoredFile) -> None:
    """Keeps the file."""
    desk.store.put(KIND, file.id, file, len(file.data) + 500)


def kept(desk: Desk) -> list[StoredFile]:
    """All files whose time is not up, oldest first."""
    now = desk.wall()
    return [file for file in desk.store.values(KIND) if file.meta.get("expires_at", now + 1) > now]


def find(desk: Desk, id: str, param: str | None = "id") -> StoredFile:
    """The file of that id; raises Refused where there is none, or none any more."""
    file: StoredFile | None = desk.store.get(KIND, id)
    now = desk.wall()
    if file is None or file.meta.get("expires_at", now + 1) <= now:
        raise Refused(Failure("not_found", f"No such File object: {id[:100]}", param=param))
    return file
