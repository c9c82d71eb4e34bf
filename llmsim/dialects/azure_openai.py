"""Azure OpenAI: OpenAI's APIs behind Microsoft's gateway, by deployment and dated API version.

Every dialect of OpenAI is served on Azure's paths. `/openai/v1/…`, which has no dates, is OpenAI's own.
Source: Azure OpenAI REST API reference, data plane inference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route, kinds
from llmsim.dialects import _azure_filters as filters
from llmsim.dialects import _azure_wire as azure
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._azure_models import as_listed
from llmsim.dialects._azure_paths import Call, Mount, called, inward, mounted
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Piece

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

_WITH_FILTERS = ("/v1/chat/completions", "/v1/completions")


class AzureOpenAI(Dialect):
    """`/openai/deployments/{deployment}/…?api-version=…` for models, `/openai/…?api-version=…` for all else."""

    kind: ClassVar[str] = "azure_openai"
    provider: ClassVar[str] = "azure"

    @cached_property
    def _mounts(self) -> list[Mount]:
        """The routes of OpenAI's dialects, all over the same desk."""
        inner = [dialect(self.desk) for dialect in kinds().values() if dialect.provider == "openai"]
        return [mount for dialect in inner for mount in mounted(dialect)]

    def routes(self) -> Sequence[Route]:
        """One for each route of OpenAI's."""
        return [self._route(mount) for mount in self._mounts]

    def _route(self, mount: Mount) -> Route:
        route = mount.route
        return replace(
            route,
            path=mount.path,
            read=partial(self._read, mount, route.read) if route.read else None,
            answer=partial(self._answer, mount, route.answer) if route.answer else None,
        )

    def claims(self, request: Request) -> bool:
        """Whether it is below Azure's paths and not below those without dates."""
        return request.path.startswith(("/openai/", "/azure/")) and not request.path.startswith("/openai/v1/")

    def _read(self, mount: Mount, read: Callable[[Request], Ask], request: Request) -> Ask:
        """The ask that OpenAI's dialect reads of the request; raises Refused."""
        call = called(mount, request)
        ask = read(inward(call, request))
        ask.dialect, ask.endpoint = self.kind, mount.path
        # An ask that was read before shares its `extra` with others.
        ask.extra = {**ask.extra, "azure": call}
        return ask

    def _answer(
        self, mount: Mount, answer: Callable[[Request, Exchange], Answer], request: Request, exchange: Exchange
    ) -> Answer:
        """The answer that OpenAI's dialect gives; raises Refused."""
        call = called(mount, request)
        told = answer(inward(call, request), exchange)
        if mount.route.path.startswith("/v1/models") and mount.route.method == "GET":
            told = replace(told, body=as_listed(told.body))
        return replace(told, headers=azure.headers(told.headers, exchange, call))

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _openai_heard

        return _openai_heard.either(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """OpenAI's own, with what Azure adds."""
        call: Call = exchange.ask.extra["azure"]
        return AzureEncoder(exchange, call)

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Tells the dialect whose reply it was."""
        call: Call = exchange.ask.extra["azure"]
        call.mount.inner.ended(exchange, answer)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """The gateway's error, or OpenAI's in its headers."""
        call: Call | None = exchange.ask.extra.get("azure") if exchange else None
        inner = self._inner(exchange, call)
        told = inner.failure(failure, exchange) if inner else wire.error_answer(failure, exchange, 0)
        body = azure.error_body(failure, exchange, call.version if call else "")
        return Answer(
            404 if failure.kind == "method" else told.status,
            told.body if body is None else orjson.dumps(body),
            azure.headers(told.headers, exchange, call),
        )

    def _inner(self, exchange: Exchange | None, call: Call | None) -> Dialect | None:
        """The dialect whose path was asked; what was refused has no call."""
        if call is not None or exchange is None:
            return call.mount.inner if call else None
        path = exchange.ask.endpoint.removeprefix(f"/{self.provider}")
        return next((mount.inner for mount in self._mounts if mount.serves(path)), None)


class AzureEncoder(Encoder):
    """Words an exchange as OpenAI's dialect does; chats and completions have the content filter's results."""

    def __init__(self, exchange: Exchange, call: Call) -> None:
        super().__init__(exchange)
        self._call = call
        self._inner = call.mount.inner.encoder(exchange)
        self._filtered = call.mount.route.path in _WITH_FILTERS
        self._prompts = max(1, len(exchange.ask.prompts))
        self.media_type, self.whole_type = self._inner.media_type, self._inner.whole_type

    def headers(self) -> Headers:
        """Azure's."""
        return azure.headers(self._inner.headers(), self.exchange, self._call)

    def open(self) -> bytes:
        """What the filter says about the prompt, before all else."""
        return (filters.opening(self._prompts) if self._filtered else b"") + self._inner.open()

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due."""
        told = self._inner.frames(pieces)
        return filters.streamed(told) if self._filtered else told

    def frame(self, piece: Piece) -> bytes:
        """One piece's event."""
        return self.frames([piece])

    def close(self) -> bytes:
        """The end of the stream."""
        return self._inner.close()

    def fail(self, failure: Failure) -> bytes | None:
        """A failure in mid-stream, as OpenAI's models tell it."""
        return self._inner.fail(failure)

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The whole reply."""
        told = self._inner.whole(pieces)
        return filters.whole(told, self._prompts) if self._filtered else told
