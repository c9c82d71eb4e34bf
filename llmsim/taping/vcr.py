"""Takes as a cassette of vcrpy and back; cassettes of Ruby's VCR are read too. Source: vcrpy 9.4, vcr/serialize.py.

A cassette says nothing of time. Cassettes are YAML of plain values: a body is a text, or binary.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from llmsim.errors import TapeError
from llmsim.tapes import Headers, Take
from llmsim.taping.asked import address, decoded, kept, phrase, spread, taken


def mine(raw: Any) -> bool:
    """Whether a document is a cassette, of vcrpy or of Ruby's VCR."""
    return isinstance(raw, dict) and isinstance(raw.get("interactions", raw.get("http_interactions")), list)


def takes(raw: Any, notes: list[str]) -> Iterator[Take]:
    """The interactions of a cassette; `notes` are told what it does not say. Raises TapeError."""
    ruby = "http_interactions" in raw
    name = "http_interactions" if ruby else "interactions"
    for number, one in enumerate(raw[name], 1):
        try:
            yield _take(number, one)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TapeError(f"{name}[{number - 1}]: it cannot be read: {error!r}") from None
    notes.append("a cassette says nothing of time: it is replayed at once, or as replay_timing: profile says")


def _take(number: int, one: dict[str, Any]) -> Take:
    request, response = one["request"], one["response"]
    asked, answered = _pairs(request.get("headers")), _pairs(response.get("headers"))
    body, coding = decoded(_bytes(response.get("body")), answered)
    recorded = one.get("recorded_at")
    at = datetime.strptime(str(recorded), "%a, %d %b %Y %H:%M:%S %Z").timestamp() if recorded else float(number)
    return taken(
        number,
        str(request["method"]).upper(),
        str(request["uri"]),
        at=at,
        request_headers=kept(asked),
        request_body=_bytes(request.get("body")),
        status=int(response["status"]["code"]),
        headers=kept(answered),
        begun=0.0,
        frames=spread(body, answered, 0.0, 0.0),
        coding=coding,
    )


def _pairs(told: Any) -> Headers:
    """Headers by name, each with a value or a list of them."""
    return tuple(
        (str(name), str(value))
        for name, values in (told or {}).items()
        for value in (values if isinstance(values, list) else [values])
    )


def _bytes(told: Any) -> bytes:
    """A body: a text, binary, none, or a mapping with one of these."""
    if isinstance(told, dict):
        if "base64_string" in told:
            return base64.b64decode(str(told["base64_string"]))
        told = told.get("string")
    if told is None:
        return b""
    return told if isinstance(told, bytes) else str(told).encode()


def cassette(takes: Iterable[Take]) -> dict[str, Any]:
    """The cassette of these takes, as vcrpy writes it; without those that had no answer, which it has no form for."""
    return {"interactions": [_interaction(take) for take in takes if take.status], "version": 1}


def _interaction(take: Take) -> dict[str, Any]:
    return {
        "request": {
            "body": _told(take.request_body) if take.request_body else None,
            "headers": _grouped(take.request_headers),
            "method": take.method,
            "uri": address(take),
        },
        "response": {
            "body": {"string": _told(take.body)},
            "headers": _grouped(take.headers),
            "status": {"code": take.status, "message": phrase(take.status)},
        },
    }


def _told(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _grouped(headers: Headers) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for name, value in headers:
        told.setdefault(name, []).append(value)
    return told
