"""Ollama's own API for chats and completions: one JSON object a line.

Source: Ollama's docs/api.md and the types of its Python client.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects._ollama_requests import read_chat, read_generate
from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Call, Decline, End, Garbled, Piece, Say, Think

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

_DONE = {Stop.LENGTH: "length"}

# Kind of failure -> what Ollama says where the failure has no words of its own.
_WORDS = {
    "invalid": "invalid request",
    "unauthenticated": "unauthorized",
    "forbidden": "forbidden",
    "too_large": "http: request body too large",
    "rate_limit": "too many requests",
    "quota": "you (user) have reached your usage limit, please try again later",
    "internal": "llama runner process has terminated: exit status 2",
    "unavailable": "server busy, please try again.  maximum pending requests exceeded",
    "busy": "server busy, please try again.  maximum pending requests exceeded",
    "overloaded": "server busy, please try again.  maximum pending requests exceeded",
    "timeout": "timed out waiting for llama runner to start",
    "gateway_timeout": "timed out waiting for llama runner to start",
}


class Ollama(Dialect):
    """`POST /api/chat` and `POST /api/generate`; both stream unless they are told not to."""

    kind: ClassVar[str] = "ollama"
    provider: ClassVar[str] = "ollama"

    def routes(self) -> Sequence[Route]:
        """Both generations."""
        return [
            Route("POST", "/api/chat", read=lambda request: read_chat(request.body)),
            Route("POST", "/api/generate", read=lambda request: read_generate(request.body)),
        ]

    def claims(self, request: Request) -> bool:
        """Whatever stands below /api."""
        return request.path.startswith(("/api/", "/ollama/"))

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _ollama_heard

        return _ollama_heard.reply(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return OllamaEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Ollama's error object; plain text where there is no such path or method."""
        if exchange is None and failure.kind in ("not_found", "method") and not failure.message:
            text = b"404 page not found" if failure.kind == "not_found" else b"405 method not allowed"
            return Answer(failure.status, text, [(b"content-type", b"text/plain")])
        headers = [(b"retry-after", b"%d" % -int(-failure.retry_after // 1))] if failure.retry_after is not None else []
        model = exchange.ask.model if exchange is not None else ""
        return Answer.json({"error": worded(failure, model)}, failure.status, headers)


def worded(failure: Failure, model: str = "") -> str:
    """A failure in one sentence."""
    if failure.message:
        return failure.message
    if failure.kind == "not_found":
        return f"model '{failure.extra or model}' not found"
    if failure.kind == "context_length":
        window, had = failure.extra
        return f"the input length exceeds the context length: {had} > {window}"
    return _WORDS.get(failure.kind, "internal server error")


class OllamaEncoder(Encoder):
    """Words one reply: an object a line, the last one with what it cost."""

    media_type = b"application/x-ndjson"

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._chats = exchange.ask.extra["api"] == "chat"
        self._model = orjson.dumps(exchange.ask.model)
        self._call: list[Call] = []
        top = exchange.ask.extra["logprobs"]
        self._logprobs = Logprobs(exchange, top) if top is not None else None

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due, a line a token."""
        self._head = b'{"model":%b,"created_at":"%b",' % (self._model, self._moment(self.exchange.cursor - 1))
        return super().frames(pieces)

    def frame(self, piece: Piece) -> bytes:
        """One piece's line; a tool call is one line, told when it is complete."""
        if isinstance(piece, Call):
            done = self._called() if piece.opens else b""
            self._call.append(piece)
            return done
        if isinstance(piece, End):
            return self._called() + self._line(b"", piece)
        if isinstance(piece, Think):
            return self._line(_said("thinking", piece.text, self._chats)) if self.exchange.ask.shows_thinking else b""
        if isinstance(piece, Say):
            return self._line(_said("content", piece.text, self._chats) + self._likely([piece]))
        return b""

    def _likely(self, pieces: Sequence[Piece]) -> bytes:
        """The log probabilities of what is said, where the client asked for them."""
        if self._logprobs is None:
            return b""
        said = [piece for piece in pieces if isinstance(piece, Say) and type(piece) in (Say, Decline)]
        return b',"logprobs":' + orjson.dumps([entry for piece in said for entry in self._logprobs.entries(piece)])

    def _line(self, said: bytes, end: End | None = None) -> bytes:
        said = said or _said("content", "", self._chats)
        if end is None:
            return b'%b%b,"done":false}\n' % (self._head, said)
        return b'%b%b,"done":true,%b}\n' % (self._head, said, self._spent(end))

    def _called(self) -> bytes:
        """The line of the call whose fragments have come."""
        if not self._call:
            return b""
        calls, self._call = worded_calls([self._call]), []
        if not calls:
            return b""
        message = {"role": "assistant", "content": "", "tool_calls": calls}
        return b'%b"message":%b,"done":false}\n' % (self._head, orjson.dumps(message))

    def _spent(self, end: End) -> bytes:
        """Why the reply ended and what it cost; durations in nanoseconds, never nought, as clients divide by them."""
        plan = self.exchange.plan
        first, last = plan.times[0], plan.times[-1]
        load, prompt = max(1, int(first * 5e7)), max(1, int(first * 9.5e8))
        spoken = max(1, int((last - first) * 1e9))
        told = {
            "done_reason": _DONE.get(end.stop, "stop"),
            "total_duration": load + prompt + spoken,
            "load_duration": load,
            "prompt_eval_count": plan.usage.prompt,
            "prompt_eval_duration": prompt,
            "eval_count": plan.usage.completion,
            "eval_duration": spoken,
        }
        return orjson.dumps(told)[1:-1]

    def _moment(self, index: int) -> bytes:
        wall = self.exchange.wall + (self.exchange.plan.times[index] if index >= 0 else 0.0)
        return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()

    def fail(self, failure: Failure) -> bytes:
        """The error as a line of its own."""
        return orjson.dumps({"error": worded(failure)}) + b"\n"

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The reply as one object."""
        plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
        if self.exchange.ask.parts == 0:
            return self._loaded()
        said = "".join(piece.text for piece in plain if isinstance(piece, Say) and type(piece) in (Say, Decline))
        thought = "".join(piece.text for piece in plain if isinstance(piece, Think))
        message: dict[str, Any] = {"content" if self._chats else "response": said}
        if thought and self.exchange.ask.shows_thinking:
            message["thinking"] = thought
        fragments: dict[int, list[Call]] = {}
        for piece in plain:
            if isinstance(piece, Call):
                fragments.setdefault(piece.index, []).append(piece)
        if fragments:
            message["tool_calls"] = worded_calls(list(fragments.values()))
        told = orjson.dumps({"message": {"role": "assistant", **message}} if self._chats else message)[1:-1]
        told += self._likely(plain)
        self._head = b'{"model":%b,"created_at":"%b",' % (self._model, self._moment(len(pieces) - 1))
        end = next((piece for piece in reversed(plain) if isinstance(piece, End)), End(Stop.END))
        return b'%b%b,"done":true,%b}' % (self._head, told, self._spent(end))

    def _loaded(self) -> bytes:
        """What is told when there was nothing to say: the model has been loaded, or let go."""
        message = {"message": {"role": "assistant", "content": ""}} if self._chats else {"response": ""}
        created = self._moment(-1).decode()
        told = {"model": self.exchange.ask.model, "created_at": created, **message, "done": True}
        told["done_reason"] = self.exchange.ask.extra["empty"]
        return orjson.dumps(told)


@lru_cache(maxsize=1 << 14)
def _said(field: str, text: str, chats: bool) -> bytes:
    """A token as a line has it: in a message, or by itself."""
    if chats:
        content = "" if field == "thinking" else text
        thought = {"thinking": text} if field == "thinking" else {}
        return b'"message":%b' % orjson.dumps({"role": "assistant", "content": content, **thought})
    told = {"response": "", "thinking": text} if field == "thinking" else {"response": text}
    return b"%b" % orjson.dumps(told)[1:-1]


def worded_calls(calls: Sequence[Sequence[Call]]) -> list[dict[str, Any]]:
    """Calls with their arguments as objects; one that a limit cut short is no call."""
    worded = []
    for fragments in calls:
        call = fragments[0].call
        try:
            arguments = orjson.loads("".join(fragment.text for fragment in fragments) or "{}")
        except orjson.JSONDecodeError:
            continue
        function = {"index": fragments[0].index, "name": call.name, "arguments": arguments}
        worded.append({"id": call.id, "function": function})
    return worded
