"""Recording is switched on and off while the server runs, and keys get nowhere."""

import asyncio
import json
import sys

import httpx2
import pytest
from running import Wire, running, until
from upstream import recorder, takes, upstream

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]}


async def hello(call):
    call.whole(b'{"from":"upstream"}', "content-type: application/json")


async def test_it_is_begun_watched_and_ended_by_the_control_api(tmp_path):
    tape = tmp_path / "run.jsonl"
    async with upstream(hello) as url, running() as runner, httpx2.AsyncClient(base_url=runner.url) as http:
        state = (await http.get("/llmsim/state")).json()
        assert state["recording"] is None
        assert (await http.get("/llmsim/record")).status_code == 404
        assert (await http.post("/v1/chat/completions", json=ASK)).json()["object"] == "chat.completion"

        begun = await http.post("/llmsim/record", json={"upstreams": {"openai": url}, "tape": str(tape)})
        assert begun.status_code == 201
        assert begun.json()["upstreams"] == {"openai": url}
        assert (await http.post("/v1/chat/completions", json=ASK)).json() == {"from": "upstream"}
        assert (await http.get("/health")).json()["status"] == "ok"
        assert (await http.get("/llmsim/state")).json()["recording"]["exchanges"] == 1
        again = await http.post("/llmsim/record", json={"upstreams": {"openai": url}, "tape": "other.jsonl"})
        assert (again.status_code, "is under way" in again.json()["error"]["message"]) == (409, True)

        ended = await http.delete("/llmsim/record")
        assert (ended.json()["exchanges"], ended.json()["ends"]) == (1, {"done": 1})
        assert (await http.delete("/llmsim/record")).status_code == 404
        assert (await http.post("/v1/chat/completions", json=ASK)).json()["object"] == "chat.completion"
        events = [event.text for event in runner.simulator.events.after(0) if event.kind == "recorder"]
    assert events == [f"recording to {tape}", f"recorded 1 exchanges to {tape}"]
    assert [take.path for take in takes(tape)] == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "upstreams"),
        ({"upstreams": {"a": "http://b"}, "tape": "/"}, "tape"),
        ({"upstreams": {"a": "http://b"}, "tape": "/dev/null/x.jsonl"}, "it cannot be written"),
        ({"upstreams": {"a": "http://b"}, "tape": "x.jsonl", "mask_patterns": ["("]}, "mask pattern"),
    ],
)
async def test_what_cannot_be_begun_changes_nothing(body, why):
    async with running() as runner, httpx2.AsyncClient(base_url=runner.url) as http:
        answer = await http.post("/llmsim/record", json=body)
        assert answer.status_code == 400
        assert why in answer.json()["error"]["message"]
        assert not runner.app.recorder.on
        assert (await http.post("/v1/chat/completions", json=ASK)).status_code == 200


async def test_what_is_under_way_when_it_ends_is_recorded_to_its_end(tmp_path):
    tape, go = tmp_path / "run.jsonl", asyncio.Event()

    async def serve(call):
        call.stream()
        call.chunk(b"one")
        await go.wait()
        call.chunk(b"two")
        call.close()

    async with upstream(serve) as url, recorder(tape, {"openai": url}) as runner, Wire.to(runner) as wire:
        await wire.ask(ASK, "/v1/chat/completions")
        _, headers = await wire.head()
        assert await wire.chunk() == b"one"
        told = await runner.app.recorder.stop()
        assert (told["live"], told["exchanges"]) == (1, 0)
        go.set()
        assert await wire.body(headers) == b"two"
        await until(
            lambda: len(runner.simulator.events.after(0)) and "recorded 1" in runner.simulator.events.after(0)[-1].text
        )
    assert [(take.body, take.end) for take in takes(tape)] == [(b"onetwo", "done")]


async def test_a_server_that_stops_ends_also_what_an_ended_recording_waits_for(tmp_path):
    tape, never = tmp_path / "run.jsonl", asyncio.Event()

    async def serve(call):
        call.stream()
        call.chunk(b"one")
        await never.wait()

    before = sys.getswitchinterval()
    async with upstream(serve) as url, recorder(tape, {"openai": url}) as runner, Wire.to(runner) as wire:
        assert sys.getswitchinterval() < before
        await wire.ask(ASK, "/v1/chat/completions")
        await wire.head()
        assert await wire.chunk() == b"one"
        await runner.app.recorder.stop()
    assert [(take.body, take.end) for take in takes(tape)] == [(b"one", "left")]
    assert sys.getswitchinterval() == before


KEYS = {
    "OPENAI_API_KEY": "openai-key-of-ours-0123456789",
    "ANTHROPIC_API_KEY": "anthropic-key-of-ours-0123456789",
    "GEMINI_API_KEY": "gemini-key-of-ours-0123456789",
}


async def test_keys_from_the_environment_are_put_in_and_never_written(tmp_path, monkeypatch):
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    seen = []

    async def serve(call):
        seen.append(
            (call.target, call.header("authorization"), call.header("x-api-key"), call.header("x-goog-api-key"))
        )
        told = json.dumps({"error": {"message": f"I got {call.head.decode('latin-1')}"}}).encode()
        call.whole(told, f"x-echo: {KEYS['OPENAI_API_KEY']}", status="401 Unauthorized")

    tape = tmp_path / "run.jsonl"
    async with upstream(serve) as url:
        names = dict.fromkeys(("openai", "anthropic", "gemini"), url)
        async with recorder(tape, names, inject_keys="env") as runner, httpx2.AsyncClient(base_url=runner.url) as http:
            dummy = {"authorization": "Bearer dummy-key-of-a-client"}
            await http.post("/v1/chat/completions", json=ASK, headers=dummy)
            await http.post("/v1/messages", json=ASK, headers={"x-api-key": "dummy-key-of-a-client"})
            await http.post("/v1beta/models/g:generateContent?key=dummy-key-of-a-client", json=ASK)
            page = await http.post(
                "/v1/chat/completions", json=ASK, headers={**dummy, "origin": "https://evil.example"}
            )
    assert seen == [
        ("/v1/chat/completions", f"Bearer {KEYS['OPENAI_API_KEY']}", "", ""),
        ("/v1/messages", "", KEYS["ANTHROPIC_API_KEY"], ""),
        ("/v1beta/models/g:generateContent", "", "", KEYS["GEMINI_API_KEY"]),
    ]
    assert page.status_code == 403
    assert len(takes(tape)) == 3
    written = tape.read_text()
    for secret in (*KEYS.values(), "of-ours", "dummy-key", "key-of-a-client"):
        assert secret not in written
    assert takes(tape)[0].request_header("authorization").startswith("Bearer ****")


async def test_an_api_without_an_upstream_is_told_so_in_its_own_words(tmp_path):
    async with (
        upstream(hello) as url,
        recorder(tmp_path / "run.jsonl", {"openai": url, "gemini": url}) as runner,
        httpx2.AsyncClient(base_url=runner.url) as http,
    ):
        answer = await http.post("/v1/messages", json=ASK, headers={"anthropic-version": "2023-06-01"})
    assert answer.status_code == 404
    told = answer.json()
    assert told["type"] == "error"
    assert (
        told["error"]["message"] == "This server records and has no upstream for anthropic; there are openai, gemini."
    )
