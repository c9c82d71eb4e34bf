"""OpenAI's models: the list, one of them, and the end of a fine-tuned one.

Source: OpenAI API reference, models: list, retrieve, delete.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from llmsim import catalogue
from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

_DELETED = "openai.deleted_model"


class OpenAIModels(Dialect):
    """`/v1/models` and `/v1/models/{model}`.

    The list has the models that the server is said to serve, in vLLM's words; else OpenAI's own models, as OpenAI's
    has, and those that were shut down with their date, since they are still simulated. One model is told of whatever
    provider it is.
    """

    kind: ClassVar[str] = "openai_models"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """The list, and one model; its name may hold slashes."""
        return [
            Route("GET", "/v1/models", answer=self._list),
            Route("GET", "/v1/models/{model:path}", answer=self._one),
            Route("DELETE", "/v1/models/{model:path}", answer=self._delete),
        ]

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        models = [_as_served(name) for name in self.desk.served_models] or [
            _worded(model) for model in catalogue.known() if model.provider == self.provider
        ]
        return Answer.json({"object": "list", "data": models}, headers=wire.headers(exchange, 0))

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        name = request.params["model"]
        if name in self.desk.served_models:
            return Answer.json(_as_served(name), headers=wire.headers(exchange, 0))
        name, model = self._found(request)
        return Answer.json(_worded(model, name), headers=wire.headers(exchange, 0))

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        """Deletes a fine-tuned model: it is not found any more; others are not the client's to delete."""
        name, _ = self._found(request)
        if not name.startswith("ft:"):
            raise Refused(Failure("invalid", "You have insufficient permissions for this operation.", status=403))
        self.desk.store.put(_DELETED, name, name, len(name))
        return Answer.json({"id": name, "object": "model", "deleted": True}, headers=wire.headers(exchange, 0))

    def _found(self, request: Request) -> tuple[str, catalogue.Model]:
        """The model of the path by the name it was asked by; raises Refused where there is none."""
        name = request.params["model"]
        model = catalogue.find(name)
        if model is None or self.desk.store.get(_DELETED, name):
            raise Refused(Failure("not_found", code="model_not_found", param="model", extra=name))
        return name, model

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


def _as_served(name: str) -> dict[str, Any]:
    """A model as vLLM tells of it (its `protocol.py`, ModelCard), to whose window its clients fit their prompts."""
    model = catalogue.resolve(name)
    about = {"id": name, "object": "model", "created": model.created, "owned_by": "vllm", "root": name, "parent": None}
    return {**about, "max_model_len": model.context_window, "permission": []}
