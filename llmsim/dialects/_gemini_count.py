"""Counts the tokens of a request to Gemini without answering it.

Source: Google's API reference, models.countTokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _gemini_proto as proto
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_checks import check_contents, invalid
from llmsim.dialects._gemini_prompt_cost import Find, details, nowhere, prompt_cost
from llmsim.dialects._gemini_request import Target
from llmsim.errors import Failure
from llmsim.plan import Piece


def read_count(target: Target, body: bytes, find: Find = nowhere) -> Ask:
    """What is to be counted; raises Refused where the API refuses."""
    told = proto.read("CountTokensRequest", body)
    request = told.get("generateContentRequest", told)
    if request is not told and told.get("contents"):
        raise invalid("Only one of contents and generate_content_request can be set.")
    name = "CountTokensRequest" if request is told else "CountTokensRequest.generate_content_request"
    try:
        check_contents(request, name)
        spent = prompt_cost(request, target.model, find)
    except (orjson.JSONEncodeError, RecursionError):
        raise invalid("Invalid JSON payload received. Message too deep.") from None
    extra = {"spent": spent, "cached_content": request.get("cachedContent")}
    return Ask(target.model, dialect=target.dialect, endpoint=target.endpoint, parts=0, extra=extra)


class CountEncoder(Encoder):
    """Words a count."""

    whole_type = wire.JSON

    def headers(self) -> Headers:
        """Google's headers."""
        return wire.headers(self.exchange)

    def frame(self, piece: Piece) -> bytes:
        """Nothing: a count is never streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """Nothing: a count is never streamed."""
        return b""

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The number of tokens, and of which kind they are."""
        extra = self.exchange.ask.extra
        spent: Counter[str] = extra["spent"]
        told: dict[str, Any] = {"totalTokens": sum(spent.values())}
        if self.exchange.ask.dialect == "vertex":
            told["totalBillableCharacters"] = 4 * told["totalTokens"]
        if extra.get("cached"):
            told["cachedContentTokenCount"] = sum(extra["cached"].values())
        return orjson.dumps({**told, "promptTokensDetails": details(spent)})
