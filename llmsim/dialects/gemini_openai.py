"""Gemini by way of OpenAI's clients: OpenAI's APIs below /v1beta/openai, with Google's models and Google's errors.

Source: Google's guide "OpenAI compatibility"; errors as users quote them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from llmsim import catalogue
from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route, kinds
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_errors import error_answer
from llmsim.dialects._gemini_openai_chat import GoogleChatEncoder, with_thinking
from llmsim.dialects._gemini_openai_request import as_openai, plain_name, with_vectors, worded_as_google
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

_OPENAI = tuple(f"{version}/openai" for version in wire.VERSIONS)
_PREFIXES = (
    *_OPENAI,
    *(f"/{version}/projects/{{project}}/locations/{{location}}/endpoints/openapi" for version in ("v1", "v1beta1")),
)
_CHAT, _EMBEDDINGS, _IMAGES = "/v1/chat/completions", "/v1/embeddings", "/v1/images/generations"

# What Google takes otherwise than OpenAI's API: read here, and not by OpenAI's dialect.
_OWN = {_CHAT: ("reasoning_effort",), _EMBEDDINGS: ("dimensions",), _IMAGES: ("response_format",)}
_DELEGATES = ("openai_chat", "openai_embeddings", "openai_images")


class GeminiOpenAI(Dialect):
    """`/v1beta/openai/chat/completions`, `/embeddings`, `/images/generations` and `/models`; Google Cloud's too."""

    kind: ClassVar[str] = "gemini_openai"
    provider: ClassVar[str] = "gemini"

    @cached_property
    def _theirs(self) -> dict[str, Dialect]:
        """OpenAI's dialects by kind, those that there are."""
        return {kind: kinds()[kind](self.desk) for kind in _DELEGATES if kind in kinds()}

    def routes(self) -> Sequence[Route]:
        """OpenAI's paths in place of /v1 behind each prefix, and models of its own."""
        routes: list[Route] = []
        for prefix in _PREFIXES:
            for dialect in self._theirs.values():
                for route in dialect.routes():
                    if route.read is not None and route.method == "POST":
                        path = prefix + route.path.removeprefix("/v1")
                        routes.append(Route("POST", path, read=partial(self._read, route.read, route.path)))
            routes.append(Route("GET", f"{prefix}/models", answer=self._models))
            routes.append(Route("GET", f"{prefix}/models/{{model:path}}", answer=self._model))
        return routes

    def claims(self, request: Request) -> bool:
        """Whatever stands below its paths."""
        path = wire.plain_path(request)
        return path.startswith(tuple(f"{one}/" for one in _OPENAI)) or "/endpoints/openapi/" in path

    def _read(self, read: Callable[[Request], Ask], path: str, request: Request) -> Ask:
        """The ask as OpenAI's dialect reads it, without what Google alone has; raises Refused."""
        body, told = as_openai(request.body, *_OWN.get(path, ()))
        ask = read(replace(request, path=path, body=body))
        if path == _EMBEDDINGS:
            ask = with_vectors(ask, told)
        elif path == _CHAT:
            ask = with_thinking(ask, told)
        ask.endpoint = f"/v1beta/openai{path.removeprefix('/v1')}"
        if ask.extra.get("obfuscate"):
            ask.extra = {**ask.extra, "obfuscate": False}
        return ask

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _openai_heard

        return _openai_heard.chat(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """Chats in Google's words, all else in those of OpenAI's dialect which read the request."""
        if exchange.ask.dialect == "openai_chat":
            return GoogleChatEncoder(exchange)
        return self._theirs[exchange.ask.dialect].encoder(exchange)

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Told on to OpenAI's dialect."""
        self._theirs[exchange.ask.dialect].ended(exchange, answer)

    def _models(self, request: Request, exchange: Exchange) -> Answer:
        models = [model for model in catalogue.known() if model.provider == "google" and model.lifecycle != "retired"]
        return wire.answer({"object": "list", "data": [_worded(model.id, model) for model in models]}, exchange)

    def _model(self, request: Request, exchange: Exchange) -> Answer:
        name = plain_name(request.params["model"])
        model = catalogue.find(name)
        if model is None or model.provider != "google":
            raise Refused(Failure("not_found", code="model_not_found", extra=name))
        return wire.answer(_worded(name, model), exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object in a list, whatever was asked for."""
        return error_answer(worded_as_google(failure), exchange, in_list=True)


def _worded(name: str, model: catalogue.Model) -> dict[str, Any]:
    return {"id": f"models/{name}", "object": "model", "owned_by": "google", "display_name": model.display_name}
