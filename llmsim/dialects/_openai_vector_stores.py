"""The vector stores that OpenAI keeps for its clients, and searches in them; shared by every API that reads them.

Source: OpenAI's OpenAPI document, schemas VectorStoreObject, VectorStoreFileObject and VectorStoreSearchResultItem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import orjson

from llmsim.dialects import Desk
from llmsim.dialects import _openai_files_kept as files
from llmsim.store import Store

Json = dict[str, Any]

KIND = "openai.vector_store"

AUTO: Json = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
"""How files are cut where the client does not say (OpenAI's guide, file search)."""

_DAY = 86_400
# A token is about four characters of English.
_CHARACTERS = 4
# How much of one file, and of all together, is searched: a search must not hold up the replies under way.
_OF_ONE, _OF_ALL = 40_000, 400_000
_WORDS = re.compile(r"\w+")
# Files whose text only programs of their own can read; what they say is not found.
_DOCUMENTS = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(slots=True)
class VectorStore:
    """A vector store; `files` by their ids, `batches` by theirs, both as the API shows them, oldest first."""

    id: str
    created_at: int
    name: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    expires_after: Json | None = None
    last_active_at: int = 0
    files: dict[str, Json] = field(default_factory=dict)
    batches: dict[str, Json] = field(default_factory=dict)

    @property
    def expires_at(self) -> int | None:
        """When it expires unless it is used before, in seconds since the epoch."""
        return self.last_active_at + self.expires_after["days"] * _DAY if self.expires_after else None

    def json(self, now: int) -> Json:
        """The vector store as the API shows it."""
        expires = self.expires_at
        expiry = {"expires_after": self.expires_after} if self.expires_after else {}
        return {
            "id": self.id,
            "object": "vector_store",
            "created_at": self.created_at,
            "name": self.name,
            "usage_bytes": sum(one["usage_bytes"] for one in self.files.values()),
            "file_counts": counts(self.files.values()),
            "status": "completed" if expires is None or now < expires else "expired",
            **expiry,
            "expires_at": expires,
            "last_active_at": self.last_active_at,
            "metadata": self.metadata,
        }

    def attach(self, desk: Desk, file_id: str, told: Json) -> Json:
        """Puts a file into it; raises Refused where there is no such file."""
        kept = files.find(desk, file_id, "file_id")
        error = _unreadable(kept.data)
        self.files[file_id] = {
            "id": file_id,
            "object": "vector_store.file",
            "usage_bytes": 0 if error else len(kept.data),
            "created_at": desk.wall(),
            "vector_store_id": self.id,
            "status": "failed" if error else "completed",
            "last_error": error,
            "chunking_strategy": _cut(told.get("chunking_strategy")),
            "attributes": told.get("attributes") or {},
        }
        return self.files[file_id]

    def keep(self, store: Store) -> None:
        """Keeps it at the size it has now."""
        told = [self.metadata, list(self.files.values()), list(self.batches.values())]
        store.put(KIND, self.id, self, len(orjson.dumps(told)))


def counts(told: Any) -> Json:
    """How many files are in which state."""
    states = [one["status"] for one in told]
    kinds = ("in_progress", "completed", "failed", "cancelled")
    return {**{kind: states.count(kind) for kind in kinds}, "total": len(states)}


def pending(told: Json) -> Json:
    """A file or a batch as it is shown when it has just been sent, before anything has come of it."""
    if "file_counts" in told:
        total = told["file_counts"]["total"]
        return {**told, "status": "in_progress", "file_counts": {**counts(()), "in_progress": total, "total": total}}
    return {**told, "status": "in_progress", "usage_bytes": 0, "last_error": None}


def _cut(told: Json | None) -> Json:
    return AUTO if told is None or told["type"] == "auto" else told


def _unreadable(data: bytes) -> Json | None:
    """Why nothing in a file can be searched."""
    if not data.strip():
        return {"code": "invalid_file", "message": "The file could not be parsed because it is empty."}
    return None if text_of(data) is not None else {"code": "unsupported_file", "message": "File type not supported."}


def text_of(data: bytes) -> str | None:
    """The text of a file as far as it is searched, empty for documents that only other programs read; else None."""
    if data.startswith(_DOCUMENTS):
        return ""
    try:
        return data[: _OF_ONE * 4].decode("utf-8", "strict" if len(data) <= _OF_ONE * 4 else "ignore")[:_OF_ONE]
    except UnicodeDecodeError:
        return None


# -- search


def search(
    stores: Sequence[VectorStore],
    desk: Desk,
    queries: Sequence[str],
    most: int = 10,
    threshold: float = 0.0,
    filter: Json | None = None,
) -> list[Json]:
    """The best pieces of the files whose attributes fit the filter, best first: those with most of the words."""
    asked = {word.lower() for query in queries for word in _WORDS.findall(query)}
    found = []
    for file, name, piece in _pieces(stores, desk, filter):
        words = {word.lower() for word in _WORDS.findall(piece)}
        score = len(asked & words) / len(asked) if asked else 0.0
        if score and score >= threshold:
            found.append((score, file, name, piece))
    found.sort(key=lambda one: -one[0])
    return [_result(*one) for one in found[:most]]


def _pieces(stores: Sequence[VectorStore], desk: Desk, filter: Json | None) -> Iterator[tuple[Json, str, str]]:
    left = _OF_ALL
    for store in stores:
        for file in store.files.values():
            kept = desk.store.get(files.KIND, file["id"])
            if kept is None or file["status"] != "completed" or not fits(filter, file["attributes"]):
                continue
            text = (text_of(kept.data) or "")[:left]
            left -= len(text)
            for piece in pieces(text, file["chunking_strategy"]["static"]):
                yield file, kept.meta["filename"], piece


def pieces(text: str, cut: Json) -> list[str]:
    """The text in pieces that overlap, as a vector store cuts it."""
    length = cut["max_chunk_size_tokens"] * _CHARACTERS
    step = max(1, length - cut["chunk_overlap_tokens"] * _CHARACTERS)
    return [text[at : at + length] for at in range(0, max(1, len(text) - length + step), step)] if text else []


def _result(score: float, file: Json, name: str, piece: str) -> Json:
    return {
        "file_id": file["id"],
        "filename": name,
        "score": round(score, 4),
        "attributes": file["attributes"],
        "content": [{"type": "text", "text": piece}],
    }


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}


def fits(filter: Json | None, attributes: Json) -> bool:
    """Whether a file's attributes are as a filter has them; values of other kinds compare as unlike."""
    if filter is None:
        return True
    kind = filter["type"]
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(fits(one, attributes) for one in filter["filters"])
    had, value = attributes.get(filter["key"]), filter["value"]
    if kind in ("in", "nin"):
        return (had in value if isinstance(value, list) else had == value) is (kind == "in")
    try:
        return bool(_COMPARE[kind](had, value))
    except TypeError:
        return False
