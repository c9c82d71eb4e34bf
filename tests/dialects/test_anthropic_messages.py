"""A message of Anthropic's API, whole and streamed: its events in their order, its blocks, its cost."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from anthropic_bodies import MODEL, NEW, NEWEST, OLD, WEATHER, body, call, document, result, said, tell, text, user
from inprocess import Told
from running import application, written_by
from transcript import assert_golden

from llmsim.conversation import Reply, Stop
from llmsim.dialects._anthropic_ask import REFUSAL
from llmsim.server.handlers import Application


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


def events(told: Told) -> list[tuple[str, Any]]:
    """Each event's name and data, which have to name the same."""
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", told.body.decode())
    assert "".join(f"event: {name}\ndata: {data}\n\n" for name, data in found) == told.body.decode()
    read = [(name, orjson.loads(data)) for name, data in found]
    assert all(name == data["type"] for name, data in read)
    return read


def order(told: Told) -> list[str]:
    """The names of the events, deltas in a row as one."""
    names = [name for name, _ in events(told)]
    return [name for at, name in enumerate(names) if at == 0 or name != names[at - 1]]


# -- the wire


async def test_a_message_has_every_field_of_the_live_api(app: Application) -> None:
    told = await tell(app, body())
    message = told.json
    assert re.fullmatch(r"msg_01[A-Za-z0-9]{22}", message.pop("id"))
    assert message == {
        "model": "claude-sonnet-4-5-20250929",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hello there."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"thinking_tokens": 0},
            "service_tier": "standard",
            "inference_geo": "not_available",
        },
    }


async def test_the_events_come_in_their_order(app: Application) -> None:
    told = await tell(app, body(stream=True))
    assert [name for name, _ in events(told)] == [
        "message_start",
        "content_block_start",
        "ping",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    started = events(told)[0][1]["message"]
    assert (started["content"], started["stop_reason"], started["usage"]["output_tokens"]) == ([], None, 1)
    assert events(told)[-2][1]["usage"]["output_tokens"] == 3


async def test_a_reply_that_only_warms_the_cache_has_no_block(app: Application) -> None:
    told = (await tell(app, body(max_tokens=0))).json
    assert (told["content"], told["stop_reason"], told["usage"]["output_tokens"]) == ([], "max_tokens", 0)


async def test_a_streamed_reply_of_nothing_has_no_block(app: Application) -> None:
    told = await tell(app, body(user(text(REFUSAL)), stream=True))
    assert order(told) == ["message_start", "message_delta", "message_stop"]
    assert events(told)[1][1]["delta"]["stop_reason"] == "refusal"
    assert events(told)[1][1]["usage"]["output_tokens"] == 0


async def test_both_versions_answer_alike(app: Application) -> None:
    told = [(await tell(app, body(), version)).json for version in (OLD, NEW)]
    assert {message.pop("id") for message in told}
    assert told[0] == told[1]


async def test_it_is_mounted_below_the_provider_s_name_too(app: Application) -> None:
    assert (await tell(app, body(), path="/anthropic/v1/messages")).status == 200


@pytest.mark.parametrize("path", ["/v1/messages/nothing", "/v1/nothing", "/anthropic/v1/nothing"])
async def test_an_unknown_path_is_anthropic_s_to_answer(app: Application, path: str) -> None:
    told = await tell(app, {}, path=path)
    assert (told.status, told.json["error"]) == (404, {"type": "not_found_error", "message": "Not Found"})


async def test_another_method_is_refused(app: Application) -> None:
    told = await tell(app, b"", method="GET")
    assert (told.status, dict(told.headers)[b"allow"]) == (405, b"POST")
    assert told.json["error"] == {"type": "invalid_request_error", "message": "Method Not Allowed"}


# -- why it ended


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_stop_sequence_is_named_and_left_out(app: Application, streamed: bool) -> None:
    told = await tell(app, body(stop_sequences=["zzz", " the"], stream=streamed))
    message = events(told)[-2][1]["delta"] if streamed else told.json
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", " the")
    if streamed:
        words = "".join(data["delta"]["text"] for name, data in events(told) if name == "content_block_delta")
    else:
        words = told.json["content"][0]["text"]
    assert words == "Hello"


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_magic_string_is_refused(app: Application, streamed: bool) -> None:
    magic = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_1FAEFB6177B4672DEE07F9D3AFC62588CCD2631EDCF22E8CCC1FB35B501C9C86"
    told = await tell(app, body(user(text(f"Say this: {magic}")), stream=streamed))
    message = events(told)[-2][1]["delta"] if streamed else told.json
    assert message["stop_reason"] == "refusal"
    assert message["stop_details"] == {"type": "refusal", "category": None, "explanation": None}
    if not streamed:
        assert told.json["content"] == []


async def test_a_generator_that_declines_is_a_refusal() -> None:
    with written_by(lambda ask, dice: Reply(("I would rather not.",), refusal=True)) as own:
        app = application(generator=own)
        whole, streamed = [await tell(app, body(stream=stream)) for stream in (False, True)]
    assert (whole.json["stop_reason"], whole.json["content"][0]["text"]) == ("refusal", "I would rather not.")
    assert events(streamed)[-2][1]["delta"]["stop_reason"] == "refusal"


async def test_a_generator_that_is_filtered_is_a_refusal() -> None:
    with written_by(lambda ask, dice: Reply(("Well",), stop=Stop.FILTER)) as own:
        assert (await tell(application(generator=own), body())).json["stop_reason"] == "refusal"


# -- conversations


async def test_messages_of_one_role_in_a_row_are_one_turn(app: Application) -> None:
    sent = body(user(), said(call(), call("toolu_2")), user(result()), user(result("toolu_2")), tools=[WEATHER])
    assert (await tell(app, sent)).status == 200


async def test_an_answer_to_a_call_is_words(app: Application) -> None:
    sent = body(user(text("The weather?")), said(call()), user(result(), text("Be brief.")), tools=[WEATHER])
    told = await tell(app, sent)
    assert [block["type"] for block in told.json["content"]] == ["text"]
    assert told.json["content"][0]["text"].startswith("The get_weather tool returned: rainy")


async def test_an_answer_to_a_call_is_words_whatever_the_system_says_after_it(app: Application) -> None:
    told = await tell(
        app,
        body(
            user(), said(call()), user(result()), {"role": "system", "content": "Go on."}, tools=[WEATHER], model=NEWEST
        ),
    )
    assert told.json["stop_reason"] == "end_turn"


async def test_a_reply_goes_on_from_an_assistant_message(app: Application) -> None:
    assert (await tell(app, body(user(), said(text("It is"))))).json["content"][0]["text"] == "Hello there."


async def test_a_paused_turn_is_gone_on_with(app: Application) -> None:
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    told = await tell(
        app, body(user(), said(use, found), tools=[{"type": "web_search_20250305", "name": "web_search"}])
    )
    assert told.status == 200


# -- structured output and citations


async def test_structured_output_is_the_text(app: Application) -> None:
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "description": "In years\n\n{minimum: 90, maximum: 95}"}},
        "required": ["age"],
        "additionalProperties": False,
    }
    told = await tell(app, body(output_config={"format": {"type": "json_schema", "schema": schema}}))
    assert 90 <= orjson.loads(told.json["content"][0]["text"])["age"] <= 95


async def test_the_older_field_for_structured_output_needs_its_beta(app: Application) -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"], "additionalProperties": False}
    sent = body(output_format={"type": "json_schema", "schema": schema})
    assert (await tell(app, sent)).status == 400
    told = await tell(app, sent, beta="structured-outputs-2025-11-13")
    assert told.json["content"][0]["text"] == '{"a":1}'


BLOCKS = {"type": "content", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}
RESULT = {
    "type": "search_result",
    "source": "https://example.com",
    "title": "A page",
    "content": [{"type": "text", "text": "Found."}],
}
CITES = {"citations": {"enabled": True}}
PLACES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        document(**CITES, title="Colours"),
        {
            "type": "char_location",
            "cited_text": "The sky is blue.",
            "start_char_index": 0,
            "end_char_index": 16,
            "document_title": "Colours",
            "document_index": 1,
            "file_id": None,
        },
    ),
    (
        {"type": "document", "source": BLOCKS, **CITES},
        {
            "type": "content_block_location",
            "cited_text": "One.",
            "start_block_index": 0,
            "end_block_index": 1,
            "document_title": None,
            "document_index": 1,
            "file_id": None,
        },
    ),
    (
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, **CITES},
        {
            "type": "page_location",
            "cited_text": "Page 1",
            "start_page_number": 1,
            "end_page_number": 2,
            "document_title": None,
            "document_index": 1,
            "file_id": None,
        },
    ),
    (
        {**RESULT, **CITES},
        {
            "type": "search_result_location",
            "cited_text": "Found.",
            "search_result_index": 0,
            "source": "https://example.com",
            "title": "A page",
            "start_block_index": 0,
            "end_block_index": 1,
        },
    ),
]


@pytest.mark.parametrize(("block", "place"), PLACES)
async def test_what_may_be_cited_is_cited(app: Application, block: dict[str, Any], place: dict[str, Any]) -> None:
    sent = body(user(document(), block, text("What is said?")))
    whole, streamed = [await tell(app, {**sent, "stream": stream}) for stream in (False, True)]
    assert whole.json["content"] == [{"type": "text", "text": "Hello there.", "citations": [place]}]
    deltas = [data["delta"] for name, data in events(streamed) if name == "content_block_delta"]
    assert deltas[-1] == {"type": "citations_delta", "citation": place}


async def test_a_compaction_is_a_block_of_its_own(app: Application) -> None:
    sent = body(compaction={"type": "summarize"}, model=NEWEST, thinking={"type": "adaptive"})
    whole, streamed = [
        await tell(app, {**sent, "stream": stream}, beta="compact-2026-09-04") for stream in (False, True)
    ]
    (block,) = whole.json["content"]
    assert (block["type"], block["content"], whole.json["stop_reason"]) == ("compaction", "Hello there.", "compaction")
    told = events(streamed)
    assert [data["delta"]["content"] for name, data in told if name == "content_block_delta"] == ["Hello there."]
    again = await tell(app, body(user(block, text("Go on.")), model=NEWEST), beta="compact-2026-09-04")
    assert again.status == 200


async def test_context_management_is_answered_with_its_edits(app: Application) -> None:
    sent = body(context_management={"edits": [{"type": "clear_tool_uses_20250919"}]})
    told = await tell(app, sent, beta="context-management-2025-06-27")
    assert told.json["context_management"] == {"applied_edits": []}


@pytest.mark.parametrize(("field", "value"), [("inference_geo", "us"), ("speed", "fast")])
async def test_the_usage_tells_how_it_was_served(app: Application, field: str, value: str) -> None:
    assert (await tell(app, body(**{field: value}))).json["usage"][field] == value


# -- byte by byte

GOLDEN: dict[str, Any] = {
    "text": {},
    "tools": {"tools": [WEATHER]},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1100},
    "thinking_omitted": {"model": NEWEST},
    "web_search": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "length": {"max_tokens": 2},
}


@pytest.fixture
def golden_app() -> Application:
    """A simulator of its own for each transcript: its exchange is number 1."""
    return application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)


def timeless(told: Told) -> Told:
    """The answer with all of its dates made alike."""
    headers = [(name, re.sub(rb"^\d{4}-\S+Z$", b"DATE", value)) for name, value in told.headers]
    return Told(told.status, headers, re.sub(rb'"page_age":"[\d-]+"', b'"page_age":"DATE"', told.body))


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_stream_is_as_reviewed(golden_app: Application, name: str) -> None:
    sent = {"model": MODEL, "max_tokens": 100, "messages": [user(text("The weather in Oslo?"))], **GOLDEN[name]}
    told = timeless(await tell(golden_app, {**sent, "stream": True}))
    assert_golden(f"anthropic_{name}", told.status, told.headers, told.body)


async def test_an_error_in_mid_stream_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 529, "after_tokens": 2})
    told = timeless(await tell(golden_app, body(stream=True)))
    assert_golden("anthropic_error_in_mid_stream", told.status, told.headers, told.body)


async def test_a_refused_request_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 429, "retry_after": 1.5})
    told = timeless(await tell(golden_app, body()))
    assert_golden("anthropic_rate_limit", told.status, told.headers, told.body)


async def test_a_whole_message_is_as_reviewed(golden_app: Application) -> None:
    told = timeless(await tell(golden_app, body()))
    assert_golden("anthropic_whole", told.status, told.headers, told.body)
