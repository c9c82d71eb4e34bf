"""What Anthropic's API refuses is refused in its words, under both of its versions."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_bodies import (
    CACHED,
    MODEL,
    NEW,
    NEWEST,
    OLD,
    PIXEL,
    THREADS,
    WEATHER,
    body,
    call,
    document,
    image,
    result,
    said,
    tell,
    text,
    user,
    without,
)
from running import application

from llmsim.server.handlers import Application
from llmsim.server.nesting import TOO_DEEP


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello")


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def form(given: Any) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": given}}}


def thinking(kind: str, **more: Any) -> dict[str, Any]:
    return {"thinking": {"type": kind, **more}}


FORCED = {"tools": [WEATHER], "tool_choice": {"type": "any"}}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2hvcnQ="}
BLANK = "messages: text content blocks must contain non-whitespace text"
EMPTY = "all messages must have non-empty content except for the optional final assistant message"
UNANSWERED = (
    "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each `tool_use` "
    "block must have a corresponding `tool_result` block in the next message."
)
ORPHAN = (
    "unexpected `tool_use_id` found in `tool_result` blocks: {}. Each `tool_result` block must have a corresponding "
    "`tool_use` block in the previous message."
)
NO_SYSTEM = (
    'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an '
    "input message role."
)
NO_SCHEMA = (
    "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
    "(https://json-schema.org/draft/2020-12). Learn more about tool use at https://docs.claude.com/en/docs/tool-use."
)
ADAPTIVE = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'

# What is refused under both versions, and how it is told.
BOTH: list[tuple[dict[str, Any], str]] = [
    # fields that are missing, unknown or of the wrong type
    (without("max_tokens"), "max_tokens: Field required"),
    (without("model"), "model: Field required"),
    (without("messages"), "messages: Field required"),
    (body(colour="red"), "colour: Extra inputs are not permitted"),
    (body(max_tokens="10"), "max_tokens: Input should be a valid integer"),
    (body(max_tokens=1.5), "max_tokens: Input should be a valid integer"),
    (body(max_tokens=-1), "max_tokens: Input should be greater than or equal to 0"),
    (body(stream="yes"), "stream: Input should be a valid boolean"),
    (body(stop_sequences="stop"), "stop_sequences: Input should be a valid array"),
    (body(system=5), "system: Input should be a valid array"),
    (body(service_tier="fast"), "service_tier: Input should be 'auto' or 'standard_only'"),
    (body(metadata={"name": "x"}), "metadata.name: Extra inputs are not permitted"),
    (body(messages="Hi"), "messages: Input should be a valid array"),
    (body({"content": "Hi"}), "messages.0.role: Field required"),
    (body({"role": "user"}), "messages.0.content: Field required"),
    (body({"role": "user", "content": 5}), "messages.0.content: Input should be a valid array"),
    (body({"role": "user", "content": "Hi", "name": "x"}), "messages.0.name: Extra inputs are not permitted"),
    (body(user({"type": "text"})), "messages.0.content.0.text.text: Field required"),
    (body(user({"text": "Hi"})), "messages.0.content.0.type: Field required"),
    (
        body(user({"type": "image", "source": {"type": "base64", "media_type": "image/png"}})),
        "messages.0.content.0.image.source.base64.data: Field required",
    ),
    (
        body(user(image(kind="image/bmp"))),
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' "
        "or 'image/webp'",
    ),
    (
        body(user({"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text"}]})),
        "messages.0.content.0.tool_result.content.0.text.text: Field required",
    ),
    (body(tools=[{"name": "f"}]), "tools.0.custom.input_schema: Field required"),
    (body(tools=[{"name": "f", "input_schema": {}}]), "tools.0.custom.input_schema.type: Field required"),
    (
        body(tools=[{"name": "f", "input_schema": {"type": "array"}}]),
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    (
        body(tools=[{**WEATHER, "name": "get weather"}]),
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    (body(tools=[{"type": "web_search_20250305"}]), "tools.0.web_search_20250305.name: Field required"),
    (body(tool_choice="auto"), "tool_choice: Input should be an object"),
    (
        body(tools=[WEATHER], tool_choice={"type": "required"}),
        "tool_choice: Input tag 'required' found using 'type' does not match any of the expected tags: 'any', 'auto', "
        "'none', 'tool'",
    ),
    (
        body(tools=[WEATHER], tool_choice={"type": "none", "disable_parallel_tool_use": True}),
        "tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted",
    ),
    # conversations
    (body(messages=[]), "messages: at least one message is required"),
    (
        body({"role": "tool", "content": "x"}),
        'messages: Unexpected role "tool". Allowed roles are "user" or "assistant"',
    ),
    (body({"role": "system", "content": "Be kind."}, user()), NO_SYSTEM),
    (body(user(), {"role": "system", "content": "Be kind."}), NO_SYSTEM),
    (body(said(), user()), 'messages: first message must use the "user" role'),
    (body({"role": "user", "content": ""}), f"messages.0: {EMPTY}"),
    (body({"role": "user", "content": []}), f"messages.0: {EMPTY}"),
    (body(user(text(""))), "messages: text content blocks must be non-empty"),
    (body(user(text(" \n"))), BLANK),
    (body({"role": "user", "content": " "}), BLANK),
    (
        body(user(text(), text("", **CACHED))),
        "messages.0.content.1.text: cache_control cannot be set for empty text blocks",
    ),
    (body(system=[text("", **CACHED)]), "system.0: cache_control cannot be set for empty text blocks"),
    (body(system=[text("")]), "system: text content blocks must be non-empty"),
    (body(user(), said(text("Well, "))), "messages: final assistant content cannot end with trailing whitespace"),
    (
        body(user(), said(text("Well")), model=NEWEST),
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    ),
    # calls and results
    (body(user(), said(call())), UNANSWERED),
    (body(user(), said(call()), user()), UNANSWERED),
    (body(user(), said(call()), user(text(), result())), UNANSWERED),
    (body(user(result())), f"messages.0.content.0: {ORPHAN.format('toolu_1')}"),
    (
        body(user(), said(call()), user(result(), result("toolu_2"))),
        f"messages.2.content.1: {ORPHAN.format('toolu_2')}",
    ),
    (
        body(user(), said(call()), user(result(), result())),
        "messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
        "toolu_1",
    ),
    (body(user(), said(call(), call()), user(result())), "messages: `tool_use` ids must be unique"),
    (body(user(call())), "messages.0: `tool_use` blocks can only be in `assistant` messages"),
    (body(user(), said(result()), user()), "messages.1: `tool_result` blocks can only be in `user` messages"),
    # tools
    (body(tools=[WEATHER, WEATHER]), "tools: Tool names must be unique."),
    (body(tool_choice={"type": "any"}), "tool_choice: tool_choice may only be specified while providing tools"),
    (
        body(tools=[WEATHER], tool_choice={"type": "tool", "name": "get_time"}),
        "Tool 'get_time' not found in provided tools",
    ),
    (body(**FORCED, model=NEWEST), 'tool_choice: type "tool" and "any" are not supported for this model.'),
    (
        body(tools=[{"name": "f", "input_schema": {"type": "object", "anyOf": []}}]),
        "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
    ),
    (
        body(tools=[{"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "text"}}}}]),
        NO_SCHEMA,
    ),
    (
        body(tools=[{**WEATHER, "strict": True}]),
        "tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    (body(tools=[{"type": "bash_20250124", "name": "shell"}]), "tools.0.bash_20250124.name: Input should be 'bash'"),
    (
        body(tools=[{"type": "text_editor_20250728", "name": "str_replace_editor"}]),
        "tools.0.text_editor_20250728.name: Input should be 'str_replace_based_edit_tool'",
    ),
    (
        body(tools=[{"type": "computer_20250124", "name": "computer", "display_height_px": 600}]),
        "tools.0.computer_20250124.display_width_px: Field required",
    ),
    (
        body(tools=[{"type": "web_search_20250305", "name": "web_fetch"}]),
        "tools.0.web_search_20250305.name: Input should be 'web_search'",
    ),
    (
        body(
            tools=[
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "allowed_domains": ["a.org"],
                    "blocked_domains": ["b.org"],
                }
            ]
        ),
        "tools.0.web_search_20250305: Only one of `allowed_domains` and `blocked_domains` may be specified",
    ),
    (
        body(tools=[{"type": "mcp_toolset", "mcp_server_name": "shop"}]),
        "tools: MCP server 'shop' not found in mcp_servers definitions",
    ),
    # thinking
    (
        body(**thinking("enabled", budget_tokens=1000)),
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (body(**thinking("enabled")), "thinking.enabled.budget_tokens: Field required"),
    (
        body(**thinking("enabled", budget_tokens=1024), max_tokens=1024),
        "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
        "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
    ),
    (
        body(**thinking("enabled", budget_tokens=1024), max_tokens=2000, **FORCED),
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    (body(**thinking("adaptive")), "adaptive thinking is not supported on this model"),
    (
        body(**thinking("enabled", budget_tokens=1024), max_tokens=2000, model=NEWEST),
        f'"thinking.type.enabled" is not supported for this model. {ADAPTIVE}',
    ),
    (
        body(**thinking("disabled"), model=NEWEST),
        f'"thinking.type.disabled" is not supported for this model. {ADAPTIVE}',
    ),
    (
        body(**thinking("adaptive", display="updates"), model=NEWEST),
        "thinking.adaptive.display: Input should be 'summarized' or 'omitted'",
    ),
    (
        body(**thinking("adaptive", budget_tokens=2000), model=NEWEST),
        "thinking.adaptive.budget_tokens: Extra inputs are not permitted",
    ),
    (body(user(), said(THOUGHT, text()), user()), "messages.1.content.0: Invalid `signature` in `thinking` block"),
    # effort, limits, stop sequences
    (body(output_config={"effort": "high"}), "This model does not support the effort parameter."),
    (
        body(output_config={"effort": "xhigh"}, model="claude-opus-4-6"),
        'output_config.effort: "xhigh" is not supported for this model.',
    ),
    (
        body(output_config={"effort": "huge"}),
        "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
    ),
    (
        body(max_tokens=64_001),
        "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for "
        "claude-sonnet-4-5-20250929",
    ),
    (body(stop_sequences=["\n"]), "stop_sequences: each stop sequence must contain non-whitespace"),
    # what only warms the cache
    (body(max_tokens=0, stream=True), "max_tokens: 0 is not supported when `stream` is true"),
    (body(max_tokens=0, **FORCED), "max_tokens: 0 is not supported when `tool_choice` forces tool use"),
    (body(max_tokens=0, **form(schema())), "max_tokens: 0 is not supported when `output_config.format` is set"),
    # structured output
    (
        body(**form({"type": "object", "properties": {}})),
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    (
        body(**form(schema(age={"type": "integer", "minimum": 1, "maximum": 9}))),
        "output_config.format.schema: For 'integer' type, properties maximum, minimum are not supported",
    ),
    (
        body(user(document(citations={"enabled": True}), text()), **form(schema(age={"type": "integer"}))),
        "output_config.format: Citations are not supported together with structured outputs.",
    ),
    (
        body(user(), said(text("{")), **form(schema())),
        "output_config.format: Prefilling assistant messages is not supported together with structured outputs.",
    ),
    (
        body(**form(schema(a={"$ref": "#/$defs/A"}))),
        "output_config.format.schema: Reference '#/$defs/A' cannot be resolved in the schema",
    ),
    (
        body(output_config={"task_budget": {"type": "words", "total": 5}}),
        "output_config.task_budget.type: Input should be 'tokens'",
    ),
    # media
    (
        body(user(image(kind="image/jpeg"))),
        "messages.0.content.0.image.source.base64: The image was specified using the image/jpeg media type, but the "
        "image appears to be a image/png image",
    ),
    (body(user(image("!!"))), "messages.0.content.0.image.source.base64: invalid base64 data"),
    (body(user(image("aGVsbG8gd29ybGQ="))), "Could not process image"),
    (
        body(user({"type": "image", "source": {"type": "url", "url": "http://example.com/a.png"}})),
        "messages.0.content.0.image.source.url.url: Only HTTPS URLs are supported.",
    ),
    (
        body(user({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PIXEL}})),
        "The PDF specified was not valid.",
    ),
    # caching
    (
        body(user(*[text(**CACHED)] * 5)),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        body(user(text(**CACHED), text(cache_control={"type": "ephemeral", "ttl": "1h"}))),
        "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
        "cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    ),
    (
        body(user(text(cache_control={"type": "ephemeral", "ttl": "2h"}))),
        "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    ),
    # betas without their header
    (body(thread={"type": "create"}), "thread: Extra inputs are not permitted"),
    (
        body(mcp_servers=[{"type": "url", "url": "https://a", "name": "a"}]),
        "mcp_servers: Extra inputs are not permitted",
    ),
    (body(context_management={"edits": []}), "context_management: Extra inputs are not permitted"),
]


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize(("sent", "message"), BOTH, ids=[f"{at}" for at in range(len(BOTH))])
async def test_it_is_refused_in_anthropic_s_words(
    app: Application, sent: dict[str, Any], message: str, version: str
) -> None:
    told = await tell(app, sent, version)
    assert told.json["error"] == {"type": "invalid_request_error", "message": message}
    assert (told.status, set(told.json)) == (400, {"type", "error", "request_id"})


SAMPLING = ["temperature", "top_p", "top_k"]
DOCUMENT = body(user(), said(document()), user())
CITING = body(user(text(citations=[{"type": "char_location"}])))


@pytest.mark.parametrize("field", SAMPLING)
@pytest.mark.parametrize("model", [MODEL, NEWEST])
async def test_the_newer_version_has_no_sampling_at_all(app: Application, field: str, model: str) -> None:
    told = await tell(app, body(**{field: 1}, model=model), NEW)
    assert (told.status, told.json["error"]["message"]) == (400, f"{field}: Extra inputs are not permitted")


@pytest.mark.parametrize("field", SAMPLING)
async def test_the_older_version_has_sampling_for_models_that_take_it(app: Application, field: str) -> None:
    assert (await tell(app, body(**{field: 1}), OLD)).status == 200
    told = await tell(app, body(**{field: 0}, model=NEWEST), OLD)
    assert (told.status, told.json["error"]["message"]) == (400, f"`{field}` is deprecated for this model.")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": 2}, "temperature: range: 0..1"),
        ({"top_p": -0.1}, "top_p: range: 0..1"),
        ({"temperature": float("-1")}, "temperature: range: 0..1"),
        (
            {"temperature": 0.5, "top_p": 0.5},
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ),
        (
            {**thinking("enabled", budget_tokens=1024), "max_tokens": 2000, "temperature": 0.5},
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
            "#important-considerations-when-using-extended-thinking",
        ),
    ],
)
async def test_the_older_version_refuses_sampling_that_makes_no_sense(
    app: Application, fields: dict[str, Any], message: str
) -> None:
    told = await tell(app, body(**fields), OLD)
    assert (told.status, told.json["error"]["message"]) == (400, message)


async def test_a_model_of_today_takes_the_defaults_of_sampling_from_clients_of_yesterday(app: Application) -> None:
    assert (await tell(app, body(temperature=1, top_p=0.99, model=NEWEST), OLD)).status == 200


@pytest.mark.parametrize("sent", [DOCUMENT, CITING])
async def test_what_the_versions_differ_in_besides(app: Application, sent: dict[str, Any]) -> None:
    assert (await tell(app, sent, OLD)).status == 200
    assert (await tell(app, sent, NEW)).status == 400


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{", "The request body is not valid JSON: unexpected end of data: line 1 column 2 (char 1)"),
        (b"[]", "Input should be an object"),
        (b'{"a":' * 10_000, "The request body is not valid JSON: "),
        (b"\xff\xfe", "The request body is not valid JSON: "),
        (b"", "The request body is not valid JSON: "),
    ],
)
async def test_what_is_no_json_is_told_so(app: Application, raw: bytes, message: str) -> None:
    told = await tell(app, raw)
    assert told.status == 400
    assert told.json["error"]["message"].startswith(message)


async def test_what_nests_deeper_than_can_be_written_is_refused(app: Application) -> None:
    raw = (
        b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"f","input_schema":'
    )
    raw += b'{"type":"object","properties":{"a":' + b'{"items":' * 300 + b"true" + b"}" * 300 + b"}}}]}"
    told = await tell(app, raw)
    assert told.json["error"]["message"] == TOO_DEEP


async def test_an_unknown_tag_lists_the_tags_there_are(app: Application) -> None:
    block = await tell(app, body(user({"type": "image_url", "image_url": {}})))
    assert block.json["error"]["message"].startswith(
        "messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the expected tags: "
        "'advisor_tool_result', "
    )
    tool = await tell(app, body(tools=[{"type": "function", "function": {"name": "f"}}]))
    assert tool.json["error"]["message"].startswith(
        "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'advisor_20260301', "
    )


async def test_a_thread_field_needs_its_beta(app: Application) -> None:
    assert (await tell(app, body(thread={"type": "create"}), beta=THREADS)).status == 200


async def test_system_messages_are_for_models_that_hear_them(app: Application) -> None:
    sent = body(user(), {"role": "system", "content": "Be brief."}, model=NEWEST)
    assert (await tell(app, sent)).status == 200


@pytest.mark.parametrize("role", ["user", "assistant"])
async def test_only_system_messages_have_their_own_fields(app: Application, role: str) -> None:
    sent = body(user(), {"role": role, "content": "Hi", "clear_at": "never"}, user(), model=NEWEST)
    told = await tell(app, sent)
    assert told.json["error"]["message"] == "messages.1.clear_at: Extra inputs are not permitted"


async def test_a_server_has_to_be_referenced(app: Application) -> None:
    servers = [{"type": "url", "url": "https://a.org/mcp", "name": "shop"}]
    toolset = {"type": "mcp_toolset", "mcp_server_name": "shop"}
    for beta, tools, status in (
        ("mcp-client-2025-11-20", [], 400),
        ("mcp-client-2025-11-20", [toolset], 200),
        ("mcp-client-2025-04-04", [], 200),
    ):
        assert (await tell(app, body(mcp_servers=servers, tools=tools), beta=beta)).status == status


async def test_a_format_is_told_once(app: Application) -> None:
    wanted = {"type": "json_schema", "schema": schema()}
    sent = body(output_format=wanted, output_config={"format": wanted})
    told = await tell(app, sent, beta="structured-outputs-2025-11-13")
    assert told.json["error"]["message"].startswith("output_format: `output_format` and")


@pytest.mark.parametrize("field", ["metadata", "stop_sequences", "cache_control", "inference_geo", "container"])
async def test_null_leaves_a_field_out_where_anthropic_takes_it_for_that(app: Application, field: str) -> None:
    assert (await tell(app, body(**{field: None}))).status == 200


@pytest.mark.parametrize("field", ["stream", "system", "tools", "tool_choice", "thinking", "service_tier"])
async def test_null_is_no_value_for_the_other_fields(app: Application, field: str) -> None:
    told = await tell(app, body(**{field: None}))
    assert told.json["error"]["message"].startswith(f"{field}: Input should be ")
