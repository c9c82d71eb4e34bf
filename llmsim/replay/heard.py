"""What a recorded reply says, in nobody's dialect: its words, each with the place in the bytes where it was whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from llmsim.conversation import Block, Reply, Stop, ToolCall
from llmsim.errors import Failure
from llmsim.plan import Usage

Kind = Literal["text", "thought", "refusal", "call"]


@dataclass(slots=True, frozen=True)
class Word:
    """A part of the reply that came as one: `at` is the place behind its event in the body.

    Of a call `call` says which one; the first part of each has its `name` and perhaps its `id`, the others none.
    """

    at: int
    kind: Kind
    text: str
    choice: int = 0
    call: str = ""
    name: str = ""
    id: str = ""
    custom: bool = False


@dataclass(slots=True)
class Heard:
    """All that a recorded reply says; `usage` is as it was told, None where it was not."""

    words: list[Word] = field(default_factory=list)
    stop: Stop = Stop.END
    usage: Usage | None = None
    failure: Failure | None = None
    model: str = ""
    choices: int = 1

    def say(self, at: int, kind: Kind, text: Any, choice: int = 0) -> None:
        """Adds a text, where it is one and says something."""
        if isinstance(text, str) and text:
            self.words.append(Word(at, kind, text, choice))

    def call(self, at: int, call: object, text: Any, name: str = "", id: str = "", custom: bool = False) -> None:
        """Adds a part of a call's arguments; the first one opens it, by its name."""
        if name or (isinstance(text, str) and text):
            self.words.append(Word(at, "call", text if isinstance(text, str) else "", 0, str(call), name, id, custom))

    def reply(self, origin: str) -> Reply | None:
        """The reply as any dialect can word it; None where it says nothing, or has several alternatives."""
        if self.choices > 1 or any(word.choice for word in self.words) or (not self.words and self.failure):
            return None
        blocks: list[Block] = []
        for word in self.words:
            last = blocks[-1] if blocks else None
            if word.kind == "call":
                _called(blocks, word)
            elif last is not None and last.kind == word.kind:
                blocks[-1] = Block(word.kind, last.text + word.text)
            else:
                blocks.append(Block(word.kind, word.text))
        calls = tuple(block.call for block in blocks if block.call is not None)
        finish = None if self.stop is Stop.END and calls else self.stop
        return Reply(
            segments=tuple(block.text for block in blocks if block.kind in ("text", "refusal")),
            thought=tuple(block.text for block in blocks if block.kind == "thought"),
            calls=calls,
            refusal=any(block.kind == "refusal" for block in blocks),
            origin=origin,
            finish=finish,
            blocks=tuple(blocks),
        )


def _called(blocks: list[Block], word: Word) -> None:
    """Adds a part of a call to the call that it is of."""
    for at in range(len(blocks) - 1, -1, -1):
        call = blocks[at].call
        if call is not None and blocks[at].text == word.call and not word.name:
            more = ToolCall(call.id, call.name, call.arguments + word.text, call.custom)
            blocks[at] = Block("call", word.call, more)
            return
    if word.name:
        blocks.append(Block("call", word.call, ToolCall(word.id, word.name, word.text, word.custom)))


def listen(hear: Callable[[bytes], Heard | None], body: bytes) -> Heard | None:
    """What an API hears in a body; None where it is of another form than its own, as what came may be anything."""
    try:
        return hear(body)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, RecursionError):
        return None


_EVENT = re.compile(rb"\r?\n\r?\n|\r\r")
_DATA = re.compile(rb"^data:[ ]?(.*?)\r?$", re.MULTILINE)


def events(body: bytes) -> Iterator[tuple[int, Any]]:
    """The JSON of each server-sent event, each with the place behind it in the body; of a whole body that one.

    What is no JSON is passed over, as are comments and events that were cut.
    """
    start = body[:64].lstrip()
    if not start.startswith((b"data:", b"event:", b":", b"id:", b"retry:")):
        yield from _documents(body)
        return
    begin = 0
    for end in [found.end() for found in _EVENT.finditer(body)] + [len(body)]:
        data = b"\n".join(_DATA.findall(body[begin:end]))
        begin = end
        if data and (value := _json(data)) is not None:
            yield end, value


def _documents(body: bytes) -> Iterator[tuple[int, Any]]:
    """One document, the elements of an array, or a line each."""
    value = _json(body)
    if isinstance(value, list):
        yield from _elements(body)
    elif value is not None:
        yield len(body), value
    elif body[:1] == b"[":
        yield from _elements(body)  # an array that was cut
    else:
        at = 0
        for line in body.splitlines(keepends=True):
            at += len(line)
            if (value := _json(line)) is not None:
                yield at, value


def _elements(body: bytes) -> Iterator[tuple[int, Any]]:
    """The elements of an array with their places, as they are written one by one to a stream."""
    from json import JSONDecoder

    text, at, decoder = body.decode("latin-1"), 1, JSONDecoder(strict=False)
    while at < len(text):
        found = re.compile(r"[\s,]*").match(text, at)
        start = found.end() if found else at
        try:
            _, at = decoder.raw_decode(text, start)
        except ValueError:
            return
        yield at, _json(body[start:at])


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
