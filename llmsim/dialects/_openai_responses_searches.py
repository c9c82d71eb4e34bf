"""Searches of the web, of files and of tools, and the tools of MCP servers: nothing is asked, all is made up.

Source: OpenAI's OpenAPI document, schemas OutputItem and ResponseStreamEvent.
"""

from __future__ import annotations

import orjson

from llmsim.dialects._openai_responses_choice import Use, mcp_name, mcp_names
from llmsim.dialects._openai_responses_runs import Run, Setting, Told, short, slug

_PAGES = (
    ("Wikipedia", "https://en.wikipedia.org/wiki/"),
    ("Encyclopædia Britannica", "https://www.britannica.com/topic/"),
    ("Reuters", "https://www.reuters.com/world/"),
)


def web_search(use: Use, index: int, setting: Setting) -> list[Run]:
    """A search of the web for what the user asks; the words cite the page that was found."""
    id, query = setting.ids.item("ws_", index), short(setting.hint)
    title, root = setting.dice.choice(_PAGES)
    domains = ((use.tool.get("filters") or {}).get("allowed_domains") or ()) if use.tool else ()
    page = (f"https://{domains[0]}/" if domains else root) + slug(query)
    action: Told = {"type": "search", "query": query, "queries": [query]}
    if "web_search_call.action.sources" in setting.include:
        action["sources"] = [{"type": "url", "url": page}]
    item = {"id": id, "type": "web_search_call", "status": "completed", "action": action}
    return [
        Run(
            {**item, "status": "in_progress", "action": {"type": "search", "query": query}},
            item,
            [("web_search_call.in_progress", {}), ("web_search_call.searching", {})],
            [("web_search_call.completed", {})],
            [lambda length: {**_last(length), "type": "url_citation", "url": page, "title": f"{title}: {query}"}],
        )
    ]


def file_search(use: Use, index: int, setting: Setting) -> list[Run]:
    """A search of vector stores for what the user asks; the words cite the file that was found."""
    query, dice = short(setting.hint), setting.dice
    file, name = f"file-{dice.text(22)}", f"{slug(query) or 'notes'}.md"
    found = [
        {"file_id": file, "filename": name, "score": round(dice.uniform(0.6, 0.95), 4), "text": query, "attributes": {}}
    ]
    item = {
        "id": setting.ids.item("fs_", index),
        "type": "file_search_call",
        "status": "completed",
        "queries": [query],
        "results": found if "file_search_call.results" in setting.include else None,
    }
    return [
        Run(
            {**item, "status": "in_progress", "queries": [], "results": None},
            item,
            [("file_search_call.in_progress", {}), ("file_search_call.searching", {})],
            [("file_search_call.completed", {})],
            [lambda length: {"type": "file_citation", "index": length, "file_id": file, "filename": name}],
        )
    ]


def tool_search(use: Use, index: int, setting: Setting) -> list[Run]:
    """A search among the tools that are loaded later, all of which are there already."""
    place: Told = {"call_id": None, "execution": "server", "status": "completed"}
    call = {
        "id": setting.ids.item("tsc_", index),
        "type": "tool_search_call",
        **place,
        "arguments": {"query": short(setting.hint)},
    }
    output: Told = {"id": setting.ids.item("tso_", index + 1), "type": "tool_search_output", **place, "tools": []}
    return [Run({**item, "status": "in_progress"}, item) for item in (call, output)]


# -- MCP servers


def mcp_list(use: Use, index: int, setting: Setting) -> list[Run]:
    """The tools of a server: those that the client allows by name."""
    label = use.tool["server_label"]
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    names = mcp_names(use.tool) or [mcp_name(use.tool)]
    tools = [
        {"name": name, "description": f"{name} of {label}", "input_schema": schema, "annotations": None}
        for name in names
    ]
    item = {
        "id": setting.ids.item("mcpl_", index),
        "type": "mcp_list_tools",
        "server_label": label,
        "tools": tools,
        "error": None,
    }
    return [
        Run(
            {**item, "tools": []},
            item,
            [("mcp_list_tools.in_progress", {})],
            [("mcp_list_tools.completed", {})],
        )
    ]


def mcp(use: Use, index: int, setting: Setting) -> list[Run]:
    """A call of a server's tool, the one that was approved or the one that was chosen."""
    approved = use.call or {}
    arguments = approved.get("arguments") or orjson.dumps({"query": short(setting.hint)}).decode()
    item = {
        "id": setting.ids.item("mcp_", index),
        "type": "mcp_call",
        "status": "completed",
        "server_label": approved.get("server_label") or use.tool["server_label"],
        "name": approved.get("name") or mcp_name(use.tool),
        "arguments": arguments,
        "output": orjson.dumps({"result": short(setting.hint)}).decode(),
        "error": None,
        "approval_request_id": approved.get("id"),
    }
    return [
        Run(
            {**item, "status": "in_progress", "arguments": "", "output": None},
            item,
            [("mcp_call.in_progress", {})],
            [
                ("mcp_call_arguments.delta", {"delta": arguments}),
                ("mcp_call_arguments.done", {"arguments": arguments}),
                ("mcp_call.completed", {}),
            ],
        )
    ]


def _last(length: int) -> Told:
    """Where the end of a text of that length stands."""
    return {"start_index": max(0, length - 40), "end_index": length}
