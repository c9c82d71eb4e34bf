"""Legacy completions are valid by OpenAI's document and its SDK's types, and do what their fields say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import Told, ask
from junk import JUNK
from openai.types import Completion
from openapi import assert_fits, assert_known_keys
from running import application, written_by
from transcript import assert_golden

from llmsim import tokens
from llmsim.conversation import Reply, Stop
from llmsim.dialects._openai_completions_request import read_completion
from llmsim.errors import Refused
from llmsim.server.handlers import Application
from llmsim.streams import whole

PATH = "/v1/completions"
MODEL = "gpt-3.5-turbo-instruct"
PROMPT = "Say this is a test"

ASKS: dict[str, Any] = {
    "text": {},
    "longer": {"max_tokens": 100},
    "no tokens": {"max_tokens": 0},
    "stop": {"stop": ["a", "e"], "max_tokens": 50},
    "several": {"n": 3},
    "prompts": {"prompt": ["one", "two"], "n": 2},
    "tokens": {"prompt": [15339, 1917]},
    "prompts of tokens": {"prompt": [[15339, 1917], [15339]]},
    "echo": {"echo": True},
    "logprobs": {"logprobs": 3},
    "bare logprobs": {"logprobs": 0, "n": 2},
    "suffix": {"suffix": " and that was it."},
    "no prompt": {"prompt": None},
    "everything else": {
        "frequency_penalty": -2,
        "presence_penalty": 2,
        "logit_bias": {"50256": -100},
        "seed": 3,
        "temperature": 0,
        "top_p": 1,
        "user": "u",
        "best_of": None,
    },
    "unknown model": {"model": "nobody/knows"},
    "base model": {"model": "davinci-002"},
}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="lorem")


@pytest.fixture
def echoing(app: Application) -> Iterator[Application]:
    app.simulator.change(generator="echo")
    yield app
    app.simulator.change(generator="lorem")


async def complete(app: Application, **fields: Any) -> Told:
    return await ask(app, PATH, {"model": MODEL, "prompt": PROMPT, **fields})


def assert_completion(answer: Told) -> Completion:
    """Judges a whole reply by the document and by the SDK's types without any leniency."""
    assert answer.status == 200, answer.body
    told = answer.json
    assert_fits("CreateCompletionResponse", told)
    reply = Completion.model_validate_json(answer.body, strict=True)
    assert_known_keys(reply)
    assert reply.id.startswith("cmpl-")
    assert [choice.index for choice in reply.choices] == list(range(len(reply.choices)))
    assert told["usage"]["total_tokens"] == told["usage"]["prompt_tokens"] + told["usage"]["completion_tokens"]
    for choice in told["choices"]:
        assert set(choice) == {"text", "index", "logprobs", "finish_reason"}
    return reply


def assert_stream(answer: Told, usage: bool = False) -> list[Any]:
    """Judges every event likewise; the document says that they have the shape of a whole reply."""
    assert answer.status == 200
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert b"event:" not in answer.body
    events = answer.events
    for told in events:
        assert ("usage" in told) is usage
        whole = {name: value for name, value in told.items() if value is not None}
        unfinished = [choice | {"finish_reason": choice["finish_reason"] or "stop"} for choice in told["choices"]]
        assert_fits("CreateCompletionResponse", whole | {"choices": unfinished})
        assert_known_keys(Completion.model_validate(whole | {"choices": unfinished}, strict=True))
        for choice in told["choices"]:
            assert set(choice) == {"text", "index", "logprobs", "finish_reason"}
    assert len({(told["id"], told["created"], told["model"], told["object"]) for told in events}) == 1
    return events


def joined(events: list[Any]) -> dict[int, str]:
    """The text of each choice."""
    texts: dict[int, str] = {}
    for choice in (choice for told in events for choice in told["choices"]):
        texts[choice["index"]] = texts.get(choice["index"], "") + choice["text"]
    return texts


# -- whole and streamed


@pytest.mark.parametrize("fields", ASKS.values(), ids=ASKS)
async def test_a_whole_reply_is_valid(app: Application, fields: Any) -> None:
    assert_completion(await complete(app, **fields))


@pytest.mark.parametrize("fields", ASKS.values(), ids=ASKS)
async def test_every_event_is_valid_and_each_choice_ends_once(app: Application, fields: Any) -> None:
    events = assert_stream(await complete(app, **fields, stream=True))
    choices = [choice for told in events for choice in told["choices"]]
    for index in {choice["index"] for choice in choices}:
        own = [choice["finish_reason"] for choice in choices if choice["index"] == index]
        assert own[-1] in ("stop", "length")
        assert own[:-1] == [None] * (len(own) - 1)


@pytest.mark.parametrize(
    "fields", [{"n": 3}, {"prompt": ["one", "two", "three"]}, {"echo": True}, {"stop": "t"}], ids=str
)
async def test_a_stream_joined_is_the_whole_reply(echoing: Application, fields: Any) -> None:
    whole = assert_completion(await complete(echoing, **fields))
    streamed = assert_stream(await complete(echoing, stream=True, **fields))
    assert joined(streamed) == {choice.index: choice.text for choice in whole.choices}


async def test_usage_comes_in_an_event_of_its_own(app: Application) -> None:
    *events, last = assert_stream(await complete(app, stream=True, stream_options={"include_usage": True}), usage=True)
    assert all(told["usage"] is None for told in events)
    assert (last["choices"], last["usage"]) == (
        [],
        {"prompt_tokens": 5, "completion_tokens": 16, "total_tokens": 21},
    )


# -- limits and stops


async def test_without_a_limit_a_reply_has_sixteen_tokens(app: Application) -> None:
    reply = assert_completion(await complete(app))
    assert reply.usage
    assert reply.usage.completion_tokens == tokens.count_tokens(reply.choices[0].text, MODEL) == 16
    assert reply.choices[0].finish_reason == "length"


async def test_a_reply_that_is_done_before_its_limit_stops(app: Application) -> None:
    assert assert_completion(await complete(app, max_tokens=100)).choices[0].finish_reason == "stop"


async def test_a_stop_sequence_is_not_part_of_the_text(echoing: Application) -> None:
    reply = assert_completion(await complete(echoing, prompt="one two three", stop=" two"))
    assert (reply.choices[0].text, reply.choices[0].finish_reason) == ("one", "stop")


async def test_prompt_and_limit_have_to_fit_the_model(app: Application) -> None:
    answer = await complete(app, prompt="word " * 100, max_tokens=4000)
    assert (answer.status, answer.json["error"]) == (
        400,
        {
            "message": "This model's maximum context length is 4096 tokens, however you requested 4101 tokens (101 in "
            "your prompt; 4000 for the completion). Please reduce your prompt; or completion length.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        },
    )


async def test_each_prompt_has_the_window_for_itself(app: Application) -> None:
    reply = assert_completion(await complete(app, prompt=["word " * 1500] * 5))
    assert reply.usage
    assert reply.usage.prompt_tokens == 5 * 1501


# -- several prompts


async def test_choices_run_through_the_prompts(echoing: Application) -> None:
    reply = assert_completion(await complete(echoing, prompt=["one", "two", "three"], n=2))
    assert [choice.text for choice in reply.choices] == ["one", "one", "two", "two", "three", "three"]


async def test_streamed_choices_run_through_the_prompts_too(echoing: Application) -> None:
    events = assert_stream(await complete(echoing, prompt=["one", "two"], n=2, stream=True))
    assert joined(events) == {0: "one", 1: "one", 2: "two", 3: "two"}


@pytest.mark.parametrize("prompt", [[15339, 1917], [[15339, 1917]], ["hello world"], "hello world"], ids=str)
async def test_tokens_are_a_prompt_as_good_as_their_text(echoing: Application, prompt: Any) -> None:
    reply = assert_completion(await complete(echoing, prompt=prompt))
    assert reply.usage
    assert (reply.choices[0].text, reply.usage.prompt_tokens) == ("hello world", 2)


async def test_prompt_tokens_are_of_all_prompts_once(app: Application) -> None:
    reply = assert_completion(await complete(app, prompt=["hello world", "hello"], n=3, max_tokens=2))
    assert reply.usage
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (3, 12)


async def test_the_best_of_several_are_told_and_all_are_counted(app: Application) -> None:
    reply = assert_completion(await complete(app, prompt=["one", "two"], n=2, best_of=5, max_tokens=3))
    assert len(reply.choices) == 4
    assert reply.usage
    assert reply.usage.completion_tokens == 2 * 5 * 3


async def test_two_thousand_prompts_are_answered(app: Application) -> None:
    reply = assert_completion(await complete(app, prompt=["a"] * 2048, max_tokens=1))
    assert len(reply.choices) == 2048


# -- echo and logprobs


@pytest.mark.parametrize("stream", [False, True])
async def test_an_echo_puts_the_prompt_before_the_text(echoing: Application, stream: bool) -> None:
    answer = await complete(echoing, prompt=["one, ", "two, "], echo=True, stream=stream)
    texts = joined(assert_stream(answer)) if stream else {c.index: c.text for c in assert_completion(answer).choices}
    assert texts == {0: "one, one, ", 1: "two, two, "}


async def test_an_echo_without_tokens_scores_the_prompt(app: Application) -> None:
    """What evaluation harnesses ask for: the log probabilities of a text that is given."""
    answer = await complete(app, prompt="The sky is blue", echo=True, max_tokens=0, logprobs=1)
    (choice,) = answer.json["choices"]
    logprobs = choice["logprobs"]
    assert (choice["text"], choice["finish_reason"]) == ("The sky is blue", "length")
    assert logprobs["tokens"] == ["The", " sky", " is", " blue"]
    assert logprobs["text_offset"] == [0, 3, 7, 10]
    assert logprobs["token_logprobs"][0] is logprobs["top_logprobs"][0] is None
    assert all(number < 0 for number in logprobs["token_logprobs"][1:])
    assert answer.json["usage"] == {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}
    assert Completion.model_construct(**answer.json).choices


@pytest.mark.parametrize("top", range(6))
async def test_logprobs_list_each_token_and_its_place(app: Application, top: int) -> None:
    reply = assert_completion(await complete(app, logprobs=top))
    (choice,) = reply.choices
    assert choice.logprobs
    told, numbers, tops = (
        choice.logprobs.tokens or [],
        choice.logprobs.token_logprobs or [],
        choice.logprobs.top_logprobs,
    )
    assert "".join(told) == choice.text
    assert len(told) == len(numbers) == len(tops or []) == 16
    offsets = [len(PROMPT) + len("".join(told[:at])) for at in range(16)]
    assert choice.logprobs.text_offset == offsets
    for token, number, others in zip(told, numbers, tops or [], strict=True):
        assert others[token] == number == max(others.values())
        assert 1 <= len(others) <= max(top, 1)
        assert sum(math.exp(one) for one in others.values()) < 1.001


async def test_streamed_logprobs_join_to_the_whole_ones(echoing: Application) -> None:
    fields: Any = {"logprobs": 2, "n": 2, "prompt": ["é 👩‍🚀 漢", "b"], "echo": True}
    events = joined_logprobs(await complete(echoing, stream=True, **fields))
    for choice in (await complete(echoing, **fields)).json["choices"]:
        own, whole = events[choice["index"]], choice["logprobs"]
        assert set(own) == set(whole)
        assert (own["tokens"], own["text_offset"]) == (whole["tokens"], whole["text_offset"])


def joined_logprobs(answer: Told) -> dict[int, dict[str, list[Any]]]:
    """The lists of each choice, joined; offsets never go back."""
    found: dict[int, dict[str, list[Any]]] = {}
    for choice in (choice for told in answer.events for choice in told["choices"] if choice["logprobs"]):
        own = found.setdefault(choice["index"], {})
        for name, values in choice["logprobs"].items():
            own.setdefault(name, []).extend(values)
    for own in found.values():
        assert own["text_offset"] == sorted(own["text_offset"])
        assert own["token_logprobs"].count(None) == 1
    return found


# -- odd replies


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reply", "text", "finish"),
    [
        (Reply(("I cannot ", "help."), refusal=True), "I cannot help.", "stop"),
        (Reply(("Well, ",), stop=Stop.FILTER), "Well, ", "content_filter"),
        (Reply(()), "", "stop"),
        (Reply(("Hm.",), thought=("Let me think.",)), "Hm.", "stop"),
    ],
    ids=["refusal", "filtered", "nothing", "thought"],
)
async def test_whatever_is_replied_is_text(
    app: Application, reply: Reply, text: str, finish: str, stream: bool
) -> None:
    with written_by(lambda ask, dice: reply) as own:
        app.simulator.change(generator=own)
        answer = await complete(app, stream=stream)
        app.simulator.change(generator="lorem")
    choices = [c for told in (answer.events if stream else [answer.json]) for c in told["choices"]]
    assert "".join(choice["text"] for choice in choices) == text
    assert choices[-1]["finish_reason"] == finish


async def test_the_same_seed_gives_the_same_text(app: Application) -> None:
    one, two, other = [(await complete(app, seed=seed)).json["choices"][0]["text"] for seed in (1, 1, 2)]
    assert one == two != other


# -- the wire, byte by byte


@pytest.fixture
def golden_app() -> Application:
    """A simulator of its own for each transcript: its exchange is number 1."""
    return application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)


GOLDEN: dict[str, Any] = {
    "text_with_usage": {"stream_options": {"include_usage": True}},
    "two_prompts": {"prompt": ["one", "two"], "max_tokens": 2},
    "echo_and_logprobs": {"echo": True, "logprobs": 2, "max_tokens": 3},
}


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_stream_is_as_reviewed(golden_app: Application, name: str) -> None:
    answer = await complete(golden_app, stream=True, **GOLDEN[name])
    assert_golden(f"openai_completions_{name}", answer.status, answer.headers, answer.body)


async def test_an_error_in_mid_stream_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2})
    answer = await complete(golden_app, stream=True)
    assert_golden("openai_completions_error_in_mid_stream", answer.status, answer.headers, answer.body)


async def test_a_whole_reply_is_as_reviewed(golden_app: Application) -> None:
    answer = await complete(golden_app)
    assert_golden("openai_completions_whole", answer.status, answer.headers, answer.body)


# -- refusals: what is sent; then status, message, param and code


def outside(param: str, fault: str, expected: str, got: str) -> tuple[int, str, str, str]:
    sort, side, word = fault.split()
    message = f"Invalid '{param}': {fault} value. Expected a value {expected}, but got {got} instead."
    return 400, message, param, f"{sort}_{side}_{word[:3]}_value"


def mistyped(param: str, expected: str, got: str) -> tuple[int, str, str, str]:
    message = f"Invalid type for '{param}': expected {expected}, but got {got} instead."
    return 400, message, param, "invalid_type"


EMPTY = "empty array. Expected an array with minimum length 1, but got an empty array instead."
PROMPTS = "one of a string or array of strings or array of integers or array of arrays"
CHAT = "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?"
REFUSALS: list[tuple[dict[str, Any], int, str, str | None, str | None]] = [
    ({"model": None}, 400, "you must provide a model parameter", None, None),
    ({"model": 5}, *mistyped("model", "a string", "an integer")),
    ({"model": "gpt-4o"}, 404, CHAT, "model", None),
    ({"model": "ft:gpt-4o-mini-2024-07-18:acme::id"}, 404, CHAT, "model", None),
    ({"model": "text-embedding-3-small"}, 403, "You are not allowed to sample from this model", None, None),
    ({"bogus": 1}, 400, "Unknown parameter: 'bogus'.", "bogus", "unknown_parameter"),
    ({"messages": []}, 400, "Unknown parameter: 'messages'.", "messages", "unknown_parameter"),
    ({"prompt": 5}, *mistyped("prompt", PROMPTS, "an integer")),
    ({"prompt": {"text": "a"}}, *mistyped("prompt", PROMPTS, "an object")),
    ({"prompt": ["a", 1]}, *mistyped("prompt[1]", "a string", "an integer")),
    ({"prompt": []}, 400, f"Invalid 'prompt': {EMPTY}", "prompt", "empty_array"),
    ({"prompt": [[]]}, 400, f"Invalid 'prompt[0]': {EMPTY}", "prompt[0]", "empty_array"),
    (
        {"prompt": [100500]},
        400,
        "Invalid token in prompt: 100500. Minimum value is 0, maximum value is 100276 (inclusive).",
        None,
        None,
    ),
    ({"max_tokens": -1}, *outside("max_tokens", "integer below minimum", ">= 0", "-1")),
    ({"max_tokens": "5"}, *mistyped("max_tokens", "an integer", "a string")),
    ({"n": 0}, *outside("n", "integer below minimum", ">= 1", "0")),
    ({"n": 129}, *outside("n", "integer above maximum", "<= 128", "129")),
    ({"best_of": 21}, *outside("best_of", "integer above maximum", "<= 20", "21")),
    (
        {"n": 3, "best_of": 2},
        400,
        "You requested that the server return more choices than it will generate (HINT: you must set 'n' (currently 3) "
        "to be at most 'best_of' (currently 2), or omit either parameter if you don't specifically want to use them.)",
        "best_of",
        None,
    ),
    (
        {"best_of": 2, "stream": True},
        400,
        "Results cannot be streamed when 'best_of' is greater than 'n'.",
        "best_of",
        None,
    ),
    (
        {"prompt": ["a"] * 1025, "n": 2},
        400,
        "Invalid 'n': 1025 prompts with 2 completions each are more than the maximum of 2048 completions in one "
        "request.",
        "n",
        None,
    ),
    ({"logprobs": 6}, *outside("logprobs", "integer above maximum", "<= 5", "6")),
    ({"logprobs": True}, *mistyped("logprobs", "an integer", "a boolean")),
    ({"temperature": 2.5}, *outside("temperature", "decimal above maximum", "<= 2", "2.5")),
    ({"top_p": -0.1}, *outside("top_p", "decimal below minimum", ">= 0", "-0.1")),
    ({"frequency_penalty": 3}, *outside("frequency_penalty", "decimal above maximum", "<= 2", "3")),
    ({"presence_penalty": "0"}, *mistyped("presence_penalty", "a decimal", "a string")),
    ({"logit_bias": []}, *mistyped("logit_bias", "an object", "an array")),
    (
        {"logit_bias": {"-5": 1}},
        400,
        "Invalid key in 'logit_bias': -5. You should only be submitting non-negative integers.",
        "logit_bias",
        None,
    ),
    ({"echo": "yes"}, *mistyped("echo", "a boolean", "a string")),
    ({"stream": 1}, *mistyped("stream", "a boolean", "an integer")),
    (
        {"stop": list("abcde")},
        400,
        "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 "
        "instead.",
        "stop",
        "array_above_max_length",
    ),
    (
        {"stream_options": {"include_usage": True}},
        400,
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "stream_options",
        None,
    ),
    ({"suffix": "x", "model": "davinci-002"}, 400, "Unrecognized request argument supplied: suffix", None, None),
    ({"suffix": 5}, *mistyped("suffix", "a string", "an integer")),
    ({"user": 5}, *mistyped("user", "a string", "an integer")),
]


@pytest.mark.parametrize(("fields", "status", "message", "param", "code"), REFUSALS, ids=lambda value: str(value)[:40])
async def test_a_mistake_is_told_in_openais_words(
    app: Application, fields: dict[str, Any], status: int, message: str, param: str | None, code: str | None
) -> None:
    answer = await complete(app, **fields)
    assert_fits("ErrorResponse", answer.json)
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (answer.status, answer.json["error"]) == (status, error)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000], ids=str)
async def test_a_body_that_is_no_object_is_refused(app: Application, body: bytes) -> None:
    answer = await ask(app, PATH, body)
    assert (answer.status, answer.json["error"]["code"]) == (400, None)
    assert "could not parse the JSON body" in answer.json["error"]["message"]


async def test_a_wrong_method_is_told_the_right_one(app: Application) -> None:
    answer = await ask(app, PATH, b"", "GET")
    assert (answer.status, dict(answer.headers)[b"allow"]) == (405, b"POST")


async def test_an_unknown_model_is_refused_where_the_settings_are_strict(app: Application) -> None:
    app.simulator.change(strict=True)
    answer = await complete(app, model="nobody/knows")
    app.simulator.change(strict=False)
    assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")


async def test_text_of_any_kind_comes_back(echoing: Application) -> None:
    text = '\x07 "quote" \\ \n\t é漢字 👩🏽‍🚀\u2028'
    told = orjson.loads((await complete(echoing, prompt=text, max_tokens=100)).body)
    assert told["choices"][0]["text"] == text


async def test_it_is_answered_without_a_server_too() -> None:
    told = orjson.loads(
        await whole(
            {"model": MODEL, "prompt": "a", "echo": True},
            dialect="openai_completions",
            simulator=application().simulator,
        )
    )
    assert told["choices"][0]["text"].startswith("a")


FIELDS = "prompt n best_of stop suffix logprobs max_tokens stream stream_options model logit_bias echo".split()


@given(name=st.sampled_from(FIELDS), junk=JUNK)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_field_it_is_read_or_refused(name: str, junk: Any) -> None:
    with suppress(Refused):
        read_completion(orjson.dumps({"model": MODEL, "prompt": "a"} | {name: junk}))
