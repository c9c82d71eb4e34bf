"""Reads the bodies of messages and counts: from bytes to an Ask, or to a refusal in Anthropic's words."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Desk, Request
from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_ask import made
from llmsim.dialects._anthropic_cache import Cached, PromptCache
from llmsim.dialects._anthropic_checks import check, check_fields
from llmsim.dialects._anthropic_facts import facts
from llmsim.dialects._anthropic_files import find_file
from llmsim.dialects._anthropic_media import File
from llmsim.dialects._anthropic_prompt_cost import base_cost, pieces
from llmsim.dialects._anthropic_refusals import read_object, validate
from llmsim.dialects._anthropic_threads import Threads, opened
from llmsim.dialects._anthropic_types import count_request, messages_request
from llmsim.errors import Refused

Json = dict[str, Any]

_SMALL = 8192


class Reader:
    """Reads messages and counts, with what clients have left: files, threads, cached prefixes."""

    def __init__(self, desk: Desk, amazon: bool = False) -> None:
        self.cache = PromptCache(desk)
        self.threads = Threads(desk)
        self._desk, self._amazon = desk, amazon

    def message(self, request: Request) -> Ask:
        """The ask that a message is; raises Refused where Anthropic's API refuses."""
        version, betas = wire.version_of(request), wire.betas_of(request)
        try:
            ask = _alone(request.body, version, betas, self._amazon) if len(request.body) <= _SMALL else None
            return self._kept(request, version, betas) if ask is None else ask.again()
        except _UNWRITABLE:
            raise _too_deep() from None

    def _kept(self, request: Request, version: str, betas: frozenset[str]) -> Ask:
        """The ask of a body that may need what clients have left."""
        body = _validated(request.body, version, betas)
        about, files, key = facts(body["model"], self._amazon), find_file(self._desk), _key(request)
        threaded, before = body.get("thread") is not None, None
        if threaded:
            body, before = self.threads.joined(body, key, about)
        check(body, about, version, betas, files)
        parts = list(pieces(body, body["model"], files))
        cached = self.cache.look(body, parts, base_cost(body, body["model"]), about)
        ask = made(body, about, betas, files, cached, request.body)
        if threaded:
            ask.extra["thread"] = (opened(body, key), before)
        if before is not None:
            before.going = ask
        return ask

    def count(self, request: Request) -> Ask:
        """The ask that a count of tokens is; raises Refused where Anthropic's API refuses."""
        version, betas = wire.version_of(request), wire.betas_of(request)
        body = read_object(request.body)
        check_fields(body, version, betas)
        validate(count_request(), body)
        about, files = facts(body["model"]), find_file(self._desk)
        try:
            check(body, about, version, betas, files)
            tokens = base_cost(body, body["model"]) + sum(part.tokens for part in pieces(body, body["model"], files))
        except _UNWRITABLE:
            raise _too_deep() from None
        return Ask(
            model=body["model"],
            dialect="anthropic_messages",
            endpoint="/v1/messages/count_tokens",
            digest=blake2b(b"count" + request.body, digest_size=16).digest(),
            parts=0,
            extra={"count": tokens},
        )


_UNWRITABLE = (orjson.JSONEncodeError, RecursionError)
"""What is raised for what nests deeper than anything real: it was read, but cannot be written any more."""


def _too_deep() -> Refused:
    return wire.invalid("The request body is not valid JSON: it nests too deep")


@lru_cache(maxsize=256)
def _alone(body: bytes, version: str, betas: frozenset[str], amazon: bool) -> Ask | None:
    """The ask of a body that needs nothing of what clients have left, else None; programs send the same ones again."""
    request = _validated(body, version, betas)
    if request.get("thread") is not None or b"file_id" in body or b"cache_control" in body:
        return None
    about = facts(request["model"], amazon)
    check(request, about, version, betas, _no_file)
    tokens = base_cost(request, request["model"])
    tokens += sum(part.tokens for part in pieces(request, request["model"], _no_file))
    return made(request, about, betas, _no_file, Cached(tokens), body)


def _no_file(id: str) -> File | None:
    return None


def _validated(raw: bytes, version: str, betas: frozenset[str]) -> Json:
    body = read_object(raw)
    check_fields(body, version, betas)
    validate(messages_request(), body)
    return body


def _key(request: Request) -> str:
    """Whose thread it is."""
    return (request.headers.get(b"authorization") or request.headers.get(b"x-api-key", b"")).decode("latin-1")
