"""Takes as an HTTP Archive (HAR 1.2) and back, for browsers' developer tools, mitmproxy, Charles and the like.

The format: http://www.softwareishard.com/blog/har-12-spec/. It has no place for when the parts of a body came: those
that are written here keep it in a field of their own, `_frames`, with the moment and the length of each.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from llmsim import __version__
from llmsim.errors import TapeError
from llmsim.tapes import Frame, Headers, Take
from llmsim.taping.asked import address, kept, phrase, spread, taken

_ENDS = {"cut": "The connection was cut before the end.", "left": "The client left before the end."}


def mine(raw: Any) -> bool:
    """Whether a document is an archive."""
    return isinstance(raw, dict) and isinstance(raw.get("log"), dict) and isinstance(raw["log"].get("entries"), list)


# -- reading


def takes(raw: Any, notes: list[str]) -> Iterator[Take]:
    """The exchanges of an archive; `notes` are told what it does not say. Raises TapeError."""
    spaced = False
    for number, entry in enumerate(raw["log"]["entries"], 1):
        try:
            told, known = _take(number, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TapeError(f"log.entries[{number - 1}]: it cannot be read: {error!r}") from None
        spaced = spaced or not known
        yield told
    if spaced:
        notes.append("an archive does not say when the events of a stream came: they are spread evenly over its time")


def _take(number: int, entry: dict[str, Any]) -> tuple[Take, bool]:
    """The take, and whether the moments of its frames are known."""
    request, response, timings = entry["request"], entry["response"], entry.get("timings") or {}
    asked, answered = _pairs(request), _pairs(response)
    body = _content(response.get("content") or {})  # which an archive has decoded
    wait = max(0.0, float(timings.get("wait") or 0.0)) / 1000
    before = sum(max(0.0, float(timings.get(name) or 0.0)) for name in ("blocked", "dns", "connect", "send")) / 1000
    ended = wait + max(0.0, float(timings.get("receive") or 0.0)) / 1000
    frames = _frames(response, body)
    status = int(response.get("status") or 0)
    comment = response.get("comment") or ""
    end = next((end for end, told in _ENDS.items() if told == comment), "done" if status > 0 else "error")
    told = taken(
        number,
        str(request["method"]),
        str(request["url"]),
        at=datetime.fromisoformat(str(entry["startedDateTime"]).replace("Z", "+00:00")).timestamp() + before,
        request_headers=kept(asked),
        request_body=_posted(request.get("postData") or {}),
        status=max(0, status),
        headers=kept(answered),
        begun=wait if status > 0 else None,
        frames=frames or spread(body, answered, wait, ended),
        end=end,
        ended=ended,
        error=str(response.get("_error") or ""),
    )
    return told, bool(frames) or len(told.frames) < 2


def _pairs(message: dict[str, Any]) -> Headers:
    """The headers; those of HTTP/2 that begin with a colon are none."""
    told = ((str(one["name"]), str(one["value"])) for one in message.get("headers") or ())
    return tuple(one for one in told if not one[0].startswith(":"))


def _posted(data: dict[str, Any]) -> bytes:
    text = str(data.get("text") or "")
    if data.get("encoding") == "base64":
        return base64.b64decode(text)
    return text.encode()


def _content(content: dict[str, Any]) -> bytes:
    text = str(content.get("text") or "")
    if content.get("encoding") != "base64":
        return text.encode()
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise ValueError(f"content: {error}") from None


def _frames(response: dict[str, Any], body: bytes) -> tuple[Frame, ...]:
    """The frames where they were kept, and fit the body."""
    told = response.get("_frames")
    if not isinstance(told, list) or sum(int(length) for _, length in told) != len(body):
        return ()
    made, at = [], 0
    for moment, length in told:
        made.append(Frame(float(moment), body[at : at + int(length)]))
        at += int(length)
    return tuple(made)


# -- writing


def archive(takes: Iterable[Take]) -> dict[str, Any]:
    """The archive of these takes."""
    creator = {"name": "llmsim", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(take) for take in takes]}}


def _entry(take: Take) -> dict[str, Any]:
    wait = round(1000 * (take.begun if take.begun is not None else take.ended), 3)
    receive = round(max(0.0, 1000 * take.ended - wait), 3)
    moment = datetime.fromtimestamp(take.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "startedDateTime": moment,
        "time": round(wait + receive, 3),
        "request": _request(take),
        "response": _response(take),
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": wait, "receive": receive},
        "comment": take.id,
    }


def _request(take: Take) -> dict[str, Any]:
    made: dict[str, Any] = {
        "method": take.method,
        "url": address(take),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in take.request_headers],
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(take.query, True)],
        "headersSize": -1,
        "bodySize": len(take.request_body),
    }
    if take.request_body:
        text, encoding = _text(take.request_body)
        kind = take.request_header("content-type") or "application/json"
        made["postData"] = {"mimeType": kind, "params": [], "text": text, **encoding}
    return made


def _response(take: Take) -> dict[str, Any]:
    text, encoding = _text(take.body)
    kind = take.header("content-type") or "x-unknown"
    return {
        "status": take.status,
        "statusText": phrase(take.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in take.headers],
        "content": {"size": len(take.body), "mimeType": kind, "text": text, **encoding},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(take.body),
        "comment": _ENDS.get(take.end, ""),
        "_frames": [[round(frame.at, 6), len(frame.data)] for frame in take.frames],
        **({"_error": take.error or "no answer"} if take.end == "error" else {}),
    }


def _text(data: bytes) -> tuple[str, dict[str, str]]:
    try:
        return data.decode(), {}
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), {"encoding": "base64"}
