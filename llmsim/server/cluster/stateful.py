"""Which requests touch what clients have left: these are all served by one worker, so that they find each other."""

from __future__ import annotations

import re
from functools import cache

from llmsim.dialects import Dialect, Route

KEPT_APIS = frozenset(
    (
        *("openai_responses", "openai_conversations", "openai_files", "openai_uploads", "openai_batches"),
        *("openai_assistants", "openai_threads", "openai_runs", "openai_vector_stores", "openai_stored_chat"),
        *("anthropic_batches", "anthropic_files", "gemini_files", "gemini_caches", "gemini_interactions"),
        "openai_images",
    )
)
"""APIs that are about nothing else."""

_WORDS: dict[str, tuple[bytes, ...]] = {
    "openai_chat": (b'"store"', b'"file_id"'),
    "azure_openai": (b'"store"', b'"file_id"', b'"previous_response_id"'),
    "anthropic_messages": (b'"cache_control"', b'"file_id"', b'"container"', b'"thread'),
    "bedrock_invoke": (b'"cache_control"',),
    "bedrock_converse": (b'"cachePoint"',),
    "vertex_anthropic": (b'"cache_control"', b'"file_id"'),
    "gemini": (b'"cachedContent"', b'"cached_content"', b'"fileUri"', b'"file_uri"'),
    "vertex": (b'"cachedContent"', b'"cached_content"', b'"fileUri"', b'"file_uri"'),
    "gemini_openai": (b'"cached_content"',),
}
"""What stands in a request that makes use of such a thing, by the API."""


def stateful(dialect: Dialect, route: Route, data: bytes, start: int = 0, end: int | None = None) -> bool:
    """Whether a request leaves something for others to find, or looks for it; its body is that part of the data."""
    told = _told(dialect.kind, route.path)
    if told is None:
        return not (dialect.kind == "openai_responses" and _stores_nothing(data[start:end]))
    for word in told:  # noqa: SIM110  # a generator would cost more than all that is looked for
        if data.find(word, start, end) >= 0:
            return True
    return False


@cache
def _told(kind: str, path: str) -> tuple[bytes, ...] | None:
    """The words by which a request on a path makes use of such a thing; None where every one does."""
    if kind in KEPT_APIS or _PARTS.search(path) or (kind == "openai_models" and "{" in path):
        return None
    return _WORDS.get(kind, ())


_PARTS = re.compile(r"/(assistants|batches|cachedContents|files|images|responses|threads|uploads|vector_stores)\b")
"""Parts of the paths of such APIs, where one dialect serves many."""

_STORES = b'"store":false'
_REFERS = (b'"previous_response_id"', b'"conversation"', b'"background"', b'"file_id"', b'"prompt"')


def _stores_nothing(body: bytes) -> bool:
    """Whether a response is asked for that nobody will look for, and that looks for nothing itself."""
    head = body.replace(b" ", b"") if len(body) < 65_536 else body
    return _STORES in head and not any(word in head for word in _REFERS)
