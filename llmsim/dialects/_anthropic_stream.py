"""Words a reply of Claude's as a stream of named events, or as one message.

Source: Anthropic API reference, "Streaming Messages", and what the SDK anthropic 2.12 makes of it: `message_start`,
for each block `content_block_start`, its deltas and `content_block_stop`, then `message_delta` and `message_stop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _anthropic_usage as told
from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_cache import Cached, PromptCache
from llmsim.dialects._anthropic_content import Content
from llmsim.dialects._anthropic_threads import Threads
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Call, Decline, End, Piece, Say, Script, Think

Json = dict[str, Any]

STOPS = {
    Stop.END: b"end_turn",
    Stop.LENGTH: b"max_tokens",
    Stop.SEQUENCE: b"stop_sequence",
    Stop.CALLS: b"tool_use",
    Stop.FILTER: b"refusal",
}
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'
_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_PLAIN_START = _START % (0, b'{"type":"text","text":""}') + PING


class MessageEncoder(Encoder):
    """Words one message; its beginning writes the prompt cache, its end the thread."""

    def __init__(self, exchange: Exchange, cache: PromptCache, threads: Threads) -> None:
        super().__init__(exchange)
        self._extra = exchange.ask.extra
        self._threads = threads
        # Made at once where it needs what the ask sheds at its end; a reply of plain text does without.
        self._made = None if self._extra["plain"] else Content(exchange, self._extra)
        self._id = wire.message_id(exchange)
        self._cached: Cached = self._extra["cached"]
        if self._cached.marks:
            cache.keep(self._cached)
        spent = exchange.plan.usage
        if (
            spent.prompt != exchange.ask.prompt_tokens or spent.cached != self._cached.read
        ):  # a mock tells its own, or a server
            self._cached = Cached(max(0, spent.prompt - spent.cached), spent.cached)
        self._index = -1
        self._open: object = None
        self._thought: list[str] = []
        self._said: list[str] = []
        self._declined = False
        self._ran = False
        self._script: Script | None = None
        script = exchange.plan.pieces
        if type(script) is Script and script.plain and self._extra["plain"]:
            self._script, self._bodies = script, bodies(script)

    @property
    def _content(self) -> Content:
        """Words the blocks."""
        if self._made is None:
            self._made = Content(self.exchange, self._extra)
        return self._made

    def headers(self) -> Headers:
        """Anthropic's headers."""
        return wire.headers(self.exchange)

    # -- streamed

    def open(self) -> bytes:
        """The message as it begins: what went in is known, what comes out is not."""
        first = 1 if self.exchange.plan.usage.completion else 0
        usage = told.at_start(self._cached, first, self._extra["geo"], self._extra["speed"])
        message = self._message(b"[]", b"null", b"null", usage)
        return b'event: message_start\ndata: {"type":"message_start","message":%b}\n\n' % message

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due, one event a token; a script of plain text takes the fast way."""
        script, end = self._script, self.exchange.cursor
        if script is None or self.exchange.plan.pieces is not script or len(script) < 2:
            return b"".join(list(map(self._worded, pieces)))
        start = end - len(pieces)
        if start:
            opening = b""
        else:
            opening, self._index, self._open = _PLAIN_START, 0, "text"
        if end < len(script):
            return opening + b"".join(self._bodies[start:end])
        return opening + b"".join(self._bodies[start : end - 1]) + self.frame(script[-1])

    def following(self) -> bytes:
        """One more token; of a script its event is ready."""
        exchange = self.exchange
        if exchange.plan.pieces is self._script:
            return self._bodies[exchange.cursor - 1]
        return super().following()

    def _worded(self, piece: Piece) -> bytes:
        """One piece's event; quick where it goes on with a text that is open."""
        if type(piece) is Say and self._open == "text":
            return _body(piece.text, self._index)
        return self.wording(piece)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event, with those that end the block before it and begin its own."""
        if isinstance(piece, Think):
            return self._think(piece)
        if isinstance(piece, Call):
            return self._call(piece)
        if isinstance(piece, Say):
            return self._say(piece)
        return self._end(piece) if isinstance(piece, End) else b""

    def _say(self, piece: Say) -> bytes:
        self._declined = self._declined or isinstance(piece, Decline)
        if self._extra["compacts"]:
            self._said.append(piece.text)
            return b""
        opening = b""
        if self._open != "text":
            opening = self._close() + self._run() + self._begin("text", {"type": "text", "text": ""})
        return opening + _body(piece.text, self._index)

    def _think(self, piece: Think) -> bytes:
        display = self._content.display
        if display == "redacted":
            return (
                b"" if self._open == "redacted" else self._begin("redacted", self._content.thinking("")) + self._stop()
            )
        opening = b""
        if self._open != "thinking":
            opening = self._begin("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        if display == "omitted":
            return opening
        self._thought.append(piece.text)
        return opening + _DELTA % (self._index, b'{"type":"thinking_delta","thinking":%b}' % piece.json)

    def _call(self, piece: Call) -> bytes:
        if not piece.opens:
            return _DELTA % (self._index, b'{"type":"input_json_delta","partial_json":%b}' % piece.json)
        opening = self._close() + self._run()
        if piece.index == 0:
            opening += b"".join(map(self._all, self._content.before(piece.call)))
        opening += self._begin(piece.call.id, self._content.tool_use(piece.call))
        return opening + _DELTA % (self._index, b'{"type":"input_json_delta","partial_json":""}')

    def _run(self) -> bytes:
        """The blocks of the server's own tool, before the first word of the answer."""
        if self._ran or self._extra["server"] is None:
            return b""
        self._ran = True
        run = self._content.run
        return b"".join(map(self._all, run.blocks)) if run is not None else b""

    def _all(self, block: Json) -> bytes:
        """A block that is there all at once; what a tool is called with comes as a delta all the same."""
        if block["type"] != "server_tool_use":
            return self._begin("whole", block) + self._stop()
        text = orjson.dumps({"type": "input_json_delta", "partial_json": orjson.dumps(block["input"]).decode()})
        empty = _DELTA % (self._index + 1, b'{"type":"input_json_delta","partial_json":""}')
        return self._begin("whole", {**block, "input": {}}) + empty + _DELTA % (self._index, text) + self._stop()

    def _begin(self, what: object, block: Json) -> bytes:
        self._index += 1
        self._open = what
        return _START % (self._index, orjson.dumps(block)) + (b"" if self._index else PING)

    def _stop(self) -> bytes:
        return _STOP % self._index

    def _close(self) -> bytes:
        """The end of the block that is open: of thinking its signature, of text its citation."""
        what, self._open = self._open, None
        if what is None or what in ("redacted", "whole"):
            return b""
        last: Json | None = None
        if what == "thinking":
            block = self._content.thinking("".join(self._thought))
            last = {"type": "signature_delta", "signature": block["signature"]}
        elif not self._extra["plain"] and what == "text" and self._content.citation is not None:
            last = {"type": "citations_delta", "citation": self._content.citation}
        return (_DELTA % (self._index, orjson.dumps(last)) if last is not None else b"") + self._stop()

    def _end(self, piece: End) -> bytes:
        closing = self._close()
        if self._extra["compacts"]:
            closing += self._compacted()
        reason, sequence = self._stopped(piece)
        delta = b'{"stop_reason":%b,"stop_sequence":%b,"stop_details":%b%b}' % (
            reason,
            sequence,
            _details(reason),
            self._container(),
        )
        usage = told.at_end(self._cached, self.exchange.plan.usage, self._counts)
        return closing + (
            b'event: message_delta\ndata: {"type":"message_delta","delta":%b,"usage":%b%b}\n\n'
            % (delta, usage, self._managed())
        )

    @property
    def _counts(self) -> Json | None:
        run = None if self._extra["plain"] else self._content.run
        return run.counts if run is not None else None

    def _compacted(self) -> bytes:
        block = self._content.compaction("".join(self._said))
        delta = {"type": "compaction_delta", "content": block["content"]}
        opening = self._begin("whole", {**block, "content": ""})
        return opening + _DELTA % (self._index, orjson.dumps(delta)) + self._stop()

    def close(self) -> bytes:
        """The end of the message; from here on it can be gone on with, where the client asked for a thread."""
        self._keep(self.exchange.plan.pieces)
        return _MESSAGE_STOP

    def fail(self, failure: Failure) -> bytes:
        """An error as an event of its own."""
        return wire.error_event(failure, self.exchange)

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The message as one object."""
        end, plain = pieces[-1], self._script is pieces
        self._declined = not plain and any(isinstance(piece, Decline) for piece in pieces)
        reason, sequence = self._stopped(end) if isinstance(end, End) else (b"null", b"null")
        content = plain_content(pieces) if plain else orjson.dumps(self._content.whole(pieces))
        if isinstance(end, End):
            self._keep(pieces)
        spent, extra = self.exchange.plan.usage, self._extra
        usage = told.whole(self._cached, spent, self._counts, extra["geo"], extra["speed"])
        return self._message(content, reason, sequence, usage, self._container() + self._managed())

    # -- both

    def _message(self, content: bytes, reason: bytes, sequence: bytes, usage: bytes, more: bytes = b"") -> bytes:
        return (
            b'{"model":%b,"id":"%b","type":"message","role":"assistant","content":%b,"stop_reason":%b,'
            b'"stop_sequence":%b,"stop_details":%b%b,"usage":%b}'
        ) % (
            _json(self._extra["answers_as"]),
            self._id.encode(),
            content,
            reason,
            sequence,
            _details(reason),
            more,
            usage,
        )

    def _stopped(self, end: End) -> tuple[bytes, bytes]:
        """The stop reason and the stop sequence as JSON."""
        if self._extra["refuses"] or self._declined:
            return b'"refusal"', b"null"
        if self._extra["compacts"]:
            return b'"compaction"', b"null"
        sequence = orjson.dumps(end.sequence) if end.sequence is not None else b"null"
        return b'"%b"' % STOPS[end.stop], sequence

    def _container(self) -> bytes:
        run = None if self._extra["plain"] else self._content.run
        return b',"container":' + orjson.dumps(run.container) if run is not None and run.container else b""

    def _managed(self) -> bytes:
        return b',"context_management":{"applied_edits":[]}' if self._extra["manages"] else b""

    def _keep(self, pieces: Sequence[Piece]) -> None:
        thread, before = self._extra["thread"]
        if thread is not None and not self._extra["refuses"]:
            self._threads.keep(self._id, thread, before, self._content.whole(pieces))


def bodies(script: Script) -> list[bytes]:
    """The event of each token of a script of plain text, made once for the script."""
    made: list[bytes] | None = script.memo.get(MessageEncoder)
    if made is None:
        made = [_body(piece.text, 0) for piece in script[:-1] if isinstance(piece, Say)]
        script.memo[MessageEncoder] = made
    return made


@lru_cache(maxsize=1 << 15)
def _body(text: str, index: int) -> bytes:
    """The event of a token; one object for every occurrence of it."""
    return _DELTA % (index, b'{"type":"text_delta","text":%b}' % orjson.dumps(text))


def plain_content(script: Sequence[Piece]) -> bytes:
    """The content of a script of plain text, made once."""
    assert isinstance(script, Script)
    made: bytes | None = script.memo.get("anthropic")
    if made is None:
        text = "".join([piece.text for piece in script if isinstance(piece, Say)])
        made = b"%b" % orjson.dumps([{"type": "text", "text": text}] if text else [])
        script.memo["anthropic"] = made
    return made


@lru_cache(maxsize=256)
def _json(text: str) -> bytes:
    return b"%b" % orjson.dumps(text)


def _details(reason: bytes) -> bytes:
    return b'{"type":"refusal","category":null,"explanation":null}' if reason == b'"refusal"' else b"null"


class CountEncoder(Encoder):
    """Words a count of tokens."""

    def headers(self) -> Headers:
        """Anthropic's headers."""
        return wire.headers(self.exchange)

    def frame(self, piece: Piece) -> bytes:
        """Nothing: a count is not streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """An error as an event of its own."""
        return wire.error_event(failure, self.exchange)

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The count."""
        return b'{"input_tokens":%d}' % self.exchange.ask.extra["count"]
