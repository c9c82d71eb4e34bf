"""OpenAI's translations: sound in any language as English words, in several forms.

Source: OpenAI API reference, audio: create translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_transcripts_encoder import TranscriptEncoder
from llmsim.dialects._openai_transcripts_request import read_translation
from llmsim.errors import Failure
from llmsim.exchange import Exchange


class OpenAITranslations(Dialect):
    """`POST /v1/audio/translations`."""

    kind: ClassVar[str] = "openai_translations"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """Creation."""
        return [Route("POST", "/v1/audio/translations", read=self.read)]

    def read(self, request: Request) -> Ask:
        """The ask of a form; raises Refused as OpenAI refuses."""
        return read_translation(request, self.kind)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return TranscriptEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)
