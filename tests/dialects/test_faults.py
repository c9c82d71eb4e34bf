"""Of very many faults in a body the foremost is told in the words that it always has, and few are ever made."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Annotated, Any

import orjson
import pytest
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from llmsim.dialects import _anthropic_refusals, _faults, _openai_refusals
from llmsim.dialects._anthropic_types import messages_request
from llmsim.dialects._bedrock_requests import read_converse
from llmsim.dialects._faults import faults
from llmsim.dialects._ollama_requests import read_body
from llmsim.dialects._openai_chat_request import read_chat
from llmsim.dialects._openai_types import CHAT_REQUEST
from llmsim.errors import Refused

MANY = 3_000
KEYS: dict[str, Any] = {f"k{at}": 1 for at in range(MANY)}
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}
TOOL = {"type": "function", "function": {"name": "f"}}
CLAUDE: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]}

CHATS: dict[str, dict[str, Any]] = {
    "unknown fields": {**ASK, **KEYS},
    "unknown fields before a missing one": {**KEYS, "model": "gpt-4o"},
    "a message of them": {**ASK, "messages": [{"role": "user", "content": "x", **KEYS}]},
    "a part of them": {**ASK, "messages": [{"role": "user", "content": [{"type": "text", "text": "x", **KEYS}]}]},
    "a part that lacks its text": {**ASK, "messages": [{"role": "user", "content": [{"type": "text", **KEYS}]}]},
    "a tool of them": {**ASK, "tools": [{**TOOL, **KEYS}]},
    "a choice of them": {**ASK, "tools": [TOOL], "tool_choice": {**TOOL, **KEYS}},
    "metadata": {**ASK, "metadata": KEYS},
    "long metadata": {**ASK, "metadata": dict.fromkeys(KEYS, "x")},
    "biases": {**ASK, "logit_bias": dict.fromkeys(KEYS, 1000)},
    "stops": {**ASK, "stop": list(KEYS)},
    "stops that are none": {**ASK, "stop": [1] * MANY},
    "messages that are none": {**ASK, "messages": [1] * MANY},
    "functions that are none": {**ASK, "functions": [{"name": 1}] * MANY},
    "a format of them": {**ASK, "response_format": {"type": "text", **KEYS}},
}
MESSAGES: dict[str, dict[str, Any]] = {
    "unknown fields": {**CLAUDE, **KEYS},
    "a message of them": {**CLAUDE, "messages": [{"role": "user", "content": "a", **KEYS}]},
    "a block of them": {**CLAUDE, "messages": [{"role": "user", "content": [{"type": "text", "text": "a", **KEYS}]}]},
    "system blocks that are none": {**CLAUDE, "system": [{"type": "text", "text": 1}] * MANY},
    "stops that are none": {**CLAUDE, "stop_sequences": [1] * MANY},
    "tools of them": {**CLAUDE, "tools": [{"name": "a", "input_schema": {"type": "object"}, **KEYS}]},
    "metadata of them": {**CLAUDE, "metadata": KEYS},
}


def told(adapter: TypeAdapter[Any], module: Any, body: dict[str, Any]) -> Any:
    with pytest.raises(Refused) as caught:
        (module.validated if module is _openai_refusals else module.validate)(adapter, body)
    return caught.value.failure


@pytest.mark.parametrize("name", CHATS)
def test_openai_is_told_the_same_as_if_every_fault_were_looked_at(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = CHATS[name]
    few = told(CHAT_REQUEST, _openai_refusals, body)
    monkeypatch.setattr(_faults, "MANY", 1 << 40)
    assert few == told(CHAT_REQUEST, _openai_refusals, body)


@pytest.mark.parametrize("name", MESSAGES)
def test_anthropic_is_told_the_same_as_if_every_fault_were_looked_at(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = MESSAGES[name]
    few = told(messages_request(), _anthropic_refusals, body)
    monkeypatch.setattr(_faults, "MANY", 1 << 40)
    assert few == told(messages_request(), _anthropic_refusals, body)


@pytest.mark.parametrize("body", [*CHATS.values(), *MESSAGES.values()])
def test_few_faults_are_made_of_very_many(body: dict[str, Any]) -> None:
    adapter = CHAT_REQUEST if any(body is chat for chat in CHATS.values()) else messages_request()
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(body)
    assert len(faults(caught.value, adapter, body)) < 60


def test_bedrock_counts_them_all_and_tells_the_first() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": 1}]}] * MANY}
    with pytest.raises(Refused) as caught:
        read_converse(orjson.dumps(body), "anthropic.claude-sonnet-4-5-v1:0", False)
    assert (caught.value.failure.message or "").startswith(f"{MANY} validation errors detected: Value at '/messages/0/")


def test_ollama_tells_the_first() -> None:
    with pytest.raises(Refused) as caught:
        read_body(orjson.dumps({"model": "llama3.2", "messages": [1] * MANY}), "chat")
    assert "json: cannot unmarshal number" in (caught.value.failure.message or "")


def test_an_object_that_fits_another_shape_is_looked_at_as_a_whole() -> None:
    @with_config(ConfigDict(extra="forbid"))
    class Exact(TypedDict):
        a: int

    class Both(TypedDict):
        free: Annotated[Exact | dict[str, int], Field(union_mode="left_to_right")]
        wrong: Annotated[list[int], Field()]

    adapter = TypeAdapter(Both)
    body = {"free": {"a": 1, **KEYS}, "wrong": ["x"] * MANY}
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(body)
    assert [one["loc"] for one in faults(caught.value, adapter, body)] == [("wrong", 0)]


def test_nothing_is_kept_of_bodies_that_were_refused() -> None:
    body = orjson.dumps(CHATS["unknown fields"])

    def refused() -> None:
        with pytest.raises(Refused):
            read_chat(body)

    refused()
    gc.collect()
    tracemalloc.start()
    try:
        refused()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(5):
            refused()
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert peak - before < 40 * len(body)
