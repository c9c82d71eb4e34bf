"""What the providers' own clients do about errors, as the journal's verdict tells it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic_clients import asynchronous
from gemini_clients import google
from google.genai import errors, types
from openai import AsyncOpenAI
from running import Runner, until

from llmsim.simulator import Simulator
from llmsim.verdict import Call, ClientVerdict, judge, sentence

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: Any = [{"role": "user", "content": "Hello"}]
LIMITED = {"kind": "refuse", "status": 429, "retry_after": 1, "count": 2}
OVERLOADED = {"kind": "refuse", "status": 529}
CUT = {"kind": "cut", "after_tokens": 5}
OVERLOADED_MIDWAY = {"kind": "refuse", "status": 529, "after_tokens": 5}

QUICK = types.HttpRetryOptions(attempts=3, initial_delay=0.05, jitter=0)
"""Google's client waits by its own lights alone: this briefly."""


@contextlib.asynccontextmanager
async def gpt(server: Runner) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client as it is out of the box: it tries three times."""
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", timeout=20) as client:
        yield client


async def words_of_gpt(client: AsyncOpenAI) -> str:
    stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def words_of_claude(client: anthropic.AsyncAnthropic) -> str:
    async with client.messages.stream(model="claude-opus-5-5", max_tokens=500, messages=HELLO) as stream:
        return await stream.get_final_text()


async def words_of_gemini(client: Any) -> str:
    stream = await client.aio.models.generate_content_stream(model="gemini-2.5-flash", contents="Hello")
    return "".join([chunk.text or "" async for chunk in stream])


def judged(simulator: Simulator) -> tuple[ClientVerdict, Call | None]:
    """The verdict on the only client, and on its only call if that did not succeed at once."""
    (client,) = judge(simulator.journal).clients
    assert sum(client.endings.values()) == 1
    return client, client.calls[0] if client.calls else None


def kept(call: Call) -> list[str]:
    return [wait.kept for wait in call.waits]


# -- 429 with Retry-After 1, twice, then a reply


async def test_openai_waits_as_told_and_succeeds(server: Runner, simulator: Simulator) -> None:
    simulator.arm(LIMITED)
    async with gpt(server) as client:
        assert await words_of_gpt(client)
    verdict, call = judged(simulator)
    assert call is not None
    assert [(one.status, one.ask.attempt) for one in call.tries] == [(429, 0), (429, 1), (200, 2)]
    assert kept(call) == ["kept", "kept"]
    assert all(wait.seconds >= 0.95 for wait in call.waits)
    assert sentence(call).endswith(" as told, then succeeded on try 3")
    assert verdict.findings[0] == "waited as told 2 times of 2"
    assert verdict.storms == []


async def test_anthropic_waits_as_told_and_succeeds(server: Runner, simulator: Simulator) -> None:
    simulator.arm(LIMITED)
    async with asynchronous(server, max_retries=2) as client:
        assert await words_of_claude(client)
    verdict, call = judged(simulator)
    assert call is not None
    assert [(one.status, one.ask.attempt) for one in call.tries] == [(429, 0), (429, 1), (200, 2)]
    assert kept(call) == ["kept", "kept"]
    assert call.ending == "succeeded"
    assert verdict.findings[0] == "waited as told 2 times of 2"


async def test_google_does_not_look_at_what_it_was_told_and_succeeds(server: Runner, simulator: Simulator) -> None:
    simulator.arm(LIMITED)
    async with google(server, retry_options=QUICK) as client:
        assert await words_of_gemini(client)
    verdict, call = judged(simulator)
    assert call is not None
    assert [(one.status, one.ask.attempt) for one in call.tries] == [(429, 0), (429, 0), (200, 0)]
    assert (call.ending, call.count) == ("succeeded", 3)
    assert set(kept(call)) <= {"ignored", "early"}
    assert verdict.findings[0].startswith(("ignored Retry-After", "came back too early"))


async def test_google_without_options_does_not_ask_again(server: Runner, simulator: Simulator) -> None:
    simulator.arm(LIMITED)
    async with google(server) as client:
        with pytest.raises(errors.ClientError):
            await words_of_gemini(client)
    _, call = judged(simulator)
    assert call is not None
    assert sentence(call) == "did not ask again (429)"


# -- 529


async def test_openai_gives_up_on_529_after_three_tries(server: Runner, simulator: Simulator) -> None:
    simulator.arm(OVERLOADED)
    async with gpt(server) as client:
        with pytest.raises(openai.InternalServerError):
            await words_of_gpt(client)
    _, call = judged(simulator)
    assert call is not None
    assert (kept(call), call.ending, call.count) == (["untold", "untold"], "refused", 3)
    assert sentence(call).endswith("then gave up after 3 tries (last 529)")


async def test_anthropic_gives_up_on_529_after_three_tries(server: Runner, simulator: Simulator) -> None:
    simulator.arm(OVERLOADED)
    async with asynchronous(server, max_retries=2) as client:
        with pytest.raises(anthropic.OverloadedError):
            await words_of_claude(client)
    _, call = judged(simulator)
    assert call is not None
    assert (kept(call), call.ending, call.count) == (["untold", "untold"], "refused", 3)


async def test_google_does_not_ask_again_after_529(server: Runner, simulator: Simulator) -> None:
    simulator.arm(OVERLOADED)
    async with google(server, retry_options=QUICK) as client:
        with pytest.raises(errors.ServerError):
            await words_of_gemini(client)
    _, call = judged(simulator)
    assert call is not None
    assert (call.ending, call.count) == ("refused", 1)


# -- the connection goes after five tokens, or an error comes there


def assert_broken(simulator: Simulator, how: str) -> None:
    """One try, five tokens of a reply, and nothing asked again."""
    verdict, call = judged(simulator)
    assert call is not None
    assert (call.ending, call.count, verdict.again) == ("broken", 1, 0)
    (broken,) = verdict.partials
    assert (broken.how, broken.tokens, broken.then) == (how, 5, "unknown")
    assert broken.planned > 5
    assert verdict.broken.completion >= 5
    assert verdict.broken.dollars > 0


async def test_openai_does_not_ask_again_after_a_cut(server: Runner, simulator: Simulator) -> None:
    simulator.arm(CUT)
    async with gpt(server) as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the transport's own
            await words_of_gpt(client)
    assert not isinstance(caught.value, openai.APIStatusError)
    assert_broken(simulator, "cut")


async def test_anthropic_does_not_ask_again_after_a_cut(server: Runner, simulator: Simulator) -> None:
    simulator.arm(CUT)
    async with asynchronous(server, max_retries=2) as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the transport's own
            await words_of_claude(client)
    assert not isinstance(caught.value, anthropic.APIStatusError)
    assert_broken(simulator, "cut")


async def test_google_does_not_ask_again_after_a_cut(server: Runner, simulator: Simulator) -> None:
    simulator.arm(CUT)
    async with google(server, retry_options=QUICK) as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the transport's own
            await words_of_gemini(client)
    assert not isinstance(caught.value, errors.APIError)
    assert_broken(simulator, "cut")


async def test_openai_does_not_ask_again_after_an_error_in_mid_reply(server: Runner, simulator: Simulator) -> None:
    simulator.arm(OVERLOADED_MIDWAY)
    async with gpt(server) as client:
        with pytest.raises(openai.APIError):
            await words_of_gpt(client)
    assert_broken(simulator, "failed")


async def test_anthropic_does_not_ask_again_after_an_error_in_mid_reply(server: Runner, simulator: Simulator) -> None:
    simulator.arm(OVERLOADED_MIDWAY)
    async with asynchronous(server, max_retries=2) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await words_of_claude(client)
    assert caught.value.type == "overloaded_error"
    assert_broken(simulator, "failed")


async def test_google_does_not_ask_again_after_an_error_in_mid_reply(server: Runner, simulator: Simulator) -> None:
    simulator.arm(OVERLOADED_MIDWAY)
    async with google(server, retry_options=QUICK) as client:
        with pytest.raises(errors.APIError):
            await words_of_gemini(client)
    assert_broken(simulator, "failed")


# -- whole replies, and clients that leave


async def test_openai_asks_again_for_a_whole_reply_that_was_cut(server: Runner, simulator: Simulator) -> None:
    simulator.arm({**CUT, "count": 1})
    async with gpt(server) as client:
        reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert reply.choices[0].finish_reason == "stop"
    verdict, call = judged(simulator)
    assert call is not None
    assert (call.ending, call.count) == ("succeeded", 2)
    (broken,) = verdict.partials
    assert (broken.then, broken.seen) == ("asked again", call.numbers[1])


async def test_a_client_that_leaves_has_been_written_for_in_vain(server: Runner, simulator: Simulator) -> None:
    simulator.change(latency_profile="glacial")
    async with gpt(server) as client:
        stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        await stream.close()
        await until(lambda: not simulator.meter.live)
    verdict, call = judged(simulator)
    assert call is not None
    assert sentence(call) == "left before the reply was whole"
    assert (verdict.left.replies, verdict.left.completion) == (1, 1)
    assert 0 < verdict.left.dollars == verdict.cost.dollars
    assert verdict.findings[0].startswith("left 1 reply before the end: 1 token written for nobody, $0.0000")


async def test_a_call_whose_time_is_up_is_left_and_tried_again(server: Runner, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    async with gpt(server) as client:
        with pytest.raises(openai.APITimeoutError):
            await client.with_options(timeout=0.2).chat.completions.create(model="gpt-4o", messages=HELLO)
        await until(lambda: not simulator.meter.live)
    verdict, call = judged(simulator)
    assert call is not None
    assert (call.ending, call.count, verdict.again, verdict.left.replies) == ("left", 3, 2, 3)
