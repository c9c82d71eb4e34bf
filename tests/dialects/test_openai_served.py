"""What a server of open models makes of fields that OpenAI's API does not have: lengths, usage, forms."""

from typing import Any

import pytest
from inprocess import Told, ask
from running import application

from llmsim.dialects._openai_served import MOST_TOKENS, is_openais
from llmsim.server.handlers import Application

QWEN = "Qwen/Qwen3-8B"
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


@pytest.fixture
def app() -> Application:
    return application(target_tokens=20)


async def chat(app: Application, **fields: Any) -> Told:
    body = {"model": QWEN, "messages": [{"role": "user", "content": "Hi"}], **fields}
    return await ask(app, CHAT, body)


def length(told: Told) -> tuple[int, str]:
    return told.json["usage"]["completion_tokens"], told.json["choices"][0]["finish_reason"]


@pytest.mark.parametrize("generator", ["lorem", "echo", "fixed:No.", "words"])
@pytest.mark.parametrize("limit", [1, 7, 20, 333])
async def test_ignoring_the_end_gives_exactly_the_limit(generator: str, limit: int) -> None:
    app = application(target_tokens=20, generator=generator)
    assert length(await chat(app, max_tokens=limit, ignore_eos=True)) == (limit, "length")
    told = await ask(app, COMPLETIONS, {"model": QWEN, "prompt": "Hi", "max_tokens": limit, "ignore_eos": True})
    assert length(told) == (limit, "length")


async def test_every_alternative_has_the_length(app: Application) -> None:
    told = await ask(
        app, COMPLETIONS, {"model": QWEN, "prompt": ["A", "B"], "n": 2, "max_tokens": 50, "ignore_eos": True}
    )
    assert length(told) == (200, "length")


async def test_without_it_a_reply_ends_by_itself(app: Application) -> None:
    assert length(await chat(app, max_tokens=333, ignore_eos=False)) == (20, "stop")
    assert length(await chat(app, ignore_eos=True)) == (20, "stop")


async def test_the_least_number_of_tokens_is_kept(app: Application) -> None:
    assert length(await chat(app, min_tokens=45)) == (45, "stop")
    assert length(await chat(app, min_tokens=45, max_tokens=45)) == (45, "stop")
    assert length(await chat(app, min_tokens=5)) == (20, "stop")


async def test_thoughts_count_towards_the_length(app: Application) -> None:
    told = await chat(app, model="deepseek-r1-distill", max_tokens=400, ignore_eos=True)
    assert length(told) == (400, "length")
    told = await chat(app, model="deepseek-r1-distill", chat_template_kwargs={"enable_thinking": False})
    assert told.json["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0


async def test_what_follows_a_tool_result_has_the_length_and_a_call_has_its_own(app: Application) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    called = await chat(app, tools=tools, max_tokens=300, ignore_eos=True)
    message = called.json["choices"][0]["message"]
    assert called.json["choices"][0]["finish_reason"] == "tool_calls"
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "none"}
    messages = [{"role": "user", "content": "Hi"}, message, result]
    assert length(await chat(app, messages=messages, tools=tools, max_tokens=60, ignore_eos=True)) == (60, "length")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"min_tokens": 9, "max_tokens": 8}, "min_tokens must be less than or equal to max_tokens=8, got 9."),
        ({"min_tokens": -1}, "min_tokens must be greater than or equal to 0, got -1."),
        ({"min_tokens": "9"}, "Invalid type for 'min_tokens': expected an integer, but got a string instead."),
        ({"ignore_eos": 1}, "Invalid type for 'ignore_eos': expected a boolean, but got an integer instead."),
        ({"guided_json": "{}"}, "Invalid type for 'guided_json': expected an object, but got a string instead."),
    ],
)
async def test_what_cannot_be_is_refused(app: Application, fields: dict[str, Any], said: str) -> None:
    told = await chat(app, **fields)
    assert (told.status, told.json["error"]["message"]) == (400, said)


async def test_nobody_can_make_a_reply_go_on_for_ever(app: Application) -> None:
    assert (await chat(app, min_tokens=MOST_TOKENS + 1)).status == 400
    assert (await chat(app, max_tokens=MOST_TOKENS // 2, ignore_eos=True, n=3)).status == 400


async def test_every_event_tells_the_usage_so_far(app: Application) -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    events = (await chat(app, stream=True, stream_options=options, max_tokens=4, ignore_eos=True)).events
    assert [event["usage"]["completion_tokens"] for event in events] == [0, 1, 2, 3, 4, 4, 4]
    assert {event["usage"]["prompt_tokens"] for event in events} == {8}
    body = {"model": QWEN, "prompt": "Hi", "max_tokens": 3, "ignore_eos": True, "stream": True}
    events = (await ask(app, COMPLETIONS, {**body, "stream_options": options})).events
    assert [event["usage"]["completion_tokens"] for event in events] == [1, 2, 3, 3, 3]


async def test_without_usage_at_all_no_event_tells_it(app: Application) -> None:
    events = (await chat(app, stream=True, stream_options={"continuous_usage_stats": True})).events
    assert not any("usage" in event for event in events)


@pytest.mark.parametrize("field", [{"guided_json": None}, {"structured_outputs": {"json": None}}])
async def test_a_reply_has_the_form_that_vllms_fields_ask_for(app: Application, field: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    told = {"guided_json": schema} if "guided_json" in field else {"structured_outputs": {"json": schema}}
    assert '{"age":' in (await chat(app, **told)).json["choices"][0]["message"]["content"]


async def test_token_ids_of_another_vocabulary_are_counted(app: Application) -> None:
    told = await ask(app, COMPLETIONS, {"model": QWEN, "prompt": [128_000, 9906, 262_143], "max_tokens": 1})
    assert told.json["usage"]["prompt_tokens"] == 3
    own = {"model": "gpt-3.5-turbo-instruct", "prompt": [262_143], "max_tokens": 1}
    assert (await ask(app, COMPLETIONS, own)).status == 400


@pytest.mark.parametrize(
    ("model", "openais"),
    [
        ("gpt-4o", True),
        ("ft:gpt-4o:acme::1", True),
        ("openai/gpt-4o", True),
        ("gpt-99-turbo", True),
        ("o9-mini", True),
        ("openai/gpt-oss-120b", False),
        ("meta-llama/Llama-3.3-70B-Instruct", False),
        ("claude-sonnet-4-5", False),
        ("deepseek-chat", False),
        ("mine", False),
    ],
)
def test_models_are_openais_by_the_catalogue_or_by_their_names(model: str, openais: bool) -> None:
    assert is_openais(model) is openais
