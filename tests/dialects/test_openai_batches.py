"""Batches serve the lines of a file as if their client had sent each, and write down what came of every one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from forms import file, send
from inprocess import Told, ask
from openai.types import Batch
from openapi import assert_fits, assert_known_keys
from running import application, until

from llmsim.clock import ToldClock
from llmsim.dialects import _openai_batch_lines as batch_lines
from llmsim.dialects import _openai_batch_run as batch_run
from llmsim.dialects import openai_batches
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

PATH = "/v1/batches"
CHAT = "/v1/chat/completions"


@pytest.fixture
def app() -> Application:
    return application(generator="echo")


def line(id: Any = "a", text: str = "Hi", **changes: Any) -> dict[str, Any]:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **changes.pop("more", {})}
    told = {"custom_id": id, "method": "POST", "url": CHAT, "body": body, **changes}
    return {name: value for name, value in told.items() if value is not ...}


def jsonl(*lines: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else orjson.dumps(one)) + b"\n" for one in lines)


async def uploaded(app: Application, data: bytes) -> str:
    told = await send(app, "/v1/files", file(data, "in.jsonl"), purpose="batch")
    return str(told.json["id"])


async def begun(app: Application, *lines: Any, endpoint: str = CHAT, **fields: Any) -> Any:
    id = await uploaded(app, jsonl(*lines))
    told = await ask(app, PATH, {"input_file_id": id, "endpoint": endpoint, "completion_window": "24h", **fields})
    assert told.status == 200, told.body
    return told.json


def state(app: Application, batch: Any) -> Any:
    return app.desk.store.get(batch_run.KIND, batch["id"]).meta


async def ended(app: Application, batch: Any) -> Any:
    """The batch as it is told of at its end."""
    await until(lambda: state(app, batch)["status"] in ("completed", "failed", "cancelled"))
    told = (await ask(app, f"{PATH}/{batch['id']}", method="GET")).json
    assert_known_keys(Batch.model_validate(told))
    # The document has no null, though the examples in it do.
    assert_fits("Batch", {name: value for name, value in told.items() if value is not None})
    return told


async def written(app: Application, id: str | None) -> list[Any]:
    told = await ask(app, f"/v1/files/{id}/content", method="GET")
    return [orjson.loads(one) for one in told.body.splitlines()]


# -- batches that come to their end


async def test_a_batch_is_told_of_before_anybody_has_looked_at_it(app: Application) -> None:
    batch = await begun(app, line(), metadata={"for": "tests"})
    assert batch["id"].startswith("batch_")
    assert (batch["status"], batch["object"], batch["endpoint"]) == ("validating", "batch", CHAT)
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert batch["metadata"] == {"for": "tests"}
    assert batch["expires_at"] == batch["created_at"] + 86_400
    for name in ("errors", "output_file_id", "error_file_id", "in_progress_at", "completed_at", "failed_at"):
        assert batch[name] is None


async def test_every_line_is_answered_in_the_order_of_the_file(app: Application) -> None:
    done = await ended(app, await begun(app, *(line(f"line {n}", f"Say {n}") for n in range(40))))
    assert (done["status"], done["model"], done["error_file_id"]) == ("completed", "gpt-4o", None)
    assert done["request_counts"] == {"total": 40, "completed": 40, "failed": 0}
    for moment in ("in_progress_at", "finalizing_at", "completed_at"):
        assert done[moment] >= done["created_at"]
    told = await written(app, done["output_file_id"])
    assert [one["custom_id"] for one in told] == [f"line {n}" for n in range(40)]
    assert len({one["id"] for one in told}) == 40
    for n, one in enumerate(told):
        assert set(one) == {"id", "custom_id", "response", "error"}
        assert one["id"].startswith("batch_req_")
        assert set(one["response"]) == {"status_code", "request_id", "body"}
        assert (one["response"]["status_code"], one["error"]) == (200, None)
        assert one["response"]["request_id"].startswith("req_")
        assert_fits("CreateChatCompletionResponse", one["response"]["body"])
        assert one["response"]["body"]["choices"][0]["message"]["content"] == f"Say {n}"


async def test_the_files_are_files_like_any_other(app: Application) -> None:
    expires = {"anchor": "created_at", "seconds": 3600}
    batch = await begun(app, line(), line("b", more={"n": 0}), output_expires_after=expires)
    done = await ended(app, batch)
    for name, id in (("output", done["output_file_id"]), ("error", done["error_file_id"])):
        made = (await ask(app, f"/v1/files/{id}", method="GET")).json
        assert_fits("OpenAIFile", made)
        assert (made["purpose"], made["filename"]) == ("batch_output", f"{batch['id']}_{name}.jsonl")
        assert made["expires_at"] == made["created_at"] + 3600


async def test_what_is_refused_goes_to_the_error_file(app: Application) -> None:
    done = await ended(app, await begun(app, line("good"), line("bad", more={"temperature": 3})))
    assert done["status"] == "completed"
    assert done["request_counts"] == {"total": 2, "completed": 1, "failed": 1}
    (one,) = await written(app, done["error_file_id"])
    assert (one["custom_id"], one["error"], one["response"]["status_code"]) == ("bad", None, 400)
    assert one["response"]["body"]["error"]["param"] == "temperature"
    assert [one["custom_id"] for one in await written(app, done["output_file_id"])] == ["good"]


async def test_a_batch_of_nothing_but_failures_has_no_output(app: Application) -> None:
    done = await ended(app, await begun(app, *(line(n, more={"n": 0}) for n in "ab")))
    assert (done["status"], done["output_file_id"]) == ("completed", None)
    assert done["usage"]["total_tokens"] == 0


async def test_the_usage_is_the_sum_of_all_lines(app: Application) -> None:
    done = await ended(app, await begun(app, *(line(str(n), more={"model": "o3"}) for n in range(3))))
    usages = [one["response"]["body"]["usage"] for one in await written(app, done["output_file_id"])]
    usage = done["usage"]
    assert usage["input_tokens"] == sum(one["prompt_tokens"] for one in usages)
    assert usage["output_tokens"] == sum(one["completion_tokens"] for one in usages)
    reasoned = sum(one["completion_tokens_details"]["reasoning_tokens"] for one in usages)
    assert usage["output_tokens_details"]["reasoning_tokens"] == reasoned > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


async def test_other_words_for_the_usage_are_understood() -> None:
    spent = batch_lines.Spent()
    details = {"input_tokens_details": {"cached_tokens": 2}, "output_tokens_details": {"reasoning_tokens": 3}}
    for usage in ({"input_tokens": 7, "output_tokens": 5, **details}, {"prompt_tokens": 1}, None, "much"):
        spent.add({"response": {"body": {"usage": usage}}})
    spent.add({"response": None})
    spent.add({"response": {"body": []}})
    assert spent.worded() == {
        "input_tokens": 8,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 13,
    }


async def test_blank_lines_and_a_missing_break_at_the_end_are_no_matter(app: Application) -> None:
    data = b"\n" + jsonl(line("a")) + b" \t \r\n" + orjson.dumps(line("b")) + b"\r\n\n" + orjson.dumps(line("c"))
    id = await uploaded(app, data)
    batch = (await ask(app, PATH, {"input_file_id": id, "endpoint": CHAT, "completion_window": "24h"})).json
    assert (await ended(app, batch))["request_counts"] == {"total": 3, "completed": 3, "failed": 0}


async def test_streams_are_answered_whole(app: Application) -> None:
    done = await ended(app, await begun(app, line(more={"stream": True})))
    (one,) = await written(app, done["output_file_id"])
    assert one["response"]["body"]["object"] == "chat.completion"


async def test_pictures_come_in_batches_too(app: Application) -> None:
    """Their URLs lead to the server by the name that the batch's client knows it by."""
    url, body = "/v1/images/generations", {"model": "dall-e-2", "prompt": "An otter", "size": "256x256"}
    batch = await begun(app, line(url=url, body=body), endpoint=url)
    (one,) = await written(app, (await ended(app, batch))["output_file_id"])
    found = one["response"]["body"]["data"][0]["url"]
    assert found.startswith("http://here/v1/images/files/")
    assert (await ask(app, found.removeprefix("http://here"), method="GET")).status == 200


async def test_an_endpoint_that_nobody_serves_is_told_line_by_line(app: Application) -> None:
    batch = await begun(app, line(url="/v1/videos"), endpoint="/v1/videos")
    (one,) = await written(app, (await ended(app, batch))["error_file_id"])
    assert (one["response"]["status_code"], one["error"]) == (404, None)
    assert one["response"]["body"]["error"]["message"] == "Invalid URL (POST /v1/videos)"


async def test_the_same_batch_of_another_run_says_the_same() -> None:
    told = []
    for _ in range(2):
        app = application(generator="lorem", seed=5)
        done = await ended(app, await begun(app, *(line(str(n), more={"model": "gpt-4o"}) for n in range(20))))
        told.append([one["response"]["body"]["choices"] for one in await written(app, done["output_file_id"])])
    assert told[0] == told[1]


# -- beside all other traffic


async def test_lines_are_the_clients_own_requests(app: Application) -> None:
    """Its key and its limits hold, and its name is in the journal."""
    app.simulator.change(rpm=10, strict=True)
    id = await uploaded(app, jsonl(*(line(str(n)) for n in range(20))))
    told = await ask(
        app,
        PATH,
        {"input_file_id": id, "endpoint": CHAT, "completion_window": "24h"},
        authorization="Bearer sk-batch",
        x_llmsim_client="nightly",
        x_stainless_retry_count="2",
    )
    done = await ended(app, told.json)
    counts = done["request_counts"]
    assert (counts["completed"] + counts["failed"], counts["completed"]) == (20, 10)
    limited = await written(app, done["error_file_id"])
    assert {one["response"]["status_code"] for one in limited} == {429}
    asks = [one.ask for one in app.simulator.journal if one.ask.endpoint == CHAT]
    assert {(one.key, one.client, one.attempt) for one in asks} == {("sk-batch", "nightly", 0)}


async def test_only_so_many_lines_are_under_way_at_a_time(app: Application) -> None:
    app.simulator.change(latency_profile="silent")
    batch = await begun(app, *(line(str(n)) for n in range(40)))
    live = app.simulator.meter.live
    await until(lambda: len(live) >= batch_run.AT_ONCE)
    assert len(live) == batch_run.AT_ONCE
    assert state(app, batch)["request_counts"] == {"total": 40, "completed": 0, "failed": 0}
    app.simulator.change(latency_profile="instant")
    for exchange in list(live.values())[:3]:
        app.simulator.act(exchange.number, "fail")
    await until(lambda: state(app, batch)["request_counts"]["failed"] == 3)
    # The places of those three were taken by all the others, which no longer wait for anything.
    await until(lambda: state(app, batch)["request_counts"]["completed"] == 40 - batch_run.AT_ONCE)
    for exchange in list(live.values()):
        app.simulator.act(exchange.number, "fail")
    assert (await ended(app, batch))["request_counts"] == {"total": 40, "completed": 24, "failed": 16}


LONG = "one two three four five six seven eight"


@pytest.mark.parametrize("fault", [{"kind": "cut"}, {"kind": "garble"}])
async def test_a_line_whose_answer_does_not_come_whole_is_an_error_of_its_own(app: Application, fault: Any) -> None:
    app.simulator.arm(fault)
    done = await ended(app, await begun(app, line("cut", LONG)))
    assert (done["status"], done["output_file_id"]) == ("completed", None)
    (one,) = await written(app, done["error_file_id"])
    assert (one["custom_id"], one["response"], one["error"]) == ("cut", None, batch_lines.CUT)


async def test_a_fault_strikes_lines_as_it_strikes_requests(app: Application) -> None:
    batch = await begun(app, line())
    app.simulator.arm({"kind": "refuse", "status": 503, "message": "Not today."})
    await until(lambda: state(app, batch)["status"] == "completed")
    app.simulator.lift()
    (one,) = await written(app, (await ended(app, batch))["error_file_id"])
    assert (one["response"]["status_code"], one["response"]["body"]["error"]["message"]) == (503, "Not today.")


async def test_batches_wait_for_each_other(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_batches, "MOST_WORKING", 1)
    monkeypatch.setattr(openai_batches, "MOST_WAITING", 2)
    app.simulator.change(latency_profile="silent")
    first, second, third = [await begun(app, line()) for _ in range(3)]
    await until(lambda: state(app, first)["status"] == "in_progress")
    id = await uploaded(app, jsonl(line()))
    told = await ask(app, PATH, {"input_file_id": id, "endpoint": CHAT, "completion_window": "24h"})
    assert (told.status, told.json["error"]["code"]) == (429, "rate_limit_exceeded")
    await cancelled(app, second)
    assert state(app, third)["status"] == "validating"
    app.simulator.change(latency_profile="instant")
    await cancelled(app, first)
    assert (await ended(app, third))["status"] == "completed"


async def test_a_batch_that_the_store_forgets_ends(app: Application) -> None:
    app.simulator.change(latency_profile="silent")
    batch = await begun(app, line("a"), line("b"))
    live = app.simulator.meter.live
    await until(lambda: len(live) == 2)
    app.desk.store.clear()
    app.simulator.act(next(iter(live)), "fail")
    await until(lambda: not live)
    assert (await ask(app, f"{PATH}/{batch['id']}", method="GET")).status == 404
    assert not app.desk.store.values(batch_run.KIND)


async def test_a_batch_counts_for_its_size_while_it_is_worked_on(app: Application) -> None:
    app.simulator.change(latency_profile="silent")
    data = "x" * 20_000
    batch = await begun(app, line("a", data), line("b"))
    kept = app.desk.store.get(batch_run.KIND, batch["id"])
    assert kept.size > 20_000
    app.simulator.change(latency_profile="instant")
    await cancelled(app, batch)
    assert kept.size < 2_000
    assert not kept.input


async def test_a_large_file_is_looked_through_in_turns() -> None:
    """Nobody waits for a batch: between two turns the clock has its way."""
    app = Application(Simulator(Settings(latency_profile="instant", generator="echo"), clock=ToldClock()))
    clock = app.simulator.clock
    assert isinstance(clock, ToldClock)
    seen: list[str] = []
    batch = await begun(app, *(line(str(n)) for n in range(1200)))
    turn = batch_run.Run._turn

    def counted(run: batch_run.Run) -> None:
        turn(run)
        seen.append(run.batch.meta["status"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_run.Run, "_turn", counted)
        await clock.advance(1.0)
    assert state(app, batch)["status"] == "completed"
    assert seen[:2] == ["validating", "in_progress"]  # the first turn was called before it could be counted
    assert seen.count("in_progress") >= 1200 // batch_run.AT_ONCE


async def test_turns_end_early_where_lines_are_long(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_run, "_LOOKED_BYTES", 1)
    monkeypatch.setattr(batch_run, "_SENT_BYTES", 1)
    done = await ended(app, await begun(app, *(line(str(n)) for n in range(20))))
    assert done["request_counts"]["completed"] == 20


# -- cancelling


async def cancelled(app: Application, batch: Any) -> Any:
    told = await ask(app, f"{PATH}/{batch['id']}/cancel")
    assert (told.status, told.json["status"]) == (200, "cancelling")
    done = await ended(app, batch)
    assert done["status"] == "cancelled"
    assert done["cancelled_at"] >= done["cancelling_at"]
    return done


async def test_a_cancelled_batch_keeps_what_was_answered(app: Application) -> None:
    app.simulator.change(latency_profile="silent")
    batch = await begun(app, *(line(str(n)) for n in range(20)))
    live = app.simulator.meter.live
    await until(lambda: len(live) == batch_run.AT_ONCE)
    app.simulator.change(latency_profile="instant")
    app.simulator.act(min(live), "fail")
    # The line that failed made room for the last four, which were answered at once.
    await until(lambda: state(app, batch)["request_counts"]["completed"] == 4)
    done = await cancelled(app, batch)
    assert not live
    assert done["request_counts"] == {"total": 20, "completed": 4, "failed": 1}
    assert [one["custom_id"] for one in await written(app, done["output_file_id"])] == ["16", "17", "18", "19"]
    assert len(await written(app, done["error_file_id"])) == 1


async def test_what_is_over_cannot_be_cancelled(app: Application) -> None:
    done = await ended(app, await begun(app, line()))
    told = await ask(app, f"{PATH}/{done['id']}/cancel")
    assert (told.status, told.json["error"]["message"]) == (409, "Cannot cancel a batch with status 'completed'.")


async def test_cancelling_twice_is_cancelling(app: Application) -> None:
    app.simulator.change(latency_profile="silent")
    batch = await begun(app, line())
    app.simulator.change(latency_profile="instant")
    done = await cancelled(app, batch)
    told = await ask(app, f"{PATH}/{batch['id']}/cancel")
    assert (told.status, told.json) == (200, done)


# -- lists


async def test_the_list_is_newest_first_and_in_pages(app: Application) -> None:
    made = [(await begun(app, line()))["id"] for _ in range(5)]
    first = (await ask(app, f"{PATH}?limit=3", method="GET")).json
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:1:-1], True)
    rest = (await ask(app, f"{PATH}?limit=3&after={first['last_id']}", method="GET")).json
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (made[1::-1], False)


# -- what is wrong with a file

INVALID: dict[str, tuple[list[Any], list[tuple[int | None, str, str | None]]]] = {
    "nothing": ([], [(None, "empty_file", None)]),
    "blanks": ([b"", b"  "], [(None, "empty_file", None)]),
    "no JSON": ([line(), b"{not json"], [(2, "invalid_json_line", None)]),
    "no object": ([b"[1]", b"null"], [(1, "invalid_json_line", None), (2, "invalid_json_line", None)]),
    "no id": ([line(...)], [(1, "missing_required_parameter", "custom_id")]),
    "a number for an id": ([line(7)], [(1, "invalid_type", "custom_id")]),
    "no method": ([line(method=...)], [(1, "missing_required_parameter", "method")]),
    "another method": ([line(method="GET")], [(1, "invalid_method", "method")]),
    "no url": ([line(url=...)], [(1, "missing_required_parameter", "url")]),
    "another url": ([line(url="/v1/embeddings")], [(1, "invalid_url", "url")]),
    "no body": ([line(body=...)], [(1, "missing_required_parameter", "body")]),
    "a text for a body": ([line(body="Hi")], [(1, "invalid_type", "body")]),
    "an id twice": ([line("a"), line("b"), line("a")], [(3, "duplicate_custom_id", "custom_id")]),
    "two models": ([line("a"), line("b", more={"model": "o3"})], [(2, "mismatched_model", "body.model")]),
    "several": (
        [line("a"), b"?", b"", line("a"), line("c", url="/v1/x")],
        [(2, "invalid_json_line", None), (4, "duplicate_custom_id", "custom_id"), (5, "invalid_url", "url")],
    ),
}


@pytest.mark.parametrize("case", INVALID)
async def test_a_file_that_is_not_valid_fails_its_batch(app: Application, case: str) -> None:
    lines, errors = INVALID[case]
    done = await ended(app, await begun(app, *lines))
    assert (done["status"], done["output_file_id"], done["error_file_id"]) == ("failed", None, None)
    assert done["failed_at"] >= done["created_at"]
    assert done["errors"]["object"] == "list"
    told = done["errors"]["data"]
    assert [(one["line"], one["code"], one["param"]) for one in told] == errors
    assert all(set(one) == {"code", "message", "param", "line"} and one["message"] for one in told)
    assert not [one for one in app.simulator.journal if one.ask.endpoint == CHAT]


async def test_too_many_lines_are_one_error(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_lines, "MOST_LINES", 3)
    done = await ended(app, await begun(app, *(line(str(n)) for n in range(4))))
    assert [one["code"] for one in done["errors"]["data"]] == ["too_many_tasks"]


async def test_only_so_many_errors_are_told(app: Application) -> None:
    done = await ended(app, await begun(app, *[b"?"] * 1000))
    assert len(done["errors"]["data"]) == 100


# -- refusals

CREATED: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "no file": ({"input_file_id": ...}, 400, "input_file_id", "missing_required_parameter"),
    "unknown file": ({"input_file_id": "file-x"}, 404, "input_file_id", None),
    "no endpoint": ({"endpoint": ...}, 400, "endpoint", "missing_required_parameter"),
    "another endpoint": ({"endpoint": "/v1/files"}, 400, "endpoint", "invalid_value"),
    "no window": ({"completion_window": ...}, 400, "completion_window", "missing_required_parameter"),
    "another window": ({"completion_window": "1h"}, 400, "completion_window", "invalid_value"),
    "metadata of numbers": ({"metadata": {"a": 1}}, 400, "metadata.a", "invalid_type"),
    "expires too soon": (
        {"output_expires_after": {"anchor": "created_at", "seconds": 1}},
        400,
        "output_expires_after.seconds",
        "integer_below_min_value",
    ),
    "unknown": ({"colour": "red"}, 400, "colour", "unknown_parameter"),
}


def assert_refused(told: Told, status: int, param: str | None, code: str | None) -> None:
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (status, "invalid_request_error", param, code)


@pytest.mark.parametrize("case", CREATED)
async def test_batches_that_are_refused(app: Application, case: str) -> None:
    changed, status, param, code = CREATED[case]
    body = {"input_file_id": await uploaded(app, b""), "endpoint": CHAT, "completion_window": "24h", **changed}
    told = await ask(app, PATH, {name: value for name, value in body.items() if value is not ...})
    assert_refused(told, status, param, code)
    assert not app.desk.store.values(batch_run.KIND)


async def test_a_file_for_another_purpose_is_refused(app: Application) -> None:
    made = (await send(app, "/v1/files", file(jsonl(line())), purpose="user_data")).json
    told = await ask(app, PATH, {"input_file_id": made["id"], "endpoint": CHAT, "completion_window": "24h"})
    assert_refused(told, 400, "input_file_id", "invalid_value")


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
async def test_a_body_that_is_no_object_is_refused(app: Application, body: bytes) -> None:
    assert_refused(await ask(app, PATH, body), 400, None, None)


async def test_unknown_batches_are_not_found(app: Application) -> None:
    for told in (
        await ask(app, f"{PATH}/batch_x", method="GET"),
        await ask(app, f"{PATH}/batch_x/cancel"),
    ):
        assert_refused(told, 404, None, None)
        assert told.json["error"]["message"] == "No batch found with id 'batch_x'."


@pytest.mark.parametrize(("query", "param"), [("limit=0", "limit"), ("limit=101", "limit"), ("after=x", "after")])
async def test_lists_with_bad_parameters(app: Application, query: str, param: str) -> None:
    told = await ask(app, f"{PATH}?{query}", method="GET")
    assert (told.status, told.json["error"]["param"]) == (400, param)
