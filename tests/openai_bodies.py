"""Bodies of chat requests, to be varied by tests of everything that reads them."""

from typing import Any

import orjson
import pytest

from llmsim.conversation import Ask
from llmsim.dialects._openai_chat_request import read_chat
from llmsim.errors import Failure, Refused

HI = {"role": "user", "content": "Hi"}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location"],
        },
    },
}
LEGACY = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
STRICT = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": list(messages) or [HI], **fields}


def without(field: str, **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in body(**fields).items() if name != field}


def said(*parts: Any) -> dict[str, Any]:
    return body({"role": "user", "content": list(parts)})


def image(url: str) -> dict[str, Any]:
    return said({"type": "image_url", "image_url": {"url": url}})


def tool(**fields: Any) -> dict[str, Any]:
    return body(tools=[{"type": "function", "function": {"name": "f", **fields}}])


def form(schema: Any, strict: Any = True, name: str = "answer") -> dict[str, Any]:
    told = {"name": name, "schema": schema, "strict": strict}
    return body(response_format={"type": "json_schema", "json_schema": told})


def read(value: Any) -> Ask:
    return read_chat(value if isinstance(value, bytes) else orjson.dumps(value))


def refused(value: Any) -> Failure:
    with pytest.raises(Refused) as caught:
        read(value)
    return caught.value.failure
