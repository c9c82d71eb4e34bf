"""OpenAI's embeddings: texts go in, vectors come out, as floats or in base64.

Source: OpenAI API reference, embeddings. What nearness of the vectors means is told in llmsim/vectors.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_embeddings_request import read_embeddings
from llmsim.dialects._openai_served import is_openais
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Piece


class OpenAIEmbeddings(Dialect):
    """`POST /v1/embeddings`."""

    kind: ClassVar[str] = "openai_embeddings"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """The one path there is."""
        return [Route("POST", "/v1/embeddings", read=self.read, heavy=True)]

    def read(self, request: Request) -> Ask:
        """The ask of a request body; raises Refused as OpenAI refuses."""
        return read_embeddings(request.body)

    def forgives(self, model: str) -> bool:
        """Whether another than OpenAI serves the model."""
        return not is_openais(model)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return EmbeddingsEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object; one limit has a type of its own."""
        answer = wire.error_answer(failure, exchange, 0)
        if failure.code == "max_tokens_per_request":
            body: dict[str, Any] = wire.error_body(failure)
            body["error"]["type"] = failure.code
            answer.body = orjson.dumps(body)
        return answer


class EmbeddingsEncoder(Encoder):
    """Words the vectors that were made when the request was read."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._data: bytes = exchange.ask.extra["data"]

    def headers(self) -> Headers:
        """OpenAI's headers, the time it took as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    def frame(self, piece: Piece) -> bytes:
        """Embeddings are not streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """An error object."""
        return orjson.dumps(wire.error_body(failure, self.exchange.ask.model))

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The list of embeddings."""
        ask = self.exchange.ask
        return b'{"object":"list","data":%b,"model":%b,"usage":{"prompt_tokens":%d,"total_tokens":%d}}' % (
            self._data,
            orjson.dumps(ask.model),
            ask.prompt_tokens,
            ask.prompt_tokens,
        )
