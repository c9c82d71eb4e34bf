"""Bedrock's InvokeModel: Anthropic's messages in Amazon's envelope."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import orjson
import pytest
from adapters.bedrock_converse import events
from botocore.eventstream import ChecksumMismatch
from inprocess import Told, ask
from running import application

from llmsim.server.handlers import Application

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ASK = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def app() -> Application:
    return application(generator="fixed:one two")


async def invoke(app: Application, stream: bool = False, model: str = MODEL, **fields: Any) -> Told:
    way = "invoke-with-response-stream" if stream else "invoke"
    body = {name: value for name, value in {**ASK, **fields}.items() if value is not None}
    return await ask(app, f"/model/{model}/{way}", body)


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "claude-sonnet-4-5-20250929",
    ],
)
async def test_a_message_is_answered_whole(app: Application, model: str) -> None:
    told = await invoke(app, model=model)
    assert told.json["content"] == [{"type": "text", "text": "one two"}]
    assert told.json["model"] == "claude-sonnet-4-5-20250929"
    assert dict(told.headers)[b"x-amzn-bedrock-output-token-count"] == b"2"


async def test_a_streams_events_come_as_chunks(app: Application) -> None:
    told = await invoke(app, stream=True)
    assert {kind for kind, _ in events(told)} == {"chunk"}
    inner = [orjson.loads(b64decode(payload["bytes"])) for _, payload in events(told)]
    assert (inner[0]["type"], inner[-1]["type"]) == ("message_start", "message_stop")
    assert inner[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"anthropic_version": None}, "anthropic_version"),
        ({"anthropic_version": "2001-01-01"}, "anthropic_version"),
        ({"anthropic_version": {}}, "anthropic_version"),
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"temperature": 9}, "temperature"),
        ({"anthropic_version": "2026-10-21", "temperature": 1.0}, "temperature"),
        ({"model": "amazon.titan-text"}, "can't be invoked here"),
    ],
)
async def test_what_is_wrong_is_told_in_amazons_shape(app: Application, fields: dict[str, Any], words: str) -> None:
    told = await invoke(app, **fields)
    assert (told.status, dict(told.headers)[b"x-amzn-errortype"]) == (400, b"ValidationException")
    assert words in told.json["message"]


@pytest.mark.parametrize(("key", "value"), [("model", MODEL), ("stream", True)])
async def test_what_the_path_says_is_not_said_in_the_body(app: Application, key: str, value: Any) -> None:
    told = await ask(app, f"/model/{MODEL}/invoke", {**ASK, key: value})
    assert (told.status, told.json["message"].partition(",")[0]) == (
        400,
        f"Malformed input request: #: extraneous key [{key}] is not permitted",
    )


async def test_tokens_are_counted_as_they_are_used(app: Application) -> None:
    used = int(dict((await invoke(app)).headers)[b"x-amzn-bedrock-input-token-count"])
    body = b64encode(orjson.dumps(ASK)).decode()
    told = await ask(app, f"/model/{MODEL}/count-tokens", {"input": {"invokeModel": {"body": body}}})
    assert told.json == {"inputTokens": used}
    spoken = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    used = (await ask(app, f"/model/{MODEL}/converse", spoken)).json["usage"]["inputTokens"]
    told = await ask(app, f"/model/{MODEL}/count-tokens", {"input": {"converse": spoken}})
    assert told.json == {"inputTokens": used}


@pytest.mark.parametrize(
    "given", [None, {}, {"song": {}}, {"converse": 5}, {"converse": {}}, {"invokeModel": {"body": "e30="}}]
)
async def test_what_cannot_be_counted_is_refused(app: Application, given: Any) -> None:
    told = await ask(app, f"/model/{MODEL}/count-tokens", {"input": given})
    assert (told.status, dict(told.headers)[b"x-amzn-errortype"]) == (400, b"ValidationException")


@pytest.mark.parametrize(("kind", "status"), [("computer_20251124", 200), ("computer_20250124", 400)])
async def test_amazon_has_tools_that_a_toolset_replaced_elsewhere(app: Application, kind: str, status: int) -> None:
    computer = {"type": kind, "name": "computer", "display_width_px": 10, "display_height_px": 10}
    told = await invoke(app, model="anthropic.claude-opus-5-5", tools=[computer])
    assert told.status == status


async def test_a_failure_in_mid_stream_is_an_exception_event(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 1})
    assert events(await invoke(app, stream=True))[-1][0] == "serviceUnavailableException"


@pytest.mark.parametrize("how", ["broken", "malformed"])
async def test_what_is_garbled_is_the_chunk_and_not_what_it_holds(app: Application, how: str) -> None:
    app.simulator.arm({"kind": "garble", "how": how, "after_tokens": 1})
    told = await invoke(app, stream=True)
    with pytest.raises(ChecksumMismatch):
        events(told)
