"""Prompt caching: a write first, a read when the same prefix comes again, each for its time."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_bodies import CACHED, NEWEST, WEATHER, application_at, body, said, tell, text, user

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application

LONG = "word " * 1500
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
SYSTEM = [text(LONG, **CACHED)]


@pytest.fixture
def app(clock: ToldClock) -> Application:
    return application_at(clock)


async def cost(app: Application, *messages: Any, **fields: Any) -> tuple[int, int, int]:
    """Tokens neither read nor written, written, and read."""
    usage = (await tell(app, body(*messages, **fields))).json["usage"]
    created = usage["cache_creation"]
    assert sum(created.values()) == usage["cache_creation_input_tokens"]
    return usage["input_tokens"], usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]


async def test_the_first_request_writes_and_the_second_reads(app: Application) -> None:
    uncached, *_ = await cost(app, system=LONG)
    fresh, written, read = await cost(app, system=SYSTEM)
    assert (written > 1500, read) == (True, 0)
    assert fresh + written == uncached
    assert await cost(app, system=SYSTEM) == (fresh, 0, written)


async def test_a_stream_tells_the_same_at_its_beginning_and_at_its_end(app: Application) -> None:
    _, written, _ = await cost(app, system=SYSTEM)
    told = await tell(app, body(system=SYSTEM, stream=True))
    started, ended = told.events[0]["message"]["usage"], told.events[-2]["usage"]
    assert started["cache_read_input_tokens"] == ended["cache_read_input_tokens"] == written


async def test_a_growing_conversation_reads_what_it_wrote_before(app: Application) -> None:
    first = [user(text(LONG, **CACHED))]
    _, written, _ = await cost(app, *first)
    plain = user(text(LONG))
    _, more, read = await cost(app, plain, said(text("Yes.")), user(text("And now?", **CACHED)))
    assert (read, 0 < more < 20) == (written, True)


async def test_the_look_back_ends_after_twenty_blocks(app: Application) -> None:
    _, written, _ = await cost(app, user(text(LONG, **CACHED)))
    near = [text(f"{at}") for at in range(18)]
    assert (await cost(app, user(text(LONG), *near, text("end", **CACHED))))[2] == written
    far = [text(f"{at} far") for at in range(25)]
    assert (await cost(app, user(text(LONG), *far, text("end", **CACHED))))[2] == 0


async def test_the_field_of_the_whole_request_marks_the_last_block(app: Application) -> None:
    fields: Any = {"cache_control": {"type": "ephemeral"}}
    fresh, written, _ = await cost(app, user(text(LONG)), **fields)
    assert fresh == 3
    assert await cost(app, user(text(LONG)), **fields) == (fresh, 0, written)


async def test_tools_come_before_the_system_prompt(app: Application) -> None:
    tool = {**WEATHER, "description": LONG, **CACHED}
    _, written, _ = await cost(app, tools=[tool])
    assert written > 1500
    assert (await cost(app, tools=[tool], system="Be kind."))[2] == written
    assert (await cost(app, tools=[{**tool, "name": "other"}]))[2] == 0


async def test_the_mark_on_a_tool_s_result_counts(app: Application) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text(LONG, **CACHED)]}
    _, written, _ = await cost(app, user(), said(call), user(result), tools=[WEATHER])
    assert written > 1500


async def test_a_short_prefix_is_not_cached(app: Application) -> None:
    for _ in range(2):
        assert (await cost(app, system=[text("Be kind.", **CACHED)]))[1:] == (0, 0)


@pytest.mark.parametrize(
    ("model", "words", "cached"),
    [(NEWEST, 600, True), ("claude-sonnet-4-5", 600, False), ("claude-haiku-4-5", 1500, False)],
)
async def test_how_short_depends_on_the_model(app: Application, model: str, words: int, cached: bool) -> None:
    _, written, _ = await cost(app, system=[text("word " * words, **CACHED)], model=model)
    assert (written > 0) is cached


async def test_models_do_not_share_their_caches(app: Application) -> None:
    await cost(app, system=SYSTEM)
    assert (await cost(app, system=SYSTEM, model=NEWEST))[2] == 0


async def test_an_entry_lives_five_minutes_from_its_last_use(app: Application, clock: ToldClock) -> None:
    _, written, _ = await cost(app, system=SYSTEM)
    for _ in range(2):
        await clock.advance(299)
        assert (await cost(app, system=SYSTEM))[2] == written
    await clock.advance(301)
    assert (await cost(app, system=SYSTEM))[1:] == (written, 0)


async def test_an_entry_lives_an_hour_where_that_was_asked_for(app: Application, clock: ToldClock) -> None:
    sent = body(system=[text(LONG, **HOUR)])
    created = (await tell(app, sent)).json["usage"]["cache_creation"]
    assert (created["ephemeral_1h_input_tokens"] > 1500, created["ephemeral_5m_input_tokens"]) == (True, 0)
    await clock.advance(3_599)
    assert (await tell(app, sent)).json["usage"]["cache_read_input_tokens"] == created["ephemeral_1h_input_tokens"]


async def test_each_time_to_live_is_counted_apart(app: Application) -> None:
    sent = body(user(text(LONG, **CACHED)), system=[text(LONG, **HOUR)])
    created = (await tell(app, sent)).json["usage"]["cache_creation"]
    assert all(tokens > 1500 for tokens in created.values())


async def test_a_refused_request_warms_nothing(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 529, "id": "storm"})
    assert (await tell(app, body(system=SYSTEM))).status == 529
    app.simulator.lift("storm")
    assert (await cost(app, system=SYSTEM))[2] == 0


async def test_no_token_is_needed_to_warm_the_cache(app: Application) -> None:
    _, written, _ = await cost(app, system=SYSTEM, max_tokens=0)
    assert (await cost(app, system=SYSTEM))[2] == written


async def test_what_is_thought_about_is_part_of_the_prefix_of_the_conversation(app: Application) -> None:
    sent = [user(text(LONG, **CACHED))]
    await cost(app, *sent, max_tokens=2000)
    thinking = {"type": "enabled", "budget_tokens": 1024}
    assert (await cost(app, *sent, max_tokens=2000, thinking=thinking))[2] == 0
