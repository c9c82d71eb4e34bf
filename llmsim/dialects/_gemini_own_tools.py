"""The tools that Google runs itself: what search, pages and code leave in a reply.

Source: Google's guides "Grounding with Google Search", "URL context" and "Code execution". There is no web and no
sandbox behind them: what they found is made up, in the shapes of the API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from html import escape
from typing import Any

from llmsim.exchange import Exchange
from llmsim.plan import Call, Garbled, Say, Think

Json = dict[str, Any]

_SEARCHES = ("googleSearch", "googleSearchRetrieval", "enterpriseWebSearch")
_NAMES = frozenset((*_SEARCHES, "urlContext", "codeExecution"))
_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_REDIRECT = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"
_TITLES = ("example.com", "example.org", "example.net")
_MOST_URLS = 20
_LONGEST_QUERY = 100
_RUN: list[Json] = [
    {"executableCode": {"language": "PYTHON", "code": "print(sum(range(1, 11)))\n"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "55\n"}},
]


def own_tools(request: Mapping[str, Any]) -> frozenset[str]:
    """Which of Google's own tools a request offers."""
    return frozenset(name for tool in request.get("tools", ()) for name in tool if name in _NAMES)


class OwnTools:
    """What Google's own tools add to the candidates of one exchange that say something."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._names: frozenset[str] = exchange.ask.extra.get("own_tools", frozenset())
        self._asked = exchange.ask.last_user_text if self._names else ""

    def __bool__(self) -> bool:
        return bool(self._names)

    def run(self) -> list[Json]:
        """The parts that come before the words: code and what it printed."""
        return [dict(part) for part in _RUN] if "codeExecution" in self._names else []

    def found(self, choice: int) -> Json:
        """The fields of a candidate that tell where its words come from; none where it has no words."""
        text = self._said(choice)
        told: Json = {}
        if text and not self._names.isdisjoint(_SEARCHES):
            told["groundingMetadata"] = self._grounding(text)
        urls = list(dict.fromkeys(_URL.findall(self._asked)))[:_MOST_URLS]
        if text and urls and "urlContext" in self._names:
            read = "URL_RETRIEVAL_STATUS_SUCCESS"
            told["urlContextMetadata"] = {
                "urlMetadata": [{"retrievedUrl": url, "urlRetrievalStatus": read} for url in urls]
            }
        return told

    def _said(self, choice: int) -> str:
        pieces = (piece.piece if isinstance(piece, Garbled) else piece for piece in self._exchange.plan.pieces)
        words = (piece for piece in pieces if isinstance(piece, Say) and not isinstance(piece, (Think, Call)))
        return "".join(piece.text for piece in words if piece.choice == choice)

    def _grounding(self, text: str) -> Json:
        query = " ".join(self._asked.split())[:_LONGEST_QUERY]
        seen = blake2b(f"{self._exchange.seed} {query}".encode("utf-8", "replace"), digest_size=24).hexdigest()
        chunks = [{"web": {"uri": f"{_REDIRECT}{seen}{at}", "title": title}} for at, title in enumerate(_TITLES)]
        # Places are counted in bytes, as Google counts them.
        segment = {"endIndex": len(text.encode("utf-8", "replace")), "text": text}
        return {
            "searchEntryPoint": {
                "renderedContent": f'<div class="container"><a class="chip">{escape(query)}</a></div>'
            },
            "groundingChunks": chunks,
            "groundingSupports": [{"segment": segment, "groundingChunkIndices": list(range(len(chunks)))}],
            "webSearchQueries": [query],
        }
