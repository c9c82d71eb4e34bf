"""What the tests of OpenAI's API ask for again and again, and how they read streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openai.types.chat import ChatCompletionChunk

HELLO: Any = [{"role": "user", "content": "What is the weather in Oslo and what time is it there?"}]


def tool(name: str, description: str, **properties: Any) -> Any:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


WEATHER = tool("get_weather", "The weather in a city", city={"type": "string"})
CLOCK = tool("get_time", "The time in a city", city={"type": "string"})
JOKE: Any = {"type": "custom", "custom": {"name": "tell_joke", "description": "Tells a joke"}}


async def collected(stream: Any) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in stream]


def text_of(chunks: Sequence[ChatCompletionChunk], index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


def strict(one: Any) -> Any:
    """The tool as the SDK's helpers want it."""
    return {**one, "function": {**one["function"], "strict": True}}
