"""Gemini's embeddings, of one content or of up to a hundred.

Source: Google's API reference, "Embeddings". What nearness of the vectors means is told in llmsim/vectors.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_embeddings_request import read_batch, read_one
from llmsim.dialects._gemini_errors import error_answer
from llmsim.dialects._gemini_made import MadeEncoder
from llmsim.dialects._gemini_request import Target
from llmsim.errors import Failure
from llmsim.exchange import Exchange

_READERS: dict[str, Callable[[Target, bytes], Ask]] = {"embedContent": read_one, "batchEmbedContents": read_batch}


class GeminiEmbeddings(Dialect):
    """`POST /{version}/models/{model}:embedContent` and `:batchEmbedContents`."""

    kind: ClassVar[str] = "gemini_embeddings"
    provider: ClassVar[str] = "gemini"

    def routes(self) -> Sequence[Route]:
        """Both methods, in every version."""
        paths = [f"{version}/models/{{model}}:{method}" for version in wire.VERSIONS for method in _READERS]
        return [Route("POST", path, read=partial(self._read, path)) for path in paths]

    def claims(self, request: Request) -> bool:
        """What comes with Google's key, below its paths, or for its methods."""
        return wire.claims(request)

    def _read(self, path: str, request: Request) -> Ask:
        reader = _READERS[path.rpartition(":")[2]]
        return reader(Target(request.params.get("model", ""), path, self.kind), request.body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words the vectors that were made when the request was read."""
        return MadeEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object."""
        return error_answer(failure, exchange)
