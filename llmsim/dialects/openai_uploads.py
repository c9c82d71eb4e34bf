"""OpenAI's uploads: a large file sent in parts, which become a file when all are there.

Source: OpenAI API reference, uploads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import md5
from typing import Annotated, Any, ClassVar, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_files_kept import ExpiresAfter, Purpose
from llmsim.dialects._openai_forms import digest_of, file_of, openai_form
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_objects import ObjectEncoder, object_answer
from llmsim.dialects._openai_refusals import invalid, read_object, validated
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

KIND = "openai.upload"

_HOUR = 3600
_LARGEST = 8 << 30
_LARGEST_PART = 64 << 20
_MOST_PARTS = 10_000


@exact
class UploadRequest(TypedDict, total=False):
    """The body of `POST /v1/uploads`."""

    filename: Required[Annotated[str, Field(min_length=1)]]
    purpose: Required[Purpose]
    bytes: Required[Annotated[int, Field(ge=1, le=_LARGEST)]]
    mime_type: Required[str]
    expires_after: ExpiresAfter


@exact
class CompleteRequest(TypedDict, total=False):
    """The body of `POST /v1/uploads/{id}/complete`."""

    part_ids: Required[Annotated[list[str], Field(min_length=1, max_length=_MOST_PARTS)]]
    md5: str


@cache
def _adapter(shape: type) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


@dataclass(slots=True)
class Pending:
    """An upload: the object that clients are told of, when its file expires, and its parts by id."""

    meta: dict[str, Any]
    expires: dict[str, Any] | None
    parts: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """What it counts for in the store, in bytes."""
        return 1000 + sum(100 + len(data) for data in self.parts.values())


class OpenAIUploads(Dialect):
    """`/v1/uploads`, and below each upload `parts`, `complete` and `cancel`."""

    kind: ClassVar[str] = "openai_uploads"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """A part is read like a generation, so that a long one is taken apart beside the event loop."""
        return [
            Route("POST", "/v1/uploads", answer=self._create),
            Route("POST", "/v1/uploads/{upload_id}/parts", read=self.read, uploads=True),
            Route("POST", "/v1/uploads/{upload_id}/complete", answer=self._complete),
            Route("POST", "/v1/uploads/{upload_id}/cancel", answer=self._cancel),
        ]

    def _create(self, request: Request, exchange: Exchange) -> Answer:
        told = validated(_adapter(UploadRequest), read_object(request.body))
        now, expires = self.desk.wall(), told.pop("expires_after", None)
        told.pop("mime_type")
        meta = {
            "id": wire.new_id("upload_", exchange),
            "object": "upload",
            **told,
            "created_at": now,
            "expires_at": now + _HOUR,
            "status": "pending",
        }
        self._keep(Pending(meta, expires))
        return object_answer(meta, exchange)

    def read(self, request: Request) -> Ask:
        """A part of an upload; raises Refused as OpenAI refuses."""
        upload = self._pending(request)
        form = openai_form(request)
        data = file_of(form, "data").data
        if len(data) > _LARGEST_PART:
            raise Refused(Failure("too_large", extra=_LARGEST_PART))
        if len(upload.parts) >= _MOST_PARTS:
            raise invalid(f"An Upload can have at most {_MOST_PARTS} Parts.", "upload_id")
        files.check_size(self.desk, upload.size + len(data))
        digest = digest_of(form, request.path.encode())
        extra = {"upload": upload, "data": data}
        return Ask("", dialect=self.kind, endpoint="/v1/uploads/{upload_id}/parts", parts=0, digest=digest, extra=extra)

    def encoder(self, exchange: Exchange) -> Encoder:
        """Adds the part when its answer is due, and tells of it."""
        return ObjectEncoder(exchange, self._add)

    def _add(self, exchange: Exchange) -> dict[str, Any]:
        """The object of the exchange's part, which is added to its upload if that still takes any."""
        id, upload = wire.new_id("part_", exchange), exchange.ask.extra["upload"]
        if upload.meta["status"] == "pending":
            upload.parts[id] = exchange.ask.extra["data"]
            self._keep(upload)
        return {
            "id": id,
            "object": "upload.part",
            "created_at": int(exchange.wall),
            "upload_id": upload.meta["id"],
        }

    def _complete(self, request: Request, exchange: Exchange) -> Answer:
        upload = self._pending(request)
        told = validated(_adapter(CompleteRequest), read_object(request.body))
        data = _joined(upload, told)
        files.check_size(self.desk, len(data))
        meta, id = upload.meta, wire.new_id("file-", exchange)
        file = files.make(id, meta["filename"], meta["purpose"], data, self.desk.wall(), upload.expires)
        files.keep(self.desk, file)
        meta |= {"status": "completed", "file": file.meta}
        return self._closed(upload, exchange)

    def _cancel(self, request: Request, exchange: Exchange) -> Answer:
        upload = self._pending(request)
        upload.meta["status"] = "cancelled"
        return self._closed(upload, exchange)

    def _closed(self, upload: Pending, exchange: Exchange) -> Answer:
        """The answer for an upload that takes no more parts."""
        upload.parts.clear()
        self._keep(upload)
        return object_answer(upload.meta, exchange)

    def _keep(self, upload: Pending) -> None:
        self.desk.store.put(KIND, upload.meta["id"], upload, upload.size)

    def _pending(self, request: Request) -> Pending:
        """The upload that the path names; raises Refused where it takes no more parts."""
        id = request.params["upload_id"]
        upload: Pending | None = self.desk.store.get(KIND, id)
        if upload is None:
            raise Refused(Failure("not_found", f"No such Upload object: {id[:100]}", param="upload_id"))
        if upload.meta["status"] == "pending" and upload.meta["expires_at"] <= self.desk.wall():
            upload.meta["status"] = "expired"
            upload.parts.clear()
            self._keep(upload)
        if upload.meta["status"] != "pending":
            raise invalid(f"Upload {id} has status '{upload.meta['status']}' and cannot be changed.", "upload_id")
        return upload

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


def _joined(upload: Pending, told: dict[str, Any]) -> bytes:
    """The file that the parts come to, in the order they are told in; raises Refused where it is not the one meant."""
    ids: list[str] = told["part_ids"]
    for index, id in enumerate(ids):
        if id not in upload.parts:
            raise invalid(f"No such Part object: {id[:100]}", f"part_ids[{index}]", "invalid_value")
    if len(set(ids)) < len(ids):
        raise invalid("Each Part can be used only once.", "part_ids", "invalid_value")
    size = sum(len(upload.parts[id]) for id in ids)
    if size != upload.meta["bytes"]:
        message = f"The Upload was created for {upload.meta['bytes']} bytes, but its Parts have {size} bytes."
        raise invalid(message, "part_ids", "invalid_value")
    data = b"".join([upload.parts[id] for id in ids])
    digest = told.get("md5")
    if digest is not None and digest.lower() != md5(data, usedforsecurity=False).hexdigest():
        raise invalid("The md5 checksum does not match the bytes that were uploaded.", "md5", "invalid_value")
    return data
