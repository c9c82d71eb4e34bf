"""Gemini's cached contents: created, told of, prolonged, forgotten; used by generations; what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types
from hypothesis import HealthCheck, given, settings
from inprocess import Told, ask
from junk import JUNK

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

MODEL = "models/gemini-2.5-flash"
PATH = "/v1beta/cachedContents"
WEATHER: Any = {"functionDeclarations": [{"name": "get_weather", "description": "Tells the weather"}]}


@pytest.fixture
def app(clock: ToldClock) -> Application:
    return Application(Simulator(Settings(latency_profile="instant", generator="echo"), clock=clock))


def said(text: str) -> Any:
    return {"role": "user", "parts": [{"text": text}]}


async def send(app: Application, body: Any, path: str = PATH, method: str = "POST") -> Told:
    return await ask(app, path, body, method, **{"x-goog-api-key": "k"})


async def create(app: Application, **fields: Any) -> Any:
    told = await send(app, {"model": MODEL, "contents": [said("word " * 50)], **fields})
    assert told.status == 200, told.body
    types.CachedContent.model_validate(told.json, extra="forbid")
    return told.json


async def generate(app: Application, name: str, model: str = MODEL, **fields: Any) -> Told:
    config = {"thinkingConfig": {"thinkingBudget": 0}}
    body = {"contents": [said("Hi")], "cachedContent": name, "generationConfig": config, **fields}
    return await send(app, body, f"/v1beta/{model}:generateContent")


async def test_a_content_is_cached_and_told_of(app: Application) -> None:
    told = await create(app, displayName="été 🎉", systemInstruction={"parts": [{"text": "Be kind."}]})
    assert told == {
        "name": told["name"],
        "model": MODEL,
        "displayName": "été 🎉",
        "createTime": "2023-11-14T22:13:20.000000Z",
        "updateTime": "2023-11-14T22:13:20.000000Z",
        "expireTime": "2023-11-14T23:13:20.000000Z",
        "usageMetadata": told["usageMetadata"],
    }
    assert told["name"].startswith("cachedContents/")
    assert told["usageMetadata"]["totalTokenCount"] > 50
    for version in ("/v1", "/v1beta"):
        assert (await send(app, b"", f"{version}/{told['name']}", "GET")).json == told
        assert (await send(app, b"", f"{version}/cachedContents", "GET")).json == {"cachedContents": [told]}


async def test_an_empty_list_is_an_empty_object(app: Application) -> None:
    assert (await send(app, b"", PATH, "GET")).json == {}


async def test_a_list_comes_in_pages(app: Application) -> None:
    names = [(await create(app, displayName=str(at)))["name"] for at in range(5)]
    found: list[str] = []
    token = ""
    for _ in range(3):
        told = (await send(app, b"", f"{PATH}?pageSize=2&pageToken={token}", "GET")).json
        found += [one["name"] for one in told["cachedContents"]]
        token = told.get("nextPageToken", "")
    assert (found, token) == (names, "")
    for query in ("pageToken=x", "pageSize=x"):
        assert (await send(app, b"", f"{PATH}?{query}", "GET")).json["error"]["status"] == "INVALID_ARGUMENT"


async def test_a_generation_uses_it_and_says_what_it_saved(app: Application) -> None:
    told = await create(app)
    usage = (await generate(app, told["name"])).json["usageMetadata"]
    cached = told["usageMetadata"]["totalTokenCount"]
    assert usage["cachedContentTokenCount"] == cached
    assert usage["promptTokenCount"] == cached + 2
    assert usage["cacheTokensDetails"] == [{"modality": "TEXT", "tokenCount": cached}]
    counted = await send(
        app,
        {"generateContentRequest": {"model": MODEL, "contents": [said("Hi")], "cachedContent": told["name"]}},
        f"/v1beta/{MODEL}:countTokens",
    )
    assert (counted.status, counted.json["totalTokens"]) == (200, cached + 2)


async def test_its_tools_are_those_of_the_generation(app: Application) -> None:
    mode = {"functionCallingConfig": {"mode": "ANY"}}
    told = await create(app, tools=[WEATHER], toolConfig=mode)
    (part,) = (await generate(app, told["name"])).json["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "get_weather"


async def test_it_lives_longer_when_told_so_and_then_no_more(app: Application, clock: ToldClock) -> None:
    told = await create(app, ttl="60s")
    path = f"/v1beta/{told['name']}"
    await clock.advance(30)
    changed = (await send(app, {"ttl": "90s"}, f"{path}?updateMask=ttl", "PATCH")).json
    assert changed == {
        **told,
        "updateTime": "2023-11-14T22:13:50.000000Z",
        "expireTime": "2023-11-14T22:15:20.000000Z",
    }
    changed = (await send(app, {"expire_time": "2023-11-14T22:16:00Z"}, path, "PATCH")).json
    assert changed["expireTime"] == "2023-11-14T22:16:00.000000Z"
    await clock.advance(131)
    for sent in (
        await send(app, b"", path, "GET"),
        await send(app, {"ttl": "5s"}, path, "PATCH"),
        await send(app, b"", path, "DELETE"),
        await generate(app, told["name"]),
    ):
        assert (sent.status, sent.json["error"]["message"]) == (403, "CachedContent not found (or permission denied)")
    assert (await send(app, b"", PATH, "GET")).json == {}


async def test_a_deleted_content_is_gone(app: Application) -> None:
    name = (await create(app))["name"]
    gone = await send(app, b"", f"/v1beta/{name}", "DELETE")
    assert (gone.status, gone.json) == (200, {})
    assert (await generate(app, name)).json["error"]["status"] == "PERMISSION_DENIED"


async def test_a_generation_that_does_not_go_with_it_is_refused(app: Application) -> None:
    name = (await create(app))["name"]
    other = await generate(app, name, "models/gemini-2.5-pro", generationConfig={})
    assert other.json["error"]["message"] == (
        "Model used by GenerateContent request (models/gemini-2.5-pro) and CachedContent (models/gemini-2.5-flash) has "
        "to be the same."
    )
    tools = await generate(app, name, tools=[WEATHER])
    assert "CachedContent can not be used with GenerateContent request" in tools.json["error"]["message"]


async def test_contents_live_in_the_bounded_store(app: Application) -> None:
    app.simulator.store.count_limit = 3
    names = [(await create(app))["name"] for _ in range(5)]
    listed = (await send(app, b"", PATH, "GET")).json["cachedContents"]
    assert [one["name"] for one in listed] == names[2:]


CREATE = "CreateCachedContentRequest.cached_content"
UNKNOWN = 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'
REFUSED: Any = [
    ({"model": None}, f"* {CREATE}.model: model is required\n"),
    ({"model": 5}, "Invalid value at 'model' (TYPE_STRING), 5"),
    ({"contents": []}, "Cached content is too small. total_token_count=0, min_total_token_count=1"),
    ({"contents": [{"parts": []}]}, f"* {CREATE}.contents[0].parts: contents.parts must not be empty.\n"),
    ({"contents": [{"role": "x", "parts": [{"text": "a"}]}]}, "Please use a valid role: user, model."),
    ({"displayName": "x" * 129}, f"* {CREATE}.display_name: at most 128 characters.\n"),
    ({"ttl": "soon"}, "Invalid value at 'ttl' (type.googleapis.com/google.protobuf.Duration), \"soon\""),
    ({"ttl": "-5s"}, "The expiration time of a CachedContent must be in the future."),
    ({"expireTime": "2001-01-01T00:00:00Z"}, "The expiration time of a CachedContent must be in the future."),
    ({"ttl": "5s", "expireTime": "2030-01-01T00:00:00Z"}, "Only one of ttl and expire_time can be set."),
    ({"foo": 1}, UNKNOWN),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
async def test_what_makes_no_sense_is_refused(app: Application, fields: Any, message: str) -> None:
    body = {"model": MODEL, "contents": [said("Hi")], **fields}
    told = await send(app, {name: value for name, value in body.items() if value is not None})
    error = told.json["error"]
    assert (told.status, error["status"], error["message"]) == (400, "INVALID_ARGUMENT", message)
    if "Invalid" in message:
        (detail,) = error["details"]
        assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
        assert detail["fieldViolations"][0]["description"] == message


@pytest.mark.parametrize("body", [{}, {"displayName": "x"}, {"ttl": "0s"}, {"ttl": 5}, b"{", b"[]"])
async def test_a_change_of_anything_else_is_refused(app: Application, body: Any) -> None:
    told = await create(app)
    answer = await send(app, body, f"/v1beta/{told['name']}", "PATCH")
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    both = {"ttl": "5s", "expireTime": "2030-01-01T00:00:00Z"}
    answer = await send(app, both, f"/v1beta/{told['name']}", "PATCH")
    assert answer.json["error"]["message"] == "Only one of ttl and expire_time can be set."
    assert (await send(app, b"", f"/v1beta/{told['name']}", "GET")).json == told


async def test_a_file_that_there_is_not_is_refused(app: Application) -> None:
    part = {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/nope"}}
    told = await send(app, {"model": MODEL, "contents": [{"role": "user", "parts": [part]}]})
    assert (told.status, told.json["error"]["status"]) == (403, "PERMISSION_DENIED")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=JUNK)
async def test_junk_never_breaks_the_server(app: Application, junk: Any) -> None:
    for name in ("model", "contents", "systemInstruction", "tools", "toolConfig", "ttl", "expireTime", "displayName"):
        body = {"model": MODEL, "contents": [said("Hi")], name: junk}
        assert (await send(app, body)).status < 500
