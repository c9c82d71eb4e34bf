"""Google Cloud's paths to Gemini: the same requests and replies below projects, locations and publishers.

Source: Google Cloud's API reference, publishers.models; the paths as google-genai 3.4 asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_embeddings_request import read_batch, read_instances, read_one
from llmsim.dialects._gemini_errors import error_answer
from llmsim.dialects._gemini_generations import encoder, in_list, read
from llmsim.dialects._gemini_made import MadeEncoder
from llmsim.dialects._gemini_request import Target
from llmsim.errors import Failure
from llmsim.exchange import Exchange

_EMBEDS: dict[str, Callable[[Target, bytes], Ask]] = {
    "predict": read_instances,
    "embedContent": read_one,
    "batchEmbedContents": read_batch,
}
_GENERATES = ("generateContent", "streamGenerateContent", "countTokens")
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
        """Every method, in both versions."""
        return [
            Route("POST", path, read=partial(self._read, path))
            for version in ("/v1", "/v1beta1")
            for model in _MODELS
            for method in (*_GENERATES, *_EMBEDS)
            for path in (f"{version}/{model}:{method}",)
        ]

    def claims(self, request: Request) -> bool:
        """What stands below a project, or below Google's models."""
        path = wire.plain_path(request)
        return path.startswith(("/v1/projects/", "/v1beta1/", "/v1/publishers/google/"))

    def _read(self, path: str, request: Request) -> Ask:
        reader, model = _EMBEDS.get(path.rpartition(":")[2]), request.params["model"]
        if reader is not None:
            return reader(Target(model, path, self.kind), request.body)
        return read(self, path, model, request)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return MadeEncoder(exchange) if "make" in exchange.ask.extra else encoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object, in a list where the answer would have been one."""
        return error_answer(failure, exchange, in_list(exchange))
