"""Google Cloud's paths to Anthropic's models: the Messages API, the model in the path and the version in the body.

Source: Google Cloud's API reference, rawPredict and streamRawPredict; the SDK anthropic[vertex].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects.anthropic_messages import AnthropicMessages
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

_VERSIONS = {"vertex-2023-10-16": b"2023-06-01", "2023-06-01": b"2023-06-01", "2026-10-21": b"2026-10-21"}
_MODEL = "projects/{project}/locations/{location}/publishers/anthropic/models/{model}"
_COUNT = "count-tokens"


class VertexAnthropic(Dialect):
    """`POST /v1/projects/…/publishers/anthropic/models/{model}:rawPredict` and `:streamRawPredict`."""

    kind: ClassVar[str] = "vertex_anthropic"
    provider: ClassVar[str] = "anthropic"

    @cached_property
    def _messages(self) -> AnthropicMessages:
        return AnthropicMessages(self.desk)

    def routes(self) -> Sequence[Route]:
        """Both methods, in both versions."""
        return [
            Route("POST", f"{version}/{_MODEL}:{method}", read=self._read)
            for version in ("/v1", "/v1beta1")
            for method in ("rawPredict", "streamRawPredict")
        ]

    def claims(self, request: Request) -> bool:
        """What is sent to Anthropic's models."""
        return "/publishers/anthropic/" in request.path

    def _read(self, request: Request) -> Ask:
        """The ask of the message in the body, which Google's paths complete; raises Refused as Anthropic refuses."""
        try:
            told = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            raise Refused(Failure("invalid", "The request body is not valid JSON."))
        version = _VERSIONS.get(str(told.pop("anthropic_version", None)))
        if version is None:
            raise Refused(Failure("invalid", "anthropic_version: Field required"))
        return self._complete(request, told, version)

    def _complete(self, request: Request, told: dict[str, Any], version: bytes) -> Ask:
        betas = told.pop("anthropic_beta", None)
        headers = {**request.headers, b"anthropic-version": version}
        if isinstance(betas, list) and betas:
            headers[b"anthropic-beta"] = ",".join(map(str, betas)).encode("latin-1", "replace")
        model, path = request.params["model"], "/v1/messages"
        if model == _COUNT:
            path = "/v1/messages/count_tokens"
        elif "model" in told:
            raise Refused(Failure("invalid", "model: Extra inputs are not permitted"))
        else:
            told = {**told, "model": model.replace("@", "-"), "stream": request.path.endswith(":streamRawPredict")}
        route = next(route for route in self._messages.routes() if route.path == path and route.read is not None)
        assert route.read is not None
        return route.read(Request("POST", path, "", headers, orjson.dumps(told), client=request.client))

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _anthropic_heard

        return _anthropic_heard.message(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """Anthropic's own."""
        return self._messages.encoder(exchange)

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Told on to Anthropic's own."""
        self._messages.ended(exchange, answer)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Anthropic's error object."""
        return self._messages.failure(failure, exchange)
