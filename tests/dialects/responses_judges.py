"""Judges responses and their events by OpenAI's document, by its SDK's types, and by Open Responses' own."""

from __future__ import annotations

from typing import Any

import openresponses_types.types as open_types
import orjson
from inprocess import Told
from openai.types.responses import Response, ResponseStreamEvent
from openapi import assert_fits, assert_known_keys
from pydantic import BaseModel, TypeAdapter

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

# Open Responses' events by their types.
OPEN_EVENTS: dict[str, Any] = {
    next(iter(one.model_fields["type"].annotation)).value: one
    for name, one in vars(open_types).items()
    if name.endswith("StreamingEvent")
}

# Keys of every response that the live API and Open Responses have, and the SDK's class does not name.
BESIDE = {"store", "frequency_penalty", "presence_penalty"}

# Keys of items and events likewise.
UNNAMED = {"status", "obfuscation", "name", "bytes", "stream_id"}

ALWAYS = {
    "id", "object", "created_at", "completed_at", "status", "background", "error", "incomplete_details",
    "instructions", "max_output_tokens", "max_tool_calls", "model", "output", "parallel_tool_calls",
    "previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "usage", "user", "metadata",
    *BESIDE,
}  # fmt: skip

# Open Responses knows messages, functions and thoughts, but no minimal ones; its type of a JSON Schema takes none.
_OPEN_ITEMS = {"message", "function_call", "function_call_output", "reasoning", "compaction"}


def assert_response(told: Any) -> Response:
    """Fails unless it is a response by every judge; gives it as the SDK reads it."""
    assert set(told) >= ALWAYS
    assert_fits("Response", {key: value for key, value in told.items() if key not in _null(told)})
    if _is_open(told):
        open_types.ResponseResource.model_validate(told)
    response = Response.model_validate(told)
    extra = set(response.model_extra or ())
    assert extra <= BESIDE, extra
    for item in response.output:
        _assert_known(item)
    for tool in response.tools:
        assert_known_keys(tool)
    if told["usage"] is not None:
        usage = told["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert (told["completed_at"] is not None) == (told["status"] == "completed")
    assert (told["incomplete_details"] is not None) == (told["status"] == "incomplete")
    assert (told["error"] is not None) == (told["status"] == "failed")
    return response


def _null(told: Any) -> set[str]:
    """Keys that the live API sends as null where the document has none of it."""
    return {key for key in ("user", "usage") if told[key] is None}


def _is_open(told: Any) -> bool:
    items = all(item["type"] in _OPEN_ITEMS for item in told["output"])
    choice = told["tool_choice"]
    functions = isinstance(choice, str) or choice["type"] in ("function", "allowed_tools")
    plain = told["text"]["format"]["type"] != "json_schema" and told["reasoning"]["effort"] != "minimal"
    return items and functions and plain and all(tool["type"] == "function" for tool in told["tools"])


def _assert_known(model: BaseModel) -> None:
    extra = set(model.model_extra or ()) - UNNAMED
    assert not extra, f"{type(model).__name__}: {extra}"
    for _, value in model:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseModel):
                _assert_known(part)


def assert_events(answer: Told) -> list[Any]:
    """Fails unless every event of a stream is right by itself, and all of them together; gives their data."""
    assert answer.status == 200
    names = [line.removeprefix(b"event: ").decode() for line in answer.body.split(b"\n") if line.startswith(b"event: ")]
    events = answer.events
    assert names == [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        assert_event(event)
    assert_story(events)
    return events


# What the document has no schema for, though the SDK has a type.
_UNDOCUMENTED = {"response.compaction.compacting"}


def assert_event(event: Any) -> None:
    """Judges one event."""
    if "response" in event:
        assert_response(event["response"])
        plain = {key: value for key, value in event["response"].items() if key not in _null(event["response"])}
        event = {**event, "response": plain}
    if event["type"] not in _UNDOCUMENTED:
        assert_fits("ResponseStreamEvent", event)
    read = EVENT.validate_python(event)
    if "response" not in event:
        _assert_known(read)
        item = event.get("item")
        # Of citations it knows those of pages alone.
        known = (item is None or item["type"] in _OPEN_ITEMS) and b"file_citation" not in orjson.dumps(event)
        if event["type"] in OPEN_EVENTS and known:
            OPEN_EVENTS[event["type"]].model_validate(event)


def assert_story(events: list[Any]) -> None:
    """Fails unless items open, grow and close in good order, and the last event says what all the others said."""
    first, last = events[0], events[-1]
    assert first["type"] == "response.created"
    assert first["response"]["output"] == []
    assert first["response"]["usage"] is None
    assert last["type"].removeprefix("response.") in ("completed", "incomplete", "failed")
    assert last["response"]["status"] == last["type"].removeprefix("response.")
    assert {event["response"]["id"] for event in events if "response" in event} == {first["response"]["id"]}
    added = [event["item"] for event in events if event["type"] == "response.output_item.added"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    output = last["response"]["output"]
    if last["type"] != "response.failed":
        assert done == output
    assert [item["id"] for item in added] == [item["id"] for item in output]
    assert len({item["id"] for item in output}) == len(output)
    for index, item in enumerate(output):
        own = [event for event in events if event.get("output_index") == index]
        assert all(event.get("item_id", item["id"]) == item["id"] for event in own)
        assert said(own) == text_of(item) or last["type"] == "response.failed"


def said(events: list[Any]) -> str:
    """What the deltas of one item say together."""
    kinds = ("output_text", "refusal", "function_call_arguments", "custom_tool_call_input", "reasoning_summary_text")
    return "".join(event["delta"] for event in events if event["type"] in {f"response.{kind}.delta" for kind in kinds})


def text_of(item: Any) -> str:
    """What an item says in words."""
    if item["type"] == "message":
        return "".join(part.get("text", part.get("refusal", "")) for part in item["content"])
    if item["type"] == "reasoning":
        return "".join(part["text"] for part in item["summary"])
    return {"function_call": item.get("arguments"), "custom_tool_call": item.get("input")}.get(item["type"]) or ""


def kinds_of(events: list[Any]) -> list[str]:
    """The types of events without their common beginning, repetitions left out."""
    kinds: list[str] = []
    for event in events:
        kind = event["type"].removeprefix("response.")
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return kinds
