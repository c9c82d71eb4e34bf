"""OpenAI's own client feels each fault as it would feel it from OpenAI."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from running import Runner, until, written_by

from llmsim.conversation import Reply
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: Any = [{"role": "user", "content": "Hello"}]
ASK: Any = {"model": "gpt-4o", "messages": HELLO}

CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    402: openai.APIStatusError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    409: openai.ConflictError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
    504: openai.InternalServerError,
    529: openai.InternalServerError,
}


async def words_of(client: AsyncOpenAI, **more: Any) -> str:
    stream = await client.chat.completions.create(**ASK, **more, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def read_into(words: list[str], stream: Any) -> None:
    """Keeps what came before the stream broke."""
    async for chunk in stream:
        words.append(chunk.choices[0].delta.content)


# -- refused


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", CLASSES)
async def test_each_status_raises_its_class(
    client: AsyncOpenAI, simulator: Simulator, status: int, streamed: bool
) -> None:
    simulator.arm({"kind": "refuse", "status": status})
    with pytest.raises(CLASSES[status]) as caught:
        await client.chat.completions.create(**ASK, stream=streamed)
    error = caught.value
    assert error.status_code == status
    assert error.type
    assert error.message
    assert error.request_id
    assert error.request_id.startswith("req_")
    assert isinstance(error.body, dict)
    assert set(error.body) == {"message", "type", "param", "code"}
    assert error.response.headers["content-type"] == "application/json"
    assert "x-ratelimit-limit-requests" in error.response.headers


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({**ASK, "temperature": 9}, "temperature", "decimal_above_max_value"),
        ({**ASK, "messages": []}, "messages", "empty_array"),
        ({**ASK, "extra_body": {"colour": "red"}}, "colour", "unknown_parameter"),
        ({**ASK, "n": "many"}, "n", "invalid_type"),
        ({**ASK, "top_logprobs": 3}, "top_logprobs", None),
        ({**ASK, "tool_choice": "auto"}, "tool_choice", None),
        ({**ASK, "messages": [{"role": "tool", "content": "x", "tool_call_id": "y"}]}, "messages.[0].role", None),
        ({**ASK, "response_format": {"type": "json_object"}}, "messages", None),
        ({"messages": HELLO, "model": ""}, None, None),
    ],
)
async def test_a_wrong_request_is_told_which_field_is_wrong(
    client: AsyncOpenAI, asked: Any, param: str | None, code: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(**asked)
    assert (caught.value.param, caught.value.code, caught.value.type) == (param, code, "invalid_request_error")


async def test_a_prompt_that_is_too_long_is_told_so(client: AsyncOpenAI) -> None:
    messages: Any = [{"role": "user", "content": "word " * 9000}]
    with pytest.raises(openai.BadRequestError, match="maximum context length is 8192 tokens") as caught:
        await client.chat.completions.create(model="gpt-4", messages=messages)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")


async def test_a_strict_server_refuses_strange_models_and_keyless_clients(
    client: AsyncOpenAI, simulator: Simulator, server: Runner
) -> None:
    simulator.change(strict=True)
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="nobody", messages=HELLO)
    assert missing.value.code == "model_not_found"
    keyless: Any = {"Authorization": openai.Omit()}
    with pytest.raises(openai.AuthenticationError, match="You didn't provide an API key"):
        await client.chat.completions.create(**ASK, extra_headers=keyless)
    assert (await client.chat.completions.create(**ASK)).choices


async def test_a_schema_that_nothing_fits_is_not_the_server_s_fault(client: AsyncOpenAI) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 5, "maximum": 1}}}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": {**schema, "required": ["age"]}}}
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(**ASK, response_format=wanted)


# -- limits and retries


async def test_the_limiter_refuses_what_is_over_the_limit(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(rpm=2)
    for _ in range(2):
        await client.chat.completions.create(**ASK)
    with pytest.raises(openai.RateLimitError, match=r"on requests per min \(RPM\): Limit 2") as caught:
        await client.chat.completions.create(**ASK)
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
    headers = caught.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert 0 < int(headers["retry-after-ms"]) <= 60_000
    assert headers["x-ratelimit-remaining-requests"] == "0"


async def test_the_limiter_counts_tokens_too(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(tpm=50)
    await client.chat.completions.create(**ASK, max_tokens=30)
    with pytest.raises(openai.RateLimitError, match=r"on tokens per min \(TPM\): Limit 50") as caught:
        await client.chat.completions.create(**ASK, max_tokens=30)
    assert caught.value.type == "tokens"


async def test_a_client_that_retries_says_so_and_gets_through(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 0.01, "id": "storm"})
    patient = client.with_options(max_retries=2)
    work = asyncio.ensure_future(patient.chat.completions.create(**ASK))
    await until(lambda: len(simulator.journal) == 2)
    simulator.lift("storm")
    assert (await work).choices
    assert [(one.ask.attempt, one.status) for one in simulator.journal] == [(0, 429), (1, 429), (2, 200)]


async def test_a_client_gives_up_after_its_retries(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "retry_after": 0.01})
    with pytest.raises(openai.InternalServerError):
        await client.with_options(max_retries=2).chat.completions.create(**ASK)
    assert [one.ask.attempt for one in simulator.journal] == [0, 1, 2]


@pytest.mark.parametrize(("wait", "seconds", "millis"), [(0.05, "1", "50"), (7, "7", "7000"), (1.2, "2", "1200")])
async def test_the_wait_is_told_in_seconds_and_milliseconds(
    client: AsyncOpenAI, simulator: Simulator, wait: float, seconds: str, millis: str
) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": wait})
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(**ASK)
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == (seconds, millis)


async def test_a_retry_of_a_seeded_request_rolls_again(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "retry_after": 0.001, "probability": 0.5})
    patient = client.with_options(max_retries=10)
    for seed in range(8):
        assert (await patient.chat.completions.create(**ASK, seed=seed)).choices
    assert {one.status for one in simulator.journal} == {200, 500}


# -- in mid-stream


async def test_an_error_in_mid_stream_is_raised_after_the_first_words(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 3, "message": "It broke."})
    stream = await client.chat.completions.create(**ASK, stream=True)
    words: list[str] = []
    with pytest.raises(openai.APIError, match="It broke") as caught:
        await read_into(words, stream)
    assert len(words) == 4
    assert caught.value.type == "server_error"


async def test_an_error_in_mid_reply_is_the_whole_answer_of_one_that_does_not_stream(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 3})
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(**ASK)
    assert caught.value.status_code == 503


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_cut_before_the_first_byte_is_a_connection_error(
    client: AsyncOpenAI, simulator: Simulator, streamed: bool, reset: bool
) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 0, "reset": reset})
    with pytest.raises(openai.APIConnectionError):
        await client.chat.completions.create(**ASK, stream=streamed)
    assert [one.state for one in simulator.journal] == ["dropped"]


@pytest.mark.parametrize("reset", [True, False])
async def test_a_cut_in_mid_stream_comes_after_the_words(
    client: AsyncOpenAI, simulator: Simulator, reset: bool
) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 4, "reset": reset})
    stream = await client.chat.completions.create(**ASK, stream=True)
    words: list[str] = []
    with pytest.raises(openai.APIConnectionError):
        await read_into(words, stream)
    # A reset may overtake words that the client has not read yet.
    assert len(words) <= 5 if reset else len(words) == 5
    assert [one.state for one in simulator.journal] == ["dropped"]


@pytest.mark.parametrize("reset", [True, False])
async def test_a_cut_in_a_whole_reply_is_a_connection_error(
    client: AsyncOpenAI, simulator: Simulator, reset: bool
) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 4, "reset": reset})
    with pytest.raises(openai.APIConnectionError):
        await client.chat.completions.create(**ASK)


async def test_a_broken_event_does_not_parse(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "garble", "how": "broken"})
    with pytest.raises(json.JSONDecodeError):
        await words_of(client)


async def test_a_malformed_event_is_passed_over(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="fixed:one two three four five")
    simulator.arm({"kind": "garble", "how": "malformed", "after_tokens": 2})
    assert await words_of(client) == "one two four five"


async def test_a_truncated_event_ends_the_connection(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "garble", "how": "truncated"})
    with pytest.raises(openai.APIConnectionError):
        await words_of(client)


@pytest.mark.parametrize("how", ["broken", "malformed"])
async def test_a_garbled_whole_reply_does_not_parse(client: AsyncOpenAI, simulator: Simulator, how: str) -> None:
    simulator.arm({"kind": "garble", "how": how})
    with pytest.raises((json.JSONDecodeError, openai.APIResponseValidationError)):
        await client.chat.completions.create(**ASK)


async def test_a_truncated_whole_reply_ends_the_connection(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "garble", "how": "truncated"})
    with pytest.raises(openai.APIConnectionError):
        await client.chat.completions.create(**ASK)


# -- late


async def test_a_reply_that_takes_too_long_times_out(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.05).chat.completions.create(**ASK)
    await until(lambda: not simulator.meter.live)
    assert [one.state for one in simulator.journal] == ["abandoned"]


async def test_a_stall_is_felt_in_mid_stream(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "stall", "after_tokens": 5, "for_ms": 3_600_000})
    stream = await client.with_options(timeout=0.2).chat.completions.create(**ASK, stream=True)
    words: list[str] = []
    with pytest.raises(openai.APITimeoutError):
        await read_into(words, stream)
    await stream.close()
    assert len(words) == 6


async def test_a_short_stall_loses_nothing(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="fixed:one two three four five")
    simulator.arm({"kind": "stall", "after_tokens": 2, "for_ms": 30})
    assert await words_of(client) == "one two three four five"
    (exchange,) = simulator.journal
    assert exchange.plan.end == pytest.approx(0.03)
    assert exchange.ended is not None
    assert exchange.ended - exchange.started > exchange.plan.end - 0.001


async def test_a_slow_model_is_felt_before_the_first_token(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "slow", "ttft_add_ms": 40})
    raw = await client.chat.completions.with_raw_response.create(**ASK, stream=True)
    async for _ in raw.parse():
        pass
    assert int(raw.headers["openai-processing-ms"]) >= 40


async def test_a_timeout_ends_in_504(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "timeout", "after_ms": 20})
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(**ASK, stream=True)
    assert caught.value.status_code == 504


async def test_a_timeout_may_end_in_silence(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "timeout", "after_ms": 20, "then": "silence"})
    with pytest.raises(openai.APIConnectionError):
        await client.chat.completions.create(**ASK)


async def test_a_generator_that_raises_is_a_server_error(
    client: AsyncOpenAI, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(ask: Any, dice: Any) -> Reply:
        raise RuntimeError("the generator fell")

    with written_by(fall) as own:
        simulator.change(generator=own)
        with pytest.raises(openai.InternalServerError, match="The server had an error") as caught:
            await client.chat.completions.create(**ASK)
    assert caught.value.type == "server_error"
    simulator.change(generator="lorem")
    assert (await client.chat.completions.create(**ASK)).choices
    assert "the generator fell" in caplog.text


async def test_the_connection_is_used_again_after_every_error(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "id": "down"})
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(**ASK)
    simulator.lift("down")
    assert (await client.chat.completions.create(**ASK)).choices
