"""Fields that are wrong only together, or only for their model, are told in the words of OpenAI's API."""

from typing import Any

import pytest
from openai_bodies import CALL, HI, LEGACY, PIXEL, STRICT, WEATHER, body, form, image, read, refused, said, tool

from llmsim.errors import Failure

UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
    "The following tool_call_ids did not have response messages: call_1"
)
EVERY_KEY = "'required' is required to be supplied and to be an array including every key in properties."

# What is no JSON Schema at all, and what a function's parameters with it in them are told.
NO_SCHEMAS: list[tuple[dict[str, Any], str]] = [
    ({"properties": {"city": None}}, "In context=('properties', 'city'), None is not of type 'object', 'boolean'."),
    ({"properties": [None]}, "[None] is not of type 'object'."),
    ({"required": True}, "True is not of type 'array'."),
    ({"required": [1]}, "1 is not of type 'string'."),
    ({"anyOf": {}}, "{} is not of type 'array'."),
    ({"$ref": 5}, "5 is not of type 'string'."),
    (
        {"properties": {"city": {"multipleOf": "2"}}},
        "In context=('properties', 'city'), '2' is not of type 'number'.",
    ),
    ({"items": {"minLength": [1]}}, "In context=('items',), [1] is not of type 'integer'."),
    (
        {"$defs": {"a": {"anyOf": [{}, {"type": "text"}]}}},
        "In context=('$defs', 'a', 'anyOf', '1'), 'text' is not valid under any of the given schemas.",
    ),
]

# What is sent; then message, param and code of the refusal.
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    # what the model does not do
    (
        body(max_tokens=16385),
        "max_tokens is too large: 16385. This model supports at most 16384 completion tokens, "
        "whereas you provided 16385.",
        "max_tokens",
        "invalid_value",
    ),
    (
        body(model="gpt-5", max_completion_tokens=200_000),
        "max_completion_tokens is too large: 200000. This model supports at most 128000 completion tokens, "
        "whereas you provided 200000.",
        "max_completion_tokens",
        "invalid_value",
    ),
    (
        said({"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}})
        | {"model": "gpt-3.5-turbo"},
        "Invalid content type. image_url is only supported by certain models.",
        "messages.[0].content.[1].type",
        None,
    ),
    # messages
    *(
        (
            body(HI, {"role": role, **content}),
            "Invalid value for 'content': expected a string, got null.",
            "messages.[1].content",
            None,
        )
        for role in ("system", "developer", "user", "assistant")
        for content in ({}, {"content": None})
    ),
    (
        body({**HI, "name": "Ann Lee"}),
        "Invalid 'messages[0].name': string does not match pattern. Expected a string that matches the pattern "
        "'^[^\\s<|\\\\/>]+$'.",
        "messages[0].name",
        "invalid_value",
    ),
    *(
        (
            body(**{field: "x" * (most + 1)}),
            f"Invalid '{field}': string too long. Expected a string with maximum length {most}, but got a string with "
            f"length {most + 1} instead.",
            field,
            "string_above_max_length",
        )
        for field, most in (("prompt_cache_key", 64), ("safety_identifier", 128))
    ),
    # fields that do not go together
    (
        body(logit_bias={"yes": 1}),
        "Invalid key in 'logit_bias': yes. You should only be submitting non-negative integers.",
        "logit_bias",
        None,
    ),
    (
        body(response_format={"type": "json_object"}),
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        "messages",
        None,
    ),
    (
        body(stream_options={"include_usage": True}),
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "stream_options",
        None,
    ),
    (
        body(tool_choice="auto"),
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        "tool_choice",
        None,
    ),
    (
        body(parallel_tool_calls=False),
        "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        "parallel_tool_calls",
        None,
    ),
    (
        body(function_call="auto"),
        "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.",
        "function_call",
        None,
    ),
    (
        body(top_logprobs=2),
        "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        "top_logprobs",
        None,
    ),
    (
        body(max_tokens=5, max_completion_tokens=5),
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        "max_tokens",
        "invalid_parameter_combination",
    ),
    (
        body(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "other"}}),
        "Invalid value for 'tool_choice': no function named 'other' was specified in the 'tools' parameter.",
        "tool_choice",
        None,
    ),
    (
        body(functions=[LEGACY], function_call={"name": "other"}),
        "Invalid value for 'function_call': no function named 'other' was specified in the 'functions' parameter.",
        "function_call",
        None,
    ),
    # calls and their answers
    (
        body(HI, {"role": "tool", "tool_call_id": "call_1", "content": "12"}),
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        "messages.[1].role",
        None,
    ),
    (
        body({"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "call_2", "content": ""}),
        "Invalid parameter: 'tool_call_id' of 'call_2' not found in 'tool_calls' of previous message.",
        "messages.[1].tool_call_id",
        None,
    ),
    (body(HI, {"role": "assistant", "content": None, "tool_calls": [CALL]}, HI), UNANSWERED, "messages", None),
    (body({"role": "assistant", "content": None, "tool_calls": [CALL]}), UNANSWERED, "messages", None),
    # schemas
    (
        form({"type": "object", "properties": {}}),
        (
            "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to "
            "be supplied "
            "and to be false."
        ),
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"$ref": "#/$defs/place"}}}),
        (
            "Invalid schema for response_format 'answer': In context=('properties', 'city'), reference to component "
            "'#/$defs/place' which was not found in the schema."
        ),
        "response_format",
        None,
    ),
    (
        form(STRICT | {"required": []}),
        f"Invalid schema for response_format 'answer': In context=(), {EVERY_KEY} Missing 'city'.",
        "response_format",
        None,
    ),
    (
        form(STRICT | {"required": ["city", "land"]}),
        f"Invalid schema for response_format 'answer': In context=(), {EVERY_KEY} Extra required key 'land' supplied.",
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"type": "array", "items": {"type": "object"}}}}),
        (
            "Invalid schema for response_format 'answer': In context=('properties', 'city', 'items'), "
            "'additionalProperties' is required to be supplied and to be false."
        ),
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"anyOf": [{"type": "null"}, {"type": "object"}]}}}),
        (
            "Invalid schema for response_format 'answer': In context=('properties', 'city', 'anyOf', '1'), "
            "'additionalProperties' is required to be supplied and to be false."
        ),
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"$ref": "#/$defs/C", "description": "a"}}, "$defs": {"C": STRICT}}),
        (
            "Invalid schema for response_format 'answer': In context=('properties', 'city'), $ref cannot have keywords "
            "{'description'}."
        ),
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"type": "array"}}}),
        "Invalid schema for response_format 'answer': In context=('properties', 'city'), array schema missing items.",
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"oneOf": [{"type": "string"}]}}}),
        "Invalid schema for response_format 'answer': In context=('properties', 'city'), 'oneOf' is not permitted.",
        "response_format",
        None,
    ),
    (
        form(STRICT | {"properties": {"city": {"title": "City"}}}),
        (
            "Invalid schema for response_format 'answer': In context=('properties', 'city'), schema must have a 'type' "
            "key."
        ),
        "response_format",
        None,
    ),
    (
        form({"type": "array", "items": STRICT}),
        (
            "Invalid schema for response_format 'answer': schema must be a JSON Schema of 'type: \"object\"', "
            "got 'type: "
            '"array"\'.'
        ),
        "response_format",
        None,
    ),
    (
        tool(strict=True, parameters=STRICT | {"required": []}),
        f"Invalid schema for function 'f': In context=(), {EVERY_KEY} Missing 'city'.",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        tool(parameters={"type": "string"}),
        "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    *(
        (
            tool(parameters={"type": "object"} | schema),
            f"Invalid schema for function 'f': {fault}",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        )
        for schema, fault in NO_SCHEMAS
    ),
    (
        form({"properties": {"city": {"type": "array", "items": None}}}, strict=False),
        (
            "Invalid schema for response_format 'answer': In context=('properties', 'city', 'items'), None is not of "
            "type 'object', 'boolean'."
        ),
        "response_format",
        None,
    ),
    # media
    (
        image("cat.png"),
        "Invalid 'messages[0].content[0].image_url.url'. Expected a valid URL, but got a value with an invalid format.",
        "messages[0].content[0].image_url.url",
        "invalid_value",
    ),
    (
        image("data:image/png;base64,%%%%"),
        "Invalid base64 image_url.",
        "messages[0].content[0].image_url.url",
        "invalid_base64",
    ),
    (
        image("data:application/pdf;base64,JVBERg=="),
        "Invalid MIME type. Only image types are supported.",
        None,
        "invalid_image_format",
    ),
    (
        image("data:image/tiff;base64,SUkqAA=="),
        (
            "You uploaded an unsupported image. Please make sure your image is below 20 MB in size and is of one the "
            "following formats: ['png', 'jpeg', 'gif', 'webp']."
        ),
        None,
        "invalid_image_format",
    ),
    # what reasoning models do not take
    (
        body(model="o3", max_tokens=5),
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    ),
    (
        body(model="gpt-5", temperature=0.2),
        (
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is "
            "supported."
        ),
        "temperature",
        "unsupported_value",
    ),
    (
        body(model="o4-mini", top_p=0.5),
        "Unsupported parameter: 'top_p' is not supported with this model.",
        "top_p",
        "unsupported_parameter",
    ),
    *(
        (
            body(model="gpt-5", **{name: value}),
            f"Unsupported parameter: '{name}' is not supported with this model.",
            name,
            "unsupported_parameter",
        )
        for name, value in {
            "stop": ["END"],
            "logit_bias": {"50256": -100},
            "prediction": {"type": "content", "content": "x"},
            "presence_penalty": 0.5,
            "frequency_penalty": 0.5,
            "logprobs": True,
        }.items()
    ),
    # and what others do not take
    (
        body(reasoning_effort="none"),
        "Unrecognized request argument supplied: reasoning_effort",
        None,
        None,
    ),
]


def test_a_model_that_is_told_not_to_reason_samples_as_others_do() -> None:
    asked = body(model="gpt-5.6-terra", reasoning_effort="none", temperature=0.2, presence_penalty=0.5, logprobs=True)
    assert read(asked).model == "gpt-5.6-terra"


def test_a_reasoning_model_takes_the_fields_it_has_no_use_for_at_their_defaults() -> None:
    asked = body(model="gpt-5", stop=None, logit_bias={}, presence_penalty=0, frequency_penalty=0.0, logprobs=False)
    assert read(asked).model == "gpt-5"


@pytest.mark.parametrize(("sent", "message", "param", "code"), REFUSALS, ids=lambda value: str(value)[:60])
def test_a_fault_is_told_as_openai_tells_it(
    sent: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    assert refused(sent) == Failure("invalid", message, param=param, code=code)


def test_a_model_that_does_not_chat_is_not_found_here() -> None:
    failure = refused(body(model="text-embedding-3-small"))
    assert (failure.status, failure.param, failure.code) == (404, "model", None)
    assert failure.message is not None
    assert failure.message.startswith("This is not a chat model")


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "audio": {"id": "audio_1"}},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": None},
        {"role": "assistant", "content": ""},
    ],
    ids=["refusal", "audio", "function call", "function", "empty"],
)
def test_who_says_something_else_needs_no_words(message: Any) -> None:
    assert read(body(HI, message)).model == "gpt-4o"
