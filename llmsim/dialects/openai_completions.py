"""OpenAI's legacy completions, whole and streamed: a text goes in, its continuation comes out.

Source: OpenAI API reference, completions (legacy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from llmsim.conversation import Ask, Stop
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_completions_logprobs import LegacyLogprobs
from llmsim.dialects._openai_completions_request import read_completion
from llmsim.dialects._openai_served import heed, is_openais, usage_so_far
from llmsim.errors import Failure, Path
from llmsim.exchange import Exchange
from llmsim.plan import End, Garbled, Piece, Say, Script, Think, Usage

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

FINISH = {Stop.LENGTH: "length", Stop.FILTER: "content_filter"}
"""Why a text ended; anything else is a "stop"."""


class OpenAICompletions(Dialect):
    """`POST /v1/completions`."""

    kind: ClassVar[str] = "openai_completions"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """The one path there is."""
        return [Route("POST", "/v1/completions", read=self.read)]

    def read(self, request: Request) -> Ask:
        """The ask of a request body; raises Refused as OpenAI refuses."""
        return read_completion(request.body)

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
        return (CountingEncoder if exchange.ask.extra.get("encoder") else CompletionEncoder)(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


class CompletionEncoder(Encoder):
    """Words one completion: events and whole replies have the same shape.

    The plan's alternatives are those of the first prompt, then those of the second one; of each prompt's, only as many
    as the client asked for are told (`best_of` makes more).
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        ask = exchange.ask
        extra = ask.extra
        self._made: int = extra["made"]
        self._shown: int = extra["shown"]
        self._texts: tuple[str, ...] = extra["texts"]
        self._usage = extra["include_usage"]
        self._echo = extra["echo"]
        told = extra["logprobs"]
        self._logprobs = None if told is None else LegacyLogprobs(exchange, told)
        self._opened: set[int] = set()
        self._script: Script | None = None
        self._base = b'{"id":"cmpl-%b","object":"text_completion","created":%d,%b' % (
            wire.token(exchange).encode(),
            exchange.wall,
            _about(ask.model),
        )
        self._head = b'data: %b,%b"choices":[' % (self._base, b'"usage":null,' if self._usage else b"")
        script = exchange.plan.pieces
        if type(script) is Script and script.plain and self._logprobs is None and not self._echo:
            self._script, self._say = script, self._head + b'{"text":'

    def headers(self) -> Headers:
        """OpenAI's headers, the time to the first token as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    def _index(self, choice: int) -> int | None:
        """The index that an alternative is told by; None for one that is not told."""
        prompt, place = divmod(choice, self._made)
        return prompt * self._shown + place if place < self._shown else None

    # -- streamed

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due, one event a token; a script of plain text takes the fast way."""
        script, end = self._script, self.exchange.cursor
        if script is None or self.exchange.plan.pieces is not script:
            return super().frames(pieces)
        start = end - len(pieces)
        made = _bodies(script)[start:end]
        last = b"" if end < len(script) else self.frame(script[-1])
        return self._say + self._say.join(made) + last if made else last

    def frame(self, piece: Piece) -> bytes:
        """One piece's event, after the prompt where that is to be told too."""
        index = self._index(piece.choice)
        if index is None or isinstance(piece, Think):
            return b""
        echo = self._open(piece.choice, index)
        if isinstance(piece, End):
            return echo + self._chunk(index, b'""', b"null", b'"%b"' % FINISH.get(piece.stop, "stop").encode())
        if not isinstance(piece, Say):
            return echo
        logprobs = b"null"
        if self._logprobs is not None:
            logprobs = orjson.dumps(self._logprobs.streamed(piece, self._texts[piece.choice // self._made]))
        return echo + self._chunk(index, piece.json, logprobs, b"null")

    def _open(self, choice: int, index: int) -> bytes:
        """The event that tells an alternative's prompt, once, where the client wants it."""
        if not self._echo or choice in self._opened:
            return b""
        self._opened.add(choice)
        text = self._texts[choice // self._made]
        logprobs = orjson.dumps(self._logprobs.prompt(text)) if self._logprobs is not None else b"null"
        return self._chunk(index, orjson.dumps(text), logprobs, b"null")

    def _chunk(self, index: int, text: bytes, logprobs: bytes, finish: bytes) -> bytes:
        ending = (text, index, logprobs, finish)
        return self._head + b'{"text":%b,"index":%d,"logprobs":%b,"finish_reason":%b}]}\n\n' % ending

    def close(self) -> bytes:
        """The usage event where it was asked for, then the end mark."""
        if not self._usage:
            return b"data: [DONE]\n\n"
        return b'data: %b,"choices":[],"usage":%b}\n\ndata: [DONE]\n\n' % (self._base, usage(self.exchange.plan.usage))

    def fail(self, failure: Failure) -> bytes:
        """An error object as an event of its own."""
        return b"data: " + orjson.dumps(wire.error_body(failure, self.exchange.ask.model)) + b"\n\n"

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The completion as one object."""
        if pieces is self._script:
            choices: bytes | None = self._script.memo.get(OpenAICompletions)
            if choices is None:
                choices = self._script.memo[OpenAICompletions] = b"%b" % orjson.dumps(self._choices(pieces))
        else:
            choices = orjson.dumps(self._choices(pieces))
        return b'%b,"choices":%b,"usage":%b}' % (self._base, choices, usage(self.exchange.plan.usage))

    def _choices(self, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
        by_choice: dict[int, list[Piece]] = {choice: [] for choice in range(self.exchange.ask.n)}
        for piece in pieces:
            by_choice[piece.choice].append(piece.piece if isinstance(piece, Garbled) else piece)
        return [
            self._choice(choice, index, own)
            for choice, own in by_choice.items()
            if (index := self._index(choice)) is not None
        ]

    def _choice(self, choice: int, index: int, pieces: Sequence[Piece]) -> dict[str, Any]:
        prompt = self._texts[choice // self._made]
        said = [piece for piece in pieces if isinstance(piece, Say) and not isinstance(piece, Think)]
        stop = next((piece.stop for piece in pieces if isinstance(piece, End)), Stop.END)
        return {
            "text": (prompt if self._echo else "") + "".join(piece.text for piece in said),
            "index": index,
            "logprobs": self._logprobs.whole(said, prompt, self._echo) if self._logprobs is not None else None,
            "finish_reason": FINISH.get(stop, "stop"),
        }


class CountingEncoder(CompletionEncoder):
    """Words a stream whose every event tells the usage so far, as vLLM does for `continuous_usage_stats`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._script, self._spent = None, dict.fromkeys(range(exchange.ask.n), 0)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event."""
        self._spent[piece.choice] += piece.tokens
        self._head = usage_so_far(self._base, self.exchange.plan.usage.prompt, self._spent[piece.choice])
        return super().frame(piece)


def _bodies(script: Script) -> list[bytes]:
    """All of each text event but its head, made once for a script."""
    made: list[bytes] | None = script.memo.get((OpenAICompletions, "bodies"))
    if made is None:
        made = [_body(piece.text) for piece in script[:-1] if isinstance(piece, Say)]
        script.memo[OpenAICompletions, "bodies"] = made
    return made


@lru_cache(maxsize=1 << 15)
def _body(text: str) -> bytes:
    """A text event from its text on; one object for every occurrence of the token."""
    return orjson.dumps(text) + b',"index":0,"logprobs":null,"finish_reason":null}]}\n\n'


def usage(spent: Usage) -> bytes:
    """A usage object."""
    told = (spent.prompt, spent.completion, spent.prompt + spent.completion)
    return b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}' % told


@lru_cache(maxsize=1024)
def _about(model: str) -> bytes:
    """The fields that are the same for every reply of a model, without their braces."""
    fields = {"model": model, "system_fingerprint": f"fp_{wire.stable(model)[:10]}"}
    return b"%b" % orjson.dumps(fields)[1:-1]
