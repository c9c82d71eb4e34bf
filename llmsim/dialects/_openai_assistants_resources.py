"""What an assistant's or a thread's tools work on: files for code, vector stores for searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmsim.dialects import Desk
from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_vector_stores import VectorStore
from llmsim.exchange import Exchange


def resources(
    told: dict[str, Any] | None, tools: Sequence[dict[str, Any]], desk: Desk, exchange: Exchange
) -> dict[str, Any]:
    """The resources as the API tells of them, for each tool there is and each that was told of.

    A vector store that comes along with them is made. Raises Refused where a file that goes into one is not there.
    """
    told = told or {}
    kinds = {tool["type"] for tool in tools}
    shown: dict[str, Any] = {}
    if "code_interpreter" in kinds or told.get("code_interpreter"):
        shown["code_interpreter"] = {"file_ids": (told.get("code_interpreter") or {}).get("file_ids") or []}
    if "file_search" in kinds or told.get("file_search"):
        new = [_made(one, index, desk, exchange) for index, one in enumerate(_new_stores(told), 1)]
        shown["file_search"] = {"vector_store_ids": stores_of(told) + new}
    return shown


def stores_of(told: dict[str, Any] | None) -> list[str]:
    """The ids of the vector stores among some resources."""
    return list(((told or {}).get("file_search") or {}).get("vector_store_ids") or ())


def check_files(told: dict[str, Any] | None, desk: Desk) -> None:
    """Raises Refused where a file that goes into a new vector store is not there."""
    for one in _new_stores(told):
        for id in one.get("file_ids") or ():
            files.find(desk, id, "file_ids")


def _new_stores(told: dict[str, Any] | None) -> list[dict[str, Any]]:
    return list(((told or {}).get("file_search") or {}).get("vector_stores") or ())


def _made(told: dict[str, Any], index: int, desk: Desk, exchange: Exchange) -> str:
    now = desk.wall()
    store = VectorStore(wire.new_id("vs_", exchange, index), now, metadata=told.get("metadata") or {})
    store.last_active_at = now
    for id in told.get("file_ids") or ():
        store.attach(desk, id, told)
    store.keep(desk.store)
    return store.id
