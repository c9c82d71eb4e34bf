"""Anthropic's own client gets messages as it would get them from Anthropic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import pytest
import pytest_asyncio
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message
from anthropic_bodies import CACHED, NEWEST, OLD, PIXEL, WEATHER, document, text, user
from anthropic_clients import asynchronous, synchronous
from openapi import assert_known_keys
from pydantic import BaseModel, Field

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The client warns of models that are to be shut down; this one thinks only when it is told to.
MODEL = "claude-haiku-4-5"
HELLO: Any = [{"role": "user", "content": "Hello"}]
ASK: Any = {"model": MODEL, "max_tokens": 500, "messages": HELLO}
THINKING: Any = {**ASK, "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_claude(server: Runner) -> AsyncIterator[AsyncAnthropic]:
    async with asynchronous(server) as one:
        yield one


@pytest.fixture
def claude(shared_claude: AsyncAnthropic, simulator: Simulator) -> AsyncAnthropic:
    """The asynchronous client, which tries everything once."""
    return shared_claude


@pytest.fixture
def sync_claude(server: Runner, simulator: Simulator) -> Iterator[Anthropic]:
    """The synchronous client, for use in a thread."""
    with synchronous(server) as one:
        yield one


def words(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def prompt(message: Message) -> int:
    """All tokens that went in."""
    usage = message.usage
    return usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)


# -- plain and streamed, both clients

KINDS: dict[str, Any] = {
    "text": ASK,
    "thinking": THINKING,
    "thinking left out": {**ASK, "model": NEWEST},
    "tool": {**ASK, "tools": [WEATHER]},
    "search": {**ASK, "tools": [SEARCH]},
    "code": {**ASK, "tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    "fetch": {
        **ASK,
        "tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}],
        "messages": [user(text("Read https://example.com"))],
    },
    "citations": {**ASK, "messages": [user(document(citations={"enabled": True}), text("What?"))]},
    "cached": {**ASK, "system": [text("word " * 4500, **CACHED)]},
    "cut": {**ASK, "max_tokens": 3},
    "stopped": {**ASK, "stop_sequences": ["e"]},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_message_is_of_the_client_s_own_types(claude: AsyncAnthropic, kind: str) -> None:
    message = await claude.messages.create(**KINDS[kind])
    assert_known_keys(message)
    assert Message.model_validate(message.model_dump(), strict=False)
    assert message._request_id
    assert message._request_id.startswith("req_")


async def test_a_message_that_only_warms_the_cache(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(**{**ASK, "max_tokens": 0})
    assert_known_keys(message)
    assert (message.content, message.stop_reason) == ([], "max_tokens")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_event_is_of_the_client_s_own_types(claude: AsyncAnthropic, kind: str) -> None:
    async for event in await claude.messages.create(**KINDS[kind], stream=True):
        assert_known_keys(event)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_adds_up_to_a_message(claude: AsyncAnthropic, simulator: Simulator, kind: str) -> None:
    simulator.change(generator="fixed:Hello there, you.")
    whole = await claude.messages.create(**KINDS[kind])
    async with claude.messages.stream(**KINDS[kind]) as stream:
        joined = await stream.get_final_message()
    assert [block.type for block in joined.content] == [block.type for block in whole.content]
    assert words(joined) == words(whole)
    assert (joined.stop_reason, joined.stop_sequence) == (whole.stop_reason, whole.stop_sequence)
    assert joined.usage.output_tokens_details
    assert prompt(joined) == prompt(whole)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_reply_can_be_sent_back(claude: AsyncAnthropic, kind: str) -> None:
    asked = KINDS[kind]
    async with claude.messages.stream(**asked) as stream:
        message = await stream.get_final_message()
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "rainy"}
        for block in message.content
        if block.type == "tool_use"
    ]
    if not message.content:
        return
    messages = [*asked["messages"], message.to_param(), user(*results, text("Go on"))]
    again = await claude.messages.create(
        **{**asked, "max_tokens": max(2000, asked["max_tokens"]), "messages": messages}
    )
    assert again.stop_reason


async def test_the_synchronous_client_streams(sync_claude: Anthropic, simulator: Simulator) -> None:
    simulator.change(generator="fixed:Hello there, you.")

    def run() -> tuple[str, str, list[str]]:
        with sync_claude.messages.stream(**ASK) as stream:
            heard = "".join(stream.text_stream)
            final = stream.get_final_text()
        return heard, final, [event.type for event in sync_claude.messages.create(**ASK, stream=True)]

    heard, final, types = await asyncio.to_thread(run)
    assert heard == final == "Hello there, you."
    assert types[0] == "message_start"
    assert types[-1] == "message_stop"


async def test_the_synchronous_client_gets_a_message(sync_claude: Anthropic) -> None:
    message = await asyncio.to_thread(lambda: sync_claude.messages.create(**ASK))
    assert_known_keys(message)


async def test_the_helper_tells_of_each_event(claude: AsyncAnthropic) -> None:
    seen: dict[str, Any] = {}
    async with claude.messages.stream(**THINKING) as stream:
        async for event in stream:
            seen.setdefault(event.type, event)
    assert {"thinking", "signature", "text", "content_block_stop", "message_stop"} <= set(seen)
    assert seen["signature"].signature
    assert seen["message_stop"].message.stop_reason == "end_turn"


async def test_a_tool_s_input_grows_as_it_streams(claude: AsyncAnthropic) -> None:
    snapshots = []
    async with claude.messages.stream(**ASK, tools=[WEATHER]) as stream:
        async for event in stream:
            if event.type == "input_json":
                snapshots.append(event.snapshot)
        message = await stream.get_final_message()
    assert len(snapshots) > 3
    assert snapshots[-1] == message.content[0].input  # type: ignore[union-attr]


# -- versions and keys


async def test_an_older_client_is_served_alike(server: Runner, simulator: Simulator) -> None:
    headers = {"anthropic-version": OLD, "x-api-key": "sk-ant", "Authorization": ""}
    async with asynchronous(server, default_headers=headers) as older:
        message = await older.messages.create(**ASK, extra_body={"temperature": 0.5})
    assert message.content
    assert next(iter(simulator.journal)).ask.key == "sk-ant"


async def test_the_raw_answer_has_anthropic_s_headers(claude: AsyncAnthropic) -> None:
    raw = await claude.messages.with_raw_response.create(**ASK)
    assert raw.headers["request-id"].startswith("req_")
    assert raw.headers["anthropic-ratelimit-input-tokens-remaining"].isdigit()
    assert raw.headers["content-type"] == "application/json"
    assert (await raw.parse()).type == "message"


# -- structured output


class Person(BaseModel):
    name: str = Field(max_length=40)
    age: int = Field(ge=18, le=99)
    mood: Literal["happy", "sad"]
    tags: list[str] = Field(min_length=2, max_length=4)
    email: str | None = None


async def test_a_parsed_reply_is_of_the_client_s_model(claude: AsyncAnthropic, sync_claude: Anthropic) -> None:
    for _ in range(5):
        message = await claude.messages.parse(**ASK, output_format=Person)
        assert isinstance(message.parsed_output, Person)
    parsed = await asyncio.to_thread(lambda: sync_claude.messages.parse(**ASK, output_format=Person))
    assert isinstance(parsed.parsed_output, Person)


async def test_a_streamed_reply_is_parsed_too(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(**ASK, output_format=Person) as stream:
        message = await stream.get_final_message()
    assert isinstance(message.parsed_output, Person)


# -- caching


async def test_a_prefix_is_written_once_and_read_after(claude: AsyncAnthropic) -> None:
    asked = {**ASK, "system": [text("other words " * 2500, **CACHED)]}
    first, second = [(await claude.messages.create(**asked)).usage for _ in range(2)]
    assert first.cache_creation_input_tokens
    assert (first.cache_read_input_tokens, second.cache_creation_input_tokens) == (0, 0)
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert first.cache_creation
    assert first.cache_creation.ephemeral_5m_input_tokens == first.cache_creation_input_tokens


# -- beside messages


async def test_tokens_are_counted(claude: AsyncAnthropic, sync_claude: Anthropic) -> None:
    asked: Any = {"model": NEWEST, "messages": HELLO, "system": "Be kind.", "tools": [WEATHER]}
    told = await claude.messages.count_tokens(**asked)
    assert_known_keys(told)
    assert told.input_tokens > 346
    again = await asyncio.to_thread(lambda: sync_claude.messages.count_tokens(**asked))
    assert again.input_tokens == told.input_tokens
    assert (await claude.beta.messages.count_tokens(**asked)).input_tokens == told.input_tokens


async def test_models_are_listed_through_all_pages(claude: AsyncAnthropic, sync_claude: Anthropic) -> None:
    models = [model async for model in claude.models.list(limit=4)]
    assert len({model.id for model in models}) == len(models) > 12
    for model in models:
        assert_known_keys(model)
    ids = await asyncio.to_thread(lambda: [model.id for model in sync_claude.models.list()])
    assert ids == [model.id for model in models]
    one = await claude.models.retrieve("claude-opus-5-5")
    assert (one.display_name, one.lifecycle, one.line) == ("Claude Opus 5.5", "active", "opus")
    assert (await claude.beta.models.retrieve("claude-opus-5-5")).id == one.id


async def test_an_image_is_sent_from_a_file(claude: AsyncAnthropic, tmp_path: Any) -> None:
    import base64

    path = tmp_path / "a.png"
    path.write_bytes(base64.b64decode(PIXEL))
    block: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": path}}
    message = await claude.messages.create(**{**ASK, "messages": [user(block, text("What is it?"))]})
    assert message.content


async def test_the_beta_client_gets_the_same(claude: AsyncAnthropic) -> None:
    message = await claude.beta.messages.create(**ASK, betas=["interleaved-thinking-2025-05-14"])
    assert_known_keys(message)
    managed = await claude.beta.messages.create(
        **ASK,
        betas=["context-management-2025-06-27"],
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
    )
    assert managed.context_management
    async with claude.beta.messages.stream(**THINKING) as stream:
        assert (await stream.get_final_message()).stop_reason == "end_turn"
