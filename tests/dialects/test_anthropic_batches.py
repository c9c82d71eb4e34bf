"""Message batches: served among all other requests, with results on this very server."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic_bodies import MODEL, application_at, tell, user
from inprocess import Told

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application

PATH = "/v1/messages/batches"
SLOW: Any = {"profiles": {"slow": {"ttft": {"kind": "fixed", "mean": 10_000}, "tbt": {"kind": "fixed", "mean": 0}}}}


@pytest.fixture
def app(clock: ToldClock) -> Application:
    return application_at(clock, generator="fixed:Hello")


def item(at: int | str = 1, **params: Any) -> dict[str, Any]:
    return {"custom_id": f"r{at}", "params": {"model": MODEL, "max_tokens": 10, "messages": [user()], **params}}


async def create(app: Application, *items: Any, path: str = PATH, **headers: str) -> Told:
    return await tell(app, {"requests": list(items)}, path=path, **headers)


async def get(app: Application, path: str, method: str = "GET", **headers: str) -> Any:
    return (await tell(app, b"", path=f"{PATH}{path}", method=method, **headers)).json


async def ended(app: Application, clock: ToldClock, id: str, within: float = 0.1) -> Any:
    """The batch after it was given time to end."""
    await clock.advance(within)
    told = await get(app, f"/{id}")
    assert told["processing_status"] == "ended"
    return told


async def results(app: Application, id: str) -> dict[str, Any]:
    told = await tell(app, b"", path=f"{PATH}/{id}/results", method="GET")
    assert dict(told.headers)[b"content-type"] == b"application/x-jsonl"
    lines = [orjson.loads(line) for line in told.body.splitlines()]
    return {line["custom_id"]: line["result"] for line in lines}


async def test_a_batch_begins_and_ends(app: Application, clock: ToldClock) -> None:
    told = (await create(app, item(1), item(2))).json
    assert told == {
        "id": told["id"],
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": "2023-11-14T22:13:20Z",
        "expires_at": "2023-11-15T22:13:20Z",
        "ended_at": None,
        "cancel_initiated_at": None,
        "archived_at": None,
        "results_url": None,
    }
    assert told["id"].startswith("msgbatch_01")
    over = await ended(app, clock, told["id"])
    assert over["request_counts"] == {"processing": 0, "succeeded": 2, "errored": 0, "canceled": 0, "expired": 0}
    assert over["ended_at"] == "2023-11-14T22:13:20Z"
    message = (await results(app, told["id"]))["r1"]["message"]
    assert message["content"] == [{"type": "text", "text": "Hello"}]
    assert message["usage"]["service_tier"] == "batch"


@pytest.mark.parametrize(
    ("path", "headers", "url"),
    [
        (PATH, {"host": "sim.test:8080"}, "http://sim.test:8080/v1/messages/batches/"),
        (f"/anthropic{PATH}", {}, "http://here/anthropic/v1/messages/batches/"),
        (PATH, {"x-forwarded-proto": "https", "x-forwarded-host": "sim.test"}, "https://sim.test/v1/messages/batches/"),
    ],
)
async def test_the_results_are_where_the_client_sees_this_server(
    app: Application, clock: ToldClock, path: str, headers: dict[str, str], url: str
) -> None:
    id = (await create(app, item())).json["id"]
    await clock.advance(0.1)
    told = await tell(app, b"", path=f"{path}/{id}", method="GET", **headers)
    assert told.json["results_url"] == f"{url}{id}/results"


async def test_each_request_is_an_exchange_of_its_own(app: Application, clock: ToldClock) -> None:
    id = (await create(app, item(), **{"user-agent": "mine/1"})).json["id"]
    await ended(app, clock, id)
    line = next(exchange for exchange in app.simulator.journal if exchange.ask.endpoint == "/v1/messages")
    assert (line.ask.client, line.ask.key, line.state) == ("mine/1", "sk-test", "done")


async def test_a_request_that_is_refused_is_an_errored_result(app: Application, clock: ToldClock) -> None:
    id = (await create(app, item("good"), item("bad", max_tokens="x"))).json["id"]
    over = await ended(app, clock, id)
    assert (over["request_counts"]["succeeded"], over["request_counts"]["errored"]) == (1, 1)
    told = (await results(app, id))["rbad"]
    assert told["type"] == "errored"
    assert told["error"]["error"] == {
        "type": "invalid_request_error",
        "message": "max_tokens: Input should be a valid integer",
    }
    assert told["error"]["request_id"].startswith("req_")


@pytest.mark.parametrize(
    "fields", [{"stream": True}, {"max_tokens": 0}, {"fallbacks": [{"model": "claude-haiku-4-5"}]}]
)
async def test_what_no_batch_takes_is_an_errored_result(
    app: Application, clock: ToldClock, fields: dict[str, Any]
) -> None:
    id = (await create(app, item("good"), item("bad", **fields))).json["id"]
    over = await ended(app, clock, id)
    assert (over["request_counts"]["succeeded"], over["request_counts"]["errored"]) == (1, 1)
    error = (await results(app, id))["rbad"]["error"]["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(next(iter(fields)))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "refuse", "status": 529}, "overloaded_error"),
        ({"kind": "cut", "after_tokens": 0}, "api_error"),
        ({"kind": "garble"}, "api_error"),
        ({"kind": "garble", "how": "malformed"}, "api_error"),
    ],
)
async def test_a_fault_is_an_errored_result(
    app: Application, clock: ToldClock, fault: dict[str, Any], kind: str
) -> None:
    id = (await create(app, item())).json["id"]
    app.simulator.arm(fault)
    await clock.advance(1)
    app.simulator.lift()
    assert (await results(app, id))["r1"]["error"]["error"]["type"] == kind


async def test_a_rate_limit_holds_a_batch_up_and_fails_none_of_it(clock: ToldClock) -> None:
    app = application_at(clock, generator="fixed:Hello", rpm=60)
    id = (await create(app, *map(item, range(100)))).json["id"]
    app.simulator.change(rpm=2)
    await clock.advance(1)
    assert (await get(app, f"/{id}"))["processing_status"] == "in_progress"
    app.simulator.change(rpm=None)
    await clock.advance(200)
    assert (await get(app, f"/{id}"))["request_counts"]["succeeded"] == 100


async def test_sixteen_are_under_way_at_once(clock: ToldClock) -> None:
    app = application_at(clock, latency_profile="slow", generator="fixed:Hello", **SLOW)
    (id,) = [(await create(app, *map(item, range(40)))).json["id"]]
    await clock.advance(5)
    assert len(app.simulator.meter.live) == 16
    await clock.advance(30)
    assert (await get(app, f"/{id}"))["request_counts"]["succeeded"] == 40


async def test_a_large_batch_leaves_the_loop_its_turns(app: Application, clock: ToldClock) -> None:
    id = (await create(app, *map(item, range(1000)))).json["id"]
    await clock.advance(0)
    assert (await ended(app, clock, id))["request_counts"]["succeeded"] == 1000
    assert len(await results(app, id)) == 1000


async def test_a_cancelled_batch_ends_with_what_was_under_way(clock: ToldClock) -> None:
    app = application_at(clock, latency_profile="slow", generator="fixed:Hello", **SLOW)
    id = (await create(app, *map(item, range(20)))).json["id"]
    await clock.advance(1)
    told = await get(app, f"/{id}/cancel", "POST")
    assert (told["processing_status"], told["cancel_initiated_at"]) == ("canceling", "2023-11-14T22:13:21Z")
    assert (await get(app, f"/{id}/cancel", "POST"))["processing_status"] == "canceling"
    over = await ended(app, clock, id, 60)
    assert (over["request_counts"]["succeeded"], over["request_counts"]["canceled"]) == (16, 4)
    assert sorted(kind["type"] for kind in (await results(app, id)).values()) == ["canceled"] * 4 + ["succeeded"] * 16
    again = await get(app, f"/{id}/cancel", "POST")
    assert again["error"]["message"] == (f"Message Batch {id} cannot be canceled because its processing has ended.")


async def test_what_has_not_begun_in_a_day_expires(clock: ToldClock) -> None:
    app = application_at(clock, generator="fixed:Hello")
    id = (await create(app, *map(item, range(3)))).json["id"]
    app.simulator.arm({"kind": "refuse", "status": 429, "retry_after": 50_000})
    await clock.advance(86_500)
    app.simulator.lift()
    assert (await ended(app, clock, id, 50_000))["request_counts"]["expired"] == 3


async def test_batches_are_listed_and_deleted(app: Application, clock: ToldClock) -> None:
    ids = [(await create(app, item())).json["id"] for _ in range(3)][::-1]
    told = await get(app, "?limit=2")
    assert ([batch["id"] for batch in told["data"]], told["has_more"]) == (ids[:2], True)
    assert [batch["id"] for batch in (await get(app, f"?after_id={ids[1]}"))["data"]] == ids[2:]
    busy = await get(app, f"/{ids[0]}", "DELETE")
    assert busy["error"]["message"] == f"Message Batch {ids[0]} cannot be deleted until its processing has ended."
    early = await get(app, f"/{ids[0]}/results")
    assert early["error"]["message"] == f"Message Batch {ids[0]} has no results until its processing has ended."
    await clock.advance(1)
    assert await get(app, f"/{ids[0]}", "DELETE") == {"id": ids[0], "type": "message_batch_deleted"}
    assert [batch["id"] for batch in (await get(app, ""))["data"]] == ids[1:]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "requests: Field required"),
        ({"requests": []}, "requests: List should have at least 1 item after validation, not 0"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
        (
            {"requests": [{"custom_id": "a b", "params": {}}]},
            "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
        ),
        ({"requests": [item(), item()]}, "requests.1.custom_id: duplicate custom_id 'r1'; they must be unique"),
        ({"requests": [item()], "more": 1}, "more: Extra inputs are not permitted"),
    ],
)
async def test_a_batch_that_cannot_be_is_refused(app: Application, sent: Any, message: str) -> None:
    told = await tell(app, sent, path=PATH)
    assert (told.status, told.json["error"]["message"]) == (400, message)


@pytest.mark.parametrize(("path", "method"), [("", "GET"), ("", "DELETE"), ("/cancel", "POST"), ("/results", "GET")])
async def test_a_batch_that_there_is_not_is_not_found(app: Application, path: str, method: str) -> None:
    told = await get(app, f"/msgbatch_x{path}", method)
    assert told["error"] == {"type": "not_found_error", "message": "Message Batch msgbatch_x not found."}
