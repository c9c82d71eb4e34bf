"""OpenAI's chat completions, whole and streamed.

Source: OpenAI API reference, chat completions and chat completions streaming.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from llmsim.conversation import Ask, Stop
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_chat_request import read_chat
from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.dialects._openai_served import heed, is_openais, usage_so_far
from llmsim.dialects._openai_stored_chat import keep
from llmsim.errors import Failure, Path
from llmsim.exchange import Exchange
from llmsim.plan import Call, Decline, Drop, End, Garbled, Piece, Say, Script, Think, Usage
from llmsim.store import Store

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

FINISH = {
    Stop.END: "stop",
    Stop.SEQUENCE: "stop",
    Stop.LENGTH: "length",
    Stop.CALLS: "tool_calls",
    Stop.FILTER: "content_filter",
}

# Padding that hides a token's length from whoever watches the size of the packets; by the length that is missing.
_PAD = 12
_NOISE = "q7Xw2LmZc9Ru"
_TAILS = [b'},"logprobs":null,"finish_reason":null}],"obfuscation":"%b"}\n\n' % _NOISE[:n].encode() for n in range(13)]
_BARE = b'},"logprobs":null,"finish_reason":null}]}\n\n'
_SAYING = b'{"index":0,"delta":{"content":'


class OpenAIChat(Dialect):
    """`POST /v1/chat/completions`."""

    kind: ClassVar[str] = "openai_chat"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """Creation; stored completions are another dialect's."""
        return [Route("POST", "/v1/chat/completions", read=self.read)]

    def read(self, request: Request) -> Ask:
        """The ask of a request body; raises Refused as OpenAI refuses."""
        return read_chat(request.body)

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _openai_heard

        return _openai_heard.chat(body)

    def forgives(self, model: str) -> bool:
        """Whether another than OpenAI serves the model."""
        return not is_openais(model)

    def heed(self, ask: Ask, told: Mapping[Path, Any]) -> None:
        """Takes up what vLLM knows; raises Refused."""
        heed(ask, told)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        unusual = exchange.ask.extra.get("encoder")
        if unusual:
            return StoringEncoder(exchange, self.desk.store) if unusual == "storing" else CountingEncoder(exchange)
        return ChatEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


class ChatEncoder(Encoder):
    """Words one chat completion: `data:` lines without event names, `[DONE]` at the end."""

    _script: Script | None = None

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        ask, get = exchange.ask, exchange.ask.extra.get
        self._logprobs = Logprobs(exchange, ask.extra["top_logprobs"]) if get("logprobs") else None
        if ask.stream:
            self._usage, self._pads = get("include_usage", False), get("obfuscate", False)
            self._head = _head(ask.model, get("service_tier"), self._usage) % _identity(exchange)
            self._opened: set[int] = set()
            script = exchange.plan.pieces
            if type(script) is Script and script.plain and self._logprobs is None:
                self._script, self._bodies = script, bodies(script, self._pads)
                self._saying = self._head + _SAYING

    @property
    def _base(self) -> bytes:
        """The fields of every event, or of the whole reply, that come before its choices."""
        ask = self.exchange.ask
        return _base(ask.model, ask.extra.get("service_tier"), ask.stream) % _identity(self.exchange)

    def headers(self) -> Headers:
        """OpenAI's headers, the time to the first token as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    # -- streamed

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due, one event a token."""
        return self._events(pieces, b"")

    def following(self) -> bytes:
        """One more token; of a script its event is ready."""
        exchange = self.exchange
        if exchange.plan.pieces is self._script:
            return self._saying + self._bodies[exchange.cursor]
        return super().following()

    def last(self, pieces: Sequence[Piece]) -> bytes:
        """The last events and the end mark."""
        return self._events(pieces, self.close())

    def _events(self, pieces: Sequence[Piece], close: bytes) -> bytes:
        """The pieces' events and what follows them; a script of plain text takes the fast way."""
        script, end = self._script, self.exchange.cursor
        if script is None or self.exchange.plan.pieces is not script:
            return super().frames(pieces) + close
        told = self._bodies[end - len(pieces) : end + 1]  # the first of them was told; what opens is in its place
        told[0] = b"" if self._opened else self._open(0, b'""')
        if end == len(script):
            told[-1] += self._head + _ending(self._finish(script[-1]))  # type: ignore[arg-type]
        told[-1] += close
        return self._saying.join(told)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event, after the role event where it is its choice's first."""
        if isinstance(piece, Think):
            return b""
        opening = self._open(piece.choice, b"null" if isinstance(piece, Call) else b'""')
        return opening + self._chunk(piece.choice, *self._delta(piece), pads=not isinstance(piece, End))

    def _open(self, choice: int, content: bytes) -> bytes:
        """The event that brings a choice's role, once."""
        if choice in self._opened:
            return b""
        self._opened.add(choice)
        return self._head + _opening(choice, content, self._pads)

    def _delta(self, piece: Piece) -> tuple[bytes, bytes, bytes]:
        """A piece's delta, logprobs and finish reason as JSON."""
        logprobs = self._logprobs.streamed(piece) if self._logprobs is not None else b"null"
        if isinstance(piece, End):
            return b"{}", b"null", orjson.dumps(self._finish(piece))
        if isinstance(piece, Call):
            return orjson.dumps(self._call_delta(piece)), b"null", b"null"
        if isinstance(piece, Decline):
            return b'{"refusal":%b}' % piece.json, logprobs, b"null"
        if isinstance(piece, Say):
            return b'{"content":%b}' % piece.json, logprobs, b"null"
        return b"{}", b"null", b"null"

    def _chunk(self, choice: int, delta: bytes, logprobs: bytes, finish: bytes, pads: bool = True) -> bytes:
        return self._head + _chunk(choice, delta, logprobs, finish, pads and self._pads)

    def _call_delta(self, piece: Call) -> dict[str, Any]:
        """A fragment of a tool call: id and name come once."""
        call = piece.call
        if self.exchange.ask.extra.get("legacy_functions"):
            named = {"name": call.name} if piece.opens else {}
            return {"function_call": {**named, "arguments": piece.text}}
        sort, body = ("custom", "input") if call.custom else ("function", "arguments")
        if piece.opens:
            fragment = {"id": call.id, "type": sort, sort: {"name": call.name, body: piece.text}}
        else:
            fragment = {sort: {body: piece.text}}
        return {"tool_calls": [{"index": piece.index, **fragment}]}

    def _finish(self, end: End) -> str:
        if end.stop is not Stop.CALLS:
            return FINISH[end.stop]
        ask = self.exchange.ask
        # A call that the client forced by name ends with "stop"; one the model chose says that it is a call.
        if ask.tool_choice.mode == "named":
            return "stop"
        return "function_call" if ask.extra.get("legacy_functions") else "tool_calls"

    def close(self) -> bytes:
        """The usage event where it was asked for, then the end mark."""
        if not self._usage:
            return b"data: [DONE]\n\n"
        spent = usage(self.exchange.plan.usage)
        return b'data: %b,"choices":[],"usage":%b}\n\ndata: [DONE]\n\n' % (self._base, spent)

    def fail(self, failure: Failure) -> bytes:
        """An error object as an event of its own."""
        return b"data: " + orjson.dumps(wire.error_body(failure, self.exchange.ask.model)) + b"\n\n"

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The completion as one object."""
        if type(pieces) is Script and pieces.plain and self._logprobs is None:
            choices = self._plain(pieces)
        else:
            choices = orjson.dumps([self._choice(pieces, index) for index in range(self.exchange.ask.n)])
        return b'%b,"choices":%b,"usage":%b}' % (self._base, choices, usage(self.exchange.plan.usage))

    def _plain(self, script: Script) -> bytes:
        """The choices of a script of plain text, made once."""
        choices: bytes | None = script.memo.get(OpenAIChat)
        if choices is None:
            choices = script.memo[OpenAIChat] = b"%b" % orjson.dumps([self._choice(script, 0)])
        return choices

    def _choice(self, pieces: Sequence[Piece], index: int) -> dict[str, Any]:
        said: list[str] = []
        declined: list[str] = []
        calls: dict[int, list[Call]] = {}
        finish = "stop"
        for piece in pieces:
            if piece.choice != index:
                continue
            plain = piece.piece if type(piece) is Garbled else piece
            kind = type(plain)
            if kind is Say:
                said.append(plain.text)  # type: ignore[attr-defined]
            elif isinstance(plain, Call):
                calls.setdefault(plain.index, []).append(plain)
            elif isinstance(plain, Decline):
                declined.append(plain.text)
            elif isinstance(plain, End):
                finish = self._finish(plain)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if declined or (calls and not said) else "".join(said),
            "refusal": "".join(declined) if declined else None,
            "annotations": [],
        }
        if calls:
            message.update(self._calls(list(calls.values())))
        logprobs = self._logprobs.whole(pieces, index) if self._logprobs is not None else None
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}

    def _calls(self, calls: list[list[Call]]) -> dict[str, Any]:
        """The message's calls, from their fragments."""
        worded = []
        for fragments in calls:
            call, text = fragments[0].call, "".join(fragment.text for fragment in fragments)
            sort, body = ("custom", "input") if call.custom else ("function", "arguments")
            worded.append({"id": call.id, "type": sort, sort: {"name": call.name, body: text}})
        if self.exchange.ask.extra.get("legacy_functions"):
            return {"function_call": worded[0]["function"]}
        return {"tool_calls": worded}


class CountingEncoder(ChatEncoder):
    """Words a stream whose every event tells the usage so far, as vLLM does for `continuous_usage_stats`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._script, self._spent = None, dict.fromkeys(range(exchange.ask.n), 0)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event; the one that brings the role has not counted it yet."""
        prompt, choice = self.exchange.plan.usage.prompt, piece.choice
        self._head = usage_so_far(self._base, prompt, self._spent[choice])
        opening = b"" if isinstance(piece, Think) else self._open(choice, b"null" if isinstance(piece, Call) else b'""')
        self._spent[choice] += piece.tokens
        self._head = usage_so_far(self._base, prompt, self._spent[choice])
        return opening + super().frame(piece)


class StoringEncoder(ChatEncoder):
    """Words a chat completion that the client wants stored, and keeps it when it has come to its end."""

    def __init__(self, exchange: Exchange, store: Store) -> None:
        super().__init__(exchange)
        self._store = store

    def close(self) -> bytes:
        """What ends the stream, which is kept in the form of a whole reply."""
        keep(self._store, self.exchange, super().whole(self.exchange.plan.pieces))
        return super().close()

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The completion as one object, which is kept unless the connection is to be cut in it."""
        worded = super().whole(pieces)
        if not isinstance(self.exchange.plan.pieces[-1], Drop):
            keep(self._store, self.exchange, worded)
        return worded


def _identity(exchange: Exchange) -> tuple[int, int, float]:
    """What tells a reply from all others: its id, which is `wire.token`'s formatted in one go, and its time."""
    high, low = wire.ids(exchange)
    return high, low >> 12, exchange.wall


def bodies(script: Script, pads: bool) -> list[bytes]:
    """All of each text event but its head, made once for a script; before them the place of what opens the stream."""
    made: list[bytes] | None = script.memo.get((OpenAIChat, pads))
    if made is None:
        made = [b"", *(_body(piece.text, pads) for piece in script[:-1] if isinstance(piece, Say))]
        script.memo[OpenAIChat, pads] = made
    return made


@lru_cache(maxsize=1 << 15)
def _body(text: str, pads: bool) -> bytes:
    """A text event from its content on; one object for every occurrence of the token."""
    return orjson.dumps(text) + (_TAILS[max(0, _PAD - len(text))] if pads else _BARE)


def usage(spent: Usage) -> bytes:
    """A usage object; thinking is part of the completion."""
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
        b'"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0,'
        b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    ) % (spent.prompt, spent.completion, spent.prompt + spent.completion, spent.cached, spent.thinking)


@lru_cache(maxsize=1024)
def _base(model: str, tier: str | None, stream: bool) -> bytes:
    """The fields of every reply of a model, left open at the end, to be formatted with its id and its time."""
    fields = {"model": model, "service_tier": tier or "default", "system_fingerprint": fingerprint(model)}
    about = orjson.dumps(fields)[1:-1].replace(b"%", b"%%")
    kind = b".chunk" if stream else b""
    return b'{"id":"chatcmpl-%%016x%%013x","object":"chat.completion%b","created":%%d,%b' % (kind, about)


@lru_cache(maxsize=1024)
def _head(model: str, tier: str | None, usage: bool) -> bytes:
    """What every event of a model begins with, to be formatted as `_base` is."""
    return b'data: %b,%b"choices":[' % (_base(model, tier, True), b'"usage":null,' if usage else b"")


def _chunk(choice: int, delta: bytes, logprobs: bytes, finish: bytes, pads: bool) -> bytes:
    """An event from its choices on."""
    pad = b',"obfuscation":"%b"' % _NOISE[: _PAD - len(delta) % _PAD].encode() if pads else b""
    told = (choice, delta, logprobs, finish, pad)
    return b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}]%b}\n\n' % told


@lru_cache(maxsize=256)
def _opening(choice: int, content: bytes, pads: bool) -> bytes:
    """The event that brings a choice's role, from its choices on."""
    return _chunk(choice, b'{"role":"assistant","content":%b,"refusal":null}' % content, b"null", b"null", pads)


@lru_cache(maxsize=16)
def _ending(finish: str) -> bytes:
    """The event that ends a single choice, from its choices on."""
    return _chunk(0, b"{}", b"null", orjson.dumps(finish), False)


def fingerprint(model: str) -> str:
    """The same for a model at all times, as nothing about it changes."""
    return f"fp_{wire.stable(model)[:10]}"
