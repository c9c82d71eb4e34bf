"""Bedrock's Converse: its blocks, its binary events as botocore reads them, its errors."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from adapters.bedrock_converse import ADAPTER, events
from inprocess import Told, ask
from running import application

from llmsim.server.handlers import Application

MODEL = "amazon.nova-pro-v1:0"
HI = {"role": "user", "content": [{"text": "Hi"}]}
TOOL = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {}}}]}
RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"seen": "a cat"}}]}}]}
THINK = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}


def structured(schema: str) -> Any:
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema, "name": "a_city"}}}}


@pytest.fixture
def app() -> Application:
    return application(generator="fixed:one two")


async def converse(app: Application, stream: bool = False, **fields: Any) -> Told:
    return await ask(app, f"/model/{MODEL}/converse{'-stream' * stream}", {"messages": [HI], **fields})


async def test_a_reply_is_a_message_of_blocks(app: Application) -> None:
    told = await converse(app)
    assert told.json["output"] == {"message": {"role": "assistant", "content": [{"text": "one two"}]}}
    assert told.json["stopReason"] == "end_turn"
    usage = told.json["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert told.json["metrics"]["latencyMs"] >= 1
    assert dict(told.headers)[b"x-amzn-requestid"].count(b"-") == 4


async def test_a_streams_events_come_in_order(app: Application) -> None:
    told = await converse(app, stream=True)
    assert dict(told.headers)[b"content-type"] == b"application/vnd.amazon.eventstream"
    assert events(told)[:-1] == [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"delta": {"text": "one"}, "contentBlockIndex": 0}),
        ("contentBlockDelta", {"delta": {"text": " two"}, "contentBlockIndex": 0}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]
    assert events(told)[-1][0] == "metadata"


async def test_a_call_is_a_block_of_its_own(app: Application) -> None:
    config = {"toolConfig": {"tools": [TOOL], "toolChoice": {"any": {}}}}
    (block,) = (await converse(app, **config)).json["output"]["message"]["content"]
    assert (block["toolUse"]["name"], block["toolUse"]["input"]) == ("look", {})
    assert block["toolUse"]["toolUseId"].startswith("tooluse_")
    kinds = [kind for kind, _ in events(await converse(app, stream=True, **config))]
    assert kinds[1] == "contentBlockStart"
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]


async def test_after_a_result_come_words(app: Application) -> None:
    told = await converse(app, messages=[HI, CALL, RESULT], toolConfig={"tools": [TOOL]})
    (block,) = told.json["output"]["message"]["content"]
    assert "a cat" in block["text"]


async def test_thinking_is_a_block_before_the_text(app: Application) -> None:
    thought, said = (await converse(app, **THINK)).json["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"]
    assert thought["reasoningContent"]["reasoningText"]["signature"]
    assert said == {"text": "one two"}
    read = events(await converse(app, stream=True, **THINK))
    signed = [payload["delta"] for kind, payload in read if "signature" in str(payload)]
    assert len(signed) == 1
    assert {payload["contentBlockIndex"] for _, payload in read if "contentBlockIndex" in payload} == {0, 1}


async def test_a_stop_sequence_ends_the_reply(app: Application) -> None:
    told = await converse(app, inferenceConfig={"stopSequences": [" two"]})
    assert told.json["stopReason"] == "stop_sequence"


async def test_a_model_may_be_an_arn(app: Application) -> None:
    arn = "arn:aws:bedrock:us-east-1:123:inference-profile/us.amazon.nova-pro-v1:0"
    told = await ask(app, f"/model/{arn.replace('/', '%2F').replace(':', '%3A')}/converse", {"messages": [HI]})
    assert told.status == 200
    (exchange,) = app.simulator.journal
    assert exchange.ask.model == arn


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"messages": []}, "must start with a user message"),
        ({"messages": [CALL]}, "must start with a user message"),
        ({"messages": [{"role": "user", "content": []}]}, "content field in the Message object at messages.0 is empty"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "is blank"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "exactly one member"),
        ({"messages": [{"role": "system", "content": [{"text": "a"}]}]}, "must start with a user message"),
        ({"messages": [{"role": "tool", "content": [{"text": "a"}]}]}, "/messages/0/role"),
        ({"toolConfig": {"tools": [TOOL, TOOL]}}, "The tool look is already defined"),
        (
            {"messages": [{"role": "user", "content": [{"document": {"name": "a", "source": {"text": "b"}}}]}]},
            "must include a text field",
        ),
        ({"messages": [{"role": "user", "content": [{"song": "a"}]}]}, "exactly one member"),
        (
            {"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {}}}}]}},
            "json.type must be one",
        ),
        ({"outputConfig": {"textFormat": {"type": "json_schema"}}}, "/outputConfig/textFormat/structure"),
        ({"outputConfig": structured("{")}, "not a valid JSON schema"),
        ({"outputConfig": structured("[]")}, "not a valid JSON schema"),
        ({"outputConfig": {"effort": "huge"}}, "/outputConfig/effort"),
        ({"serviceTier": {"type": "gold"}}, "/serviceTier/type"),
        ({"performanceConfig": {"latency": "low"}}, "/performanceConfig/latency"),
        ({"messages": "Hi"}, "/messages"),
        ({"inferenceConfig": {"maxTokens": 0}}, "/inferenceConfig/maxTokens"),
        ({"inferenceConfig": {"temperature": 2}}, "/inferenceConfig/temperature"),
        ({"inferenceConfig": {"topP": -1}}, "/inferenceConfig/topP"),
        ({"inferenceConfig": {"stopSequences": [""]}}, "/inferenceConfig/stopSequences"),
        ({"toolConfig": {"tools": []}}, "/toolConfig/tools"),
        ({"toolConfig": {}}, "/toolConfig/tools"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}}, "name"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}]}}, "inputSchema"),
        ({"toolConfig": {"tools": [TOOL], "toolChoice": {"tool": {"name": "no"}}}}, "'no' in toolChoice"),
        ({"messages": [HI, CALL, RESULT]}, "toolConfig field must be defined"),
        ({"messages": [HI, CALL, HI], "toolConfig": {"tools": [TOOL]}}, "for the following Ids: t1"),
        ({"messages": [HI, RESULT], "toolConfig": {"tools": [TOOL]}}, "exceeds the number of toolUse blocks"),
        ({"messages": [RESULT], "toolConfig": {"tools": [TOOL]}}, "exceeds the number of toolUse blocks"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_wrong_is_a_validation_exception(app: Application, fields: dict[str, Any], words: str) -> None:
    for stream in (False, True):
        told = await converse(app, stream, **fields)
        assert (told.status, dict(told.headers)[b"x-amzn-errortype"]) == (400, b"ValidationException")
        assert words in told.json["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5"])
async def test_what_is_no_object_is_malformed(app: Application, body: bytes) -> None:
    told = await ask(app, f"/model/{MODEL}/converse", body)
    assert told.status == 400
    assert "Malformed input request" in told.json["message"]


@pytest.mark.parametrize(
    ("status", "name"),
    [(403, "AccessDeniedException"), (404, "ResourceNotFoundException"), (429, "ThrottlingException"),
     (500, "InternalServerException"), (503, "ServiceUnavailableException"), (408, "ModelTimeoutException")],
)  # fmt: skip
async def test_failures_have_amazons_names(app: Application, status: int, name: str) -> None:
    app.simulator.arm({"kind": "refuse", "status": status})
    told = await converse(app)
    assert (told.status, dict(told.headers)[b"x-amzn-errortype"]) == (status, name.encode())


async def test_a_failure_in_mid_stream_is_an_exception_event(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 1})
    kind, payload = events(await converse(app, stream=True))[-1]
    assert (kind, set(payload)) == ("throttlingException", {"message"})


async def test_images_and_documents_are_counted(app: Application) -> None:
    bare = (await converse(app)).json["usage"]["inputTokens"]
    image = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
    turn = {"role": "user", "content": [*HI["content"], image]}  # type: ignore[misc]
    assert (await converse(app, messages=[turn])).json["usage"]["inputTokens"] > bare + 500


async def test_a_known_model_has_a_limit(app: Application) -> None:
    sent = {"messages": [HI], "inferenceConfig": {"maxTokens": 64_001}}
    told = await ask(app, "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse", sent)
    assert (told.status, told.json["message"].partition(".")[0]) == (
        400,
        "The maximum tokens you requested exceeds the model limit of 64000",
    )


async def test_structured_output_follows_the_schema(app: Application) -> None:
    schema = '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'
    for stream in (False, True):
        told = await converse(app, stream, outputConfig=structured(schema))
        assert list(orjson.loads(ADAPTER.words(told, stream))) == ["city"]


async def test_tiers_are_told_again(app: Application) -> None:
    told = {"serviceTier": {"type": "priority"}, "performanceConfig": {"latency": "optimized"}}
    whole = (await converse(app, **told)).json
    _, metadata = events(await converse(app, stream=True, **told))[-1]
    for answer in (whole, metadata):
        assert {field: answer[field] for field in told} == told


async def test_the_stop_sequence_is_told_to_those_who_ask_for_the_models_own_fields(app: Application) -> None:
    wish = {
        "inferenceConfig": {"stopSequences": [" two"]},
        "additionalModelResponseFieldPaths": ["/stop_sequence", "/no"],
    }
    fields = {"stop_sequence": " two"}
    assert (await converse(app, **wish)).json["additionalModelResponseFields"] == fields
    (stop,) = [told for kind, told in events(await converse(app, stream=True, **wish)) if kind == "messageStop"]
    assert stop["additionalModelResponseFields"] == fields
    assert "additionalModelResponseFields" not in (await converse(app)).json


async def test_what_was_found_and_system_messages_are_heard(app: Application) -> None:
    bare = (await converse(app)).json["usage"]["inputTokens"]
    found = {"searchResult": {"source": "a", "title": "b", "content": [{"text": "many words " * 50}]}}
    turns = [{"role": "user", "content": [*HI["content"], found]}, {"role": "system", "content": [{"text": "Be kind"}]}]
    assert (await converse(app, messages=turns)).json["usage"]["inputTokens"] > bare + 50


async def test_an_unknown_operation_is_told_so(app: Application) -> None:
    told = await ask(app, f"/model/{MODEL}/sing", orjson.dumps({}))
    assert (told.status, dict(told.headers)[b"x-amzn-errortype"]) == (404, b"UnknownOperationException")
