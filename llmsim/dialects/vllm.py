"""What vLLM's server has beside OpenAI's API: its version, and tokens by the vocabulary that llmsim counts with.

Source: vLLM's documentation, "OpenAI-Compatible Server", Tokenizer API, and its `api_server.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from hashlib import blake2b
from typing import Any, ClassVar, Required

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from llmsim import catalogue, tokens
from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_chat_checks import text_of
from llmsim.dialects._openai_objects import ObjectEncoder
from llmsim.dialects._openai_refusals import invalid, read_object, validated
from llmsim.dialects._openai_served import foreign
from llmsim.errors import Failure
from llmsim.exchange import Exchange

VERSION = "0.16.0"
"""The version of vLLM that this was written by, which its clients are told."""

_open = with_config(ConfigDict(strict=True, extra="ignore"))


@_open
class TokenizeRequest(TypedDict, total=False):
    """The body of `POST /tokenize`: a prompt, or messages; what else vLLM takes changes nothing here."""

    model: str | None
    prompt: str | None
    messages: list[dict[str, Any]] | None
    return_token_strs: bool | None


@_open
class DetokenizeRequest(TypedDict, total=False):
    """The body of `POST /detokenize`."""

    model: str | None
    tokens: Required[list[int]]


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


class VLLM(Dialect):
    """`POST /tokenize`, `POST /detokenize`, `GET /version` and `GET, POST /ping`."""

    kind: ClassVar[str] = "vllm"
    provider: ClassVar[str] = "vllm"

    def routes(self) -> Sequence[Route]:
        """Those four."""
        return [
            Route("POST", "/tokenize", read=partial(_read, TokenizeRequest)),
            Route("POST", "/detokenize", read=partial(_read, DetokenizeRequest)),
            Route("GET", "/version", answer=_version, public=True),
            Route("GET", "/ping", answer=_ping, public=True),
            Route("POST", "/ping", answer=_ping, public=True),
        ]

    def encoder(self, exchange: Exchange) -> Encoder:
        """Tokens, or the text they stand for."""
        return ObjectEncoder(exchange, _told)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object, as vLLM has it."""
        return wire.error_answer(failure, exchange, 0)


def _version(request: Request, exchange: Exchange) -> Answer:
    return Answer.json({"version": VERSION})


def _ping(request: Request, exchange: Exchange) -> Answer:
    return Answer()


def _read(shape: Any, request: Request) -> Ask:
    told = validated(_adapter(shape), read_object(request.body))
    made = _tokenized(told) if shape is TokenizeRequest else _detokenized(told)
    return Ask(
        told.get("model") or "",
        dialect="vllm",
        endpoint=request.path.removeprefix("/vllm"),
        parts=0,
        digest=blake2b(request.body, digest_size=16).digest(),
        extra={"told": made},
    )


def _tokenized(told: dict[str, Any]) -> dict[str, Any]:
    """The tokens of a prompt, or of messages one after the other, each behind its role."""
    model, messages = told.get("model") or "", told.get("messages")
    text = told.get("prompt")
    if text is None and messages is None:
        raise invalid("Either 'prompt' or 'messages' is required.", "prompt")
    if text is None:
        text = "".join(f"{message.get('role', 'user')}\n{text_of(message)}\n" for message in messages or ())
    encoding = tokens.encoding_for(model)
    ids = tokens.encode(text, encoding)
    shown = [part.decode("utf-8", "replace") for part in tokens.token_bytes(text, encoding)]
    return {
        "count": len(ids),
        "max_model_len": catalogue.resolve(model).context_window,
        "tokens": ids,
        "token_strs": shown if told.get("return_token_strs") else None,
    }


def _detokenized(told: dict[str, Any]) -> dict[str, Any]:
    ids, encoding = told["tokens"], tokens.encoding_for(told.get("model") or "")
    try:
        return {"prompt": tokens.decode(ids, encoding)}
    except tokens.NoToken:
        return {"prompt": foreign(ids)}


def _told(exchange: Exchange) -> dict[str, Any]:
    made: dict[str, Any] = exchange.ask.extra["told"]
    return made
