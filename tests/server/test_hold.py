"""A reply that is held, as clients of real SDKs and of the control API meet it."""

import asyncio

import httpx
import openai
import pytest

from llmsim.server.config import Config
from llmsim.server.serve import Runner

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
FAULTS = [{"kind": "hold", "id": "intercept", "for_ms": 60_000}]


@pytest.fixture
async def runner():
    runner = Runner(Config(port=0, latency_profile="instant", generator="fixed:one two three", faults=FAULTS))
    await runner.start()
    yield runner
    await runner.stop(grace=0)


async def control(runner, method, path, body=None):
    async with httpx.AsyncClient(base_url=f"{runner.url}/llmsim") as client:
        return (await client.request(method, path, json=body)).json()


async def held(runner, number):
    while number not in [one["number"] for one in await control(runner, "GET", "/exchanges") if one["held"]]:
        pass


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_is_sent_before_it_is_let_go_or_failed_with_an_error_of_ones_own(runner, stream):
    async with openai.AsyncOpenAI(base_url=f"{runner.url}/v1", api_key="sk-test", max_retries=0) as client:
        first, second = (asyncio.create_task(client.chat.completions.create(**ASK, stream=stream)) for _ in range(2))
        await held(runner, 1)
        await held(runner, 2)
        assert not first.done()
        await control(runner, "POST", "/exchanges/2/fail", {"status": 529, "retry_after": 3, "message": "not today"})
        with pytest.raises(openai.APIStatusError) as failed:
            await second
        assert (failed.value.status_code, failed.value.response.headers["retry-after"]) == (529, "3")
        assert "not today" in str(failed.value)
        await control(runner, "POST", "/exchanges/1/resume")
        reply = await first
        said = [one.choices[0].delta.content async for one in reply] if stream else [reply.choices[0].message.content]
        assert "".join(filter(None, said)) == "one two three"


async def test_lifting_all_lets_go_and_what_cannot_be_is_refused_in_a_sentence(runner):
    async with httpx.AsyncClient(base_url=runner.url) as client:
        asked = asyncio.create_task(client.post("/v1/chat/completions", json=ASK))
        await held(runner, 1)
        told = await control(runner, "POST", "/exchanges/1/fail", {"status": 200})
        assert "status: 200 is not allowed" in told["error"]["message"]
        assert (await control(runner, "PUT", "/faults/intercept", {"kind": "hold", "most": 0}))["error"]
        await control(runner, "DELETE", "/faults")
        assert (await asked).json()["choices"][0]["message"]["content"] == "one two three"
