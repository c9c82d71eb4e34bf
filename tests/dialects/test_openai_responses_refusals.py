"""A request to the Responses API that is wrong is refused in the words of OpenAI's API."""

from __future__ import annotations

from typing import Any

import pytest
from inprocess import ask
from running import application

from llmsim.server.handlers import Application

Told = tuple[int, str | None, str | None, str]

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
CHAT_TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABo"}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
NONE = "resp_0123456789abcdef"
REQUIRED = "missing_required_parameter"


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "input": "Hi", **fields}


def items(*told: Any) -> dict[str, Any]:
    return body(input=list(told))


def said(*parts: Any) -> dict[str, Any]:
    return items({"role": "user", "content": list(parts)})


def formatted(**form: Any) -> dict[str, Any]:
    return body(text={"format": form})


# What is sent; then status, param, code and the words of the refusal.
LIKELIEST: list[tuple[dict[str, Any], Told]] = [
    ({"input": "Hi"}, (400, "model", REQUIRED, "Missing required parameter: 'model'.")),
    ({"model": "gpt-4o"}, (400, "input", REQUIRED, "Missing required parameter: 'input'.")),
    (
        body(input=[]),
        (400, None, REQUIRED, "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must"),
    ),
    (
        body(input=""),
        (400, None, REQUIRED, "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must"),
    ),
    (
        body(messages=[]),
        (400, None, "unsupported_parameter", "this parameter has moved to 'input'. Try again with the new"),
    ),
    (body(max_tokens=5), (400, "max_tokens", "unknown_parameter", "Unknown parameter: 'max_tokens'.")),
    (
        body(response_format={}),
        (400, "response_format", "unsupported_parameter", "this parameter has moved to 'text.format'."),
    ),
    (
        body(reasoning_effort="low"),
        (400, "reasoning_effort", "unsupported_parameter", "this parameter has moved to 'reasoning.effort'."),
    ),
    (
        body(max_output_tokens=5),
        (400, "max_output_tokens", "integer_below_min_value", "Expected a value >= 16, but got 5 instead."),
    ),
    (body(temperature=9), (400, "temperature", "decimal_above_max_value", "Expected a value <= 2, but got 9 instead.")),
    (body(temperature="1"), (400, "temperature", "invalid_type", "expected a decimal, but got a string instead.")),
    (
        items({"role": "tool", "content": "x"}),
        (
            400,
            "input[0]",
            "invalid_value",
            "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'de",
        ),
    ),
    (
        said({"type": "text", "text": "x"}),
        (
            400,
            "input[0].content[0].type",
            "invalid_value",
            "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'input_audio', 'output_text',",
        ),
    ),
    (
        items({"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}),
        (400, "input[0].content[0]", "invalid_value", "Supported values are: 'output_text' and 'refusal'."),
    ),
    (
        said({"type": "output_text", "text": "x"}),
        (
            400,
            "input[0].content[0]",
            "invalid_value",
            "Supported values are: 'input_text', 'input_image', 'input_file'",
        ),
    ),
    (
        body(tools=[CHAT_TOOL]),
        (400, "tools[0].name", REQUIRED, "Missing required parameter: 'tools[0].name'."),
    ),
    (
        items(OUTPUT),
        (400, "input", None, "No tool call found for function call output with call_id call_1."),
    ),
    (items(CALL), (400, "input", None, "No tool output found for function call call_1.")),
    (
        body(previous_response_id=NONE),
        (
            400,
            "previous_response_id",
            "previous_response_not_found",
            f"Previous response with id '{NONE}' not found.",
        ),
    ),
    (
        formatted(type="json_schema", name="a", schema=OPEN, strict=True),
        (
            400,
            "text.format.schema",
            "invalid_json_schema",
            "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required to be supplied",
        ),
    ),
    (
        body(tools=[{**FUNCTION, "parameters": OPEN, "strict": True}]),
        (400, "tools[0].parameters", "invalid_function_parameters", "Invalid schema for function 'f': In context=(),"),
    ),
    (
        formatted(type="json_object"),
        (400, "input", None, "Response input messages must contain the word 'json' in some form to use 'text.format'"),
    ),
    (
        body(tool_choice="required"),
        (400, "tool_choice", None, "Tool choice 'required' must be specified with 'tools' parameter."),
    ),
    (
        body(tool_choice={"type": "function", "name": "g"}, tools=[FUNCTION]),
        (400, "tool_choice", None, "Tool choice 'function' not found in 'tools' parameter."),
    ),
    (
        body(model="gpt-5", temperature=0.2),
        (400, "temperature", None, "'temperature' is not supported with this model."),
    ),
    (
        body(reasoning={"effort": "low"}),
        (400, "reasoning.effort", "unsupported_parameter", "'reasoning.effort' is not supported with this model."),
    ),
    (
        body(include=["reasoning.encrypted_content"]),
        (400, "include", None, "Encrypted content is not supported with this model."),
    ),
    (
        body(model="gpt-4", input="word " * 9000),
        (400, "input", "context_length_exceeded", "Your input exceeds the context window of this model. Please adjust"),
    ),
]

OTHERS: list[tuple[dict[str, Any], Told]] = [
    (body(input=5), (400, "input", "invalid_type", "a string or array of input items, but got an integer")),
    (items("Hi"), (400, "input[0]", "invalid_type", "expected an input item, but got a string instead.")),
    (items({}), (400, "input[0]", "invalid_value", "Invalid value: ''. Supported values are: 'assistant', 'system',")),
    (
        items({"type": "tool_call"}),
        (400, "input[0]", "invalid_value", "'tool_call'. Supported values are: 'additional_tools'"),
    ),
    (
        items({"type": 5}),
        (400, "input[0]", "invalid_value", "Invalid value: ''. Supported values are: 'additional_tools'"),
    ),
    (
        items({"type": None, "x": 1}),
        (400, "input[0]", "invalid_value", "Invalid value: ''. Supported values are: 'ass"),
    ),
    (
        items({"type": []}),
        (400, "input[0]", "invalid_value", "Invalid value: ''. Supported values are: 'additional_tools'"),
    ),
    (items({"type": "message"}), (400, "input[0]", "invalid_value", "Invalid value: ''. Supported values are: 'ass")),
    (
        items({"role": "user", "content": "x", "phase": "final_answer"}),
        (400, "input[0].phase", "unknown_parameter", ""),
    ),
    (body(model=None), (400, "model", "invalid_type", "expected a string, but got an object instead.")),
    (body(model=""), (400, "model", "model_not_found", "The requested model '' does not exist.")),
    (body(input=None), (400, "input", "invalid_type", "expected a string, but got an object instead.")),
    (body(tools="x"), (400, "tools", "invalid_type", "expected an array of tools, but got a string instead.")),
    (body(metadata="x"), (400, "metadata", "invalid_type", "expected a metadata object, but got a string instead.")),
    (
        body(tool_choice=7),
        (400, "tool_choice", "invalid_type", "one of an object or 'none', 'auto', or 'required', but"),
    ),
    (body(model="o3", presence_penalty=0.5), (400, "presence_penalty", None, "'presence_penalty' is not supported")),
    (
        body(model="o3", top_logprobs=1),
        (400, "top_logprobs", "unsupported_parameter", "logprobs are not supported with"),
    ),
    (
        body(model="o3", include=["message.output_text.logprobs"]),
        (400, "include", "unsupported_parameter", "logprobs are not supported with reasoning models."),
    ),
    (items({"role": "user"}), (400, "input[0].content", REQUIRED, "'input[0].content'")),
    (items({"role": "user", "content": 5}), (400, "input[0].content", "invalid_type", "but got an integer instead.")),
    (
        items({"role": "user", "content": "x", "tool_calls": []}),
        (400, "input[0].tool_calls", "unknown_parameter", "Unknown parameter: 'input[0].tool_calls'."),
    ),
    (
        items({**CALL, "id": "call_1"}, OUTPUT),
        (400, "input[0].id", "invalid_value", "Invalid 'input[0].id': 'call_1'. Expected an ID that begins with 'fc'."),
    ),
    (
        items({"role": "assistant", "content": "x", "id": "m"}),
        (400, "input[0].id", "invalid_value", "Expected an ID that begins with 'msg'."),
    ),
    (
        items({"type": "item_reference", "id": "msg_nobody"}),
        (404, "input", None, "Item with id 'msg_nobody' not found. Items are not persisted when `store`"),
    ),
    (
        items({**THOUGHT, "encrypted_content": None}, {"role": "assistant", "content": "x"}),
        (404, "input", None, "Item with id 'rs_1' not found."),
    ),
    (
        items(THOUGHT, {"role": "user", "content": "x"}),
        (400, "input", None, "Item 'rs_1' of type 'reasoning' was provided without its required following item."),
    ),
    (items(THOUGHT), (400, "input", None, "without its required following item.")),
    (
        items({**THOUGHT, "encrypted_content": "plain"}, {"role": "assistant", "content": "x"}),
        (400, None, "invalid_encrypted_content", "The encrypted content plain could not be verified."),
    ),
    (items({**CALL, "type": "custom_tool_call"}), (400, "input[0].input", REQUIRED, "'input[0].input'")),
    (
        items({"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "x"}),
        (400, "input", None, "No tool output found for custom tool call c."),
    ),
    (
        said({"type": "input_image", "image_url": {"url": "https://x.example/1.png"}}),
        (400, "input[0].content[0].image_url", "invalid_type", "expected a string, but got an object instead."),
    ),
    (
        said({"type": "input_image", "image_url": "cat.png"}),
        (
            400,
            "input[0].content[0].image_url",
            "invalid_value",
            "Expected a valid URL, but got a value with an invalid",
        ),
    ),
    (
        said({"type": "input_image", "image_url": "data:application/pdf;base64,AAAA"}),
        (400, "input[0].content[0].image_url", "invalid_value", "but got unsupported MIME type 'application/pdf'."),
    ),
    (
        said({"type": "input_image", "image_url": "data:image/png;base64,####"}),
        (400, "input[0].content[0].image_url", "invalid_base64_image", "Expected a base64-encoded data URL"),
    ),
    (
        said({"type": "input_image"}),
        (400, "input[0].content[0].image_url", REQUIRED, "'input[0].content[0].image_url'"),
    ),
    (
        said({"type": "input_file", "filename": "a.pdf"}),
        (400, "input[0].content[0].file_id", REQUIRED, "'input[0].content[0].file_id'"),
    ),
    (body(previous_response_id="x"), (400, "previous_response_id", "invalid_value", "an ID that begins with 'resp'.")),
    (body(previous_response_id="resp_{}"), (400, "previous_response_id", "invalid_value", "numbers, underscores, or")),
    (body(conversation="conv_1"), (404, None, None, "Conversation with id 'conv_1' not found.")),
    (body(conversation={"id": "c"}), (400, "conversation", "invalid_value", "Expected an ID that begins with 'conv'.")),
    (
        body(conversation="conv_1", previous_response_id=NONE),
        (400, None, "mutually_exclusive_parameters", "'previous_response_id' or 'conversation'."),
    ),
    (body(background=True, store=False), (400, "store", None, "Background mode requires 'store' to be true.")),
    (
        body(background_options={"completion_window": "2h"}),
        (400, "background_options.completion_window", None, "requires 'background' to be true."),
    ),
    (body(stream_options={}), (400, "stream_options", None, "is only allowed when 'stream' is enabled.")),
    (body(stream="yes"), (400, "stream", "invalid_type", "expected a boolean, but got a string instead.")),
    (body(top_logprobs=21), (400, "top_logprobs", "integer_above_max_value", "Expected a value <= 20, but got 21")),
    (body(include=["x"]), (400, "include[0]", "invalid_value", "Supported values are: 'file_search_call.results',")),
    (body(truncation="some"), (400, "truncation", "invalid_value", "Supported values are: 'auto' and 'disabled'.")),
    (body(service_tier="best"), (400, "service_tier", "invalid_value", "'auto', 'default', 'flex',")),
    (body(metadata={"a": 1}), (400, "metadata.a", "invalid_type", "expected a string, but got an integer instead.")),
    (
        body(metadata={"a" * 65: "x"}),
        (400, f"metadata.{'a' * 65}", "property_name_above_max_length", "maximum length 64"),
    ),
    (body(safety_identifier="x" * 129), (400, "safety_identifier", "string_above_max_length", "maximum length 128")),
    (formatted(type="json"), (400, "text.format.type", "invalid_value", "'json_object', 'text', and 'json_schema'.")),
    (
        formatted(type="json_schema", schema={}),
        (400, "text.format.name", REQUIRED, "'text.format.name'"),
    ),
    (
        formatted(type="json_schema", name="a", schema={"type": "array", "items": {}}),
        (400, "text.format.schema", "invalid_json_schema", "schema must be a JSON Schema of 'type: \"object\"', got"),
    ),
    (body(tools=[{"type": "mcp", "server_label": "s"}]), (400, "tools[0].server_url", REQUIRED, "'tools")),
    (body(tools=[{"type": "file_search"}]), (400, "tools[0].vector_store_ids", REQUIRED, "'tools[0]")),
    (body(tools=[{"type": "code_interpreter"}]), (400, "tools[0].container", REQUIRED, "'tools[0]")),
    (body(tools=[{"type": "browser"}]), (400, "tools[0].type", "invalid_value", "Invalid value: 'browser'.")),
    (body(tools=[{**FUNCTION, "name": "a b"}]), (400, "tools[0].name", "invalid_value", "does not match pattern.")),
    (body(tools=[FUNCTION] * 129), (400, "tools", "array_above_max_length", "maximum length 128")),
    (body(tool_choice="some"), (400, "tool_choice", "invalid_value", "'none', 'auto', and 'required'.")),
    (
        body(tool_choice={"type": "web_search_preview"}, tools=[FUNCTION]),
        (400, "tool_choice", None, "Tool choice 'web_search_preview' not found in 'tools' parameter."),
    ),
    (
        body(
            tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]},
            tools=[FUNCTION],
        ),
        (400, "tool_choice", None, "Tool choice 'function' not found in 'tools' parameter."),
    ),
    (body(reasoning={"effort": "huge"}), (400, "reasoning.effort", "invalid_value", "Invalid value: 'huge'.")),
    (
        body(prompt_cache_key="k" * 65),
        (400, "prompt_cache_key", "string_above_max_length", "Expected a string with maximum length 64"),
    ),
    *(
        (body(model=model), (400, "model", None, f"model '{model}' cannot be used with the Responses API."))
        for model in ("text-embedding-3-small", "gpt-3.5-turbo-instruct")
    ),
    (body(model="o3", top_p=0.5), (400, "top_p", None, "'top_p' is not supported with this model.")),
    (body(prompt={}), (400, "prompt.id", REQUIRED, "'prompt.id'")),
    (
        body(context_management=[{"type": "x"}]),
        (400, "context_management[0].type", "invalid_value", "Invalid value: 'x'."),
    ),
    (body(n=2), (400, "n", "unknown_parameter", "Unknown parameter: 'n'.")),
    (body(seed=2), (400, "seed", "unknown_parameter", "Unknown parameter: 'seed'.")),
]


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("asked", "expected"), LIKELIEST)
async def test_the_likeliest_mistakes_are_told_as_openai_tells_them(
    app: Application, asked: dict[str, Any], expected: Told, streamed: bool
) -> None:
    await refused(app, {**asked, "stream": streamed}, expected)


@pytest.mark.parametrize(("asked", "expected"), OTHERS)
async def test_other_mistakes_are_told_as_openai_tells_them(
    app: Application, asked: dict[str, Any], expected: Told
) -> None:
    await refused(app, asked, expected)


async def refused(app: Application, asked: dict[str, Any], expected: Told) -> None:
    answer = await ask(app, "/v1/responses", asked)
    status, param, code, words = expected
    error = answer.json["error"]
    assert (answer.status, error["type"], error["param"], error["code"]) == (
        status,
        "invalid_request_error",
        param,
        code,
    )
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


async def test_a_strict_server_says_which_model_there_is_not() -> None:
    app = application(strict=True)
    answer = await ask(app, "/v1/responses", body(model="nobody"))
    assert (answer.status, answer.json["error"]) == (
        400,
        {
            "message": "The requested model 'nobody' does not exist.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        },
    )


async def test_a_strict_server_wants_a_key() -> None:
    answer = await ask(application(strict=True), "/v1/responses", body(), authorization="")
    assert answer.status == 401
    assert answer.json["error"]["message"].startswith("You didn't provide an API key.")


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("gpt-5", {"temperature": 1, "top_p": 1}),
        ("gpt-5", {"temperature": 0.5, "reasoning": {"effort": "none"}}),
        ("gpt-5-chat-latest", {"temperature": 0.5}),
        ("gpt-4o", {"reasoning": {"effort": None, "summary": None}}),
        (
            "my-own-model",
            {"temperature": 0.5, "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]},
        ),
    ],
)
async def test_what_a_model_takes_is_not_refused(app: Application, model: str, fields: dict[str, Any]) -> None:
    assert (await ask(app, "/v1/responses", body(model=model, **fields))).status == 200


async def test_calls_and_answers_are_matched_wherever_they_stand(app: Application) -> None:
    told = items({"role": "user", "content": "x"}, CALL, {"role": "developer", "content": "y"}, OUTPUT)
    assert (await ask(app, "/v1/responses", told)).status == 200
