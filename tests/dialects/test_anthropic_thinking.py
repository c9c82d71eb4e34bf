"""Claude's thinking: who thinks, what of it is shown, and how it is given back."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from anthropic_bodies import MODEL, NEW, NEWEST, WEATHER, body, call, result, said, tell, text, user
from inprocess import Told
from running import application

from llmsim.dialects._anthropic_facts import facts, parsed
from llmsim.dialects._anthropic_thinking import REDACTED
from llmsim.server.handlers import Application

ENABLED = {"type": "enabled", "budget_tokens": 2048}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


async def thought(app: Application, *messages: Any, beta: str = "", **fields: Any) -> Told:
    sent = {"max_tokens": 4000, **fields}
    return await tell(app, body(*messages, **sent), NEW, beta)


def kinds(told: Told) -> list[str]:
    return [block["type"] for block in told.json["content"]]


async def test_thinking_comes_first_and_is_signed(app: Application) -> None:
    told = await thought(app, thinking=ENABLED)
    thinking, words = told.json["content"]
    assert thinking["thinking"]
    assert len(base64.b64decode(thinking["signature"], validate=True)) > 100
    assert words == {"type": "text", "text": "Hello there."}
    usage = told.json["usage"]
    assert usage["output_tokens"] == usage["output_tokens_details"]["thinking_tokens"] + 3


async def test_the_signature_is_the_last_delta_of_its_block(app: Application) -> None:
    told = await thought(app, thinking=ENABLED, stream=True)
    deltas = [event["delta"]["type"] for event in told.events if event["type"] == "content_block_delta"]
    first = deltas.index("signature_delta")
    assert set(deltas[:first]) == {"thinking_delta"}
    assert deltas[first:] == ["signature_delta", "text_delta", "text_delta", "text_delta"]
    stops = [event for event in told.events if event["type"] == "content_block_stop"]
    assert [event["index"] for event in stops] == [0, 1]


@pytest.mark.parametrize(
    ("model", "thinks", "shows"),
    [
        (MODEL, False, True),
        ("claude-opus-4-6", False, True),
        ("claude-opus-4-8", False, False),
        ("claude-sonnet-5", True, False),
        (NEWEST, True, False),
    ],
)
async def test_newer_models_think_by_themselves_and_show_nothing_of_it(
    app: Application, model: str, thinks: bool, shows: bool
) -> None:
    assert (kinds(await thought(app, model=model)) == ["thinking", "text"]) is thinks
    if "adaptive" in facts(model).thinking:
        told = await thought(app, model=model, thinking={"type": "adaptive"})
        assert bool(told.json["content"][0]["thinking"]) is shows


@pytest.mark.parametrize(("display", "shown"), [("summarized", True), ("omitted", False)])
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_client_says_whether_thinking_is_shown(
    app: Application, display: str, shown: bool, streamed: bool
) -> None:
    told = await thought(app, model=NEWEST, thinking={"type": "adaptive", "display": display}, stream=streamed)
    if streamed:
        words = [event["delta"].get("thinking", "") for event in told.events if event["type"] == "content_block_delta"]
    else:
        words = [told.json["content"][0]["thinking"]]
    assert bool("".join(words)) is shown


async def test_more_effort_is_more_thinking(app: Application) -> None:
    costs = []
    for effort in ("low", "medium", "high", "xhigh", "max"):
        told = await thought(app, model=NEWEST, output_config={"effort": effort})
        costs.append(told.json["usage"]["output_tokens_details"]["thinking_tokens"])
    assert costs == sorted(set(costs))


async def test_a_model_gets_to_its_answer_though_the_limit_is_low(app: Application) -> None:
    told = await thought(app, model=NEWEST, max_tokens=20)
    assert (kinds(told), told.json["stop_reason"]) == (["thinking", "text"], "end_turn")


async def test_a_limit_can_end_the_reply_while_it_thinks(app: Application) -> None:
    app.simulator.change(generator="lorem")
    told = await thought(app, model=NEWEST, max_tokens=1)
    app.simulator.change(generator="fixed:Hello there.")
    assert told.json["stop_reason"] == "max_tokens"


async def test_a_forced_tool_leaves_no_time_to_think(app: Application) -> None:
    told = await thought(app, model="claude-opus-5", tools=[WEATHER], tool_choice={"type": "any"})
    assert kinds(told) == ["tool_use"]


async def test_the_magic_string_redacts_thinking(app: Application) -> None:
    sent = user(text(f"Say {REDACTED}"))
    whole = await thought(app, sent, thinking=ENABLED)
    assert kinds(whole) == ["redacted_thinking", "text"]
    streamed = await thought(app, sent, thinking=ENABLED, stream=True)
    starts = [event["content_block"] for event in streamed.events if event["type"] == "content_block_start"]
    assert [block["type"] for block in starts] == ["redacted_thinking", "text"]
    assert len(base64.b64decode(starts[0]["data"], validate=True)) > 100
    back = await thought(app, user(), said(*whole.json["content"]), user(), thinking=ENABLED)
    assert back.status == 200


# -- given back


async def test_thinking_is_given_back_as_it_was(app: Application) -> None:
    told = await thought(app, thinking=ENABLED)
    assert (await thought(app, user(), said(*told.json["content"]), user(), thinking=ENABLED)).status == 200


async def test_changed_thinking_is_found_out(app: Application) -> None:
    block, words = (await thought(app, thinking=ENABLED)).json["content"]
    changed = {**block, "thinking": "Something else."}
    told = await thought(app, user(), said(changed, words), user(), thinking=ENABLED)
    assert told.json["error"]["message"] == (
        "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be "
        "modified. These blocks must remain as they were in the original response."
    )
    older = await thought(app, user(), said(changed, words), user(), said(text("Yes.")), user(), thinking=ENABLED)
    assert older.json["error"]["message"] == "messages.1.content.0: Invalid `signature` in `thinking` block"


async def test_thinking_that_another_server_has_signed_is_taken(app: Application) -> None:
    signature = base64.b64encode(b"of the live API's, by all we know" * 4).decode()
    block = {"type": "thinking", "thinking": "Hm.", "signature": signature}
    assert (await thought(app, user(), said(block, text()), user(), thinking=ENABLED)).status == 200


async def test_a_turn_of_calls_begins_with_its_thinking(app: Application) -> None:
    fields: Any = {"thinking": ENABLED, "tools": [WEATHER]}
    told = await thought(app, user(), said(call()), user(result()), **fields)
    assert told.json["error"]["message"].startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` "
    )
    first = await thought(app, user(), **fields)
    use = first.json["content"][-1]
    assert kinds(first) == ["thinking", "tool_use"]
    again = await thought(app, user(), said(*first.json["content"]), user(result(use["id"])), **fields)
    assert kinds(again) == ["text"]
    interleaved = "interleaved-thinking-2025-05-14"
    more = await thought(app, user(), said(*first.json["content"]), user(result(use["id"])), beta=interleaved, **fields)
    assert kinds(more) == ["thinking", "text"]


async def test_a_budget_may_exceed_the_limit_where_thinking_is_interleaved(app: Application) -> None:
    told = await thought(app, thinking=ENABLED, max_tokens=100, beta="interleaved-thinking-2025-05-14")
    assert told.status == 200


# -- what each model takes


@pytest.mark.parametrize(
    ("id", "line", "version"),
    [
        ("claude-3-5-sonnet-20241022", "sonnet", (3, 5)),
        ("claude-3-opus-20240229", "opus", (3, 0)),
        ("claude-opus-4-20250514", "opus", (4, 0)),
        ("claude-opus-4-1-20250805", "opus", (4, 1)),
        ("claude-haiku-4-5-20251001", "haiku", (4, 5)),
        ("claude-fable-5-2", "fable", (5, 2)),
        ("gpt-4o", "", (0, 0)),
    ],
)
def test_an_id_tells_line_and_version(id: str, line: str, version: tuple[int, int]) -> None:
    assert parsed(id) == (line, version)


@pytest.mark.parametrize("model", ["gpt-4o", "claude-opus-99", "x" * 300])
def test_a_model_that_nobody_knows_takes_everything(model: str) -> None:
    assert facts(model).thinking == ("adaptive", "between_tools", "disabled", "enabled")
    assert facts(model).forces


@pytest.mark.parametrize(
    ("model", "taken"),
    [
        ("claude-3-5-haiku-latest", {"disabled"}),
        ("claude-sonnet-4-5", {"disabled", "enabled"}),
        ("claude-opus-4-6", {"adaptive", "disabled", "enabled"}),
        ("claude-mythos-preview", {"adaptive", "enabled"}),
        ("claude-opus-4-7", {"adaptive", "disabled"}),
        ("claude-opus-5", {"adaptive", "disabled"}),
        ("claude-sonnet-5-5", {"adaptive", "between_tools"}),
        ("claude-opus-5-5", {"adaptive"}),
        ("claude-fable-5", {"adaptive"}),
        ("claude-haiku-5-5", {"adaptive", "disabled"}),
    ],
)
async def test_each_model_takes_its_own_ways_of_thinking(app: Application, model: str, taken: set[str]) -> None:
    found = set()
    for kind in ("adaptive", "between_tools", "disabled", "enabled"):
        config = {"type": kind, "budget_tokens": 1024} if kind == "enabled" else {"type": kind}
        if (await thought(app, model=model, thinking=config)).status == 200:
            found.add(kind)
    assert found == taken


@pytest.mark.parametrize(("kind", "model"), [("disabled", "claude-opus-5"), ("between_tools", "claude-sonnet-5-5")])
async def test_not_to_think_is_not_for_the_highest_efforts(app: Application, kind: str, model: str) -> None:
    for effort, status in (("high", 200), ("xhigh", 400), ("max", 400)):
        told = await thought(app, model=model, thinking={"type": kind}, output_config={"effort": effort})
        assert told.status == status
