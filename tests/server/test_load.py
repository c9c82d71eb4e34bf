"""Load as clients meet it: each provider's own overload error, hits of the cache in its usage, streams that queue."""

import asyncio

import httpx
import pytest
from inprocess import ask
from running import PROFILES, application, running, until
from support import ask_for

from llmsim.dialects import Request
from llmsim.server.player import StreamPlayer
from llmsim.server.tray import Tray

WORDS = "all work and no play makes jack a dull boy " * 80
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": WORDS}]}
RESPONSE = {"model": "gpt-4o", "input": WORDS}
MESSAGE = {"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": WORDS}]}
CONTENT = {"contents": [{"parts": [{"text": WORDS}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": WORDS}]}]}
INTERACTION = {"model": "gemini-2.5-flash", "input": WORDS}
OLLAMA = {"model": "llama3.2", "messages": [{"role": "user", "content": "hi"}], "stream": False}

PATHS = {
    "/v1/chat/completions": CHAT,
    "/v1/responses": RESPONSE,
    "/v1/messages": MESSAGE,
    "/v1beta/models/gemini-2.5-flash:generateContent": CONTENT,
    "/v1beta/interactions": INTERACTION,
    "/model/anthropic.claude-3-5-sonnet-20241022-v2:0/converse": CONVERSE,
}


def loaded(**load):
    """An application whose every reply is by a profile under load."""
    return application(profiles={**PROFILES, "served": load}, latency_profile="served")


def taken(app):
    """Takes one slot for good."""
    return app.simulator.begin(ask_for("held"))


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/v1/chat/completions", CHAT, 503, b"The engine is currently overloaded, please try again later"),
        ("/v1/responses", RESPONSE, 503, b"The engine is currently overloaded, please try again later"),
        ("/v1/messages", MESSAGE, 529, b'"type":"overloaded_error","message":"Overloaded"'),
        ("/v1beta/models/gemini-2.5-flash:generateContent", CONTENT, 503, b"The model is overloaded"),
        ("/v1beta/interactions", INTERACTION, 503, b"service_unavailable"),
        ("/model/anthropic.claude-3-5-sonnet-20241022-v2:0/converse", CONVERSE, 503, b"unable to process your request"),
        ("/api/chat", OLLAMA, 503, b"maximum pending requests exceeded"),
        (
            "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            CHAT,
            503,
            b"temporarily unable to process your request",
        ),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_full_queue_is_each_providers_own_overload_error(path, body, status, told, streamed):
    app = loaded(slots=1, queue=0)
    taken(app)
    if streamed and "stream" in body | {"stream": 1} and "contents" not in body and "converse" not in path:
        body = {**body, "stream": True}
    answer = await ask(app, path, body, x_api_key="sk", anthropic_version="2023-06-01", api_key="sk")
    assert answer.status == status
    assert told in answer.body
    assert app.simulator.journal.get(2).plan.origin == "busy"


def cached_in(told):
    """The tokens that a usage says were in the cache, whatever the API calls them."""
    usage = told.get("usage") or told.get("usageMetadata")
    return (
        usage.get("prompt_tokens_details", {}).get("cached_tokens")
        or usage.get("input_tokens_details", {}).get("cached_tokens")
        or usage.get("cache_read_input_tokens")
        or usage.get("cachedContentTokenCount")
        or usage.get("total_cached_tokens")
        or usage.get("cacheReadInputTokens")
        or 0
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_prompt_that_comes_again_is_told_as_cached_in_the_providers_usage(path):
    app = loaded(cache_tokens=100_000, cache_block=128)
    first = await ask(app, path, PATHS[path], x_api_key="sk", anthropic_version="2023-06-01")
    again = await ask(app, path, PATHS[path], x_api_key="sk", anthropic_version="2023-06-01")
    assert (first.status, again.status) == (200, 200)
    assert cached_in(first.json) == 0
    assert cached_in(again.json) >= 640
    assert cached_in(again.json) % 128 == 0
    assert app.simulator.journal.get(2).plan.usage.cached == cached_in(again.json)


async def test_anthropics_input_tokens_are_those_that_were_not_in_the_cache():
    app = loaded(cache_tokens=100_000, cache_block=128)
    told = [(await ask(app, "/v1/messages", MESSAGE, anthropic_version="2023-06-01")).json["usage"] for _ in range(2)]
    assert told[0]["input_tokens"] == told[1]["input_tokens"] + told[1]["cache_read_input_tokens"]


async def test_a_cache_that_the_client_fills_itself_saves_the_prefill_and_leaves_the_servers_own_aside():
    app = loaded(cache_tokens=100_000, prefill_ms_per_token=0.02)
    block = {"type": "text", "text": WORDS * 3, "cache_control": {"type": "ephemeral"}}
    body = {**MESSAGE, "system": [block], "messages": [{"role": "user", "content": "hi"}]}
    told = [(await ask(app, "/v1/messages", body, anthropic_version="2023-06-01")).json["usage"] for _ in range(2)]
    assert told[0]["cache_creation_input_tokens"] == told[1]["cache_read_input_tokens"] > 1024
    first, second = app.simulator.journal.get(1), app.simulator.journal.get(2)
    assert second.plan.usage.cached == told[1]["cache_read_input_tokens"]
    assert first.plan.times[0] - second.plan.times[0] == pytest.approx(0.00002 * second.plan.usage.cached, rel=0.01)


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"])
async def test_a_stream_that_waits_is_opened_and_served_once_it_has_a_slot(path):
    async with running(profiles={**PROFILES, "served": {"slots": 1}}, latency_profile="served") as server:
        held = taken(server.app)
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            body = {**PATHS[path], "stream": True}
            asked = asyncio.ensure_future(client.post(path, json=body, headers={"authorization": "Bearer sk"}))
            simulator = server.simulator
            await until(lambda: len(simulator.meter.live) == 2)
            assert simulator.journal.get(2).queued
            assert simulator.journal.get(2).status == 0
            simulator.end(held, "abandoned")
            answer = await asked
        assert answer.status_code == 200
        assert simulator.journal.get(2).state == "done"


async def test_a_client_that_hangs_up_in_the_queue_leaves_its_place():
    async with running(profiles={**PROFILES, "served": {"slots": 1}}, latency_profile="served") as server:
        taken(server.app)
        simulator = server.simulator
        async with httpx.AsyncClient(base_url=server.url, timeout=0.2) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/v1/chat/completions", json=CHAT, headers={"authorization": "Bearer sk"})
        await until(lambda: len(simulator.meter.live) == 1)
        (station,) = simulator.stations
        assert (len(station.active), len(station.waiting)) == (1, 0)
        assert simulator.journal.get(2).state == "abandoned"


async def test_a_reply_in_the_background_waits_for_its_slot_and_its_stream_with_it():
    app = loaded(slots=1)
    held = taken(app)
    made = await ask(app, "/v1/responses", {**RESPONSE, "background": True, "store": True})
    assert made.json["status"] in ("queued", "in_progress")
    app.simulator.end(held, "abandoned")
    await until(lambda: app.simulator.journal.get(2).state == "done")
    told = await ask(app, f"/v1/responses/{made.json['id']}", method="GET")
    assert told.json["status"] == "completed"


async def test_load_is_set_over_the_control_api_and_told_in_the_state():
    load = {"slots": 2, "queue": 3, "slowing": 1.5, "prefill_ms_per_token": 0.1, "cache_tokens": 1000}
    async with running() as server, httpx.AsyncClient(base_url=server.url) as client:
        change = {"profiles": {"mine": load}, "latency_profile": "mine"}
        told = (await client.patch("/llmsim/settings", json=change)).json()
        assert told["settings"]["profiles"]["mine"]["slots"] == 2
        taken(server.app)
        state = (await client.get("/llmsim/state")).json()
        assert (state["honesty"]["trusted"], state["honesty"]["doubts"]) == (True, [])
        (station,) = state["load"]
        assert station.pop("cache")["limit"] == 1000
        assert station == {
            "profile": "mine",
            "slots": 2,
            "active": 1,
            "queue": 3,
            "queued": 0,
            "refused": 0,
            "slowing": 1.0,
        }
        wrong = await client.patch("/llmsim/settings", json={"profiles": {"mine": {"slots": 0}}})
        assert wrong.status_code == 400
        assert "profiles.mine.slots: 0 is not allowed" in wrong.text


async def test_the_gauges_of_load_are_among_the_metrics():
    app = loaded(slots=1, queue=1)
    for text in "abc":
        exchange = app.simulator.begin(ask_for(text))
    app.simulator.end(exchange, "failed")
    told = (await ask(app, "/metrics", method="GET")).body.decode()
    for line in (
        'llmsim_load_slots{profile="served"} 1.0',
        'llmsim_load_active{profile="served"} 1.0',
        'llmsim_load_queued{profile="served"} 1.0',
        'llmsim_load_queue_limit{profile="served"} 1.0',
        'llmsim_load_refusals_total{profile="served"} 1.0',
    ):
        assert line in told
    vllm = (await ask(app, "/metrics?names=vllm", method="GET")).body.decode()
    assert 'vllm:num_requests_running{engine="0",model_name="gpt-4o"} 1.0' in vllm
    assert 'vllm:num_requests_waiting{engine="0",model_name="gpt-4o"} 1.0' in vllm


async def test_a_client_that_reads_too_slowly_is_noted_on_its_reply():
    app = application()
    exchange = taken(app)
    dialect = app.desk.routes.owner(Request("POST", "/v1/chat/completions"))
    player = StreamPlayer(app.simulator, dialect, exchange, Tray(lambda _: None))
    assert not exchange.hindered
    player.drained()
    assert exchange.hindered
