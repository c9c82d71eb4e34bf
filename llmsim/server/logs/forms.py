"""How a line of the log is worded: for people, or as one JSON object; no text of a client can pass for a line."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from time import gmtime, strftime
from typing import Any

import orjson

from llmsim import masks
from llmsim.exchange import Exchange

LONGEST = 8192
"""Characters of a message, and of the story of an error; the middle of what is longer is left out."""

# All that a terminal or a reader of lines would obey, or that nobody sees: controls, the ends of lines, marks of
# direction, signs without width, tags.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_PLAIN = re.compile(r"[^\s\"'=\\]+")


def shown(text: str) -> str:
    r"""The text with every sign that would be obeyed as the escape it is written by: `\x1b`, `\u202e`."""
    return text if text.isascii() and text.isprintable() else _OBEYED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code) or ascii(found[0])[1:-1]


def _escape_in_json(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 1 << 16:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + ((code - (1 << 16)) >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def fields(record: logging.LogRecord) -> Mapping[str, Any]:
    """What a record says in fields: those it was given, and the ids of the exchange that it is about."""
    given: Mapping[str, Any] = getattr(record, "fields", {})
    exchange = getattr(record, "exchange", None)
    return {**ids(exchange), **given} if exchange is not None else given


def ids(exchange: Exchange) -> dict[str, Any]:
    """The number of an exchange, and the request's id as its client has it, where its API gives one."""
    told: dict[str, Any] = {"exchange": exchange.number}
    if exchange.asked is not None and (id := exchange.asked[0].request_id(exchange)):
        told["request_id"] = id
    return told


class _Form(logging.Formatter):
    def message(self, record: logging.LogRecord) -> str:
        """What the record says, without secrets."""
        told = record.getMessage()
        return masks.text(told if len(told) <= LONGEST else _cut(told))

    def story(self, record: logging.LogRecord) -> str:
        """The traceback, if there is one."""
        if not record.exc_info:
            return ""
        told = self.formatException(record.exc_info)
        return masks.text(told if len(told) <= 2 * LONGEST else f"{_cut(told[:-LONGEST])}{told[-LONGEST:]}")


class TextForm(_Form):
    """`2026-11-28 22:17:05,123 INFO llmsim: message name=value`; each line of a traceback is set in."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        head = f"{self.formatTime(record)} {record.levelname} {record.name}: {shown(self.message(record))}"
        spoken = getattr(record, "spoken", ())  # fields that the message says already
        told = " ".join(f"{name}={_worth(value)}" for name, value in fields(record).items() if name not in spoken)
        line = f"{head} {told}" if told else head
        story = self.story(record)
        return "\n    | ".join((line, *map(shown, story.splitlines()))) if story else line


class JsonForm(_Form):
    """One JSON object a line: `time` (UTC, RFC 3339), `level`, `logger`, `message`, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as JSON."""
        seconds, millis = divmod(int(record.created * 1000), 1000)
        told: dict[str, Any] = {
            "time": f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{millis:03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
            **fields(record),
        }
        if story := self.story(record):
            told["exception"] = story
        return _OBEYED.sub(_escape_in_json, _json(told))


def _json(told: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(told, default=str).decode()
    except orjson.JSONEncodeError:  # half a pair of surrogates, which UTF-8 cannot hold
        import json

        return json.dumps(told, default=str)


def _worth(value: Any) -> str:
    told = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = shown(told.lower() if isinstance(value, bool) else told)
    return text if _PLAIN.fullmatch(text) else '"' + text.replace('"', '\\"') + '"'


def _cut(told: str) -> str:
    return f"{told[:LONGEST]} … {len(told) - LONGEST} more characters "
