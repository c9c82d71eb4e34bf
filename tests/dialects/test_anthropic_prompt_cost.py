"""Counting the tokens of a prompt: its messages, tools, images and documents, and the endpoint that counts."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_bodies import MODEL, NEW, PIXEL, WEATHER, body, call, document, image, result, said, tell, text, user
from running import application

from llmsim import media
from llmsim.server.handlers import Application

COUNT = "/v1/messages/count_tokens"


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello")


async def count(app: Application, *messages: Any, **fields: Any) -> int:
    sent = {"model": MODEL, "messages": list(messages) or [user()], **fields}
    told = await tell(app, sent, path=COUNT)
    assert (told.status, set(told.json)) == (200, {"input_tokens"})
    return int(told.json["input_tokens"])


async def test_a_count_is_what_the_message_then_costs(app: Application) -> None:
    sent: dict[str, Any] = {"tools": [WEATHER], "system": "Be kind."}
    messages = [user(text("Hi"), image(), document()), said(call()), user(result())]
    told = await tell(app, body(*messages, **sent))
    assert told.json["usage"]["input_tokens"] == await count(app, *messages, **sent)


async def test_the_guide_s_own_example(app: Application) -> None:
    """Anthropic's guide "Token counting" has 14 for it."""
    assert await count(app, {"role": "user", "content": "Hello, Claude"}, system="You are a scientist") == 14


async def test_a_text_and_a_block_of_text_cost_the_same(app: Application) -> None:
    assert await count(app, {"role": "user", "content": "Hello"}) == await count(app, user(text("Hello")))


@pytest.mark.parametrize(("choice", "more"), [({"type": "auto"}, 346), ({"type": "none"}, 346), ({"type": "any"}, 313)])
async def test_tools_bring_a_prompt_with_them(app: Application, choice: Any, more: int) -> None:
    plain = await count(app)
    one = await count(app, tools=[WEATHER], tool_choice=choice)
    two = await count(app, tools=[WEATHER, {**WEATHER, "name": "get_warmth"}], tool_choice=choice)
    tool = two - one
    assert 30 < tool < 80
    assert one - plain == pytest.approx(more + tool, abs=3)


async def test_a_deferred_tool_costs_nothing_yet(app: Application) -> None:
    deferred = {**WEATHER, "name": "later", "defer_loading": True}
    assert await count(app, tools=[WEATHER, deferred]) == await count(app, tools=[WEATHER])


async def test_an_image_costs_by_its_size(app: Application) -> None:
    plain = await count(app)
    assert await count(app, user(image(), text("Hi"))) - plain == 1
    url = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert await count(app, user(url, text("Hi"))) - plain == media.anthropic_image_tokens(1024, 1024, MODEL)


async def test_a_document_costs_its_words_or_its_pages(app: Application) -> None:
    plain = await count(app)
    words = await count(app, user(document("word " * 100), text("Hi")))
    assert 95 < words - plain < 110
    pdf = "JVBERi0xLjQKL1R5cGUgL1BhZ2UKL1R5cGUgL1BhZ2UK"  # %PDF-1.4, /Type /Page twice
    source = {"type": "base64", "media_type": "application/pdf", "data": pdf}
    pages = await count(app, user({"type": "document", "source": source}, text("Hi")))
    assert pages - plain == 2 * media.PAGE_TOKENS
    parts = {"type": "content", "content": [text("word " * 50), image()]}
    assert 45 < await count(app, user({"type": "document", "source": parts}, text("Hi"))) - plain < 60
    assert 1 < await count(app, user(document("x", title="A title"), text("Hi"))) - plain < 6


async def test_what_tools_answered_costs(app: Application) -> None:
    short = await count(app, user(), said(call()), user(result()))
    long = await count(app, user(), said(call()), user(result(content=[text("word " * 100), image(PIXEL)])))
    assert 90 < long - short < 110


async def test_the_schema_of_the_reply_costs(app: Application) -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": False}
    config = {"format": {"type": "json_schema", "schema": schema}}
    assert await count(app, output_config=config) - await count(app) > 10


async def test_a_search_result_costs_its_words(app: Application) -> None:
    found = {"type": "search_result", "source": "https://a.b", "title": "T", "content": [text("word " * 50)]}
    assert 50 < await count(app, user(found, text("Hi"))) - await count(app) < 70


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_tokens": 5}, "max_tokens: Extra inputs are not permitted"),
        ({"stream": True}, "stream: Extra inputs are not permitted"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"temperature": 1}, "temperature: Extra inputs are not permitted"),
        ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    ],
)
async def test_a_count_is_refused_like_a_message(app: Application, fields: dict[str, Any], message: str) -> None:
    told = await tell(app, {"model": MODEL, "messages": [user()], **fields}, NEW, path=COUNT)
    assert (told.status, told.json["error"]["message"]) == (400, message)


async def test_a_count_takes_thinking_without_a_limit(app: Application) -> None:
    assert await count(app, thinking={"type": "enabled", "budget_tokens": 50_000}) == await count(app)
