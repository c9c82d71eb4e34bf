"""A model calls the tools that the user's words ask for, within the tool choice, with arguments that fit."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from llmsim.conversation import Ask, Message, Tool, ToolCall, ToolChoice
from llmsim.dice import Dice
from llmsim.generators.calls import call, choose_tools
from llmsim.generators.structured import UnsatisfiableSchema

PLACE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("get_weather", "Get the current weather in a city.", PLACE)
TIME = Tool("get_time", "Get the local time in a city.", PLACE)
FLIGHTS = Tool("searchFlights", "Search for flights between two airports.", PLACE)
HOTELS = Tool("search_hotels", "Search for hotels in a city.", PLACE)
STOCK = Tool("quote", "Look up the share price of a company.", PLACE)
TOOLS = (WEATHER, TIME, FLIGHTS, HOTELS, STOCK)


def ask(text: str, choice: ToolChoice | None = None, tools: tuple[Tool, ...] = TOOLS) -> Ask:
    return Ask("m", (Message("user", text),), tools=tools, tool_choice=choice or ToolChoice())


def names(asked: Ask, seed: int = 1) -> list[str]:
    return [tool.name for tool in choose_tools(asked, Dice(seed))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What's the weather in Paris?", "get_weather"),
        ("what TIME is it in Oslo", "get_time"),
        ("find me a flight to Rome", "searchFlights"),
        ("search hotel rooms", "search_hotels"),
        ("How do the shares of those companies stand?", "quote"),
    ],
)
def test_the_tool_that_shares_most_words_with_the_user_is_called(text: str, name: str) -> None:
    assert names(ask(text)) == [name]


def test_without_a_shared_word_the_dice_choose() -> None:
    chosen = {tuple(names(ask("hello"), seed)) for seed in range(60)}
    assert chosen == {(tool.name,) for tool in TOOLS}


def test_the_same_dice_choose_the_same_tool() -> None:
    assert names(ask("hello"), 7) == names(ask("hello"), 7)


def test_tools_with_words_of_their_own_are_all_called_in_the_users_order() -> None:
    assert names(ask("Compare the time and the weather in Paris")) == ["get_time", "get_weather"]


def test_a_call_that_is_still_required_goes_to_another_tool_than_before() -> None:
    """Agents that take their answer as a call of a tool require calls until that one comes."""
    asked = ask("What is the weather in Oslo?", ToolChoice("required"), (WEATHER, TIME))
    for name, after in (("get_weather", ["get_time"]), ("get_time", ["get_weather"])):
        called = Message("assistant", calls=(ToolCall("1", name, "{}"),)), Message("tool", "so", call_id="1")
        asked.messages = (*asked.messages[:1], *called)
        assert names(asked) == after
    asked.messages = (*asked.messages, Message("assistant", calls=(ToolCall("2", "get_weather", "{}"),)), called[1])
    assert names(asked) == ["get_weather"]
    asked.messages = (*asked.messages, Message("user", "And the weather in Rome?"))
    assert names(asked) == ["get_weather"]


def test_a_word_that_tools_share_calls_only_one() -> None:
    assert names(ask("Search flights")) == ["searchFlights"]


def test_two_among_thousands_stand_alone() -> None:
    many = (*TOOLS, *(Tool(f"do_thing_{number}", "Does a thing for a city.", PLACE) for number in range(2000)))
    assert names(ask("what is the weather, and search hotel rooms", tools=many)) == ["get_weather", "search_hotels"]


def test_two_words_of_a_description_are_enough_to_stand_alone() -> None:
    assert names(ask("weather, and the share price please")) == ["get_weather", "quote"]


def test_at_most_four_tools_are_called_at_once() -> None:
    tools = tuple(Tool(name) for name in ("alpha", "beta", "gamma", "delta", "epsilon"))
    assert names(ask("epsilon delta gamma beta alpha", tools=tools)) == ["epsilon", "delta", "gamma", "beta"]


def test_without_parallel_calls_only_one_tool_is_called() -> None:
    assert len(names(ask("time and weather in Paris", ToolChoice(parallel=False)))) == 1


def test_no_tool_is_called_where_none_may_be() -> None:
    assert names(ask("weather", ToolChoice("none"))) == []
    assert names(ask("weather", tools=())) == []
    assert names(ask("weather", ToolChoice("required", ("missing",)))) == []


@pytest.mark.parametrize("mode", ["named", "required", "auto"])
def test_names_narrow_the_choice(mode: str) -> None:
    choice = ToolChoice(mode, ("search_hotels",))  # type: ignore[arg-type]
    assert names(ask("What's the weather in Paris?", choice)) == ["search_hotels"]


def test_a_named_choice_is_one_call() -> None:
    assert len(names(ask("time and weather", ToolChoice("named", ("get_time", "get_weather"))))) == 1


def test_arguments_fit_the_schema_and_use_the_users_words() -> None:
    made = call(WEATHER, ask("What's the weather in Paris?"), Dice(3))
    assert made.name == "get_weather"
    assert made.arguments == '{"city":"Paris"}'
    assert not made.custom
    for seed in range(20):
        Draft202012Validator(PLACE).validate(json.loads(call(WEATHER, ask("hi"), Dice(seed)).arguments))


def test_every_call_has_an_id_of_its_own() -> None:
    dice = Dice(3)
    ids = [call(WEATHER, ask("hi"), dice).id for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(one.startswith("call_") and len(one) == 29 for one in ids)


def test_a_tool_without_a_schema_gets_an_empty_object() -> None:
    assert call(Tool("ping"), ask("ping"), Dice(1)).arguments == "{}"


def test_a_custom_tool_gets_the_users_text_shortened() -> None:
    tool = Tool("shell", schema=None)
    assert call(tool, ask("list  the\nfiles"), Dice(1)).arguments == "list the files"
    made = call(tool, ask("word " * 100), Dice(1))
    assert made.custom
    assert len(made.arguments) <= 120
    assert call(tool, ask(""), Dice(1)).arguments == "input for shell"


def test_a_tool_that_no_arguments_fit_is_an_error() -> None:
    with pytest.raises(UnsatisfiableSchema):
        call(Tool("broken", schema={"$ref": "#/nowhere"}), ask("hi"), Dice(1))
