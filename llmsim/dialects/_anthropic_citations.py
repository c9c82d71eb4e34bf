"""What a reply of Claude's cites of the documents and search results that it was given to cite from.

Source: Anthropic's guides "Citations" and "Search results".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmsim.dialects._anthropic_checks import cites
from llmsim.dialects._anthropic_conversation import every_block
from llmsim.dialects._anthropic_media import Files

Json = dict[str, Any]

_LONGEST = 150


def citation(messages: Sequence[Json], files: Files) -> Json | None:
    """The place that the reply cites: the beginning of the first document, or search result, that may be cited."""
    documents = results = 0
    for _, block in every_block(messages):
        if block["type"] == "document":
            if cites(block):
                return {**_in_document(block, files), "document_index": documents, "document_title": block.get("title")}
            documents += 1
        elif block["type"] == "search_result":
            if cites(block):
                return _in_result(block, results)
            results += 1
    return None


def _in_document(block: Json, files: Files) -> Json:
    source = block["source"]
    if source["type"] == "content":
        parts = source["content"]
        text = parts if isinstance(parts, str) else parts[0].get("text", "") if parts else ""
        place = {"start_block_index": 0, "end_block_index": 1}
        return {"type": "content_block_location", "cited_text": text, **place, "file_id": None}
    file = files(source["file_id"]) if source["type"] == "file" else None
    text = source["data"] if source["type"] == "text" else ""
    if file is not None and file.mime_type == "text/plain":
        text = file.data.decode("utf-8", "replace")
    file_id = file.id if file is not None else None
    if text:
        cited = _sentence(text)
        place = {"start_char_index": 0, "end_char_index": len(cited)}
        return {"type": "char_location", "cited_text": cited, **place, "file_id": file_id}
    place = {"start_page_number": 1, "end_page_number": 2}
    return {"type": "page_location", "cited_text": block.get("title") or "Page 1", **place, "file_id": file_id}


def _in_result(block: Json, index: int) -> Json:
    content = block["content"]
    return {
        "type": "search_result_location",
        "cited_text": content[0]["text"] if content else "",
        "search_result_index": index,
        "source": block["source"],
        "title": block["title"],
        "start_block_index": 0,
        "end_block_index": 1,
    }


def _sentence(text: str) -> str:
    """The first sentence, so that what is cited is really there."""
    head = text[:_LONGEST]
    end = head.find(". ")
    return head[: end + 1] if end > 0 else head
