"""A take: one exchange with an API as it was recorded, and the line of a tape that it is written as."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import orjson

from llmsim.errors import TapeError

VERSION = 1
"""Of the lines that are written here; newer ones are refused, fields that are not known are passed over."""

LONGEST = 512 << 20
"""Bytes of a line; the recorder's limits keep far below it."""

End = Literal["done", "cut", "left", "error"]
"""How an exchange ended: whole; the upstream broke off; the client left; there was no answer at all."""

Headers = tuple[tuple[str, str], ...]


class Frame(NamedTuple):
    """Bytes of a response that arrived together, `at` seconds after the request was sent."""

    at: float
    data: bytes


@dataclass(slots=True, frozen=True, kw_only=True)
class Take:
    """One exchange; moments are seconds since the request was sent, but `at`, which is seconds since the epoch.

    `path` is the API's own, without the prefix that chose the upstream; `provider` and `dialect` are empty where the
    path is none that llmsim serves. Bodies are decoded: `coding` is the content coding that the response came in, and
    no header tells of it or of a length. `beside` counts the exchanges that were under way when this one was sent.
    `left_out` counts bytes of bodies that were over the recorder's limit: such a body is empty here.
    """

    id: str
    at: float
    method: str
    path: str
    query: str = ""
    upstream: str = ""
    provider: str = ""
    dialect: str = ""
    request_headers: Headers = ()
    request_body: bytes = b""
    status: int = 0
    headers: Headers = ()
    begun: float | None = None
    """When the response's head arrived; None where none came."""
    frames: tuple[Frame, ...] = ()
    end: End = "done"
    ended: float = 0.0
    error: str = ""
    coding: str = ""
    beside: int = 0
    masked: int = 0
    """How many secrets and personal data were masked."""
    left_out: int = 0
    more: dict[str, Any] = field(default_factory=dict, compare=False)
    """Fields of the line that this version does not know; written again as they were."""

    @property
    def body(self) -> bytes:
        """The response's whole body."""
        return b"".join([frame.data for frame in self.frames])

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def header(self, name: str) -> str:
        """A header of the response by its name, in whatever capitals; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def request_header(self, name: str) -> str:
        """A header of the request by its name, in whatever capitals; empty where there is none."""
        return next((value for key, value in self.request_headers if key.lower() == name.lower()), "")

    def line(self) -> bytes:
        """The line of a tape, with its end."""
        request = {"method": self.method, "path": self.path, "query": self.query}
        response = {"status": self.status, "begun": _short(self.begun), "headers": self.headers}
        told = {
            "v": VERSION,
            "id": self.id,
            "at": round(self.at, 6),
            "upstream": self.upstream,
            "provider": self.provider,
            "dialect": self.dialect,
            "beside": self.beside,
            "request": {**request, "headers": self.request_headers, "body": _told(self.request_body)},
            "response": {
                **response,
                "coding": self.coding,
                "frames": [(_short(frame.at), _told(frame.data)) for frame in self.frames],
            },
            "end": self.end,
            "ended": _short(self.ended),
            "error": self.error,
            "masked": self.masked,
            "left_out": self.left_out,
        }
        return orjson.dumps({**self.more, **told}) + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Take:
        """The take of a line; raises TapeError that says what is wrong with it."""
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise TapeError(f"it is no JSON: {error}") from None
        if not isinstance(told, dict):
            raise TapeError("it is no object")
        _versioned(told.pop("v", None))
        try:
            return _read(told)
        except (KeyError, TypeError, ValueError) as error:
            raise TapeError(_wrong(error)) from None


def _versioned(version: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise TapeError(f"v: {version!r} is no version of a tape")
    if version > VERSION:
        raise TapeError(f"v: {version} is of a newer llmsim; this one reads tapes up to version {VERSION}")


def _object(told: dict[str, Any], name: str) -> dict[str, Any]:
    value = told.pop(name)
    if not isinstance(value, dict):
        raise TypeError(f"{name}: it is no object")
    return value


def _read(told: dict[str, Any]) -> Take:
    request, response = _object(told, "request"), _object(told, "response")
    fields: dict[str, Any] = {name: kind(told.pop(name)) for name, kind in _TOP.items() if name in told}
    missing = next((name for name in ("id", "at", "end") if name not in fields), None)
    if missing:
        raise KeyError(missing)
    if fields["end"] not in get_args(End):
        raise ValueError(f"end: {fields['end']!r} is not allowed; there are {', '.join(get_args(End))}")
    begun = response.get("begun")
    return Take(
        **fields,
        method=_text(request["method"]),
        path=_text(request["path"]),
        query=_text(request.get("query", "")),
        request_headers=_headers(request.get("headers", ())),
        request_body=_bytes(request.get("body", "")),
        status=int(response.get("status", 0)),
        begun=None if begun is None else float(begun),
        headers=_headers(response.get("headers", ())),
        coding=_text(response.get("coding", "")),
        frames=tuple(Frame(float(at), _bytes(data)) for at, data in response.get("frames", ())),
        more=told,
    )


def _wrong(error: Exception) -> str:
    return f"{error.args[0]}: the field is missing" if isinstance(error, KeyError) else str(error)


# -- values

_MICRO = 6


def _short(moment: float | None) -> float | None:
    return None if moment is None else round(moment, _MICRO)


def _told(data: bytes) -> str | dict[str, str]:
    """Bytes as text where they are UTF-8, else as base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _bytes(told: Any) -> bytes:
    if isinstance(told, str):
        return told.encode()
    if isinstance(told, dict) and isinstance(told.get("base64"), str):
        try:
            return base64.b64decode(told["base64"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"base64: {error}") from None
    raise TypeError("a body or frame is a text, or an object with base64")


def _text(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{told!r:.60} is no text")
    return told


def _headers(told: Any) -> Headers:
    return tuple((_text(name), _text(value)) for name, value in told)


_TOP: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("id", "upstream", "provider", "dialect", "end", "error"), _text),
    **dict.fromkeys(("at", "ended"), float),
    **dict.fromkeys(("beside", "masked", "left_out"), int),
}
