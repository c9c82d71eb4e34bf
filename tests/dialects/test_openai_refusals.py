"""A field that is missing, unknown, of the wrong type or out of range is told in the words of OpenAI's API."""

from typing import Annotated, Any

import pytest
from openai_bodies import HI, PIXEL, STRICT, WEATHER, body, form, refused, said, tool, without
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from llmsim.dialects._openai_refusals import refusal
from llmsim.errors import Failure

Told = tuple[str, str | None, str | None]


def missing(param: str) -> Told:
    return f"Missing required parameter: '{param}'.", param, "missing_required_parameter"


def unknown(param: str) -> Told:
    return f"Unknown parameter: '{param}'.", param, "unknown_parameter"


def mistyped(param: str, expected: str, got: str) -> Told:
    return f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param, "invalid_type"


def unsupported(param: str, got: str, supported: str) -> Told:
    return f"Invalid value: '{got}'. Supported values are: {supported}.", param, "invalid_value"


def outside(param: str, fault: str, expected: str, got: str) -> Told:
    sort, side, word = fault.split()
    message = f"Invalid '{param}': {fault} value. Expected a value {expected}, but got {got} instead."
    return message, param, f"{sort}_{side}_{word[:3]}_value"


EMPTY = "empty array. Expected an array with minimum length 1, but got an empty array instead."

# What is sent; then message, param and code of the refusal.
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    # what has to be there
    (without("model"), "you must provide a model parameter", None, None),
    (body(model=None), "you must provide a model parameter", None, None),
    (body(model=""), "you must provide a model parameter", None, None),
    ({}, "you must provide a model parameter", None, None),
    (without("messages"), *missing("messages")),
    (without("messages", bogus=1, temperature="1"), *missing("messages")),
    (body({"content": "Hi"}), *missing("messages[0].role")),
    (said({"text": "Hi"}), *missing("messages[0].content[0].type")),
    (said({"type": "text"}), *missing("messages[0].content[0].text")),
    (body({"role": "tool", "content": "12"}), *missing("messages[0].tool_call_id")),
    (body(tools=[{}]), *missing("tools[0].type")),
    (body(tools=[{"type": "function", "name": "f"}]), *missing("tools[0].function")),
    (body(response_format={}), *missing("response_format.type")),
    (body(response_format={"type": "json_schema", "json_schema": {}}), *missing("response_format.json_schema.name")),
    (body(tools=[WEATHER], tool_choice={"type": "function", "function": {}}), *missing("tool_choice.function.name")),
    # what there is not
    (body(bogus=1), *unknown("bogus")),
    (body(bogus=1, temperature="1"), *unknown("bogus")),
    (body(HI | {"id": "1"}), *unknown("messages[0].id")),
    (said({"type": "text", "text": "Hi", "cache_control": {}}), *unknown("messages[0].content[0].cache_control")),
    (tool(x=1), *unknown("tools[0].function.x")),
    (body(stream=True, stream_options={"bogus": 1}), *unknown("stream_options.bogus")),
    # types
    (body(temperature="1"), *mistyped("temperature", "a decimal", "a string")),
    (body(temperature=True), *mistyped("temperature", "a decimal", "a boolean")),
    (body(n=1.5), *mistyped("n", "an integer", "a decimal number")),
    (body(max_tokens="5"), *mistyped("max_tokens", "an integer", "a string")),
    (body(stream="yes"), *mistyped("stream", "a boolean", "a string")),
    (body(model=7), *mistyped("model", "a string", "an integer")),
    ({"model": "gpt-4o", "messages": "Hi"}, *mistyped("messages", "an array of objects", "a string")),
    ({"model": "gpt-4o", "messages": None}, *mistyped("messages", "an array of objects", "null")),
    (body(7), *mistyped("messages[0]", "an object", "an integer")),
    (
        body({"role": "user", "content": {"text": "Hi"}}),
        *mistyped("messages[0].content", "one of a string or array of objects", "an object"),
    ),
    (body({"role": "user", "content": ["Hi"]}), *mistyped("messages[0].content[0]", "an object", "a string")),
    (
        body({"role": 5, "content": "Hi"}),
        *mistyped(
            "messages[0].role", "one of 'system', 'assistant', 'user', 'function', 'tool', or 'developer'", "an integer"
        ),
    ),
    (
        said({"type": "image_url", "image_url": "https://example.com/a.png"}),
        *mistyped("messages[0].content[0].image_url", "an object", "a string"),
    ),
    (
        said({"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": 5}}),
        *mistyped("messages[0].content[0].prompt_cache_breakpoint.mode", "one of 'explicit'", "an integer"),
    ),
    (body(stop=7), *mistyped("stop", "one of a string or array of strings", "an integer")),
    (body(stop=["a", 1]), *mistyped("stop[1]", "a string", "an integer")),
    (body(verbosity=5), *mistyped("verbosity", "one of 'low', 'medium', or 'high'", "an integer")),
    (body(response_format="json_object"), *mistyped("response_format", "an object", "a string")),
    (body(metadata={"a": 1}), *mistyped("metadata.a", "a string", "an integer")),
    # values
    (
        body({"role": "foo", "content": "Hi"}),
        *unsupported("messages[0].role", "foo", "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"),
    ),
    (
        said({"type": "video_url"}),
        *unsupported("messages[0].content[0].type", "video_url", "'text', 'image_url', 'input_audio', and 'file'"),
    ),
    (
        body({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}),
        *unsupported("messages[0].content[0].type", "image_url", "'text'"),
    ),
    (
        body(tools=[WEATHER], tool_choice="bogus"),
        *unsupported("tool_choice", "bogus", "'none', 'auto', and 'required'"),
    ),
    (
        body(response_format={"type": "xml"}),
        *unsupported("response_format.type", "xml", "'json_object', 'json_schema', and 'text'"),
    ),
    (
        body(reasoning_effort="huge"),
        *unsupported("reasoning_effort", "huge", "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'"),
    ),
    (body(modalities=["text", "smell"]), *unsupported("modalities[1]", "smell", "'text' and 'audio'")),
    (
        tool(name="get weather"),
        (
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches "
            "the pattern "
            "'^[a-zA-Z0-9_-]+$'."
        ),
        "tools[0].function.name",
        "invalid_value",
    ),
    (
        form(STRICT, name="my answer"),
        (
            "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches "
            "the pattern '^[a-zA-Z0-9_-]+$'."
        ),
        "response_format.json_schema.name",
        "invalid_value",
    ),
    # ranges
    (body(temperature=9), *outside("temperature", "decimal above maximum", "<= 2", "9")),
    (body(temperature=-0.5), *outside("temperature", "decimal below minimum", ">= 0", "-0.5")),
    (body(top_p=1.5), *outside("top_p", "decimal above maximum", "<= 1", "1.5")),
    (body(presence_penalty=-3), *outside("presence_penalty", "decimal below minimum", ">= -2", "-3")),
    (body(n=0), *outside("n", "integer below minimum", ">= 1", "0")),
    (body(n=129), *outside("n", "integer above maximum", "<= 128", "129")),
    (body(max_completion_tokens=0), *outside("max_completion_tokens", "integer below minimum", ">= 1", "0")),
    (body(seed=1 << 63), *outside("seed", "integer above maximum", "<= 9223372036854775807", "9223372036854775808")),
    (body(logit_bias={"50256": -101}), *outside("logit_bias.50256", "decimal below minimum", ">= -100", "-101")),
    (
        body(logprobs=True, top_logprobs=21),
        "Invalid value for 'top_logprobs': must be less than or equal to 20.",
        "top_logprobs",
        None,
    ),
    # lengths
    ({"model": "gpt-4o", "messages": []}, f"Invalid 'messages': {EMPTY}", "messages", "empty_array"),
    (
        body({"role": "user", "content": []}),
        f"Invalid 'messages[0].content': {EMPTY}",
        "messages[0].content",
        "empty_array",
    ),
    (
        body({"role": "assistant", "tool_calls": []}),
        f"Invalid 'messages[0].tool_calls': {EMPTY}",
        "messages[0].tool_calls",
        "empty_array",
    ),
    (
        body(stop=list("abcde")),
        (
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 "
            "instead."
        ),
        "stop",
        "array_above_max_length",
    ),
    (
        body(tools=[WEATHER] * 129),
        (
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with "
            "length 129 "
            "instead."
        ),
        "tools",
        "array_above_max_length",
    ),
    (
        tool(name="f" * 65),
        (
            "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but "
            "got a string "
            "with length 65 instead."
        ),
        "tools[0].function.name",
        "string_above_max_length",
    ),
    (
        tool(name=""),
        (
            "Invalid 'tools[0].function.name': empty string. Expected a string with minimum length 1, but got an empty "
            "string instead."
        ),
        "tools[0].function.name",
        "empty_string",
    ),
    (
        body(metadata={str(number): "" for number in range(17)}),
        (
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
            "with 17 properties instead."
        ),
        "metadata",
        "object_above_max_properties",
    ),
    (
        body(metadata={"k" * 65: ""}),
        (
            "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with maximum "
            "length 64, but "
            "got a string with length 65 instead."
        ),
        f"metadata.{'k' * 65}",
        "property_name_above_max_length",
    ),
    (
        body(metadata={"a": "b" * 513}),
        (
            "Invalid 'metadata.a': string too long. Expected a string with maximum length 512, but got a string with "
            "length 513 instead."
        ),
        "metadata.a",
        "string_above_max_length",
    ),
]


@pytest.mark.parametrize(("sent", "message", "param", "code"), REFUSALS, ids=lambda value: str(value)[:60])
def test_a_fault_is_told_as_openai_tells_it(
    sent: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    assert refused(sent) == Failure("invalid", message, param=param, code=code)


class Other(TypedDict):
    """A field of another API, whose faults are told in the same way."""

    input: Annotated[str | list[str] | list[int] | list[list[int]], Field(union_mode="left_to_right")]
    even: Annotated[int, Field(multiple_of=2)]
    above: Annotated[float, Field(gt=0, lt=1)]
    bounded: Annotated[int, Field(gt=0, lt=9)]
    pair: Annotated[list[int], Field(min_length=2)]
    word: Annotated[str, Field(min_length=3)]


OTHER = TypeAdapter(Other)


@pytest.mark.parametrize(
    ("field", "value", "message", "code"),
    [
        (
            "input",
            7,
            "Invalid type for 'input': expected one of a string or array of strings or array of integers or array of "
            "arrays, but got an integer instead.",
            "invalid_type",
        ),
        ("even", 3, "Invalid value for 'even': Input should be a multiple of 2.", "invalid_value"),
        (
            "above",
            0,
            "Invalid 'above': decimal below minimum value. Expected a value > 0, but got 0 instead.",
            "decimal_below_min_value",
        ),
        (
            "bounded",
            9,
            "Invalid 'bounded': integer above maximum value. Expected a value <= 8, but got 9 instead.",
            "integer_above_max_value",
        ),
        (
            "pair",
            [1],
            "Invalid 'pair': array too short. Expected an array with minimum length 2, but got an array with length 1 "
            "instead.",
            "array_below_min_length",
        ),
        (
            "word",
            "ab",
            "Invalid 'word': string too short. Expected a string with minimum length 3, but got a string with length 2 "
            "instead.",
            "string_below_min_length",
        ),
    ],
)
def test_the_faults_of_other_apis_are_told_in_the_same_way(field: str, value: Any, message: str, code: str) -> None:
    sent = {"input": "a", "even": 2, "above": 0.5, "bounded": 1, "pair": [1, 2], "word": "abc", field: value}
    with pytest.raises(ValidationError) as caught:
        OTHER.validate_python(sent, strict=True)
    assert refusal(caught.value, OTHER, sent) == Failure("invalid", message, param=field, code=code)


def test_a_fault_that_is_not_in_the_body_is_told_by_its_own_path() -> None:
    with pytest.raises(ValidationError) as caught:
        (adapter := TypeAdapter(dict[str, list[int]])).validate_python({"a": ["x"]}, strict=True)
    assert refusal(caught.value, adapter, {}).param == "a[0]"


def test_every_api_says_the_same_of_a_missing_model() -> None:
    with pytest.raises(ValidationError) as caught:
        (adapter := TypeAdapter(TypedDict("Asked", {"input": str, "model": str}))).validate_python({})
    assert refusal(caught.value, adapter, {}).message == "Missing required parameter: 'input'."
    with pytest.raises(ValidationError) as caught:
        (adapter := TypeAdapter(TypedDict("Asked", {"model": str, "input": str}))).validate_python({})
    assert refusal(caught.value, adapter, {}) == Failure("invalid", "you must provide a model parameter")
