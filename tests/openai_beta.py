"""Asks the assistants API in process, with its beta header, and checks what comes by document and SDK."""

from __future__ import annotations

import re
from typing import Any

from inprocess import Told, ask
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Message, Run
from openai.types.beta.threads.runs import RunStep
from openapi import assert_fits, assert_known_keys
from pydantic import BaseModel

from llmsim.server.handlers import Application

BETA = {"openai_beta": "assistants=v2"}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK: Any = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SHAPES: dict[str, tuple[str, type[BaseModel]]] = {
    "assistant": ("AssistantObject", Assistant),
    "thread": ("ThreadObject", Thread),
    "thread.message": ("MessageObject", Message),
    "thread.run": ("RunObject", Run),
    "thread.run.step": ("RunStepObject", RunStep),
}


class Api:
    """The application as a client of the beta sees it; answers that are objects are checked."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def told(self, method: str, path: str, body: Any = b"") -> Told:
        return await ask(self.app, f"/v1{path}", body, method=method, **BETA)

    async def post(self, path: str, **body: Any) -> Any:
        return checked(await self.told("POST", path, body))

    async def get(self, path: str) -> Any:
        return checked(await self.told("GET", path))

    async def delete(self, path: str) -> Any:
        return checked(await self.told("DELETE", path))

    async def refused(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        told = await self.told(method, path, body if method == "POST" else b"")
        assert set(told.json) == {"error"}, told.body
        return told.status, told.json["error"]

    async def assistant(self, **fields: Any) -> str:
        return str((await self.post("/assistants", **{"model": "gpt-4o", **fields}))["id"])

    async def thread(self, *texts: str, **fields: Any) -> str:
        messages = [{"role": "user", "content": text} for text in texts]
        return str((await self.post("/threads", messages=messages, **fields))["id"])

    async def run(self, thread: str, assistant: str, **fields: Any) -> Any:
        return await self.post(f"/threads/{thread}/runs", assistant_id=assistant, **fields)

    async def again(self, run: Any) -> Any:
        """The run as it has become."""
        return await self.get(f"/threads/{run['thread_id']}/runs/{run['id']}")

    async def steps(self, run: Any) -> list[Any]:
        """The run's steps, oldest first."""
        path = f"/threads/{run['thread_id']}/runs/{run['id']}/steps?order=asc"
        return [check(step) for step in (await self.get(path))["data"]]

    async def messages(self, thread: str) -> list[Any]:
        """The thread's messages, oldest first."""
        return [check(one) for one in (await self.get(f"/threads/{thread}/messages?order=asc"))["data"]]

    async def outputs(self, run: Any, output: str = "Sunny.", **fields: Any) -> Any:
        """Answers every call that the run waits for."""
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        told = [{"tool_call_id": call["id"], "output": output} for call in calls]
        path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
        return await self.post(path, tool_outputs=told, **fields)


def checked(told: Told) -> Any:
    assert told.status == 200, told.body
    return told.json if told.body.startswith(b"{") else told


def check(value: Any) -> Any:
    """Holds an object to be valid by OpenAI's document and known to its SDK."""
    schema, model = SHAPES[value["object"]]
    assert_fits(schema, value)
    assert_known_keys(model.model_validate(value))
    return value


def events(body: bytes) -> list[tuple[str, bytes]]:
    """The names and the data of a stream's events."""
    told = []
    for block in body.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        told.append((name.removeprefix("event: "), data.removeprefix("data: ").encode()))
    return told


def alike(body: bytes) -> bytes:
    """A stream with the same ids and dates whenever it is told: each id by its order of appearance."""
    seen: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        kind = match[1]
        return seen.setdefault(match[0], f"{kind}_{sum(name.startswith(kind) for name in seen) + 1}")

    text = re.sub(r"\b(asst|thread|msg|run|step|call)_[A-Za-z0-9]{24}", numbered, body.decode())
    return re.sub(r'_at":\d+', '_at":DATE', text).encode()
