"""Words the replies of the Responses API: as a stream of events, or whole.

Source: OpenAI API reference, responses and responses streaming.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import Encoder, Headers, garbled
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.dialects._openai_responses_body import INCOMPLETE, Body
from llmsim.dialects._openai_responses_composer import Composer
from llmsim.dialects._openai_responses_drafts import Scene
from llmsim.dialects._openai_responses_events import Events, bodies
from llmsim.dialects._openai_responses_hosted import runs
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_wanted import Wanted
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Drop, End, Garbled, Piece, Say, Script, Think

Keep = Callable[[str, bytes], bytes]
"""Keeps the response of that id as it ended for those who come back for it; gives it as the client is told it."""

# The events before and after plain text, from their numbers on.
_BEGINS = (
    b'event: response.output_item.added\ndata: {"type":"response.output_item.added","sequence_number":%d,'
    b'"output_index":0,"item":{"id":"%b","type":"message","status":"in_progress","content":[],"role":"assistant"}%b}\n\n'
    b'event: response.content_part.added\ndata: {"type":"response.content_part.added","sequence_number":%d,'
    b'"item_id":"%b","output_index":0,"content_index":0,'
    b'"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}%b}\n\n'
)
_ENDS = (
    b'event: response.output_text.done\ndata: {"type":"response.output_text.done","sequence_number":%d,'
    b'"item_id":"%b","output_index":0,"content_index":0,"text":%b,"logprobs":[]%b}\n\n'
    b'event: response.content_part.done\ndata: {"type":"response.content_part.done","sequence_number":%d,'
    b'"item_id":"%b","output_index":0,"content_index":0,"part":%b%b}\n\n'
    b'event: response.output_item.done\ndata: {"type":"response.output_item.done","sequence_number":%d,'
    b'"output_index":0,"item":%b%b}\n\n'
)


class ResponsesEncoder(Encoder):
    """Words one response; `source` is the exchange that makes it where another one only replays it."""

    def __init__(
        self, exchange: Exchange, wanted: Wanted, wall: Callable[[], int], keep: Keep, source: Exchange | None = None
    ) -> None:
        super().__init__(exchange)
        self.wanted = wanted
        self._source = source or exchange
        self._wall = wall
        self._keep = keep
        self._ids = ids = Ids(self._source)
        self._body = Body(self._source, wanted, ids)
        self._events = Events(exchange.ask.stream, wanted.stream_id)
        script = exchange.plan.pieces
        plain = type(script) is Script and script.plain and wanted.top is None and not wanted.uses
        self._script: Script | None = script if plain and not wanted.compacts else None  # type: ignore[assignment]
        self._composer: Composer | None = None
        self._output = b""
        self._told = 0
        self._id = self._middle = b""
        self._texts: Sequence[bytes] = ()

    def headers(self) -> Headers:
        """OpenAI's headers, the time to the first token as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    def composer(self) -> Composer:
        """What puts the output together where it is more than plain text."""
        if self._composer is None:
            wanted, source = self.wanted, self._source
            logprobs = None if wanted.top is None else Logprobs(source, wanted.top)
            first = 1 if isinstance(_first(source), Think) else 0
            used = runs(wanted.uses, self._ids, source.seed, wanted.hint, wanted.include, first)
            self._composer = Composer(Scene(self._events, self._ids, wanted, logprobs), used)
        return self._composer

    # -- streamed

    def open(self) -> bytes:
        """The response as it begins, and what can be told before its first word."""
        event = self._events.event
        if self.wanted.background:
            queued = b'"response":' + self._body.pending(b"queued")
            told = event(b"response.created", queued) + event(b"response.queued", queued)
            told += event(b"response.in_progress", b'"response":' + self._body.pending(b"in_progress"))
        else:
            begun = b'"response":' + self._body.pending(b"in_progress")
            told = event(b"response.created", begun) + event(b"response.in_progress", begun)
        return told if self._script is not None else told + self.composer().begin(_first(self.exchange))

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due, one event a token; a script of plain text takes the fast way."""
        script = self._script
        if script is None:
            return super().frames(pieces)
        if self.exchange.plan.pieces is not script:
            return self._diverted(pieces)
        start = self._told
        self._told = end = start + len(pieces)
        if start and end < len(script):
            return self._events.texts(self._middle, self._texts[start:end])
        told = [] if start else [self._speech_begins(script)]
        if not start and end == len(script) > 1:
            told += (self._events.all_texts(self._middle, script, self.wanted.obfuscates), self._speech_ends(script))
            return b"".join(told)
        texts = self._texts[start:end]
        if texts:
            told.append(self._events.texts(self._middle, texts))
        if end == len(script):
            told.append(self._speech_ends(script))
        return b"".join(told)

    def _speech_begins(self, script: Script) -> bytes:
        """The events before plain text, which are those of the drafts without their detours."""
        self._id = id = self._ids.item("msg_", 0).encode()
        self._middle = b',"item_id":"%b","output_index":0,"content_index":0%b' % (id, self._events.lane)
        self._texts = bodies(script, self.wanted.obfuscates)
        number, lane = self._numbers(2), self._events.lane
        return _BEGINS % (number, id, lane, number + 1, id, lane)

    def _speech_ends(self, script: Script) -> bytes:
        """The events after plain text."""
        id, lane = self._id, self._events.lane
        text, part = _spoken(script)
        self._output = item = self._message(script, id, part)
        number = self._numbers(3)
        return _ENDS % (number, id, text, lane, number + 1, id, part, lane, number + 2, item, lane)

    def _numbers(self, count: int) -> int:
        """The number of the next event, of so many that are told together."""
        number = self._events.count
        self._events.count += count
        return number

    def _message(self, script: Script, id: bytes, part: bytes) -> bytes:
        """The message item of plain text."""
        status = b"incomplete" if _end(script).stop in INCOMPLETE else b"completed"
        return b'{"id":"%b","type":"message","status":"%b","content":[%b],"role":"assistant"}' % (id, status, part)

    def _diverted(self, pieces: Sequence[Piece]) -> bytes:
        """Pieces of a plan that was changed in mid-stream: from here on the detours are taken."""
        composer = self.composer()
        self._events.sent, self._script = False, None
        for piece in self.exchange.plan.pieces[: self._told]:
            composer.turn(piece)
            composer.take(piece)
        self._events.sent = True
        return super().frames(pieces)

    def frame(self, piece: Piece) -> bytes:
        """One piece's events, after those that have to come before it."""
        composer = self.composer()
        return composer.turn(piece) + composer.take(piece)

    def wording(self, piece: Piece) -> bytes:
        """One piece's events; where it is to arrive spoiled, the data of its own event is."""
        if not isinstance(piece, Garbled):
            return self.frame(piece)
        composer = self.composer()
        before, told = composer.turn(piece.piece), composer.take(piece.piece)
        name, line, data = told.partition(b"data: ")
        return before + name + garbled(line + data, piece.how) if told else before

    def close(self) -> bytes:
        """The response as it ended."""
        body = self._ended()
        status = b"incomplete" if self._stop() in INCOMPLETE else b"completed"
        return self._events.event(b"response." + status, b'"response":' + body)

    def fail(self, failure: Failure) -> bytes:
        """The response as far as it came, and what went wrong."""
        if self._script is not None:
            self._diverted(())
        composer = self.composer()
        self._events.sent = False
        composer.finish()
        self._events.sent = True
        body = self._keep(self._ids.response, self._body.failed(failure, composer.output))
        if b'"status":"cancelled"' in body[:200]:
            # There is no event for it: the stream just ends.
            return b""
        return self._events.event(b"response.failed", b'"response":' + body)

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The response as one object; it is not kept where the connection is to be cut in it."""
        if self._script is not None and pieces is self._script:
            id = self._ids.item("msg_", 0).encode()
            self._output = self._message(self._script, id, _spoken(self._script)[1])
        else:
            composer = self.composer()
            composer.begin(_first(self.exchange))
            for piece in pieces:
                plain = piece.piece if isinstance(piece, Garbled) else piece
                composer.turn(plain)
                composer.take(plain)
            composer.finish()
        if isinstance(self.exchange.plan.pieces[-1], Drop):
            self._keep = _forget
        return self._ended()

    def _stop(self) -> Stop | None:
        return _end(self._script).stop if self._script is not None else self.composer().stop

    def _ended(self) -> bytes:
        """The response at its end, which is kept."""
        output = self._output if self._script is not None else self.composer().output
        body = self._body.ended(self._stop(), output, self.exchange.plan.usage, self._wall())
        return self._keep(self._ids.response, body)


def _forget(id: str, body: bytes) -> bytes:
    """Keeps nothing."""
    return body


def _first(exchange: Exchange) -> Piece | None:
    """The first piece of a plan as it was meant."""
    first = exchange.plan.pieces[0] if exchange.plan.pieces else None
    return first.piece if isinstance(first, Garbled) else first


def _end(script: Script) -> End:
    last = script[-1]
    assert isinstance(last, End)
    return last


def _spoken(script: Script) -> tuple[bytes, bytes]:
    """The text of a plain script and the content part that it is, as JSON, made once."""
    made: tuple[bytes, bytes] | None = script.memo.get(ResponsesEncoder)
    if made is None:
        text = orjson.dumps("".join([piece.text for piece in script if isinstance(piece, Say)]))
        part = b'{"type":"output_text","annotations":[],"logprobs":[],"text":%b}' % text
        made = script.memo[ResponsesEncoder] = (text, part)
    return made
