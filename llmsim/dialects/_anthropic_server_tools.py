"""The tools that Anthropic's server runs itself: when the model calls them, and what they answer.

Source: Anthropic's guides "Web search tool", "Web fetch tool", "Code execution tool" and "Tool search tool". There is
no web and no sandbox behind them: what they answer is made up, in the shapes of the API.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_checks import server_tools
from llmsim.dialects._anthropic_conversation import blocks_of
from llmsim.dialects._anthropic_tool_changes import tool_name
from llmsim.exchange import Exchange

Json = dict[str, Any]

_DAY = 86_400
_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_ASKS = (
    ("web_fetch", re.compile(r"https?://|\b(?:fetch|open|read) (?:the )?(?:page|site|url|link)\b", re.IGNORECASE)),
    (
        "code_execution",
        re.compile(r"\b(?:execute|run|code|python|script|calculate|compute|plot|bash)\b", re.IGNORECASE),
    ),
    ("web_search", re.compile(r"\b(?:search|web|online|internet|news|latest|current|today)\b", re.IGNORECASE)),
)


@dataclass(slots=True)
class Run:
    """A call of a server's tool with its answer: the blocks of both, what the reply may cite of it, what it counts."""

    blocks: list[Json]
    citation: Json | None = None
    counts: Json | None = None
    container: Json | None = None
    searched: list[Json] = field(default_factory=list)


def called(request: Json) -> Json | None:
    """The tool that the server runs for this request, if any: one that is forced, asked for, or all there is."""
    offered = {tool_name(tool): tool for tool in server_tools(request) if not tool_name(tool).startswith("tool_search")}
    offered.pop("advisor", None)
    last = request["messages"][-1]
    choice = request.get("tool_choice") or {"type": "auto"}
    newest = [block for block in blocks_of(last) if last["role"] == "user"]
    if not offered or choice["type"] == "none" or not newest:
        return None
    if choice["type"] == "tool":
        return offered.get(choice["name"])
    text = "\n".join(block["text"] for block in newest if block["type"] == "text")
    alone = len(server_tools(request)) == len(request["tools"])
    asked = next((name for name, words in _ASKS if name in offered and words.search(text)), None)
    if any(block["type"] == "tool_result" for block in newest) or (choice["type"] == "any" and not alone):
        return None
    if asked is not None:
        return offered[asked]
    # A model offered nothing but a search makes use of it, as models do that are offered nothing but client's tools.
    return (
        next((offered[name] for name in ("web_search", "code_execution") if name in offered), None) if alone else None
    )


def run(tool: Json, text: str, exchange: Exchange) -> Run:
    """The call and what it answers to the user's text."""
    id = wire.new_id("srvtoolu_", exchange)
    if tool["name"] == "web_search":
        return _search(tool, text, exchange, id)
    if tool["name"] == "web_fetch":
        return _fetch(tool, text, exchange, id)
    return _execute(tool, text, exchange, id)


def _use(id: str, name: str, input: Json) -> Json:
    return {"type": "server_tool_use", "id": id, "name": name, "input": input, "caller": {"type": "direct"}}


def _search(tool: Json, text: str, exchange: Exchange, id: str) -> Run:
    query = " ".join(text.split())[:100] or "news"
    site = (tool.get("allowed_domains") or ["example.com"])[0].removeprefix("*.").rstrip("/")
    slug = re.sub(r"[^a-z0-9]+", "-", query.lower()).strip("-")[:60] or "results"
    results = [
        {
            "type": "web_search_result",
            "title": f"{query[:60]} - {title}",
            "url": f"https://{site}/{slug}/{at}",
            "encrypted_content": _opaque(f"{query} {at}"),
            "page_age": wire.timestamp(int(exchange.wall) - at * _DAY)[:10],
        }
        for at, title in enumerate(("an overview", "in the news", "questions and answers"), 1)
    ]
    citation = {
        "type": "web_search_result_location",
        "cited_text": f"What there is to know about {query[:100]}.",
        "url": results[0]["url"],
        "title": results[0]["title"],
        "encrypted_index": _opaque(query),
    }
    answer = {"type": "web_search_tool_result", "tool_use_id": id, "caller": {"type": "direct"}, "content": results}
    counts = {"web_search_requests": 1, "web_fetch_requests": 0}
    return Run([_use(id, "web_search", {"query": query}), answer], citation, counts)


def _fetch(tool: Json, text: str, exchange: Exchange, id: str) -> Run:
    found = _URL.search(text)
    url = found[0].rstrip(".,;:!?") if found else "https://example.com/"
    content: Json = {"type": "web_fetch_tool_result_error", "error_code": "url_not_in_prior_context"}
    if found:
        source = {"type": "text", "media_type": "text/plain", "data": f"This is what is written at {url}."}
        cited = tool.get("citations") or None
        page = {"type": "document", "source": source, "title": url.split("/")[2], "citations": cited}
        fetched = wire.timestamp(int(exchange.wall))
        content = {"type": "web_fetch_result", "url": url, "content": page, "retrieved_at": fetched}
    answer = {"type": "web_fetch_tool_result", "tool_use_id": id, "caller": {"type": "direct"}, "content": content}
    return Run([_use(id, "web_fetch", {"url": url}), answer], None, {"web_search_requests": 0, "web_fetch_requests": 1})


def _execute(tool: Json, text: str, exchange: Exchange, id: str) -> Run:
    said = " ".join(text.split())[:80].replace("'", "")
    done: Json = {"stdout": "done\n", "stderr": "", "return_code": 0, "content": []}
    if tool["type"] == "code_execution_20250522":
        call = _use(id, "code_execution", {"code": f"# {said}\nprint('done')"})
        kind, sort = "code_execution_tool_result", "code_execution_result"
    else:
        call = _use(id, "bash_code_execution", {"command": f"# {said}\npython3 -c \"print('done')\""})
        kind, sort = "bash_code_execution_tool_result", "bash_code_execution_result"
    answer = {"type": kind, "tool_use_id": id, "content": {"type": sort, **done}}
    container = {
        "id": exchange.ask.extra["container"] or wire.new_id("container_", exchange),
        "expires_at": wire.timestamp(int(exchange.wall) + 3600),
        "skills": exchange.ask.extra["skills"],
    }
    return Run([call, answer], None, {"web_search_requests": 0, "web_fetch_requests": 0}, container)


def found(search: Json, name: str, exchange: Exchange) -> list[Json]:
    """A search for tools that finds the one that is about to be called."""
    id = wire.new_id("srvtoolu_", exchange, 1)
    input = {"pattern": name} if search["name"].endswith("regex") else {"query": name.replace("_", " ")}
    references = [{"type": "tool_reference", "tool_name": name}]
    content = {"type": "tool_search_tool_search_result", "tool_references": references}
    return [
        _use(id, search["name"], input),
        {"type": "tool_search_tool_result", "tool_use_id": id, "content": content},
    ]


def _opaque(text: str) -> str:
    """What only the server could read."""
    return base64.b64encode(
        b"".join(blake2b(text.encode("utf-8", "replace"), key=key).digest() for key in (b"a", b"b"))
    ).decode()
