"""Gemini's files: uploaded bit by bit or in one go, listed, told of, deleted.

Source: Google's API reference, "Files".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import parse_qs

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _gemini_uploads as uploads
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_checks import invalid
from llmsim.dialects._gemini_errors import SERVICE, error_answer
from llmsim.dialects._gemini_kept import FILE, File
from llmsim.dialects._gemini_made import Made, MadeEncoder, ask_for
from llmsim.dialects._gemini_uploads import UPLOAD, Upload
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

LIFETIME = 48 * 3600
_GRANULARITY = 256 << 10


class GeminiFiles(Dialect):
    """`/upload/{version}/files` and `/{version}/files`."""

    kind: ClassVar[str] = "gemini_files"
    provider: ClassVar[str] = "gemini"

    def routes(self) -> Sequence[Route]:
        """All methods, in every version."""
        routes: list[Route] = []
        for version in wire.VERSIONS:
            every, one = f"{version}/files", f"{version}/files/{{name}}"
            for path in (f"/upload{every}", every):
                routes += [
                    Route(method, path, read=partial(self._read, path), uploads=True) for method in ("POST", "PUT")
                ]
            routes += [
                Route("GET", every, answer=self._list),
                Route("GET", f"{one}:download", answer=self._download),
                Route("GET", one, answer=self._get),
                Route("DELETE", one, answer=self._delete),
            ]
        return routes

    def claims(self, request: Request) -> bool:
        """What comes with Google's key, or below its paths."""
        return wire.claims(request)

    # -- uploads

    def _read(self, path: str, request: Request) -> Ask:
        """What is to be done; raises Refused where it cannot be."""
        ask = partial(ask_for, dialect=self.kind, endpoint=path)
        if "upload_id" in request.args:
            return ask(self._go_on(request))
        kind = uploads.protocol(request)
        mime_type = request.headers.get(b"content-type", b"").decode("latin-1")
        if kind == "resumable":
            return ask(self._start(request))
        if kind == "multipart":
            about, data = uploads.read_parts(request)
        elif kind == "metadata":
            about, data = uploads.read_about(request.body, ""), b""
        else:
            about, data = {"mimeType": mime_type or "application/octet-stream"}, request.body
            uploads.check_about(about)
        digest = sha256(data).hexdigest()
        return ask(lambda exchange: Made({"file": self._keep(exchange, about, data, digest)}))

    def _start(self, request: Request) -> Any:
        """An upload that comes bit by bit: gives it an address."""
        if "start" not in uploads.commands(request):
            raise invalid("The upload command of a new resumable upload must be start.")
        about = uploads.read_about(request.body, uploads.header(request, "header-content-type"))
        expected = uploads.expected_size(request)
        self._not_taken(about)
        scheme = request.headers.get(b"x-forwarded-proto", b"http").decode("latin-1")
        host = request.headers.get(b"host", b"localhost").decode("latin-1")

        def make(exchange: Exchange) -> Made:
            id = wire.resource_id(exchange, 26)
            self.desk.store.put(UPLOAD, id, Upload(id, about, expected))
            url = f"{scheme}://{host}{request.path}?upload_id={id}&upload_protocol=resumable".encode("latin-1")
            return Made(
                b"",
                [
                    *_status("active"),
                    (b"x-goog-upload-url", url),
                    (b"x-goog-upload-control-url", url),
                    (b"x-goog-upload-chunk-granularity", b"%d" % _GRANULARITY),
                ],
            )

        return make

    def _go_on(self, request: Request) -> Any:
        """The next bytes of an upload, or a question about it."""
        upload: Upload | None = self.desk.store.get(UPLOAD, request.args["upload_id"])
        if upload is None:
            raise Refused(Failure("not_found", "Upload not found: it has ended, or there has never been one."))
        commands = uploads.commands(request) or {"upload", "finalize"}
        if "start" in commands:
            raise invalid("The upload has been started already.")
        if "cancel" in commands:
            return lambda exchange: self._cancel(upload)
        if not commands & {"upload", "finalize"}:
            return lambda exchange: Made(b"", [*_status("active"), _received(upload)])
        uploads.check_fits(upload, request, ends="finalize" in commands)
        before, digest = upload.size, upload.digest.copy()
        digest.update(request.body)

        def make(exchange: Exchange) -> Made:
            if upload.size != before:
                # The same bytes have come twice at once: they count once, and the client is told how far it is.
                return Made(b"", [*_status("active"), _received(upload)])
            upload.chunks.append(request.body)
            upload.size += len(request.body)
            upload.digest = digest
            if "finalize" in commands:
                return self._finish(exchange, upload)
            self.desk.store.put(UPLOAD, upload.id, upload, upload.size)
            return Made(b"", [*_status("active"), _received(upload)])

        return make

    def _goes_on(self, exchange: Exchange) -> bool:
        """Whether a request was about an upload that can still be gone on with."""
        id = parse_qs(exchange.ask.extra.get("query", "")).get("upload_id", [""])[0]
        return bool(id) and self.desk.store.get(UPLOAD, id) is not None

    def _finish(self, exchange: Exchange, upload: Upload) -> Made:
        self.desk.store.pop(UPLOAD, upload.id)
        told = self._keep(exchange, upload.about, b"".join(upload.chunks), upload.digest.hexdigest())
        return Made({"file": told}, _status("final"))

    def _cancel(self, upload: Upload) -> Made:
        self.desk.store.pop(UPLOAD, upload.id)
        return Made(b"", _status("cancelled"))

    # -- files

    def _not_taken(self, about: Mapping[str, Any]) -> None:
        name = uploads.plain_name(about)
        if name and self.desk.store.get(FILE, name) is not None:
            raise Refused(Failure("conflict", f"File {name} already exists.", code="ALREADY_EXISTS"))

    def _keep(self, exchange: Exchange, about: Mapping[str, Any], data: bytes, digest: str) -> dict[str, Any]:
        """Keeps a file; gives how the API tells of it."""
        id, now = uploads.plain_name(about) or wire.resource_id(exchange), self.desk.clock.wall()
        told: dict[str, Any] = {
            "name": f"files/{id}",
            **({"displayName": about["displayName"]} if about.get("displayName") else {}),
            "mimeType": about["mimeType"],
            "sizeBytes": str(len(data)),
            "createTime": wire.timestamp(now),
            "updateTime": wire.timestamp(now),
            "expirationTime": wire.timestamp(now + LIFETIME),
            "sha256Hash": b64encode(digest.encode()).decode(),
            "uri": f"https://{SERVICE}/v1beta/files/{id}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }
        self.desk.store.put(FILE, id, File(told, data), len(data))
        return told

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        kept: list[File] = self.desk.store.values(FILE)
        shown, token = wire.page([one.told for one in reversed(kept)], request, usual=10, most=100)
        told: dict[str, Any] = {"files": shown} if shown else {}
        return wire.answer({**told, "nextPageToken": token} if token else told, exchange)

    def _find(self, request: Request) -> File:
        name = request.params["name"]
        kept: File | None = self.desk.store.get(FILE, name)
        if kept is None:
            text = f"You do not have permission to access the File {name[:100]} or it may not exist."
            raise Refused(Failure("forbidden", text))
        return kept

    def _get(self, request: Request, exchange: Exchange) -> Answer:
        return wire.answer(self._find(request).told, exchange)

    def _download(self, request: Request, exchange: Exchange) -> Answer:
        """Nothing: of files that clients uploaded, none can be downloaded."""
        self._find(request)
        raise invalid("Only generated files can be downloaded.")

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        self._find(request)
        self.desk.store.pop(FILE, request.params["name"])
        return wire.answer({}, exchange)

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words what an upload has come to."""
        return MadeEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object; of an upload with a status that tells the client whether to go on."""
        answer = error_answer(failure, exchange)
        if exchange is not None and "/upload/" in exchange.ask.endpoint:
            answer.headers += _status("active" if self._goes_on(exchange) else "final")
        return answer


def _status(word: str) -> Headers:
    return [(b"x-goog-upload-status", word.encode())]


def _received(upload: Upload) -> tuple[bytes, bytes]:
    return b"x-goog-upload-size-received", b"%d" % upload.size
