"""Compaction: a conversation is summed up in one block, which comes back first and unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_bodies import NEWEST, WEATHER, body, call, result, said, tell, text, user
from inprocess import Told
from running import application

from llmsim.server.handlers import Application

BETA = "compact-2026-09-04"
SUMMARY: dict[str, Any] = {"compaction": {"type": "summarize"}}


@pytest.fixture
def app() -> Application:
    return application(generator="fixed:Hello there.")


async def compacted(app: Application, *messages: Any, **fields: Any) -> Told:
    return await tell(app, body(*messages, model=NEWEST, **SUMMARY, **fields), beta=BETA)


async def summary(app: Application) -> dict[str, Any]:
    (block,) = (await compacted(app)).json["content"]
    return dict(block)


async def test_a_summary_may_stand_for_all_that_was_said(app: Application) -> None:
    sent = body(said(await summary(app)), model=NEWEST, tools=[WEATHER])
    told = await tell(app, sent, beta=BETA)
    assert (told.status, told.json["stop_reason"]) == (200, "end_turn")


async def test_the_conversation_goes_on_after_a_summary(app: Application) -> None:
    sent = body(said(await summary(app)), user(text("The weather?")), model=NEWEST, tools=[WEATHER])
    assert (await tell(app, sent, beta=BETA)).json["stop_reason"] == "tool_use"


async def test_a_conversation_that_is_over_can_be_summed_up(app: Application) -> None:
    assert (await compacted(app, user(), said(text("Well, ")))).json["stop_reason"] == "compaction"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([user(), said(call())], "compaction_incomplete_turn"),
        ([{"role": "system", "content": "Be kind."}], "compaction_nothing_to_summarize"),
        ([], "compaction_nothing_to_summarize"),
    ],
)
async def test_what_cannot_be_summed_up(app: Application, messages: list[Any], code: str) -> None:
    told = await tell(app, {**body(model=NEWEST, **SUMMARY), "messages": messages}, beta=BETA)
    assert (told.status, told.json["error"]["details"]) == (400, {"error_code": code})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stop_sequences", ["a"]),
        ("context_management", {"edits": []}),
        ("output_config", {"format": {"type": "json_schema", "schema": {"type": "string"}}}),
    ],
)
async def test_nothing_is_asked_for_that_only_shapes_a_reply(app: Application, field: str, value: Any) -> None:
    sent = body(model=NEWEST, **SUMMARY, **{field: value})
    told = await tell(app, sent, beta=f"{BETA},context-management-2025-06-27")
    assert told.json["error"]["message"].startswith(f"compaction: `{field}")


async def test_a_summary_comes_back_alone_first_and_unchanged(app: Application) -> None:
    block = await summary(app)
    faults: dict[str, list[Any]] = {
        "compaction_block_ambiguous": [said(block, block), user()],
        "compaction_block_misplaced": [user(), said(block), user()],
        "compaction_content_mismatch": [said({**block, "content": "Another one."}), user()],
        "compaction_signature_invalid": [said({**block, "signature": "c2hvcnQ="}), user()],
    }
    for code, messages in faults.items():
        told = await tell(app, body(*messages, model=NEWEST), beta=BETA)
        assert (told.status, told.json["error"]["details"]) == (400, {"error_code": code})


async def test_a_compaction_of_no_kind_is_refused(app: Application) -> None:
    told = await tell(app, body(compaction={"type": "shorten"}), beta=BETA)
    assert told.json["error"]["message"] == "compaction.type: Input should be 'summarize'"


async def test_results_after_a_summary_have_no_calls(app: Application) -> None:
    sent = body(said(await summary(app)), user(result()), model=NEWEST)
    assert "unexpected `tool_use_id`" in (await tell(app, sent, beta=BETA)).json["error"]["message"]
