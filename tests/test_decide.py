"""What is decided about an ask, before any of it is sent: pieces, times, usage, and why."""

import json

import jsonschema
import pytest
from support import ask_for, said

from llmsim import tokens
from llmsim.conversation import Format, Message, Stop, Tool, ToolCall, ToolChoice
from llmsim.decide import answered, refusal, refused
from llmsim.dice import Dice, mix
from llmsim.limits import Standing
from llmsim.match import Subject
from llmsim.plan import Call, End, Garbled, Plan, Say, Think
from llmsim.settings import Settings
from llmsim.tally import Tally

EVEN = {"even": {"ttft": {"kind": "fixed", "mean": 100}, "tbt": {"kind": "fixed", "mean": 10}}}
BASE = Settings(profiles=EVEN, latency_profile="even", generator="words", target_tokens=20)
TOOLS = tuple(
    Tool(name, description, {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
    for name, description in (("get_weather", "the weather of a city"), ("book_hotel", "a room for the night"))
)


def planned(text: str = "Tell me a story.", settings: Settings = BASE, standing: Standing | None = None, **ask) -> Plan:
    ask = ask_for(text, **ask)
    failure = refusal(ask, settings, standing or Standing())
    if failure is not None:
        return refused(failure, ask)
    return answered(ask, settings, Dice(mix(text, repr(settings.seed))), settings.spoilers)


def stop(plan: Plan) -> Stop:
    return next(piece.stop for piece in plan.pieces if type(piece) is End)


def called(plan: Plan) -> list[ToolCall]:
    return [piece.call for piece in plan.pieces if type(piece) is Call and piece.opens]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "o3", "gpt-5", "claude-sonnet-4-5", "gemini-2.5-pro", "acme"])
@pytest.mark.parametrize("n", [1, 3])
def test_the_usage_is_the_sum_of_the_tokens_in_the_plan(model, n):
    plan = planned(model=model, n=n, prompt_tokens=11)
    assert plan.usage.prompt == 11
    assert plan.usage.completion == sum(piece.tokens for piece in plan.pieces)
    assert plan.usage.thinking == sum(piece.tokens for piece in plan.pieces if type(piece) is Think)
    assert len(plan.pieces) == len(plan.times)


def test_the_reply_has_as_many_tokens_as_the_settings_say():
    assert planned().usage.completion == 20
    assert tokens.count(said(planned().pieces)) == 20
    assert stop(planned()) is Stop.END


@pytest.mark.parametrize("limit", [1, 2, 7, 19])
def test_max_tokens_ends_the_reply_after_exactly_so_many(limit):
    plan = planned(max_tokens=limit)
    assert plan.usage.completion == limit
    assert stop(plan) is Stop.LENGTH


@pytest.mark.parametrize("limit", [20, 500])
def test_a_limit_that_is_not_exceeded_is_not_met(limit):
    assert stop(planned(max_tokens=limit)) is Stop.END


def test_a_stop_sequence_ends_the_text():
    plan = planned(settings=BASE.changed(generator="fixed:one two three four"), stop=("three",))
    assert said(plan.pieces) == "one two "
    assert stop(plan) is Stop.SEQUENCE


def test_the_first_token_comes_after_the_ttft_and_the_others_a_tbt_apart():
    plan = planned(max_tokens=4)
    assert list(plan.times) == pytest.approx([0.1, 0.11, 0.12, 0.13, 0.13])


def test_alternatives_are_told_in_turns_and_differ():
    plan = planned(n=3)
    assert list(plan.times) == sorted(plan.times)
    assert [piece.choice for piece in plan.pieces[:6]] == [0, 1, 2, 0, 1, 2]
    texts = {said([piece for piece in plan.pieces if piece.choice == i]) for i in range(3)}
    assert len(texts) == 3
    assert sorted(piece.choice for piece in plan.pieces if type(piece) is End) == [0, 1, 2]
    assert plan.usage.completion == 60


def test_alternatives_at_different_paces_stay_in_the_order_of_their_times():
    plan = planned(settings=BASE.changed(latency_profile="gpt4o"), n=4)
    assert list(plan.times) == sorted(plan.times)
    for choice in range(4):
        own = [piece for piece in plan.pieces if piece.choice == choice]
        assert type(own[-1]) is End
        assert len(own) == 21


def test_thinking_that_is_not_shown_passes_before_the_first_token():
    plan = planned(model="o3")
    hidden = [time for piece, time in zip(plan.pieces, plan.times, strict=True) if type(piece) is Think]
    first = next(time for piece, time in zip(plan.pieces, plan.times, strict=True) if type(piece) is Say)
    assert plan.usage.thinking == len(hidden) == 128
    assert first == pytest.approx(0.1)
    assert max(hidden) <= first
    assert plan.end == pytest.approx(0.1 + 19 * 0.01)


def test_thinking_that_is_shown_takes_its_time():
    plan = planned(model="o3", thinking=10, shows_thinking=True)
    assert plan.usage.thinking == 10
    assert list(plan.times) == pytest.approx([0.1 + 0.01 * i for i in range(30)] + [0.39])


def test_a_client_can_ask_for_no_thinking_and_a_model_that_does_not_reason_does_not_think_by_itself():
    assert planned(model="o3", thinking=0).usage.thinking == 0
    assert planned(model="gpt-4o").usage.thinking == 0
    assert planned(model="gpt-4o", thinking=9).usage.thinking == 9


def test_thinking_can_use_up_all_tokens_and_then_nothing_is_said():
    plan = planned(model="o3", max_tokens=10)
    assert (plan.usage.completion, plan.usage.thinking, said(plan.pieces)) == (10, 10, "")
    assert stop(plan) is Stop.LENGTH
    assert len(plan.times) == len(plan.pieces)
    assert plan.end == pytest.approx(0.1)


@pytest.mark.parametrize("thinking", [None, 10])
def test_faults_count_the_tokens_that_the_client_sees(thinking):
    def spoiled(fault):
        return planned(model="o3", thinking=thinking, settings=BASE.changed(faults=[fault]))

    assert tokens.count(said(spoiled({"kind": "cut", "after_tokens": 5}).pieces)) == 5
    garbled = next(piece for piece in spoiled({"kind": "garble", "after_tokens": 3}).pieces if type(piece) is Garbled)
    assert type(garbled.piece) is Say
    slow = spoiled({"kind": "slow", "ttft_factor": 3, "tbt_add_ms": 100})
    first = next(time for piece, time in zip(slow.pieces, slow.times, strict=True) if type(piece) is Say)
    assert first == pytest.approx(0.3)


def test_a_tool_that_fits_is_called_with_arguments_of_its_schema():
    plan = planned("What is the weather in Rome?", tools=TOOLS)
    (call,) = called(plan)
    assert call.name == "get_weather"
    jsonschema.validate(json.loads(call.arguments), TOOLS[0].schema)
    assert stop(plan) is Stop.CALLS
    assert plan.origin == "tool call"


def test_no_tool_is_called_where_none_may_be():
    plan = planned("What is the weather in Rome?", tools=TOOLS, tool_choice=ToolChoice("none"))
    assert called(plan) == []
    assert said(plan.pieces)


def test_a_named_tool_is_called_whatever_the_text():
    choice = ToolChoice("named", ("book_hotel",))
    assert [call.name for call in called(planned("The weather?", tools=TOOLS, tool_choice=choice))] == ["book_hotel"]


RESULT = (
    Message("user", "The weather in Rome?"),
    Message("assistant", calls=(ToolCall("call_1", "get_weather", "{}"),)),
    Message("tool", "22 degrees", call_id="call_1"),
)


def test_the_result_of_a_tool_is_taken_up_so_that_an_agents_loop_ends():
    plan = planned(tools=TOOLS, messages=RESULT)
    assert called(plan) == []
    assert said(plan.pieces).startswith("The get_weather tool returned: 22 degrees\n\n")
    assert stop(plan) is Stop.END
    assert plan.origin == "follow-up to a tool result"


def test_a_long_result_is_quoted_from_its_beginning():
    long = (*RESULT[:2], Message("tool", "x" * 5000, call_id="call_1"))
    assert "x" * 200 + "…" in said(planned(tools=TOOLS, messages=long).pieces)


def test_the_result_of_a_call_nobody_knows_is_taken_up_too():
    unknown = (Message("user", "?"), Message("tool", "ok", call_id="call_9"))
    assert said(planned(tools=TOOLS, messages=unknown).pieces).startswith("The tool tool returned: ok")


def test_a_call_that_is_required_is_made_also_after_a_result():
    assert called(planned(tools=TOOLS, messages=RESULT, tool_choice=ToolChoice("required")))


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def test_a_reply_of_a_schema_is_valid_json_of_that_schema():
    for seed in range(20):
        plan = planned(str(seed), format=Format("schema", SCHEMA))
        jsonschema.validate(json.loads(said(plan.pieces)), SCHEMA)
    assert plan.origin == "structured output"


def test_a_reply_of_json_without_a_schema_is_an_object():
    assert isinstance(json.loads(said(planned(format=Format("json")).pieces)), dict)


def test_a_schema_that_nothing_fits_is_the_clients_fault():
    impossible = {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 3}},
        "required": ["a"],
    }
    for fields in ({"format": Format("schema", impossible)}, {"tools": (Tool("f", "", impossible),), "text": "f"}):
        plan = planned(**fields)
        assert (plan.failure.kind, plan.failure.status) == ("invalid", 400)
        assert "Invalid schema" in plan.failure.message


def test_a_prompt_longer_than_the_models_window_is_refused():
    plan = planned(model="gpt-4", prompt_tokens=8193)
    assert (plan.failure.kind, plan.failure.status, plan.failure.extra) == ("context_length", 400, (8192, 8193))
    assert plan.usage.completion == 0
    assert planned(model="gpt-4", prompt_tokens=8192).failure is None
    assert planned(model="acme-1", prompt_tokens=10**9).failure is None


def test_only_a_strict_server_asks_for_a_key_and_a_known_model():
    strict = BASE.changed(strict=True)
    assert planned(settings=strict).failure.status == 401
    unknown = planned(settings=strict, key="k", model="acme-1")
    assert (unknown.failure.status, unknown.failure.param, unknown.failure.code) == (404, "model", "model_not_found")
    assert planned(settings=strict, key="k").failure is None
    assert planned(model="acme-1").failure is None


def test_a_request_over_the_limit_is_refused_and_no_fault_touches_that():
    armed = BASE.changed(faults=[{"kind": "cut", "after_tokens": 0}])
    plan = planned(settings=armed, standing=Standing(refused="requests", wait=1.5))
    assert (plan.failure.status, plan.failure.retry_after) == (429, 1.5)
    assert plan.faults == ()
    assert all(plan.notes)


def test_each_model_has_its_own_profile_unless_the_settings_say_another():
    own = Settings(profiles=EVEN)
    assert [planned(settings=own, model=model).profile for model in ("gpt-4o", "o3", "claude-haiku-4-5", "acme")] == [
        "gpt4o",
        "o-series",
        "claude-haiku",
        "gpt5",
    ]
    assert planned(settings=own.changed(model_profiles={"gpt-4o": "even"})).profile == "even"
    assert planned(settings=own.changed(model_profiles={"gpt-4o": "even"}, latency_profile="fast")).profile == "fast"


def test_a_fault_whose_time_is_up_strikes_no_more():
    settings = BASE.changed(faults=[{"kind": "cut", "after_tokens": 0}])
    settings = settings.changed(faults=[settings.faults[0].model_copy(update={"until": 5.0})])
    before, after = (Tally().in_force(settings, Subject(ask_for()), now) for now in (4.99, 5.0))
    assert [spoiler.name for spoiler in before] == ["cut"]
    assert not after


def test_faults_strike_in_the_order_they_are_armed():
    faults = [{"kind": "stall", "after_tokens": 1, "for_ms": 1000}, {"kind": "cut", "after_tokens": 2, "label": "snip"}]
    plan = planned(settings=BASE.changed(faults=faults))
    assert plan.faults == ("stall", "snip")
    assert list(plan.times) == pytest.approx([0.1, 1.11, 1.12])


def test_the_plan_says_who_made_it():
    assert planned().origin == "generator words"
    assert planned(settings=BASE.changed(generator="echo")).origin == "generator echo"


def test_each_of_several_prompts_has_alternatives_of_its_own():
    asked = tuple((Message("user", text),) for text in ("one", "two", "three"))
    echoing = BASE.changed(generator="echo")
    plan = planned(settings=echoing, prompts=asked, n=6)
    told = {choice: said([piece for piece in plan.pieces if piece.choice == choice]) for choice in range(6)}
    assert told == {0: "one", 1: "one", 2: "two", 3: "two", 4: "three", 5: "three"}


def test_several_prompts_may_be_longer_together_than_the_window():
    asked = tuple((Message("user", "word"),) for _ in range(2))
    assert planned(model="gpt-4", prompt_tokens=9000).failure.kind == "context_length"
    assert planned(model="gpt-4", prompt_tokens=9000, prompts=asked, n=2).failure is None
