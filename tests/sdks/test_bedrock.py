"""Amazon's own client for Bedrock, as people use it from Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

HI = [{"role": "user", "content": [{"text": "Hi"}]}]
MODEL = "us.amazon.nova-pro-v1:0"


@pytest.fixture
def bedrock(server: Runner, simulator: Simulator) -> Iterator[Any]:
    simulator.change(generator="fixed:one two three")
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )
    yield client
    client.close()


def streamed(bedrock: Any) -> list[Any]:
    """All events of a stream, whose connection is closed whatever becomes of it."""
    with contextlib.closing(bedrock.converse_stream(modelId=MODEL, messages=HI)["stream"]) as stream:
        return list(stream)


async def using(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


async def test_converse(bedrock: Any) -> None:
    told = await using(lambda: bedrock.converse(modelId=MODEL, messages=HI, system=[{"text": "Be kind."}]))
    assert told["output"]["message"]["content"] == [{"text": "one two three"}]
    assert told["stopReason"] == "end_turn"
    assert told["usage"]["outputTokens"] == 3


async def test_converse_streamed(bedrock: Any) -> None:
    events = await using(lambda: streamed(bedrock))
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(deltas) == "one two three"
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-1]["metadata"]["usage"]["totalTokens"] > 3


async def test_a_tool_loop_ends_in_words(bedrock: Any) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    config = {"tools": [{"toolSpec": {"name": "weather", "description": "Weather", "inputSchema": {"json": schema}}}]}
    told = await using(lambda: bedrock.converse(modelId=MODEL, messages=HI, toolConfig=config))
    assert told["stopReason"] == "tool_use"
    message = told["output"]["message"]
    (use,) = [block["toolUse"] for block in message["content"]]
    result = {"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": "rain"}]}}
    messages = [*HI, message, {"role": "user", "content": [result]}]
    told = await using(lambda: bedrock.converse(modelId=MODEL, messages=messages, toolConfig=config))
    assert "rain" in told["output"]["message"]["content"][0]["text"]


async def test_structured_output(bedrock: Any) -> None:
    schema = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema, "name": "city"}}}
    told = await using(
        lambda: bedrock.converse(
            modelId=MODEL, messages=HI, outputConfig={"textFormat": form}, serviceTier={"type": "flex"}
        )
    )
    assert set(json.loads(told["output"]["message"]["content"][0]["text"])) == {"city"}
    assert told["serviceTier"] == {"type": "flex"}


async def test_tokens_are_counted(bedrock: Any) -> None:
    told = await using(lambda: bedrock.converse(modelId=MODEL, messages=HI))
    counted = await using(lambda: bedrock.count_tokens(modelId=MODEL, input={"converse": {"messages": HI}}))
    assert counted["inputTokens"] == told["usage"]["inputTokens"]


async def test_errors_have_their_classes(bedrock: Any, simulator: Simulator) -> None:
    with pytest.raises(bedrock.exceptions.ValidationException):
        await using(lambda: bedrock.converse(modelId=MODEL, messages=[]))
    simulator.arm({"kind": "refuse", "status": 429})
    with pytest.raises(bedrock.exceptions.ThrottlingException):
        await using(lambda: bedrock.converse(modelId=MODEL, messages=HI))
    with pytest.raises(ClientError) as told:
        await using(lambda: bedrock.converse_stream(modelId=MODEL, messages=HI))
    assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


async def test_an_error_in_mid_stream(bedrock: Any, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 1})
    with pytest.raises(EventStreamError, match="serviceUnavailableException"):
        await using(lambda: streamed(bedrock))


# -- Anthropic's client for Bedrock


@pytest.fixture
def claude(server: Runner, simulator: Simulator) -> Iterator[anthropic.AnthropicBedrock]:
    simulator.change(generator="fixed:one two three")
    with anthropic.AnthropicBedrock(
        base_url=server.url, aws_region="us-east-1", aws_access_key="AKIATEST", aws_secret_key="s", max_retries=0
    ) as client:
        yield client


ASK: Any = {
    "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


async def test_claude_whole(claude: anthropic.AnthropicBedrock) -> None:
    told = await using(lambda: claude.messages.create(**ASK))
    assert told.content[0].text == "one two three"
    assert told.stop_reason == "end_turn"


async def test_claude_streamed(claude: anthropic.AnthropicBedrock) -> None:
    def stream() -> tuple[str, Any]:
        with claude.messages.stream(**ASK) as stream:
            return "".join(stream.text_stream), stream.get_final_message()

    text, final = await using(stream)
    assert text == "one two three"
    assert final.usage.output_tokens == 3


async def test_claude_errors(claude: anthropic.AnthropicBedrock, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429})
    with pytest.raises(anthropic.RateLimitError, match="Too many requests"):
        await using(lambda: claude.messages.create(**ASK))
    simulator.lift()
    with pytest.raises(anthropic.BadRequestError):
        await using(lambda: claude.messages.create(**{**ASK, "messages": []}))


async def test_claude_asynchronously(server: Runner, simulator: Simulator) -> None:
    simulator.change(generator="fixed:one two three")
    async with anthropic.AsyncAnthropicBedrock(
        base_url=server.url, aws_region="us-east-1", aws_access_key="AKIATEST", aws_secret_key="s", max_retries=0
    ) as client:
        stream = await client.messages.create(**ASK, stream=True)
        kinds = [event.type async for event in stream]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
