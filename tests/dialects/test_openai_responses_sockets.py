"""Over a web socket each frame creates a response, whose events come back as frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from openresponses_types import types as open_types
from responses_judges import assert_event, assert_response, assert_story
from running import application

from llmsim.server.handlers import Application

HELLO = {"type": "response.create", "model": "gpt-4o", "input": "one two three"}


class Socket:
    """A web socket on the ASGI application itself."""

    def __init__(self) -> None:
        self._in: asyncio.Queue[Any] = asyncio.Queue()
        self.out: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any:
        return await self._in.get()

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            await self.out.put(orjson.loads(message["text"]))

    async def put(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else orjson.dumps(frame).decode()
        await self._in.put({"type": "websocket.receive", "text": text})

    async def ask(self, frame: Any) -> list[Any]:
        """The events of one response, or the one event that refuses it."""
        await self.put(frame)
        events = [await self.out.get()]
        ends = ("response.completed", "response.incomplete", "response.failed", "error", "response.steer.failed")
        while events[-1]["type"] not in ends:
            events.append(await self.out.get())
        return events

    async def leave(self) -> None:
        await self._in.put({"type": "websocket.disconnect"})


@asynccontextmanager
async def connected(app: Application, key: str = "a") -> AsyncIterator[Socket]:
    socket = Socket()
    await socket._in.put({"type": "websocket.connect"})
    headers = [(b"authorization", b"Bearer sk-test"), (b"sec-websocket-key", key.encode())]
    scope = {"type": "websocket", "path": "/v1/responses", "query_string": b"", "headers": headers}
    serving = asyncio.ensure_future(app(scope, socket.receive, socket.send))  # type: ignore[arg-type]
    try:
        yield socket
    finally:
        await socket.leave()
        await serving


@pytest.fixture
def app() -> Application:
    return application(generator="echo")


async def test_a_frame_creates_a_response_with_events_like_any_other(app: Application) -> None:
    async with connected(app) as socket:
        for _ in range(2):
            events = await socket.ask(HELLO)
            for event in events:
                assert_event(event)
            assert_story(events)
            assert [event["sequence_number"] for event in events] == list(range(len(events)))


async def test_a_lane_is_named_in_every_event(app: Application) -> None:
    async with connected(app) as socket:
        for more in ({}, {"model": "gpt-5", "reasoning": {"summary": "auto"}}):
            events = await socket.ask({**HELLO, **more, "stream_id": "left"})
            assert {event["stream_id"] for event in events} == {"left"}


async def test_a_socket_remembers_its_newest_response_though_it_is_not_stored(app: Application) -> None:
    async with connected(app, "a") as one, connected(app, "b") as other:
        first = (await one.ask({**HELLO, "store": False}))[-1]["response"]
        going_on = {**HELLO, "store": False, "previous_response_id": first["id"]}
        (refused,) = await other.ask(going_on)
        assert refused["error"]["code"] == "previous_response_not_found"
        second = (await one.ask(going_on))[-1]["response"]
        assert second["usage"]["input_tokens"] == first["usage"]["input_tokens"] + 2 * (3 + 4)
        (refused,) = await one.ask(going_on)
        assert refused["error"]["code"] == "previous_response_not_found"
    assert not app.simulator.store.values("openai.response")


async def test_a_request_may_only_be_prepared(app: Application) -> None:
    async with connected(app) as socket:
        events = await socket.ask({**HELLO, "generate": False})
        prepared = events[-1]["response"]
        assert_response(prepared)
        assert [event["type"].removeprefix("response.") for event in events] == ["created", "in_progress", "completed"]
        assert (prepared["output"], prepared["usage"]["output_tokens"]) == ([], 0)
        more = (await socket.ask({**HELLO, "previous_response_id": prepared["id"]}))[-1]["response"]
        assert more["usage"]["input_tokens"] == prepared["usage"]["input_tokens"] + 7


WRONG: list[tuple[Any, int, str | None, str | None]] = [
    ("{", 400, None, None),
    ("[]", 400, None, None),
    ({"model": "gpt-4o", "input": "x"}, 400, "type", "missing_required_parameter"),
    ({**HELLO, "type": "response.cancel"}, 400, "type", "invalid_value"),
    ({**HELLO, "type": 5}, 400, "type", "invalid_type"),
    ({"type": "response.create", "input": "x"}, 400, "model", "missing_required_parameter"),
    ({**HELLO, "input": 5}, 400, "input", "invalid_type"),
    ({**HELLO, "background": True}, 400, "background", None),
    ({**HELLO, "bogus": 1}, 400, "bogus", "unknown_parameter"),
    ({**HELLO, "previous_response_id": "resp_0"}, 400, "previous_response_id", "previous_response_not_found"),
    ({**HELLO, "conversation": "conv_0"}, 404, None, None),
    ({"type": "response.steer", "input": "x"}, 400, "previous_response_id", "missing_required_parameter"),
]


@pytest.mark.parametrize(("frame", "status", "param", "code"), WRONG)
async def test_a_wrong_frame_is_refused_and_the_socket_goes_on(
    app: Application, frame: Any, status: int, param: str | None, code: str | None
) -> None:
    async with connected(app) as socket:
        (event,) = await socket.ask(frame)
        assert (event["type"], event["status"]) == ("error", status)
        assert (event["error"]["param"], event["error"]["code"]) == (param, code)
        assert event["error"]["message"]
        if code:
            open_types.WebSocketErrorEvent.model_validate(event)
        assert (await socket.ask(HELLO))[-1]["type"] == "response.completed"


async def test_faults_are_told_in_frames_too(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 429, "retry_after": 1.5, "id": "no"})
    async with connected(app) as socket:
        (event,) = await socket.ask(HELLO)
        assert (event["status"], event["error"]["headers"]["retry-after-ms"]) == (429, "1500")
        app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 1, "id": "no"})
        assert (await socket.ask(HELLO))[-1]["type"] == "response.failed"


async def test_steering_comes_too_late(app: Application) -> None:
    async with connected(app) as socket:
        first = (await socket.ask({**HELLO, "store": False}))[-1]["response"]
        for id, code in ((first["id"], "response_already_completed"), ("resp_0", "response_not_found")):
            (event,) = await socket.ask({"type": "response.steer", "input": "Stop.", "previous_response_id": id})
            assert event["type"] == "response.steer.failed"
            assert event["error"]["code"] == code
            assert event["steer"] == {"input": "Stop.", "previous_response_id": id}


async def test_frames_that_come_at_once_are_answered_in_turn(app: Application) -> None:
    async with connected(app) as socket:
        for number in range(3):
            await socket.put({**HELLO, "input": f"number {number}"})
        said = []
        while len(said) < 3:
            event = await socket.out.get()
            if event["type"] == "response.completed":
                said.append(event["response"]["output"][0]["content"][0]["text"])
    assert said == ["number 0", "number 1", "number 2"]
