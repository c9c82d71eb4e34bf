"""Whose API an exchange of another tool's recording was, by its address; and the take that it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from llmsim.dialects import Dialect, Request, kinds
from llmsim.errors import TapeError
from llmsim.replay.heard import events
from llmsim.server.record.codings import Unread, coding
from llmsim.server.record.upstreams import HOMES
from llmsim.server.routes import Routes
from llmsim.tapes import Frame, Headers, Take

LONGEST = 64 << 20
"""Bytes of a body once it is decoded."""

_LEFT_OUT = frozenset(
    ("content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade")
)


@cache
def routes() -> Routes:
    """Every path of every API."""
    return Routes([made() for made in kinds().values()])


def taken(number: int, method: str, url: str, **fields: Any) -> Take:
    """The take of an exchange at this address; fields are those of a take, its headers as they came."""
    parts = urlsplit(url)
    if not parts.path:
        raise TapeError(f"{url[:200]!r} is no address with a path")
    path, dialect = _own_path(method, parts.path, fields.get("request_headers", ()))
    kind, provider = (dialect.kind, dialect.provider) if dialect else ("", "")
    return Take(
        id=_id(number, method, url, fields),
        method=method,
        path=path,
        query=parts.query,
        upstream=parts.hostname or "",
        dialect=kind,
        provider=provider,
        **fields,
    )


def _id(number: int, method: str, url: str, fields: dict[str, Any]) -> str:
    """An id of its own for what has none: of all that it is."""
    told = f"{method} {url} {fields.get('at')}".encode() + fields.get("request_body", b"")
    return f"imported-{blake2b(told, digest_size=6).hexdigest()}-{number:06}"


def _own_path(method: str, path: str, headers: Headers) -> tuple[str, Dialect | None]:
    """The API's own path and whose it is; what a gateway has in front of it is taken away where that helps."""
    told = {name.lower().encode(): value.encode("latin-1", "replace") for name, value in headers}
    steps = path.split("/")[1:]
    for at in range(min(4, len(steps))):
        own = "/" + "/".join(steps[at:])
        for tried in (own, f"/v1{own}") if at else (own,):
            found = routes().find(Request(method, unquote(tried), headers=told))
            if found is not None:
                return tried.removeprefix(f"/{found[0].provider}"), found[0]
    return path, None


def kept(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers that say something of the body as it stands on a tape."""
    return tuple((name, value) for name, value in headers if name.lower() not in _LEFT_OUT)


def decoded(body: bytes, headers: Iterable[tuple[str, str]]) -> tuple[bytes, str]:
    """A body without its coding, and which it had; a tool that has decoded it itself has left the header behind."""
    names = next((value for name, value in headers if name.lower() == "content-encoding"), "").strip().lower()
    try:
        reads = coding(names) if body else None
        if reads is None:
            return body, ""
        plain = reads.feed(body, LONGEST)
    except Unread as error:
        if not _is_text(body):
            raise TapeError(f"a body cannot be decoded: {error}") from None
        return body, names  # it was decoded before
    if len(plain) > LONGEST:
        raise TapeError(f"a body is larger than {LONGEST >> 20} MiB once it is decoded")
    return plain, names


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def spread(body: bytes, headers: Headers, begun: float, ended: float) -> tuple[Frame, ...]:
    """A body as frames where nobody knows when its parts came: its events evenly between beginning and end."""
    if not body:
        return ()
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    ends: Sequence[int] = [len(body)]
    if "event-stream" in kind:
        ends = [at for at, _ in events(body) if at < len(body)] + [len(body)]
    starts = [0, *ends[:-1]]
    last = max(1, len(ends) - 1)
    return tuple(
        Frame(begun + (ended - begun) * at / last if len(ends) > 1 else ended, body[start:end])
        for at, (start, end) in enumerate(zip(starts, ends, strict=True))
    )


def phrase(status: int) -> str:
    """What HTTP calls a status; empty for one that it does not know."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def address(take: Take) -> str:
    """Where a take was asked, as tools have it that match by address: of a known API its own home."""
    if "." in take.upstream:
        return f"https://{take.upstream}{take.target}"
    home = HOMES.get(take.upstream) or HOMES.get(take.provider) or f"https://{take.upstream or 'api'}.invalid"
    return home + take.target
