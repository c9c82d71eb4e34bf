"""OpenAI's list of models.

Source: OpenAI API reference, models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from llmsim import catalogue
from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange


class OpenAIModels(Dialect):
    """`GET /v1/models` and `/v1/models/{model}`: the models of every provider, as all of them can be asked."""

    kind: ClassVar[str] = "openai_models"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """The list, and one model; its name may hold slashes."""
        return [
            Route("GET", "/v1/models", answer=self._list),
            Route("GET", "/v1/models/{model:path}", answer=self._one),
        ]

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        models = [_worded(model) for model in catalogue.known()]
        return Answer.json({"object": "list", "data": models}, headers=wire.headers(exchange, 0))

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        name = request.params["model"]
        model = catalogue.find(name)
        if model is None:
            raise Refused(Failure("not_found", code="model_not_found", param="model", extra=name))
        return Answer.json(_worded(model, name), headers=wire.headers(exchange, 0))

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


def _worded(model: catalogue.Model, name: str = "") -> dict[str, Any]:
    return {
        "id": name or model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
        "shutdown_date": model.shutdown_date,
    }
