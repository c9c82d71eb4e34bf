"""The control API: all that it does, who may do it, and what is told of what cannot be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families
from running import running, until

from llmsim.server.control import guard
from llmsim.server.control.guard import refusal
from llmsim.server.serve import Runner

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "I want a refund"}]}


async def chat(api: httpx.AsyncClient, text: str = "I want a refund", **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    body = {**CHAT, "messages": [{"role": "user", "content": text}], **more}
    return await api.post(
        "/v1/chat/completions", json=body, headers={"authorization": "Bearer sk-secret-1234567890", **headers}
    )


async def call(
    api: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200, **headers: str
) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await api.request(method, f"/llmsim{path}", json=body, headers=sent)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.headers.get("content-type", "") == "application/json" else answer.text


# -- settings


async def test_a_change_is_all_or_nothing_and_guarded_by_its_revision(api: httpx.AsyncClient) -> None:
    first = (await call(api, "GET", "/settings"))["revision"]
    told = await call(api, "PATCH", "/settings", {"target_tokens": 7, "speed": 2}, if_match=f'"{first}"')
    assert (told["settings"]["target_tokens"], told["settings"]["speed"]) == (7, 2.0)
    lost = await call(api, "PATCH", "/settings", {"target_tokens": 9}, 409, if_match=f'"{first}"')
    assert lost["error"]["revision"] == told["revision"]
    bad = await call(api, "PATCH", "/settings", {"target_tokens": 9, "speed": -1}, 400)
    assert bad["error"]["message"].startswith("speed: -1 is not allowed")
    assert (await call(api, "GET", "/settings"))["settings"]["target_tokens"] == 7
    assert (
        "there is no such setting; there are"
        in (await call(api, "PATCH", "/settings", {"sped": 1}, 400))["error"]["message"]
    )


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("*", 200), ('"{}"', 200), ('"1", "{}"', 200), ('W/"{}"', 409), ('"1", W/"{}"', 409), ("nonsense", 409)],
)
async def test_a_list_of_revisions_is_one_of_them(api: httpx.AsyncClient, wanted: str, status: int) -> None:
    revision = (await call(api, "GET", "/settings"))["revision"]
    await call(api, "PATCH", "/settings", {"target_tokens": 7}, status, if_match=wanted.format(revision))


@pytest.mark.parametrize("body", [{"who": "me"}, {"text": "x"}, {"mark": "y"}, {"revision": 3}])
async def test_what_is_no_setting_is_refused(api: httpx.AsyncClient, body: Any) -> None:
    told = await call(api, "PATCH", "/settings", body, 400)
    assert f"{next(iter(body))}: there is no such setting; there are seed" in told["error"]["message"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("1: 2", "1: there is no such setting"),
        ("speed: .nan", "nan is no number of JSON"),
        ("a: &a [*a]", "nested more than 100 levels deep"),
        ('generator: "fixed:\\ud800"', "half of a surrogate pair"),
        ("seed: 99999999999999999999999", "64 bits"),
    ],
)
async def test_yaml_that_no_json_could_be_is_refused(api: httpx.AsyncClient, body: str, told: str) -> None:
    answer = await api.patch("/llmsim/settings", content=body, headers={"content-type": "application/yaml"})
    assert (answer.status_code, told in answer.json()["error"]["message"]) == (400, True), answer.text


@pytest.mark.parametrize("path", ["/journal?mach=status:429", "/state?limit=3", "/events?from=3"])
async def test_a_query_that_is_not_known_is_refused(api: httpx.AsyncClient, path: str) -> None:
    assert "there is no such name in a query" in (await call(api, "GET", path, status=400))["error"]["message"]


async def test_concurrent_changes_lose_nothing(api: httpx.AsyncClient) -> None:
    names = [f"p{at}" for at in range(20)]
    patches = [{"profiles": {name: {"ttft": {"mean": at}}}} for at, name in enumerate(names)]
    await asyncio.gather(*(call(api, "PATCH", "/settings", patch) for patch in patches))
    told = (await call(api, "GET", "/settings"))["settings"]["profiles"]
    assert set(names) <= set(told)
    await call(api, "PATCH", "/settings", {"profiles": {"p3": None}})
    assert "p3" not in (await call(api, "GET", "/settings"))["settings"]["profiles"]


async def test_undo_and_the_list_of_changes(api: httpx.AsyncClient) -> None:
    await call(api, "PATCH", "/settings", {"speed": 3}, x_llmsim_who="ann")
    told = await call(api, "GET", "/changes")
    assert (told[-1]["who"], told[-1]["text"]) == ("ann", "speed 3.0")
    assert (await call(api, "POST", "/undo"))["undone"] == "speed 3.0"
    assert (await call(api, "POST", "/undo", status=409))["error"]["message"] == "there is nothing to undo"
    assert (await call(api, "POST", "/redo"))["redone"] == "speed 3.0"
    assert (await call(api, "POST", "/redo", status=409))["error"]["message"] == "there is nothing to redo"


async def test_the_calls_behind_an_event_make_its_change_again(api: httpx.AsyncClient) -> None:
    mock = {"name": "hi", "when": {"text": "hello"}, "reply": {"text": "Hello!"}}
    profile = {"ttft": {"mean": 7}}
    for method, path, body, status in (
        ("PATCH", "/settings", {"speed": 3, "profiles": {"own": profile, "other": profile}}, 200),
        ("PATCH", "/settings", {"profiles": {"other": None}}, 200),
        ("PUT", "/mocks", [mock], 200),
        ("PUT", "/faults/a b", {"kind": "refuse", "status": 503, "scope": "model:gpt*", "label": "down"}, 201),
        ("DELETE", "/faults", None, 200),
    ):
        before = (await call(api, "GET", "/settings"))["settings"]
        await call(api, method, path, body, status)
        after = (await call(api, "GET", "/settings"))["settings"]
        newest = await _newest_event(api)
        made = await call(api, "GET", f"/events/{newest}/calls")
        await call(api, "POST", "/undo")
        assert (await call(api, "GET", "/settings"))["settings"] == before
        for one in made:
            told = await api.request(one["method"], one["path"], json=one["body"])
            assert told.status_code < 300, told.text
        again = (await call(api, "GET", "/settings"))["settings"]
        assert {**again, "faults": _unfused(again)} == {**after, "faults": _unfused(after)}


async def test_an_event_that_is_no_change_has_no_calls_and_one_that_never_was_is_refused(
    api: httpx.AsyncClient,
) -> None:
    await call(api, "POST", "/limits/drain", {})
    assert await call(api, "GET", f"/events/{await _newest_event(api)}/calls") == []
    for number in ("0", "999", "x"):
        assert (
            "there is no event" in (await call(api, "GET", f"/events/{number}/calls", status=404))["error"]["message"]
        )


def _unfused(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "since": None, "until": None} for one in settings["faults"]]


async def _newest_event(api: httpx.AsyncClient) -> int:
    return max(one[0] for one in (await call(api, "GET", "/console"))["events"]["rows"])


async def test_an_exchange_is_inspected_linked_with_its_tries_and_asked_again(api: httpx.AsyncClient) -> None:
    await call(api, "PUT", "/faults/one", {"kind": "refuse", "status": 503, "count": 1}, 201)
    for attempt in ("0", "1"):
        await chat(api, "hello", stream=True, headers={"x-stainless-retry-count": attempt, "x-llmsim-client": "ann"})
    first, last = 1, 2
    assert await call(api, "GET", f"/exchanges/{last}/tries") == {"tries": [first, last]}
    told = await call(api, "GET", f"/exchanges/{last}/inspect")
    assert told["request"]["method"] == "POST"
    assert "sk-secret-1234567890" not in str(told)
    assert told["response"]["body"].startswith("data: ")
    assert told["response"]["body"].endswith("data: [DONE]\n\n")
    assert "".join(text for _, _, text in told["pieces"]) == told["reply"]
    assert told["played"] == told["planned"] == len(told["pieces"])
    assert told["achieved"]["first"] >= told["asked"]["first"] - 1
    again = (await call(api, "POST", f"/exchanges/{last}/resend"))["number"]
    kept = await call(api, "GET", f"/exchanges/{again}/inspect")
    assert kept["request"]["body"] == told["request"]["body"]
    assert (await call(api, "GET", f"/exchanges/{again}"))["client"] == "resent"
    assert (await call(api, "GET", "/honesty"))["replies"] >= 1


# -- rules


async def test_a_fault_is_armed_previewed_and_lifted(api: httpx.AsyncClient) -> None:
    await chat(api)
    await chat(api, "a coffee")
    told = await call(api, "POST", "/faults/preview", {"scope": "text:refund", "last": 10})
    assert (told["matched"], told["looked_at"]) == (1, 2)
    armed = await call(api, "POST", "/faults", {"fault": "429 retry_after=1 count=2", "scope": "text:refund"}, 201)
    assert armed["summary"] == "429"
    assert [(await chat(api)).status_code for _ in range(3)] == [429, 429, 200]
    await call(api, "PUT", "/faults/slowly", {"kind": "slow"}, 201)
    assert [one["id"] for one in await call(api, "GET", "/faults")] == ["slowly"]
    assert await call(api, "DELETE", "/faults/slowly") == {"lifted": 1}
    assert "there is no fault 'slowly'" in (await call(api, "DELETE", "/faults/slowly", status=404))["error"]["message"]
    assert "there is no fault 'boom'" in (await call(api, "POST", "/faults", {"kind": "boom"}, 400))["error"]["message"]
    assert "refuse" in await call(api, "GET", "/faults/kinds")


async def test_mocks_are_added_tried_and_taken_away(api: httpx.AsyncClient) -> None:
    await chat(api)
    trial = {"mocks": [{"name": "r", "when": "text:refund", "reply": "Granted."}, {"when": "text:tea", "reply": "x"}]}
    assert (await call(api, "POST", "/mocks/try", trial))["requests"][0]["mock"] == "r"
    assert await call(api, "GET", "/mocks") == []
    await call(api, "POST", "/mocks", trial["mocks"][0], 201)
    assert (await chat(api)).json()["choices"][0]["message"]["content"] == "Granted."
    assert (await call(api, "GET", "/mocks/r"))["answered"] == 1
    await call(api, "PUT", "/mocks/r", {"when": "text:refund", "reply": {"error": {"status": 402}}})
    assert (await chat(api)).status_code == 402
    await call(api, "PUT", "/mocks", {"mocks": [{"name": "a", "reply": "1"}, {"name": "b", "reply": "2"}]})
    assert await call(api, "DELETE", "/mocks/a") == {"dropped": "a"}
    assert await call(api, "DELETE", "/mocks") == {"dropped": 1}
    assert (
        "either reply or replies" in (await call(api, "POST", "/mocks", {"when": "model:x"}, 400))["error"]["message"]
    )
    assert (
        "comes twice" in (await call(api, "PUT", "/mocks", [{"name": "a", "reply": "1"}] * 2, 400))["error"]["message"]
    )


async def test_the_nearest_mock_is_told(api: httpx.AsyncClient) -> None:
    await call(api, "POST", "/mocks", {"name": "r", "when": "text:refund model:o3", "reply": "Granted."}, 201)
    number = (await chat(api)).headers["x-llmsim-exchange"]
    told = await call(api, "GET", f"/exchanges/{number}")
    assert told["near"] == {"mock": "r", "failing": ["model:o3"]}
    assert any("nearest mock: r" in line for line in told["why"])


# -- traffic


async def test_the_journal_is_searched_verified_judged_and_exported(api: httpx.AsyncClient) -> None:
    for text in ("one", "two", "refund"):
        await chat(api, text)
    told = await call(api, "GET", "/journal?match=text:refund&bodies=true")
    assert [one["model"] for one in told["exchanges"]] == ["gpt-4o"]
    assert "sk-secret-1234567890" not in orjson.dumps(told).decode()
    assert (await call(api, "GET", "/journal?limit=2&order=asc"))["exchanges"][0]["number"] == 1
    met = await call(api, "POST", "/verify", {"when": "model:gpt-4o", "times": 3})
    assert met["holds"]
    unmet = await call(api, "POST", "/verify", {"expect": [{"when": "text:tea", "times": 1}, "text:one"]})
    assert [one["holds"] for one in unmet["results"]] == [False, True]
    assert "3 requests" in (await call(api, "GET", "/journal/verdict"))["sentence"]
    lines = (await call(api, "GET", "/journal/export")).splitlines()
    assert [orjson.loads(line)["number"] for line in lines] == [1, 2, 3]
    har = await call(api, "GET", "/journal/export?format=har&match=text:two")
    assert len(har["log"]["entries"]) == 1
    assert await call(api, "DELETE", "/journal") == {"cleared": 3}
    assert "no such condition" in (await call(api, "GET", "/journal?match=modle:x", status=400))["error"]["message"]
    assert "limit: '0' is not allowed" in (await call(api, "GET", "/journal?limit=0", status=400))["error"]["message"]


async def test_a_reply_is_paused_stepped_sped_and_cut(api: httpx.AsyncClient, server: Runner) -> None:
    server.simulator.change(latency_profile="glacial", generator="fixed:one two three four")
    request = asyncio.ensure_future(chat(api, stream=True))
    await until(lambda: server.simulator.meter.live)
    ((number, exchange),) = server.simulator.meter.live.items()
    await until(lambda: exchange.cursor == 1)
    assert [one["number"] for one in await call(api, "GET", "/exchanges")] == [number]
    for at in (2, 3):
        await call(api, "POST", f"/exchanges/{number}/step")
        await until(lambda at=at: exchange.cursor == at)
    await call(api, "POST", f"/exchanges/{number}/speed", {"value": 5})
    assert exchange.held
    await call(api, "POST", f"/exchanges/{number}/resume")
    assert exchange.rate == 5
    assert (
        "a speed is above 0"
        in (await call(api, "POST", f"/exchanges/{number}/speed", {"value": 0}, 400))["error"]["message"]
    )
    assert (
        "there is no action 'dance'"
        in (await call(api, "POST", f"/exchanges/{number}/dance", status=404))["error"]["message"]
    )
    await call(api, "POST", f"/exchanges/{number}/fail")
    assert "error" in (await request).text
    assert (await call(api, "POST", f"/exchanges/{number}/cut", status=409))["error"][
        "message"
    ] == f"exchange {number} has ended"
    assert "there is no exchange 99" in (await call(api, "GET", "/exchanges/99", status=404))["error"]["message"]


async def test_events_come_as_they_happen_and_again_from_where_one_was(api: httpx.AsyncClient) -> None:
    async with api.stream("GET", "/llmsim/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": llmsim"
        await call(api, "PATCH", "/settings", {"speed": 2})
        seen = [line async for line in _until_data(lines)]
    assert seen[-3].startswith("id: ")
    assert seen[-2] == "event: change"
    assert orjson.loads(seen[-1][6:])["text"] == "speed 2.0"
    number = int(seen[-3][4:])
    async with api.stream("GET", "/llmsim/events", headers={"last-event-id": str(number - 1)}) as stream:
        assert [line async for line in _until_data(stream.aiter_lines())][-3] == f"id: {number}"


async def _until_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line.startswith("data: "):
            return


async def test_an_open_stream_of_events_does_not_hold_up_the_end(server: Runner, api: httpx.AsyncClient) -> None:
    async with api.stream("GET", "/llmsim/events") as stream:
        await anext(stream.aiter_lines())
        await asyncio.wait_for(server.stop(grace=0), 5)


# -- scenarios, reset, state


async def test_a_scenario_is_begun_watched_and_stopped(api: httpx.AsyncClient) -> None:
    assert (await call(api, "GET", "/scenario", status=404))["error"]["message"] == "no scenario has been begun"
    text = "name: storm\nphases:\n- {name: storm, for: 1h, arm: {kind: refuse, status: 503}}\n"
    answer = await api.post("/llmsim/scenario", content=text, headers={"content-type": "application/yaml"})
    assert answer.status_code == 201
    assert (await chat(api)).status_code == 503
    assert (await call(api, "GET", "/scenario"))["phase"] == "storm"
    assert "is running" in (await call(api, "POST", "/scenario", {"settings": {"speed": 1}}, 409))["error"]["message"]
    assert (await call(api, "DELETE", "/scenario"))["state"] == "stopped"
    assert (await chat(api)).status_code == 200
    assert "steps:" in await call(api, "GET", "/scenario/recorded")
    assert (
        "soon"
        in (await call(api, "POST", "/scenario", {"phases": [{"name": "x", "for": "soon"}]}, 400))["error"]["message"]
    )


async def test_parts_are_put_back_to_where_they_began(api: httpx.AsyncClient, server: Runner) -> None:
    await chat(api)
    await call(api, "PATCH", "/settings", {"speed": 2, "mocks": [{"reply": "x"}]})
    assert (await call(api, "POST", "/reset", {"what": ["journal"]}))["reset"] == ["journal"]
    assert len(server.simulator.journal) == 0
    assert server.simulator.settings.speed == 2
    await call(api, "POST", "/reset")
    assert server.simulator.settings.speed == 1
    assert not server.simulator.settings.mocks
    assert (
        "there is no 'everything'"
        in (await call(api, "POST", "/reset", {"what": ["everything"]}, 400))["error"]["message"]
    )


async def test_the_state_is_told_in_figures(api: httpx.AsyncClient) -> None:
    await chat(api)
    told = await call(api, "GET", "/state")
    assert (told["requests"], told["outcomes"], told["live"]) == (1, {"ok": 1}, 0)
    assert (await call(api, "GET", "/store"))["limits"]["entries"] == 10_000
    assert await call(api, "DELETE", "/store") == {"cleared": 0}


# -- the document, what is not there, who may


async def test_the_document_is_one_of_openapi_and_names_every_operation(api: httpx.AsyncClient, server: Runner) -> None:
    document = await call(api, "GET", "/openapi.json")
    validate(document)
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert named == {(one.method, f"/llmsim{one.path}") for one in server.control.operations}


async def test_what_is_not_there_is_told(api: httpx.AsyncClient) -> None:
    assert (
        "/llmsim/openapi.json lists what there is"
        in (await call(api, "GET", "/nothing", status=404))["error"]["message"]
    )
    assert "there are GET" in (await call(api, "POST", "/state", status=405))["error"]["message"]
    answer = await api.patch("/llmsim/settings", content=b"{oops")
    assert (answer.status_code, "no JSON" in answer.text) == (400, True)
    assert "must be an object" in (await call(api, "PATCH", "/settings", [1], 400))["error"]["message"]


async def test_the_simulated_apis_do_not_see_control_calls(api: httpx.AsyncClient, server: Runner) -> None:
    server.simulator.arm({"kind": "refuse"})
    assert (await api.get("/llmsim/state")).status_code == 200
    assert len(server.simulator.journal) == 0


async def test_read_only_is_looked_at_and_not_changed() -> None:
    async with running(read_only=True) as runner, httpx.AsyncClient(base_url=runner.url, timeout=60) as api:
        await call(api, "GET", "/settings")
        await call(api, "POST", "/verify", {"times": 0})
        assert "read-only" in (await call(api, "PATCH", "/settings", {"speed": 2}, 403))["error"]["message"]
        assert "read-only" in (await call(api, "DELETE", "/journal", status=403))["error"]["message"]


HERE = {b"host": b"127.0.0.1:8080"}


@pytest.mark.parametrize("host", [b"localhost:8080", b"[::1]:8080", b"127.0.0.9"])
def test_every_name_of_the_loopback_will_do(host: bytes) -> None:
    assert not refusal({b"host": host}, "::1", "", changes=True, read_only=False)


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        (HERE, "10.0.0.7"),
        (HERE, ""),
        ({b"host": b"evil.example"}, "127.0.0.1"),
        ({b"host": b""}, "127.0.0.1"),
        ({b"host": b"[::1"}, "127.0.0.1"),
        ({**HERE, b"origin": b"http://localhost:3000"}, "127.0.0.1"),
        ({**HERE, b"sec-fetch-site": b"cross-site"}, "127.0.0.1"),
        ({**HERE, b"x-forwarded-for": b"10.0.0.7"}, "127.0.0.1"),
        ({**HERE, b"forwarded": b"for=10.0.0.7"}, "127.0.0.1"),
        ({**HERE, b"via": b"1.1 a"}, "127.0.0.1"),
        ({b"host": b"127.0.0.1.evil.example"}, "127.0.0.1"),
        ({b"host": b"evil.example@127.0.0.1"}, "127.0.0.1"),
    ],
)
def test_web_pages_and_other_machines_need_the_token(headers: dict[bytes, bytes], client: str) -> None:
    assert "only programs on the same machine" in refusal(headers, client, "", changes=False, read_only=False)
    assert refusal({**headers, b"authorization": b"Bearer no"}, client, "secret", changes=False, read_only=False)
    assert not refusal(
        {**headers, b"authorization": b"Bearer secret"}, client, "secret", changes=False, read_only=False
    )
    assert refusal({**headers, b"authorization": b"Bearer "}, client, "", changes=False, read_only=False)


def test_tokens_are_compared_in_a_time_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(guard.hmac, "compare_digest", lambda given, own: bool(asked.append((given, own))) or True)
    told = refusal({b"authorization": b"Bearer s"}, "10.0.0.7", "secret", "watch", changes=False, read_only=False)
    assert (told, asked) == ("", [(b"s", b"watch")])
    assert not refusal({b"authorization": b"Bearer s"}, "10.0.0.7", "secret", changes=True, read_only=False)
    assert asked[1:] == [(b"s", b"secret")]


async def test_what_is_asked_in_another_way_is_told_what_there_is(api: httpx.AsyncClient) -> None:
    for method in ("OPTIONS", "TRACE", "POST"):
        answer = await api.request(method, "/llmsim/settings")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH")
    foreign = await api.options("/llmsim/settings", headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403
    head = await api.head("/llmsim/events?after=0")
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.parametrize("number", ["²", "١", "-1", "0", "1e3", "9" * 40])
async def test_no_exchange_has_such_a_number(api: httpx.AsyncClient, number: str) -> None:
    assert "the journal is empty" in (await call(api, "GET", f"/exchanges/{number}", status=404))["error"]["message"]


async def test_what_is_under_way_can_be_acted_on_after_the_journal_was_emptied(
    server: Runner, api: httpx.AsyncClient
) -> None:
    asked = asyncio.create_task(chat(api, "a b c", stream=True, headers={"x-llmsim-profile": "glacial"}))
    await until(lambda: server.simulator.meter.live)
    number = next(iter(server.simulator.meter.live))
    await call(api, "DELETE", "/journal")
    assert (await call(api, "GET", f"/exchanges/{number}"))["outcome"] == "live"
    await call(api, "POST", f"/exchanges/{number}/fail")
    assert "error" in (await asked).text


async def test_the_secrets_of_rules_are_not_told_with_the_nearest_mock(api: httpx.AsyncClient) -> None:
    secrets = ["plain-but-secret-4711", "header-secret-4712", "sk-proj-0123456789abcdef"]
    conditions = (f"key:{secrets[0]}", f"header.x-api-key:{secrets[1]}", f"not (json.user:{secrets[2]} or !key:*)")
    mocks = [{"name": str(at), "when": f"{one} text:refund", "reply": "x"} for at, one in enumerate(conditions)]
    for mock in mocks:
        await call(api, "PUT", "/mocks", [mock])
        why = (await chat(api, user=secrets[2], headers={"x-llmsim-explain": "true"})).headers["x-llmsim-why"]
        number = (await call(api, "GET", "/journal"))["last"]
        one = await call(api, "GET", f"/exchanges/{number}")
        for told in (why, str(one["near"]), str(one["why"]), str(await call(api, "POST", "/mocks/try"))):
            assert not any(secret in told for secret in secrets)


def test_the_word_bearer_may_be_in_any_capitals() -> None:
    for told in (b"bearer secret", b"BEARER secret", b"Bearer  secret"):
        assert not refusal({b"authorization": told}, "10.0.0.7", "secret", changes=True, read_only=False)
    for told in (b"secret", b"Basic secret", b"Bearer secret2", b"Bearer"):
        assert refusal({b"authorization": told}, "10.0.0.7", "secret", changes=True, read_only=False)


async def test_a_step_of_a_reply_that_is_sent_whole_sends_it(server: Runner, api: httpx.AsyncClient) -> None:
    asked = asyncio.create_task(chat(api, headers={"x-llmsim-profile": "silent"}))
    await until(lambda: server.simulator.meter.live)
    number = next(iter(server.simulator.meter.live))
    await call(api, "POST", f"/exchanges/{number}/pause")
    await call(api, "POST", f"/exchanges/{number}/step")
    answer = await asked
    assert (answer.status_code, answer.json()["choices"][0]["finish_reason"]) == (200, "stop")
    await call(api, "POST", f"/exchanges/{number}/step", status=409)


async def test_each_mock_that_is_wrong_is_told_with_its_place(api: httpx.AsyncClient) -> None:
    mocks = [{"reply": "a"}, {"when": "modl:x", "reply": "b"}, {"reply": {"text": "c", "error": {}}}, 5]
    told = (await call(api, "PUT", "/mocks", mocks, 400))["error"]["message"].split("; ")
    places = [one.partition(":")[0] for one in told if one.startswith("mocks")]
    assert places == ["mocks[1].when", "mocks[2].reply", "mocks[3]"]
    assert (
        "there is no such field"
        in (await call(api, "POST", "/verify", {"expect": [], "x": 1}, 400))["error"]["message"]
    )


async def test_a_listener_of_a_server_that_ran_before_hears_all_that_there_is(api: httpx.AsyncClient) -> None:
    await call(api, "PATCH", "/settings", {"target_tokens": 7})
    async with api.stream("GET", "/llmsim/events", headers={"last-event-id": "5000"}) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("id:"):
                break
        assert line == "id: 1"


async def test_a_host_that_is_told_twice_or_in_disguise_is_not_believed(server: Runner) -> None:
    hosts = {"host: localhost": "200", "host: evil.example\r\nhost: localhost": "403", "host: evil@localhost": "403"}
    for told, status in hosts.items():
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.address.rpartition(":")[2]))
        writer.write(f"GET /llmsim/state HTTP/1.1\r\n{told}\r\nconnection: close\r\n\r\n".encode())
        assert (await reader.readline()).split()[1].decode() == status
        writer.close()


async def test_what_is_wrong_with_very_much_is_told_in_short(api: httpx.AsyncClient) -> None:
    answer = await api.post("/llmsim/mocks", json={"name": "x" * 1_000_000, "reply": "a"})
    assert answer.status_code == 400
    assert len(answer.content) < 100_000


async def test_a_key_is_masked_wherever_it_was_put(api: httpx.AsyncClient) -> None:
    key = "sk-proj-0123456789abcdefghij"
    await chat(api, headers={"authorization": f"Bearer {key}", "x-llmsim-client": key, "x-llmsim-fault": "429"})
    await call(api, "PATCH", "/settings", {"generator": f"fixed:{key}"})
    for path in ("/journal/verdict", "/changes", "/journal?bodies=true", "/journal/export?format=har"):
        told = str(await call(api, "GET", path))
        assert "…ghij" in told
        assert key not in told


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/mocks/try", {"mocks": [{}] * 100_000}, "mocks: there are 100,000 of them; at most 20,000 are allowed"),
        ("/mocks", {"when": {"text": [1] * 100_000}, "reply": "x"}, "when: a match has at most 1,000 conditions"),
        ("/faults/preview", {"scope": {"text": [1] * 100_000}}, "a match has at most 1,000 conditions"),
        ("/journal/sift", {"match": "a " * 90_000}, "match: a match has at most 1,000 conditions"),
        ("/verify", [{}] * 100_000, "expect: there are 100,000 of them; at most 1,000 are allowed"),
        ("/scenario", {"steps": [{}] * 100_000}, "steps: there are 100,000 of them; at most 10,000 are allowed"),
    ],
)
async def test_of_very_many_none_is_looked_at(api: httpx.AsyncClient, path: str, body: Any, told: str) -> None:
    assert (await call(api, "POST", path, body, 400))["error"]["message"] == told


async def test_mocks_are_tried_as_they_would_be_put(api: httpx.AsyncClient) -> None:
    mocks = [{"reply": {"text": "a", "latency": "none such"}}]
    tried = (await call(api, "POST", "/mocks/try", {"mocks": mocks}, 400))["error"]["message"]
    assert "there is no profile 'none such'" in tried
    assert tried == (await call(api, "PUT", "/mocks", mocks, 400))["error"]["message"]


HOSTILE = (
    "a\nb\n",
    "\x1b]0;x\x07",
    "\u202eabc",
    "../../etc/passwd",
    "<script>x</script>",
    "%s{0}$(id)",
    "[/b]",
    "\x00",
)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_mock_may_be_called_anything_and_is_found_by_it(api: httpx.AsyncClient, name: str) -> None:
    path = f"/mocks/{quote(name, safe='')}"
    assert "there is no mock" in (await call(api, "DELETE", path, status=404))["error"]["message"]
    await call(api, "POST", "/mocks", {"name": name, "reply": "Hi"}, 201)
    await chat(api)
    families = text_string_to_metric_families((await api.get("/metrics")).text)
    mocks = {one.labels["mock"] for family in families for one in family.samples if "mock" in one.labels}
    assert name in mocks
    await call(api, "DELETE", path)
    assert "there is no mock" in (await call(api, "DELETE", path, status=404))["error"]["message"]
