"""Google Cloud's paths to Gemini: the same requests and replies below projects, locations and publishers.

Source: Google Cloud's API reference, publishers.models; the paths as google-genai 3.4 asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from llmsim import catalogue
from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_compute import read_compute
from llmsim.dialects._gemini_embeddings_request import read_batch, read_instances, read_one
from llmsim.dialects._gemini_errors import error_answer
from llmsim.dialects._gemini_generations import encoder, in_list, read
from llmsim.dialects._gemini_made import MadeEncoder
from llmsim.dialects._gemini_request import Target
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

_MAKES: dict[str, Callable[[Target, bytes], Ask]] = {
    "computeTokens": read_compute,
    "predict": read_instances,
    "embedContent": read_one,
    "batchEmbedContents": read_batch,
}
_GENERATES = ("generateContent", "streamGenerateContent", "countTokens")
_VERSIONS = ("/v1", "/v1beta1")
_MODELS = (
    "projects/{project}/locations/{location}/publishers/google/models/{model}",
    "projects/{project}/locations/{location}/endpoints/{model}",
    "publishers/google/models/{model}",
)


class Vertex(Dialect):
    """`POST /{version}/projects/…/publishers/google/models/{model}:{method}`, and without a project."""

    kind: ClassVar[str] = "vertex"
    provider: ClassVar[str] = "gemini"

    def routes(self) -> Sequence[Route]:
        """Every method, and the models, in both versions."""
        asked = [
            Route("POST", path, read=partial(self._read, path))
            for version in _VERSIONS
            for model in _MODELS
            for method in (*_GENERATES, *_MAKES)
            for path in (f"{version}/{model}:{method}",)
        ]
        return [*asked, *(route for version in _VERSIONS for route in self._told(version))]

    def _told(self, version: str) -> Sequence[Route]:
        project = f"{version}/projects/{{project}}/locations/{{location}}"
        return [
            Route("GET", f"{version}/publishers/google/models", answer=self._list),
            Route("GET", f"{version}/publishers/google/models/{{model}}", answer=self._one),
            Route("GET", f"{project}/publishers/google/models/{{model}}", answer=self._one),
            Route("GET", f"{project}/models", answer=self._none),
        ]

    def claims(self, request: Request) -> bool:
        """What stands below a project, or below Google's models."""
        path = wire.plain_path(request)
        return path.startswith(("/v1/projects/", "/v1beta1/", "/v1/publishers/google/"))

    def _read(self, path: str, request: Request) -> Ask:
        reader, model = _MAKES.get(path.rpartition(":")[2]), request.params["model"]
        if reader is not None:
            ask = reader(Target(model, path, self.kind), request.body)
            ask.key = wire.key_of(request)
        else:
            ask = read(self, path, model, request)
        # Asks are remembered, what is in them is shared: so a mapping of its own.
        ask.extra = {**ask.extra, "resource": wire.plain_path(request).split("/", 2)[2].rpartition(":")[0]}
        return ask

    # -- models

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        models = [model for model in catalogue.known() if model.provider == "google" and model.lifecycle != "retired"]
        shown, token = wire.page(models, request, usual=50, most=1000)
        told: dict[str, Any] = {"publisherModels": [_worded(model.id) for model in shown]}
        return wire.answer({**told, "nextPageToken": token} if token else told, exchange)

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        name = request.params["model"]
        if catalogue.find(name) is None:
            shown = f"publishers/google/models/{name[:100]}"
            raise Refused(Failure("not_found", f"Publisher Model `{shown}` is not found."))
        return wire.answer(_worded(name), exchange)

    def _none(self, request: Request, exchange: Exchange) -> Answer:
        """The project's own models, of which there are none."""
        wire.page((), request, usual=50, most=1000)
        return wire.answer({}, exchange)

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _gemini_heard

        return _gemini_heard.content(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return MadeEncoder(exchange) if "make" in exchange.ask.extra else encoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object, in a list where the answer would have been one."""
        return error_answer(failure, exchange, in_list(exchange))


def _worded(name: str) -> dict[str, Any]:
    return {
        "name": f"publishers/google/models/{name}",
        "versionId": "001",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": "GA",
        "publisherModelTemplate": f"projects/{{user-project}}/locations/{{location}}/publishers/google/models/{name}",
        "versionState": "VERSION_STATE_STABLE",
    }
