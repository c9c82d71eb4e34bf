"""OpenAI's files: uploaded, listed, read back and deleted.

Source: OpenAI API reference, files.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Required
from urllib.parse import quote

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_files_kept import ExpiresAfter, Purpose
from llmsim.dialects._openai_forms import digest_of, fields, file_of, openai_form
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_objects import ObjectEncoder, object_answer
from llmsim.dialects._openai_refusals import invalid, validated
from llmsim.errors import Failure
from llmsim.exchange import Exchange

MOST_LISTED = 10_000


@exact
class FileRequest(TypedDict, total=False):
    """The form of `POST /v1/files`, its file left out."""

    purpose: Required[Purpose]
    expires_after: ExpiresAfter


@cache
def _adapter() -> TypeAdapter[FileRequest]:
    return TypeAdapter(FileRequest)


class OpenAIFiles(Dialect):
    """`/v1/files`, `/v1/files/{id}` and `/v1/files/{id}/content`."""

    kind: ClassVar[str] = "openai_files"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """An upload is read like a generation, so that a long one is taken apart beside the event loop."""
        return [
            Route("POST", "/v1/files", read=self.read, uploads=True),
            Route("GET", "/v1/files", answer=self._list),
            Route("GET", "/v1/files/{file_id}", answer=self._one),
            Route("DELETE", "/v1/files/{file_id}", answer=self._delete),
            Route("GET", "/v1/files/{file_id}/content", answer=self._content),
        ]

    def read(self, request: Request) -> Ask:
        """The file of a form; raises Refused as OpenAI refuses."""
        form = openai_form(request)
        told = validated(_adapter(), fields(form, {"expires_after.seconds": int}))
        upload = file_of(form, "file")
        if told["purpose"] == "batch" and "." in upload.filename and not upload.filename.endswith(".jsonl"):
            raise invalid("Invalid file format for Batch API. Must be .jsonl")
        files.check_size(self.desk, len(upload.data))
        extra = {"upload": upload, "purpose": told["purpose"], "expires": told.get("expires_after")}
        return Ask("", dialect=self.kind, endpoint="/v1/files", parts=0, digest=digest_of(form), extra=extra)

    def encoder(self, exchange: Exchange) -> Encoder:
        """Keeps the file when its answer is due, and tells of it."""
        return ObjectEncoder(exchange, self._keep)

    def _keep(self, exchange: Exchange) -> dict[str, Any]:
        """The object of the exchange's file, which is kept."""
        extra: dict[str, Any] = exchange.ask.extra
        upload, id = extra["upload"], wire.new_id("file-", exchange)
        created = int(exchange.wall)
        file = files.make(id, upload.filename, extra["purpose"], upload.data, created, extra["expires"])
        files.keep(self.desk, file)
        return file.meta

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        purpose = request.args.get("purpose")
        found = [file.meta for file in files.kept(self.desk) if purpose in (None, "", file.meta["purpose"])]
        return object_answer(page(found, request, usual=MOST_LISTED, most=MOST_LISTED), exchange)

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        return object_answer(files.find(self.desk, request.params["file_id"]).meta, exchange)

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        file = files.find(self.desk, request.params["file_id"])
        self.desk.store.pop(files.KIND, file.id)
        return object_answer({"id": file.id, "object": "file", "deleted": True}, exchange)

    def _content(self, request: Request, exchange: Exchange) -> Answer:
        """The bytes as they came: the API says of none of them what they are."""
        file = files.find(self.desk, request.params["file_id"])
        name = quote(file.meta["filename"], safe=" !#$&'()+,-.;=@[]^_`{}~")
        headers = [
            (b"content-type", b"application/octet-stream"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode("latin-1")),
        ]
        return Answer(200, file.data, [*headers, *wire.headers(exchange, 0)])

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)
