"""Anthropic's Files API, as far as messages refer to files.

Source: Anthropic API reference, Files, and the types of the SDK anthropic 2.12: the list has pages of its own
(`page`, `next_page`), and under the beta files-api-2025-04-14 cursors like the other lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_files import KIND, find_file
from llmsim.dialects._anthropic_lists import limit, page
from llmsim.dialects._anthropic_media import File
from llmsim.dialects._multipart import BadForm, Form, Upload, read_form
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.plan import Piece

Json = dict[str, Any]

BETA = "files-api-2025-04-14"
MOST_BYTES = 500 << 20
_LEAST_LIFE, _MOST_LIFE = 3_600, 7_776_000
_ENDINGS = {"application/pdf": ".pdf", "text/plain": ".txt", "image/png": ".png", "image/jpeg": ".jpg"}
_BAD_NAME = frozenset('<>:"|?*\\/') | {chr(code) for code in range(32)}


class AnthropicFiles(Dialect):
    """`/v1/files`: uploads, lists, tells of and deletes files; only what a tool has made could be downloaded."""

    kind: ClassVar[str] = "anthropic_files"
    provider: ClassVar[str] = "anthropic"

    def routes(self) -> Sequence[Route]:
        """All of the files API."""
        return [
            Route("POST", "/v1/files", read=self.read),
            Route("GET", "/v1/files", answer=self._list),
            Route("GET", "/v1/files/{file_id}", answer=self._one),
            Route("DELETE", "/v1/files/{file_id}", answer=self._delete),
            Route("GET", "/v1/files/{file_id}/content", answer=self._content),
        ]

    def claims(self, request: Request) -> bool:
        """Other providers keep files here too."""
        return wire.claims(request)

    def read(self, request: Request) -> Ask:
        """The file that a client uploads; raises Refused where it is none."""
        wire.version_of(request)
        try:
            form = read_form(request.headers.get(b"content-type", b""), request.body)
        except BadForm as error:
            raise wire.invalid(f"The request body is not valid multipart/form-data: {error}") from None
        upload = form.file("file")
        if upload is None:
            raise wire.invalid("file: Field required")
        _check(upload)
        return Ask(
            "",
            dialect=self.kind,
            endpoint="/v1/files",
            digest=blake2b(upload.data, digest_size=16).digest(),
            parts=0,
            extra={"upload": upload, "life": _lifetime(form)},
        )

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words the file that was uploaded."""
        return _Upload(exchange, self)

    def kept(self, exchange: Exchange) -> File:
        """The file of an upload, from now on among those that there are."""
        upload, life = exchange.ask.extra["upload"], exchange.ask.extra["life"]
        mime, now = _mime(upload), self.desk.wall()
        name = upload.filename or f"unnamed{_ENDINGS.get(mime, '')}"
        expires = now + life if life is not None else None
        file = File(wire.new_id("file_", exchange), name, mime, upload.data, now, expires)
        self.desk.store.put(KIND, file.id, file, len(file.data))
        return file

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        wire.version_of(request)
        find = find_file(self.desk)
        files = [_worded(file) for file in reversed(self.desk.store.values(KIND)) if find(file.id)]
        told = page(files, request) if BETA in wire.betas_of(request) else _page(files, request)
        return Answer.json(told, headers=wire.headers(exchange))

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        return Answer.json(_worded(self._found(request)), headers=wire.headers(exchange))

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        file = self._found(request)
        self.desk.store.pop(KIND, file.id)
        return Answer.json({"id": file.id, "type": "file_deleted"}, headers=wire.headers(exchange))

    def _content(self, request: Request, exchange: Exchange) -> Answer:
        file = self._found(request)
        raise wire.invalid(f"File {file.id} is not downloadable.", "file_not_downloadable")

    def _found(self, request: Request) -> File:
        wire.version_of(request)
        id = request.params["file_id"]
        file = find_file(self.desk)(id)
        if file is None:
            raise Refused(Failure("not_found", f"File not found: {id[:200]}"))
        return file

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Anthropic's error object."""
        return wire.error_answer(failure, exchange)


class _Upload(Encoder):
    """Words a file that has been uploaded."""

    def __init__(self, exchange: Exchange, files: AnthropicFiles) -> None:
        super().__init__(exchange)
        self._files = files

    def headers(self) -> Headers:
        """Anthropic's headers."""
        return wire.headers(self.exchange)

    def frame(self, piece: Piece) -> bytes:
        """Nothing: an upload is not streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """An error as an event of its own."""
        return wire.error_event(failure, self.exchange)

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The file's metadata."""
        return orjson.dumps(_worded(self._files.kept(self.exchange)))


def _check(upload: Upload) -> None:
    if not upload.data:
        raise wire.invalid("file: File is empty")
    if len(upload.data) > MOST_BYTES:
        raise Refused(Failure("too_large"))
    if len(upload.filename) > 255 or _BAD_NAME & set(upload.filename):
        raise wire.invalid(
            "file: Invalid filename: it must be 1-255 characters long and not contain any of the characters "
            '<, >, :, ", |, ?, *, \\, /, or unicode characters 0-31'
        )


def _lifetime(form: Form) -> int | None:
    told = form.text("expires_in_seconds")
    if told is None:
        return None
    if not (told.isascii() and told.isdecimal()) or len(told) > 18:
        raise wire.invalid("expires_in_seconds: Input should be a valid integer, unable to parse string as an integer")
    if int(told) < _LEAST_LIFE:
        raise wire.invalid(f"expires_in_seconds: Input should be greater than or equal to {_LEAST_LIFE}")
    if int(told) > _MOST_LIFE:
        raise wire.invalid(f"expires_in_seconds: Input should be less than or equal to {_MOST_LIFE}")
    return int(told)


def _mime(upload: Upload) -> str:
    """What the bytes say they are, else what the client says."""
    for magic, kind in ((b"%PDF-", "application/pdf"), (b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg")):
        if upload.data.startswith(magic):
            return kind
    return upload.content_type.partition(";")[0].strip().lower()


def _page(files: Sequence[Json], request: Request) -> Json:
    """A page of the list by the API's own cursor: the id of the last file of the page before."""
    wanted = [value for name, value in parse_qsl(request.query) if name in ("ids", "ids[]")]
    if wanted:
        return {"data": [file for file in files if file["id"] in wanted], "next_page": None}
    count, start = limit(request), 0
    cursor = request.args.get("page")
    if cursor:
        ids = [f"page_{file['id']}" for file in files]
        if cursor not in ids:
            raise wire.invalid("page: Invalid page cursor")
        start = ids.index(cursor) + 1
    shown = list(files[start : start + count])
    more = start + count < len(files)
    return {"data": shown, "next_page": f"page_{shown[-1]['id']}" if more else None}


def _worded(file: File) -> Json:
    return {
        "type": "file",
        "id": file.id,
        "filename": file.filename,
        "mime_type": file.mime_type,
        "size_bytes": len(file.data),
        "created_at": wire.timestamp(file.created),
        "downloadable": False,
        "expires_at": wire.timestamp(file.expires) if file.expires is not None else None,
    }
