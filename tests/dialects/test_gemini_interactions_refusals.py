"""What Gemini's interactions refuse, in their own words; and that nothing breaks them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from inprocess import Told, ask
from junk import JUNK
from running import application

from llmsim.server.handlers import Application

PATH = "/v1/interactions"
MODEL = "gemini-2.5-flash-lite"


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="echo")


async def send(app: Application, **fields: Any) -> Told:
    return await ask(app, PATH, {"model": MODEL, "input": "Hello", **fields})


def refusal(message: str, code: str = "invalid_request") -> Any:
    return {"message": message, "code": code}


ONE = "Exactly one of 'model' and 'agent' must be set."
NO_INPUT = "Missing required parameter 'input'."
REFUSED: Any = [
    ({"model": None}, ONE),
    ({"model": ""}, ONE),
    ({"agent": "deep-research-preview-04-2026"}, ONE),
    ({"model": 5}, "Invalid value for 'model': expected a string."),
    ({"input": None}, NO_INPUT),
    ({"input": ""}, NO_INPUT),
    ({"input": []}, NO_INPUT),
    ({"input": [{"type": "thought", "signature": "x"}]}, NO_INPUT),
    ({"input": 5}, "Invalid value for 'input': expected an object."),
    ({"input": [5]}, "Invalid value for 'input[0]': expected an object."),
    ({"input": [{"text": "x"}]}, "Missing required parameter 'type' at 'input[0]'."),
    ({"input": [{"type": "text"}]}, "Missing required parameter 'text' at 'input[0].content[0]'."),
    ({"input": [{"type": "text", "text": 5}]}, "Invalid value for 'text' at 'input[0].content[0]': expected a string."),
    ({"input": [{"type": "image"}]}, "Missing required parameter 'uri' at 'input[0].content[0]'."),
    (
        {"input": [{"type": "image", "data": "!", "mime_type": "image/png"}]},
        "Invalid value for 'data' at 'input[0].content[0]': expected base64.",
    ),
    (
        {"input": [{"type": "image", "data": "aaaa", "mime_type": 5}]},
        "Invalid value for 'mime_type' at 'input[0].content[0]': expected a string.",
    ),
    (
        {"input": [{"type": "user_input", "content": 5}]},
        "Invalid value for 'content' at 'input[0]': expected an array.",
    ),
    ({"input": [{"type": "function_result", "call_id": "x"}]}, "Missing required parameter 'result' at 'input[0]'."),
    ({"input": [{"type": "function_result", "result": 1}]}, "Missing required parameter 'call_id' at 'input[0]'."),
    (
        {"input": [{"type": "function_call", "id": "x", "name": "f", "arguments": "{}"}]},
        "Invalid value for 'arguments' at 'input[0]': expected an object.",
    ),
    (
        {"input": [{"type": "text", "text": "x"}, {"type": "user_input", "content": "x"}]},
        "Invalid value for 'input': contents and steps cannot be mixed.",
    ),
    ({"stream": "yes"}, "Invalid value for 'stream': expected a boolean."),
    ({"background": True, "store": False}, "'background' requires 'store' to be true."),
    (
        {"generation_config": {"temperature": 3}},
        "Invalid value for 'temperature' at 'generation_config': must be between 0 and 2.",
    ),
    (
        {"generation_config": {"seed": 1 << 40}},
        "Invalid value for 'seed' at 'generation_config': must be between -2147483648 and 2147483647.",
    ),
    (
        {"generation_config": {"thinking_level": "much"}},
        "The value 'much' is not supported for 'thinking_level' at 'generation_config'. Supported values: 'minimal', "
        "'low', 'medium', 'high', 'xhigh'.",
    ),
    (
        {"generation_config": {"tool_choice": "some"}},
        "The value 'some' is not supported for 'tool_choice'. Supported values: 'auto', 'any', 'none', 'validated'.",
    ),
    (
        {"generation_config": {"tool_choice": {"allowed_tools": {"mode": "any", "tools": ["f"]}}}},
        "Invalid value at 'generation_config.tool_choice.allowed_tools.tools': no function 'f' is declared.",
    ),
    ({"tools": [{"type": "function"}]}, "Missing required parameter 'name' at 'tools[0]'."),
    (
        {"tools": [{"type": "function", "name": "f", "description": 5}]},
        "Invalid value for 'description' at 'tools[0]': expected a string.",
    ),
    (
        {"response_format": {"type": "text", "schema": 5}},
        "Invalid value for 'schema' at 'response_format': expected an object.",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
async def test_what_makes_no_sense_is_refused(app: Application, fields: Any, message: str) -> None:
    told = await send(app, **fields)
    assert (told.status, told.json) == (400, {"error": refusal(message)})


async def test_refusals_have_codes_of_their_own(app: Application) -> None:
    told = await send(app, foo=1)
    assert told.json["error"] == refusal("Unknown parameter 'foo'.", "parameter_unknown")
    told = await send(app, previous_interaction_id="nope")
    assert (told.status, told.json["error"]) == (404, refusal("Interaction nope not found.", "not_found"))
    told = await send(app, input=[{"role": "user", "content": "x"}])
    assert "legacy Interactions API schema" in told.json["error"]["message"]
    for body in (b"{", b"\xff", b'{"input":' + b"[" * 20_000):
        told = await ask(app, PATH, body)
        assert (told.status, told.json["error"]["code"]) == (400, "invalid_request")


FIELDS = ("input", "generation_config", "tools", "response_format", "system_instruction", "agent_config", "labels")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=JUNK, at=JUNK.filter(bool))
async def test_junk_never_breaks_the_server(app: Application, junk: Any, at: Any) -> None:
    for name in FIELDS:
        assert (await send(app, **{name: junk})).status < 500
    for item in ({"type": "user_input", "content": at}, {"type": "function_result", "call_id": "x", "result": at}):
        assert (await send(app, input=[item])).status < 500
