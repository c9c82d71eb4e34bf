"""Counts the tokens of a chat request's prompt, by OpenAI's own recipes.

Source: OpenAI's cookbook, "How to count tokens with tiktoken", sections 6 and 7: three tokens a message and three to
start the reply; a function costs a fixed number, its words, and three for each property. The recipe for functions knows
flat parameters only; nested ones are counted in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from llmsim import media
from llmsim.tokens import count_tokens, encoding_for

PER_MESSAGE = 3
# Each role is one token in every vocabulary.
PER_ROLE = 1
PER_NAME = 1
PER_CALL = 3
PRIMING = 3

_FUNCTION = {"cl100k_base": 10}
_NEWER_FUNCTION = 7
_PROPERTIES = 3
_PROPERTY = 3
_ENUM = -3
_ENUM_ITEM = 3
_TOOLS_END = 12


def prompt_cost(request: Any, model: str) -> int:
    """All tokens that go in: messages, media, tools and the schema of the reply; `request` is a valid ChatRequest."""
    total = PRIMING + sum(_message(message, model) for message in request["messages"])
    total += tools_cost([*(request.get("tools") or ()), *(request.get("functions") or ())], model)
    reply = request.get("response_format")
    if reply and reply["type"] == "json_schema":
        total += schema_cost(reply["json_schema"].get("schema"), model)
    return total


def tools_cost(tools: Sequence[Any], model: str) -> int:
    """All functions and custom tools, of whatever shape, together."""
    return _TOOLS_END + sum(_tool(orjson.dumps(tool), model) for tool in tools) if tools else 0


def schema_cost(schema: Any, model: str) -> int:
    """The schema of a reply."""
    return count_tokens(orjson.dumps(schema or {}).decode(), model)


def _message(message: Any, model: str) -> int:
    total = PER_MESSAGE + PER_ROLE
    content = message.get("content")
    if type(content) is str:
        total += count_tokens(content, model)
    elif content:
        total += sum(_part(part, model) for part in content)
    name = message.get("name")
    if name:
        total += PER_NAME + count_tokens(name, model)
    return total + _said(message, model) if message["role"] == "assistant" else total


def _said(message: Any, model: str) -> int:
    """What only the model's own messages have: refusals and calls."""
    total = count_tokens(message["refusal"], model) if message.get("refusal") else 0
    for call in message.get("tool_calls") or ():
        total += PER_CALL + sum(count_tokens(text, model) for text in _words(call[call["type"]]))
    legacy = message.get("function_call")
    return total + PER_CALL + sum(count_tokens(text, model) for text in _words(legacy)) if legacy else total


def _words(call: Any) -> tuple[str, str]:
    return call["name"], call["arguments"] if "arguments" in call else call["input"]


# -- media


def _part(part: Any, model: str) -> int:
    kind = part["type"]
    if kind in ("text", "refusal"):
        return count_tokens(part[kind], model)
    if kind == "image_url":
        image = part["image_url"]
        return image_cost(image["url"], image.get("detail"), model)
    if kind == "input_audio":
        sound = part["input_audio"]
        data = media.decode_base64(sound["data"]) or b""
        return media.audio_tokens(media.audio_seconds(data, sound["format"]))
    return file_cost(part["file"].get("file_data"))


def image_cost(url: str, detail: str | None, model: str) -> int:
    """An image by its size in pixels, where it is at hand as a data URL."""
    return media.image_tokens(model, *_size(url), detail or "auto")


def _size(url: str) -> tuple[int, int]:
    found = media.data_url(url, media.HEADER_BYTES)
    return (media.image_size(found[1]) if found else None) or media.UNKNOWN_SIZE


def file_cost(content: str | None) -> int:
    """A file by its pages where it is a PDF, else at four bytes a token; one that is not at hand as a page."""
    if not content:
        return media.PAGE_TOKENS
    found = media.data_url(content)
    data = found[1] if found else media.decode_base64(content) or b""
    if data[:5] == b"%PDF-":
        return media.pdf_pages(data) * media.PAGE_TOKENS
    return -(-len(data) // 4)


# -- tools


@lru_cache(maxsize=1024)
def _tool(source: bytes, model: str) -> int:
    """A tool by its JSON: programs send the same ones with every request."""
    tool = orjson.loads(source)
    told = tool.get("function") or tool.get("custom") or tool
    total = _FUNCTION.get(encoding_for(model), _NEWER_FUNCTION)
    total += count_tokens(f"{told['name']}:{_sentence(told.get('description'))}", model)
    form = told.get("format") or {}
    grammar = form.get("grammar") or form
    if "definition" in grammar:
        total += count_tokens(grammar["definition"], model)
    return total + _properties(told.get("parameters"), model)


def _properties(schema: Any, model: str) -> int:
    if not isinstance(schema, dict):
        return 0
    total = sum(_properties(part, model) for part in _inner(schema))
    properties = schema.get("properties")
    if isinstance(properties, dict) and properties:
        total += _PROPERTIES + sum(_property(name, part, model) for name, part in properties.items())
    return total


def _inner(schema: dict[str, Any]) -> Iterable[Any]:
    """Schemas in a schema, other than those of its properties."""
    yield schema.get("items")
    ways = schema.get("anyOf")
    yield from ways if isinstance(ways, list) else ()
    named = schema.get("$defs")
    yield from named.values() if isinstance(named, dict) else ()


def _property(name: str, schema: Any, model: str) -> int:
    if not isinstance(schema, dict):
        return _PROPERTY + count_tokens(name, model)
    total = _PROPERTY + _properties(schema, model)
    values = schema.get("enum")
    if isinstance(values, list):
        total += _ENUM + sum(_ENUM_ITEM + count_tokens(str(value), model) for value in values)
    return total + count_tokens(f"{name}:{schema.get('type', '')}:{_sentence(schema.get('description'))}", model)


def _sentence(text: Any) -> str:
    return str(text or "").removesuffix(".")
