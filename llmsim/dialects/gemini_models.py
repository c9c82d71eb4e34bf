"""Gemini's list of models, in pages, and each of them.

Source: Google's API reference, "Models".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from llmsim import catalogue
from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_errors import error_answer
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

_GENERATES = ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]
_METHODS = {
    "embedding": ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"],
    "image": ["generateContent", "countTokens", "batchGenerateContent"],
    "speech": ["countTokens", "generateContent"],
}


class GeminiModels(Dialect):
    """`GET /{version}/models` and `/{version}/models/{model}`: the list is of Google's own models."""

    kind: ClassVar[str] = "gemini_models"
    provider: ClassVar[str] = "gemini"

    def routes(self) -> Sequence[Route]:
        """Models and tuned models, in every version; of tuned models there are none."""
        return [
            route
            for version in wire.VERSIONS
            for route in (
                Route("GET", f"{version}/models", answer=self._list),
                Route("GET", f"{version}/models/{{model}}", answer=self._one),
                Route("GET", f"{version}/tunedModels", answer=self._none),
                Route("GET", f"{version}/tunedModels/{{model}}", answer=self._no_tuned),
            )
        ]

    def claims(self, request: Request) -> bool:
        """What comes with Google's key, or below its paths."""
        return wire.claims(request)

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        models = [model for model in catalogue.known() if model.provider == "google" and model.lifecycle != "retired"]
        shown, token = wire.page(models, request, usual=50, most=1000)
        told: dict[str, Any] = {"models": [_worded(model, model.id) for model in shown]}
        return wire.answer({**told, "nextPageToken": token} if token else told, exchange)

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        name = request.params["model"]
        model = catalogue.find(name)
        if model is None or model.provider != "google":
            raise Refused(Failure("not_found", code="model_not_found", extra=name))
        return wire.answer(_worded(model, name), exchange)

    def _none(self, request: Request, exchange: Exchange) -> Answer:
        wire.page((), request, usual=10, most=1000)
        return wire.answer({}, exchange)

    def _no_tuned(self, request: Request, exchange: Exchange) -> Answer:
        name = request.params["model"]
        raise Refused(Failure("not_found", f"Tuned model tunedModels/{name[:100]} does not exist."))

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object."""
        return error_answer(failure, exchange)


def _worded(model: catalogue.Model, name: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": f"models/{name}",
        "version": "001",
        "displayName": model.display_name,
        "description": f"{model.display_name}, as llmsim simulates it.",
        "inputTokenLimit": model.context_window,
        "outputTokenLimit": model.max_output_tokens or 1,
        "supportedGenerationMethods": _METHODS.get(model.kind, _GENERATES),
    }
    if model.kind == "embedding":
        return told
    told.update(temperature=1, topP=0.95, topK=64, maxTemperature=2)
    return {**told, "thinking": True} if model.reasoning else told
