"""Gemini: generateContent, streamGenerateContent as events and as a JSON array, and countTokens, at /v1 and /v1beta.

Source: Google's API reference, "Generating content" and "Counting tokens"; both versions have the same features.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_errors import error_answer
from llmsim.dialects._gemini_generations import METHODS, encoder, in_list, read
from llmsim.errors import Failure
from llmsim.exchange import Exchange

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard


class Gemini(Dialect):
    """`POST /{version}/models/{model}:{method}`, of tuned models too."""

    kind: ClassVar[str] = "gemini"
    provider: ClassVar[str] = "gemini"

    def routes(self) -> Sequence[Route]:
        """Every method, of models and of tuned models, in every version."""
        paths = [
            f"{version}/{family}/{{model}}:{method}"
            for version in wire.VERSIONS
            for family in ("models", "tunedModels")
            for method in METHODS
        ]
        return [Route("POST", path, read=partial(self.read, path)) for path in paths]

    def claims(self, request: Request) -> bool:
        """What comes with Google's key, below its paths, or for its methods."""
        return wire.claims(request)

    def read(self, path: str, request: Request) -> Ask:
        """The ask of a request to the path as it stands in the table; raises Refused as Google refuses."""
        family = "tunedModels/" if "/tunedModels/" in path else ""
        return read(self, path, f"{family}{request.params.get('model', '')}", request)

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _gemini_heard

        return _gemini_heard.content(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return encoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object, in a list where the answer would have been one."""
        return error_answer(failure, exchange, in_list(exchange))
