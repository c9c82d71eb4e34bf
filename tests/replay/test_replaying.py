"""Which take answers a request, how it is played, and what is told where none does."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from replaying import SETTINGS, ask, chat, content, message, replaying, response
from taped import Ear, post, recorded

from llmsim.dialects import Request
from llmsim.latency import Profile, Spread
from llmsim.settings import Settings

TOOLS = {
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
}


def json(ear: Ear) -> Any:
    return orjson.loads(ear.told)


def said(ear: Ear) -> str:
    told: str = json(ear)["choices"][0]["message"]["content"]
    return told


def refused(ear: Ear) -> str:
    assert ear.status == 404, ear.told
    told: str = json(ear)["error"]["message"]
    return told


# -- which take answers


def test_a_request_that_is_not_on_the_tape_is_told_the_nearest_take_and_what_differs() -> None:
    desk = replaying(recorded(SETTINGS, chat("The sea at night"), chat("Something else", **TOOLS)))
    (ear,) = ask(desk, chat("The sea at noon", model="gpt-4o-mini"))
    assert refused(ear) == (
        "No take answers POST /v1/chat/completions. Nearest: run.jsonl line 1, but for "
        "model: 'gpt-4o-mini' was asked, 'gpt-4o' is on the tape; "
        "message 1 (user): 'The sea at noon' was asked, 'The sea at night' is on the tape."
    )
    (exchange,) = desk.simulator.journal
    assert exchange.plan.origin == "tape"


def test_other_tools_and_more_messages_are_told() -> None:
    desk = replaying(recorded(SETTINGS, chat("Hi", **TOOLS)))
    more = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "No"},
    ]
    (ear,) = ask(desk, chat(messages=more))
    told = refused(ear)
    assert "message 2 (assistant) is not on the tape; message 3 (user) is not on the tape" in told
    assert "tool weather was not asked" in told


def test_what_does_not_matter_for_the_answer_may_differ() -> None:
    desk = replaying(recorded(SETTINGS, chat("Hi", user="a", seed=1)))
    body = b'{"messages": [{"content": "Hi", "role": "user"}],  "user": "b", "model": "gpt-4o"}'
    first, second = ask(desk, post("/v1/chat/completions", body), post("/openai/v1/chat/completions", body))
    assert said(first) == said(second) != "made up"


def test_ids_of_calls_may_differ() -> None:
    def turns(id: str) -> Request:
        call = {"id": id, "type": "function", "function": {"name": "weather", "arguments": '{"a":1,"b":2}'}}
        return chat(
            messages=[
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": id, "content": "sunny"},
            ]
        )

    (ear,) = ask(replaying(recorded(SETTINGS, turns("call_one"))), turns("call_two"))
    assert ear.status == 200


def test_the_same_request_gets_its_takes_in_turn_and_then_the_last_one_again() -> None:
    takes = recorded(SETTINGS, chat(), chat(), chat())
    words = [orjson.loads(take.body)["choices"][0]["message"]["content"] for take in takes]
    assert len(set(words)) == 3
    desk = replaying(takes)
    assert [said(ear) for ear in ask(desk, *[chat()] * 4)] == [*words, words[2]]
    assert desk.reels is not None
    desk.reels.reel.rewind()
    assert [said(ear) for ear in ask(desk, chat())] == words[:1]


def test_takes_may_be_played_only_once_each() -> None:
    desk = replaying(recorded(SETTINGS, chat()), replay_repeats=False)
    first, second = ask(desk, chat(), chat())
    assert first.status == 200
    assert refused(second) == "All 1 takes that answer it have been played, and takes do not repeat."


def test_what_is_not_on_the_tape_may_be_made_up() -> None:
    desk = replaying(recorded(SETTINGS, chat("Hi")), replay_misses="generate")
    there, new = ask(desk, chat("Hi"), chat("Ho"))
    assert said(there) != "made up"
    assert said(new) == "made up"


def test_mode_all_plays_nothing() -> None:
    (ear,) = ask(replaying(recorded(SETTINGS, chat()), replay="all"), chat())
    assert said(ear) == "made up"


def test_a_mock_comes_before_a_take() -> None:
    desk = replaying(recorded(SETTINGS, chat()), mocks=[{"reply": "mocked"}])
    assert [said(ear) for ear in ask(desk, chat())] == ["mocked"]


def test_a_request_that_the_api_itself_refuses_gets_its_take() -> None:
    """What a newer model of the real API takes may be refused by what llmsim knows of it."""
    (take,) = recorded(SETTINGS, chat())
    strange = post("/v1/chat/completions", {"model": "gpt-4o", "messages": "not a list"})
    from dataclasses import replace

    desk = replaying([replace(take, request_body=strange.body)])
    assert [ear.status for ear in ask(desk, strange)] == [200]
    assert [ear.status for ear in ask(desk, chat(messages="still no list"))] == [400]


def test_masked_requests_are_found_by_what_is_not_masked() -> None:
    from llmsim.tapes.masking import Masker

    request = chat("Write to ada@example.com about card 4111 1111 1111 1111")
    takes = [Masker().take(take) for take in recorded(SETTINGS, request)]
    assert b"ada@example" not in takes[0].request_body
    (ear,) = ask(replaying(takes), request)
    assert said(ear) != "made up"


def test_takes_that_were_left_are_left_out() -> None:
    from dataclasses import replace

    (take,) = recorded(SETTINGS, chat())
    desk = replaying([replace(take, end="left")])
    assert desk.reels is not None
    assert desk.reels.reel.notes == ["1 takes are left out: their client left before the end, or they were too large"]
    assert ask(desk, chat())[0].status == 404


# -- other APIs


def test_a_take_of_one_api_answers_another_in_its_own_words() -> None:
    takes = recorded(SETTINGS, chat("Hi", stream=True))
    text = "".join(
        orjson.loads(line[6:])["choices"][0]["delta"].get("content") or ""
        for line in takes[0].body.split(b"\n\n")
        if line.startswith(b"data: {")
    )
    claude, gemini, responses, whole = ask(replaying(takes), message("Hi"), content("Hi"), response("Hi"), chat("Hi"))
    assert json(claude)["content"] == [{"type": "text", "text": text}]
    assert json(gemini)["candidates"][0]["content"]["parts"][0]["text"] == text
    assert json(responses)["output"][0]["content"][0]["text"] == text
    assert said(whole) == text


def test_its_words_come_when_the_other_apis_came() -> None:
    takes = recorded(SETTINGS, chat("Hi", stream=True))
    (ear,) = ask(replaying(takes), message("Hi", stream=True))
    assert ear.frames[0].at == pytest.approx(takes[0].frames[0].at, abs=0.0011)
    assert ear.frames[-1].at == pytest.approx(takes[0].frames[-1].at, abs=0.03)
    assert len(ear.frames) >= len(takes[0].frames) / 2


def test_calls_of_tools_go_over_to_another_api() -> None:
    takes = recorded(SETTINGS, chat("Weather?", tool_choice="required", stream=True, **TOOLS))
    tools = [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}]
    (ear,) = ask(replaying(takes), message("Weather?", tools=tools))
    told = json(ear)
    assert told["stop_reason"] == "tool_use"
    assert [(block["type"], block["name"]) for block in told["content"]] == [("tool_use", "weather")]


def test_errors_go_over_to_another_api() -> None:
    limited = SETTINGS.changed(faults=[{"kind": "refuse", "status": 429, "retry_after": 7}])
    (ear,) = ask(replaying(recorded(limited, chat("Hi"))), message("Hi"))
    assert (ear.status, json(ear)["error"]["type"]) == (429, "rate_limit_error")
    assert dict(ear.headers)[b"retry-after"] == b"7"


def test_what_another_api_cannot_say_is_told() -> None:
    desk = replaying(recorded(SETTINGS, chat("Twice", n=2)))
    (ear,) = ask(desk, message("Twice"))
    assert ear.status == 404
    assert (
        "run.jsonl line 1 has the answer of openai_chat, but it has several alternatives."
        in json(ear)["error"]["message"]
    )


# -- how it is played


def test_faults_meet_replays() -> None:
    takes = recorded(SETTINGS, chat(stream=True))
    (cut,) = ask(replaying(takes, faults=[{"kind": "cut", "after_tokens": 3}]), chat(stream=True))
    assert cut.end == "cut"
    assert cut.told.count(b'"content":"') == 4  # the opening event has an empty one
    (slow,) = ask(replaying(takes, faults=[{"kind": "slow", "ttft_factor": 3}]), chat(stream=True))
    assert slow.frames[0].at == pytest.approx(3 * takes[0].frames[0].at, abs=0.01)
    (broken,) = ask(replaying(takes, faults=[{"kind": "garble"}]), chat(stream=True))
    assert len(broken.told) < len(takes[0].body)
    (empty,) = ask(replaying(takes, faults=[{"kind": "empty"}]), chat(stream=True))
    assert b"[DONE]" in empty.told


def test_a_fault_that_keeps_a_take_back_leaves_it_for_the_next_try() -> None:
    takes = recorded(SETTINGS, chat(), chat())
    words = [orjson.loads(take.body)["choices"][0]["message"]["content"] for take in takes]
    desk = replaying(takes, faults=[{"kind": "refuse", "status": 503, "count": 1}])
    refusal, first, second = ask(desk, chat(), chat(), chat())
    assert refusal.status == 503
    assert [said(first), said(second)] == words


def test_limits_meet_replays() -> None:
    first, second = ask(replaying(recorded(SETTINGS, chat()), rpm=1), chat(), chat(), apart=2)
    assert (first.status, second.status) == (200, 429)


def test_a_replay_may_be_faster() -> None:
    takes = recorded(SETTINGS, chat(stream=True))
    (ear,) = ask(replaying(takes, replay_speed=10), chat(stream=True))
    assert ear.ended == pytest.approx(takes[0].ended / 10, abs=0.01)


def test_its_times_may_be_drawn_from_a_profile() -> None:
    profile = Profile(ttft=Spread(kind="fixed", mean=1000), tbt=Spread(kind="fixed", mean=500))
    takes = recorded(SETTINGS, chat(stream=True), chat())
    settings: dict[str, Any] = {
        "replay_timing": "profile",
        "profiles": {"slow": profile},
        "latency_profile": "slow",
    }
    streamed, whole = ask(replaying(takes, **settings), chat(stream=True), chat())
    assert [frame.at for frame in streamed.frames[:3]] == [pytest.approx(at, abs=0.01) for at in (1.0, 1.5, 2.0)]
    assert whole.ended == pytest.approx(1.0 + 11 * 0.5, abs=0.01)


def test_ids_that_a_client_was_told_stand_for_those_on_the_tape() -> None:
    def asks(previous: str) -> Request:
        return response("And then?", previous_response_id=previous)

    first = recorded(SETTINGS, response("Hi"))
    old = orjson.loads(first[0].body)["id"]
    from dataclasses import replace

    second = replace(first[0], request_body=asks(old).body, id="second")
    desk = replaying([*first, second])
    (ear,) = ask(desk, response("Hi"))
    new = json(ear)["id"]
    assert new != old
    assert new[:5] == old[:5]
    assert len(new) == len(old)
    (follow_up,) = ask(desk, asks(new))
    assert follow_up.status == 200, follow_up.told


def test_dates_are_of_this_day() -> None:
    from dataclasses import replace

    (take,) = recorded(SETTINGS, chat())
    long_ago = [frame._replace(data=frame.data.replace(b":170000", b":160000")) for frame in take.frames]
    (ear,) = ask(replaying([replace(take, at=take.at - 100_000_000, frames=tuple(long_ago))]), chat())
    assert b":1600000" in long_ago[0].data
    assert json(ear)["created"] == 1_700_000_000


def test_what_was_replayed_is_seen_as_such() -> None:
    desk = replaying(recorded(SETTINGS, chat(stream=True)))
    (ear,) = ask(desk, chat(stream=True))
    (exchange,) = desk.simulator.journal
    assert (exchange.plan.origin, exchange.plan.take) == ("tape run.jsonl line 1", "run.jsonl line 1")
    assert (exchange.state, exchange.status) == ("done", 200)
    assert exchange.plan.profile == "as recorded"
    assert exchange.text()
    assert exchange.plan.usage.completion or ear.told
    assert desk.reels is not None
    assert desk.reels.reel.hits == 1


def test_a_server_without_a_tape_has_nothing_of_it() -> None:
    assert Settings().replay == "once"
