"""What Gemini refuses is refused in its words, with its details, under both versions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from gemini_bodies import (
    ARRAY,
    MODEL,
    NEWEST,
    SSE,
    TIME,
    WEATHER,
    body,
    call,
    data,
    functions,
    result,
    said,
    tell,
    text,
    user,
)
from running import application

from llmsim.server.handlers import Application

BETA = "type.googleapis.com/google.ai.generativelanguage.v1beta."
UNKNOWN = "Invalid JSON payload received. Unknown name"
TURN = "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
ANSWER = "Please ensure that function response turn comes immediately after a function call turn."
NUMBER = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
MIME_TYPES = (
    "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain`, "
    "`application/json`, `application/xml`, `application/yaml` and `text/x.enum`.\n"
)


def out_of_range(name: str, told: str) -> str:
    return f"* GenerateContentRequest.generation_config.{name}: {name} must be {told}\n"


def form(schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"config": {"responseMimeType": kind, "responseSchema": schema}}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello")


# What does not fit the fields: every fault is told with its place, in the details as well.
MISFITS: list[tuple[Any, list[tuple[str, str]]]] = [
    ({**body(), "colour": "red"}, [("", f'{UNKNOWN} "colour": Cannot find field.')]),
    (
        body(config={"max_tokens": 5}),
        [("generation_config", f"{UNKNOWN} \"max_tokens\" at 'generation_config': Cannot find field.")],
    ),
    (
        body(user({"text": "Hi", "type": "text"})),
        [("contents[0].parts[0]", f"{UNKNOWN} \"type\" at 'contents[0].parts[0]': Cannot find field.")],
    ),
    (
        {"messages": [], "model": MODEL, "stream": True},
        [("", f'{UNKNOWN} "messages": Cannot find field.'), ("", f'{UNKNOWN} "stream": Cannot find field.')],
    ),
    (
        {"contents": "Hi"},
        [("contents", f"Invalid value at 'contents' ({BETA}Content), \"Hi\"")],
    ),
    (
        body(user({"text": 5})),
        [("contents[0].parts[0].text", "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 5")],
    ),
    (
        body(config={"maxOutputTokens": "many", "temperature": "hot"}),
        [
            (
                "generation_config.max_output_tokens",
                "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), \"many\"",
            ),
            ("generation_config.temperature", "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\""),
        ],
    ),
    (
        body(safetySettings=[{"category": "HARM_CATEGORY_RUDE", "threshold": "BLOCK_NONE"}]),
        [
            (
                "safety_settings[0].category",
                f"Invalid value at 'safety_settings[0].category' ({BETA}HarmCategory), \"HARM_CATEGORY_RUDE\"",
            )
        ],
    ),
    (
        body(**functions(mode="SOMETIMES")),
        [
            (
                "tool_config.function_calling_config.mode",
                "Invalid value at 'tool_config.function_calling_config.mode' "
                f'({BETA}FunctionCallingConfig.Mode), "SOMETIMES"',
            )
        ],
    ),
    (
        body(**form({"type": "text"})),
        [
            (
                "generation_config.response_schema.type",
                f"Invalid value at 'generation_config.response_schema.type' ({BETA}Type), \"text\"",
            )
        ],
    ),
    (
        body(**form({"type": ["STRING", "NULL"]})),
        [
            (
                "generation_config.response_schema",
                f"{UNKNOWN} \"type\" at 'generation_config.response_schema': Proto field is not repeating, cannot "
                "start list.",
            )
        ],
    ),
    (
        body(user(data(content="no base64!"))),
        [
            (
                "contents[0].parts[0].inline_data.data",
                "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for "
                '"no base64!"',
            )
        ],
    ),
    (
        body(user({"text": "Hi", **data()})),
        [
            (
                "contents[0].parts[0]",
                "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set "
                "'inlineData'",
            )
        ],
    ),
]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize(("sent", "faults"), MISFITS)
async def test_what_does_not_fit_is_told_with_its_place(
    app: Application, version: str, sent: Any, faults: list[tuple[str, str]]
) -> None:
    told = await tell(app, sent, version=version)
    violations = [{**({"field": field} if field else {}), "description": words} for field, words in faults]
    assert (told.status, told.json["error"]) == (
        400,
        {
            "code": 400,
            "message": "\n".join(words for _, words in faults),
            "status": "INVALID_ARGUMENT",
            "details": [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}],
        },
    )


# What fits the fields and makes no sense.
SENSELESS: list[tuple[Any, str]] = [
    ({}, "* GenerateContentRequest.contents: contents is not specified\n"),
    ({"contents": []}, "* GenerateContentRequest.contents: contents is not specified\n"),
    (
        {"contents": [{"role": "user", "parts": []}]},
        "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n",
    ),
    (
        body(user({})),
        "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one initialized "
        "field\n",
    ),
    (body({"role": "assistant", "parts": [text()]}), "Please use a valid role: user, model."),
    (body({"role": "system", "parts": [text()]}), "Please use a valid role: user, model."),
    (body(config={"temperature": 2.1}), out_of_range("temperature", "in the range [0.0, 2.0].")),
    (body(config={"topP": 1.5}), out_of_range("top_p", "in the range [0.0, 1.0].")),
    (body(config={"topK": 0}), out_of_range("top_k", "positive.")),
    (body(config={"maxOutputTokens": 0}), out_of_range("max_output_tokens", "positive.")),
    (body(config={"candidateCount": 9}), out_of_range("candidate_count", "in the range [1, 8].")),
    (
        body(config={"stopSequences": list("abcdef")}),
        "* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences can be specified\n",
    ),
    (body(config={"responseMimeType": "text/html"}), MIME_TYPES),
    (
        body(**form({"type": "STRING"}, "text/plain")),
        "response_schema is only supported with response_mime_type `application/json` or `text/x.enum`.",
    ),
    (
        body(**form({"type": "OBJECT"})),
        "* GenerateContentRequest.generation_config.response_schema.properties: should be non-empty for OBJECT type\n",
    ),
    (
        body(**form({"type": "ARRAY"})),
        "* GenerateContentRequest.generation_config.response_schema.items: missing field.\n",
    ),
    (
        body(**form({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["b"]})),
        "* GenerateContentRequest.generation_config.response_schema.required[0]: property is not defined\n",
    ),
    (
        body(config={"logprobs": 3}),
        "logprobs can only be set when response_logprobs is true.",
    ),
    (
        body(config={"thinkingConfig": {"thinkingBudget": 99_999}}),
        "The thinking budget 99999 is invalid. Please choose a value between 0 and 24576.",
    ),
    (
        body(config={"thinkingConfig": {"thinkingLevel": "LOW"}}),
        "Thinking level is not supported for this model.",
    ),
    (
        body(config={"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 5}}),
        "You can only set only one of thinking budget and thinking level.",
    ),
    (body(user(data("application/zip"))), "Unsupported MIME type: application/zip"),
    # functions
    (
        body(**functions({"name": "not a name"})),
        "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must start with a "
        "letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes "
        "(-), with a maximum length of 64.\n",
    ),
    (body(**functions(WEATHER, WEATHER)), "Duplicate function declaration found: get_weather"),
    (
        body(toolConfig={"functionCallingConfig": {"mode": "ANY"}}),
        "Function calling config is set without function_declarations.",
    ),
    (
        body(**functions(mode="AUTO", names=["get_weather"])),
        "Allowed function names can only be set when the function calling mode is ANY or VALIDATED.",
    ),
    (
        body(**functions(mode="ANY", names=["get_time"])),
        "Allowed function name `get_time` is not found in function_declarations.",
    ),
    (
        body(**functions(TIME), config={"responseMimeType": "application/json"}),
        "Function calling with a response mime type: 'application/json' is unsupported",
    ),
    (
        body(tools=[{"google_search": {}}], config={"responseMimeType": "application/json"}),
        "Tool use with a response mime type: 'application/json' is unsupported",
    ),
    (body(said(call()), user(result()), **functions()), TURN),
    (body(user(), user(result()), **functions()), ANSWER),
    (body(user(), said(call(), call()), user(result()), **functions()), NUMBER),
    (body(user(), said(call()), user(text("Well?")), **functions()), NUMBER),
    (body(continuationToken="aGVsbG8="), "The continuation token is invalid or has expired."),
]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize(("sent", "message"), SENSELESS)
async def test_what_makes_no_sense_is_told_in_words(app: Application, version: str, sent: Any, message: str) -> None:
    told = await tell(app, sent, version=version)
    assert told.status == 400
    assert told.json == {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}


async def test_all_that_the_validator_finds_is_told_at_once(app: Application) -> None:
    told = await tell(app, {"contents": [], "generationConfig": {"temperature": 9, "topK": -1}})
    assert told.json["error"]["message"].count("\n") == told.json["error"]["message"].count("* ") == 3


async def test_the_newest_models_want_their_signatures_back(app: Application) -> None:
    sent = {"contents": [user(), said(call()), user(result())], **functions()}
    told = await tell(app, sent, model=NEWEST)
    assert told.status == 400
    assert "missing a thought_signature in functionCall parts" in told.json["error"]["message"]
    assert "function call `default_api:get_weather` , position 1." in told.json["error"]["message"]
    sent["contents"][1]["parts"][0]["thoughtSignature"] = "aGVsbG8="
    assert (await tell(app, sent, model=NEWEST)).status == 200


async def test_a_model_that_only_thinks_cannot_be_stopped_from_it(app: Application) -> None:
    told = await tell(app, body(), model="gemini-2.5-pro")
    assert told.json["error"]["message"] == "Budget 0 is invalid. This model only works in thinking mode."


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"{", "Invalid JSON payload received. Unexpected token.\n"),
        (b"[]", 'Invalid JSON payload received. Unknown name "": Root element must be a message.'),
        (b'{"generationConfig":{"temperature":NaN}}', "Invalid JSON payload received. Unexpected token.\n"),
        (b'{"contents":' + b"[" * 50_000, "Invalid JSON payload received."),
        (b"\xff\xfe", "Invalid JSON payload received. Unexpected token.\n"),
    ],
)
@pytest.mark.parametrize("method", ["generateContent", SSE, ARRAY, "countTokens"])
async def test_what_is_no_json_is_refused(app: Application, method: str, sent: bytes, message: str) -> None:
    told = await tell(app, sent, method)
    error = (told.json[0] if method == ARRAY else told.json)["error"]
    assert (told.status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"].startswith(message)


async def test_a_refusal_of_an_array_is_an_array(app: Application) -> None:
    told = await tell(app, body(config={"topK": 0}), ARRAY)
    (only,) = orjson.loads(told.body)
    assert only["error"]["code"] == told.status == 400


async def test_an_alt_that_there_is_not_is_refused(app: Application) -> None:
    told = await tell(app, body(), "generateContent?alt=xml")
    assert told.json["error"]["message"] == "Invalid value \"xml\" for query parameter 'alt'"


# -- counting


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "* CountTokensRequest.contents: contents is not specified\n"),
        (
            {"generateContentRequest": {"model": f"models/{MODEL}"}},
            "* CountTokensRequest.generate_content_request.contents: contents is not specified\n",
        ),
        (
            {"contents": [user()], "generateContentRequest": {"model": f"models/{MODEL}", "contents": [user()]}},
            "Only one of contents and generate_content_request can be set.",
        ),
    ],
)
async def test_what_cannot_be_counted_is_refused(app: Application, sent: Any, message: str) -> None:
    told = await tell(app, sent, "countTokens")
    assert (told.status, told.json["error"]["message"]) == (400, message)
