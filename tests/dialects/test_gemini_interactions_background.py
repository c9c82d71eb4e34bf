"""Gemini's interactions in the background: fetched, streamed, left, cancelled, failed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from gemini_judges import assert_events, assert_interaction
from inprocess import Told, ask
from running import Wire, application, running, until

from llmsim.server.handlers import Application

PATH = "/v1/interactions"
MODEL = "gemini-2.5-flash-lite"
KIND = "gemini.interaction"

# A token in 100 s, and a thousand times as fast where the test has seen enough.
SLOW: Any = {"slow": {"ttft": {"kind": "fixed", "mean": 0}, "tbt": {"kind": "fixed", "mean": 100_000}}}


@pytest.fixture
def app() -> Application:
    return application(generator="echo")


async def send(app: Application, **fields: Any) -> Told:
    return await ask(app, PATH, {"model": MODEL, "input": "Hello", **fields})


async def create(app: Application, **fields: Any) -> Any:
    told = await send(app, **fields)
    assert told.status == 200, told.body
    assert_interaction(told.json)
    return told.json


async def get(app: Application, id: str, query: str = "") -> Told:
    return await ask(app, f"{PATH}/{id}{query}", b"", "GET")


def text(interaction: Any) -> str:
    return "".join(part["text"] for step in interaction["steps"] for part in step["content"])


async def test_a_background_interaction_is_fetched_when_it_is_done() -> None:
    async with running(latency_profile="slow", profiles=SLOW, generator="echo") as server:
        told = await create(server.app, background=True, input="one two three")
        assert (told["status"], told["steps"]) == ("in_progress", [])
        assert (await get(server.app, told["id"])).json == told
        refused = await send(server.app, previous_interaction_id=told["id"])
        assert refused.json["error"]["code"] == "failed_precondition"
        server.simulator.change(speed=1000)
        await until(lambda: not server.simulator.meter.live)
        done = (await get(server.app, told["id"])).json
        assert_interaction(done)
        assert (done["status"], text(done)) == ("completed", "one two three")


async def test_a_background_stream_can_be_left_and_found_again() -> None:
    async with running(latency_profile="slow", profiles=SLOW, generator="echo") as server:
        body = {"model": MODEL, "input": "one two three", "background": True, "stream": True}
        async with Wire.to(server) as wire:
            await wire.ask(body, PATH)
            await wire.head()
            first = orjson.loads((await wire.chunk()).split(b"data: ")[1].split(b"\n")[0])
        id = first["interaction"]["id"]
        server.simulator.change(speed=1000)
        await until(lambda: not server.simulator.meter.live)
        events = assert_events(await get(server.app, id, "?stream=true&last_event_id=1"))
        assert [event.event_id for event in events][:2] == ["2", "3"]
        assert events[-1].interaction.status == "completed"


async def test_a_background_interaction_is_cancelled_once() -> None:
    async with running(latency_profile="slow", profiles=SLOW, generator="echo") as server:
        told = await create(server.app, background=True, input="one two three")
        cancelled = (await ask(server.app, f"{PATH}/{told['id']}/cancel", b"")).json
        assert_interaction(cancelled)
        assert cancelled["status"] == "cancelled"
        await until(lambda: not server.simulator.meter.live)
        assert (await get(server.app, told["id"])).json == cancelled
        again = await ask(server.app, f"{PATH}/{told['id']}/cancel", b"")
        assert (again.status, again.json["error"]["code"]) == (400, "invalid_request")
        streamed = await get(server.app, told["id"], "?stream=true")
        assert streamed.status == 400
        assert "cancelled" in streamed.json["error"]["message"]


async def test_deleting_what_is_under_way_ends_it() -> None:
    async with running(latency_profile="slow", profiles=SLOW, generator="echo") as server:
        told = await create(server.app, background=True, input="one two three")
        await ask(server.app, f"{PATH}/{told['id']}", b"", "DELETE")
        await until(lambda: not server.simulator.meter.live)
        assert (await get(server.app, told["id"])).status == 404


async def test_a_background_interaction_that_fails_says_so(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 1, "message": "Too much."})
    told = await create(app, background=True, input="one two three")
    failed = (await get(app, told["id"])).json
    assert_interaction(failed)
    assert (failed["status"], failed["errors"]) == (
        "failed",
        [{"message": "Too much.", "code": "rate_limit_exceeded"}],
    )


async def test_a_background_interaction_that_is_cut_has_failed(app: Application) -> None:
    app.simulator.arm({"kind": "cut", "after_tokens": 1})
    told = await create(app, background=True, input="one two three")
    await until(lambda: app.simulator.store.get(KIND, told["id"]).told["status"] != "in_progress")
    failed = (await get(app, told["id"])).json
    assert_interaction(failed)
    lost = {"code": "api_error", "message": "The connection was lost."}
    assert (failed["status"], failed["errors"]) == ("failed", [lost])
