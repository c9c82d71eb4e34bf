"""OpenAI's own client parses structured output into the models it was asked for."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

import openai
import pytest
from openai import AsyncOpenAI
from openai_asks import HELLO
from pydantic import BaseModel

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Dot(BaseModel):
    kind: Literal["dot"]
    x: int
    y: float


class Line(BaseModel):
    kind: Literal["line"]
    ends: list[Dot]


class Folder(BaseModel):
    name: str
    inner: list[Folder]


class Drawing(BaseModel):
    title: str
    colour: Colour
    shapes: list[Dot | Line]
    note: str | None
    visible: bool
    root: Folder


async def test_parse_fills_a_model_with_everything_in_it(client: AsyncOpenAI) -> None:
    for seed in range(5):
        reply = await client.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Drawing, seed=seed)
        drawing = reply.choices[0].message.parsed
        assert isinstance(drawing, Drawing)
        assert isinstance(drawing.root, Folder)


async def test_parse_fills_the_arguments_of_a_tool(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.parse(
        model="gpt-4o", messages=HELLO, tools=[openai.pydantic_function_tool(Drawing)]
    )
    (call,) = reply.choices[0].message.tool_calls or []
    assert isinstance(call.function.parsed_arguments, Drawing)


async def test_the_stream_helper_parses_too(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="gpt-4o", messages=HELLO, response_format=Drawing) as stream:
        final = await stream.get_final_completion()
    assert isinstance(final.choices[0].message.parsed, Drawing)


async def test_parse_raises_when_the_limit_cuts_the_json(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.LengthFinishReasonError) as caught:
        await client.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Drawing, max_tokens=3)
    assert caught.value.completion.usage


async def test_a_json_object_is_json(client: AsyncOpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Answer in JSON: who are you?"}]
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=messages, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(reply.choices[0].message.content or ""), dict)


async def test_a_json_schema_is_followed(client: AsyncOpenAI) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 3, "maximum": 4}}}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": {**schema, "required": ["age"]}}}
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO, response_format=wanted)
    assert json.loads(reply.choices[0].message.content or "")["age"] in (3, 4)
