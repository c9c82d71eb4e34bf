"""Moderations are valid by OpenAI's document and its SDK's types; clear cases are flagged, other texts are not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import Told, ask
from junk import JUNK
from openai.types import ModerationCreateResponse
from openapi import assert_fits
from running import application

from llmsim.dialects._openai_moderations_request import read_moderation
from llmsim.dialects._openai_moderations_scores import CASES, CATEGORIES, PICTURED, scores
from llmsim.dialects.openai_moderations import OpenAIModerations
from llmsim.errors import Refused
from llmsim.server.handlers import Application

PATH = "/v1/moderations"

# The clear cases, each by a sentence, and what it is flagged for.
FLAGGED: dict[str, set[str]] = {
    "I want to kill them.": {"violence", "harassment", "harassment/threatening"},
    "We will hunt you down": {"violence", "harassment", "harassment/threatening"},
    "It ended in a massacre.": {"violence"},
    "The decapitated body lay there, entrails and all.": {"violence", "violence/graphic"},
    "Some days I want to end my life": {"self-harm", "self-harm/intent"},
    "I keep cutting myself": {"self-harm", "self-harm/intent"},
    "Tell me how to hurt yourself": {"self-harm", "self-harm/instructions"},
    "go kill yourself": {"self-harm", "harassment", "harassment/threatening"},
    "I am starving myself": {"self-harm"},
    "Write an erotic story": {"sexual"},
    "I hate all immigrants": {"hate", "harassment"},
    "Muslims are vermin": {"hate", "harassment"},
    "White supremacy now!": {"hate"},
    "You are such an idiot": {"harassment"},
    "You’re a complete moron": {"harassment"},
    "How do I launder money?": {"illicit"},
    "where can I buy cocaine": {"illicit"},
    "how to make a pipe bomb": {"illicit", "illicit/violent", "violence"},
}

HARMLESS = [
    "",
    "What a lovely day.",
    "How do I kill a process in Linux?",
    "I hate my job.",
    "The recipe says to beat the eggs and cut the butter.",
    "Our marketing will be the bomb, you'll see",
    "Das ist ein ganz gewöhnlicher Satz.",
    "今日は天気がいい 🎉",
    "Kill the lights, you go first",
    "sex education in schools",
]


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def moderated(app: Application, given: Any, **fields: Any) -> Told:
    return await ask(app, PATH, {"input": given, **fields})


def assert_moderation(answer: Told) -> list[dict[str, Any]]:
    """Judges an answer of a model of today by the document and by the SDK's types; gives its results."""
    assert answer.status == 200, answer.body
    assert_fits("CreateModerationResponse", answer.json)
    ModerationCreateResponse.model_validate_json(answer.body, strict=True)
    assert answer.json["id"].startswith("modr-")
    results: list[dict[str, Any]] = answer.json["results"]
    for result in results:
        assert set(result) == {"flagged", "categories", "category_scores", "category_applied_input_types"}
        for name in ("categories", "category_scores", "category_applied_input_types"):
            assert tuple(result[name]) == CATEGORIES
        assert result["flagged"] is any(result["categories"].values())
        for category, score in result["category_scores"].items():
            assert 0 < score <= 1
            assert result["categories"][category] is (score >= 0.5)
    return results


def found(result: dict[str, Any]) -> set[str]:
    return {category for category, is_so in result["categories"].items() if is_so}


# -- what is flagged


@pytest.mark.parametrize("text", FLAGGED)
async def test_a_clear_case_is_flagged_for_what_it_is(app: Application, text: str) -> None:
    (result,) = assert_moderation(await moderated(app, text))
    assert found(result) == FLAGGED[text]


@pytest.mark.parametrize("text", HARMLESS)
async def test_anything_else_has_low_scores(app: Application, text: str) -> None:
    (result,) = assert_moderation(await moderated(app, text))
    assert not result["flagged"]
    assert max(result["category_scores"].values()) < 0.02


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.pattern.pattern[:40])
def test_every_case_can_be_met(case: Any) -> None:
    """A word that a case looks for has to stand in its pattern, else the pattern is never tried."""
    for word in case.words:
        assert word[:3] in case.pattern.pattern, word


def test_the_same_text_has_the_same_scores() -> None:
    assert scores(["some words"]) == scores(["some words"]) != scores(["some other words"])


def test_a_long_text_is_flagged_for_one_sentence_in_it() -> None:
    text = "Nothing to see here. " * 5000 + "I want to kill you! " + "Nothing again. " * 5000
    assert scores([text])["violence"] > 0.5


# -- inputs


async def test_each_string_has_a_result(app: Application) -> None:
    results = assert_moderation(
        await moderated(app, ["What a lovely day", "I want to kill them.", "What a lovely day"])
    )
    assert [result["flagged"] for result in results] == [False, True, False]
    assert results[0] == results[2]


async def test_parts_have_one_result_together(app: Application) -> None:
    parts = [
        {"type": "text", "text": "Look at that"},
        {"type": "image_url", "image_url": {"url": "https://example.com/image.png"}},
        {"type": "text", "text": "I want to kill them."},
    ]
    (result,) = assert_moderation(await moderated(app, parts))
    assert "violence" in found(result)
    for category, kinds in result["category_applied_input_types"].items():
        assert kinds == (["text", "image"] if category in PICTURED else ["text"])


async def test_a_text_is_looked_at_for_every_category(app: Application) -> None:
    (result,) = assert_moderation(await moderated(app, "Hello"))
    assert set(map(tuple, result["category_applied_input_types"].values())) == {("text",)}


@pytest.mark.parametrize(
    ("url", "categories"),
    [
        ("https://example.com/a.png", set()),
        ("https://example.com/gore/1.png", {"violence", "violence/graphic"}),
        ("https://example.com/you-are-an-idiot.png", set()),
        ("data:image/png;base64,Z29yZQ==", set()),
    ],
)
async def test_a_picture_is_looked_at_for_what_pictures_can_show(
    app: Application, url: str, categories: set[str]
) -> None:
    (result,) = assert_moderation(await moderated(app, [{"type": "image_url", "image_url": {"url": url}}]))
    assert found(result) == categories
    for category, kinds in result["category_applied_input_types"].items():
        assert kinds == (["image"] if category in PICTURED else [])


# -- models


async def test_without_a_model_the_newest_one_answers(app: Application) -> None:
    answer = await moderated(app, "Hello")
    assert answer.json["model"] == "omni-moderation-latest"
    assert (await moderated(app, "Hello", model=None)).json["model"] == "omni-moderation-latest"


@pytest.mark.parametrize("model", ["omni-moderation-latest", "omni-moderation-2024-09-26", "my-moderator"])
async def test_a_model_answers_by_its_name(app: Application, model: str) -> None:
    answer = await moderated(app, "Hello", model=model)
    assert_moderation(answer)
    assert answer.json["model"] == model


@pytest.mark.parametrize("model", ["text-moderation-latest", "text-moderation-stable", "text-moderation-007"])
async def test_older_models_know_fewer_categories(app: Application, model: str) -> None:
    """As the document's own example of text-moderation-007 has it."""
    answer = await moderated(app, ["how to make a bomb", "Hello"], model=model)
    assert answer.json["model"] == "text-moderation-007"
    first, second = answer.json["results"]
    assert set(first) == {"flagged", "categories", "category_scores"}
    assert set(first["categories"]) == set(first["category_scores"]) == set(CATEGORIES) - {"illicit", "illicit/violent"}
    assert (found(first), second["flagged"]) == ({"violence"}, False)


# -- refusals: what is sent; then message, param and code

EMPTY = "empty array. Expected an array with minimum length 1, but got an empty array instead."
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def mistyped(param: str, expected: str, got: str) -> tuple[str, str, str]:
    return f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param, "invalid_type"


def missing(param: str) -> tuple[str, str, str]:
    return f"Missing required parameter: '{param}'.", param, "missing_required_parameter"


TEXTS = "one of a string or array of strings"
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({}, *missing("input")),
    ({"input": None}, *mistyped("input", TEXTS, "null")),
    ({"input": 5}, *mistyped("input", TEXTS, "an integer")),
    ({"input": {"type": "text", "text": "a"}}, *mistyped("input", TEXTS, "an object")),
    ({"input": []}, f"Invalid 'input': {EMPTY}", "input", "empty_array"),
    ({"input": ["a", 5]}, *mistyped("input[1]", "a string", "an integer")),
    ({"input": ["a", PICTURE]}, *mistyped("input[1]", "a string", "an object")),
    ({"input": [["a"]]}, *mistyped("input[0]", "a string", "an array")),
    (
        {"input": ["a"] * 2049},
        "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length "
        "2049 instead.",
        "input",
        "array_above_max_length",
    ),
    ({"input": [{"text": "a"}]}, *missing("input[0].type")),
    ({"input": [{"type": "text"}]}, *missing("input[0].text")),
    ({"input": [{"type": "text", "text": 5}]}, *mistyped("input[0].text", "a string", "an integer")),
    ({"input": [{"type": "image_url"}]}, *missing("input[0].image_url")),
    ({"input": [{"type": "image_url", "image_url": {}}]}, *missing("input[0].image_url.url")),
    (
        {"input": [{"type": "image_url", "image_url": "https://example.com/a.png"}]},
        *mistyped("input[0].image_url", "an object", "a string"),
    ),
    (
        {"input": [{"type": "input_text", "text": "a"}]},
        "Invalid value: 'input_text'. Supported values are: 'text' and 'image_url'.",
        "input[0].type",
        "invalid_value",
    ),
    (
        {"input": [{"type": "image_url", "image_url": {"url": "a.png"}}]},
        "Invalid 'input[0].image_url.url'. Expected a valid URL, but got a value with an invalid format.",
        "input[0].image_url.url",
        "invalid_value",
    ),
    ({"input": [PICTURE, PICTURE]}, "Number of images (2) exceeds maximum of 1", "input", "too_many_images"),
    (
        {"input": [PICTURE], "model": "text-moderation-latest"},
        *mistyped("input[0]", "a string", "an object"),
    ),
    (
        {"input": "a", "model": "gpt-4o"},
        "Invalid value for 'model' = gpt-4o. Please check the OpenAI API documentation and try again.",
        "model",
        None,
    ),
    ({"input": "a", "model": 5}, *mistyped("model", "a string", "an integer")),
    ({"input": "a", "bogus": 1}, "Unknown parameter: 'bogus'.", "bogus", "unknown_parameter"),
    (
        {"input": "word" + " word" * 33000},
        "This model's maximum context length is 32768 tokens, however you requested 33001 tokens (33001 in your "
        "prompt; 0 for the completion). Please reduce your prompt; or completion length.",
        None,
        None,
    ),
]


@pytest.mark.parametrize(("body", "message", "param", "code"), REFUSALS, ids=lambda value: str(value)[:50])
async def test_a_mistake_is_told_in_openais_words(
    app: Application, body: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    answer = await ask(app, PATH, body)
    assert_fits("ErrorResponse", answer.json)
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (answer.status, answer.json["error"]) == (400, error)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000], ids=str)
async def test_a_body_that_is_no_object_is_refused(app: Application, body: bytes) -> None:
    answer = await ask(app, PATH, body)
    assert (answer.status, answer.json["error"]["code"]) == (400, None)


@pytest.mark.parametrize("status", [429, 500])
async def test_a_fault_comes_in_place_of_the_answer(app: Application, status: int) -> None:
    app.simulator.arm({"kind": "refuse", "status": status})
    answer = await moderated(app, "a")
    app.simulator.lift()
    assert answer.status == status
    assert_fits("ErrorResponse", answer.json)


def test_an_answer_can_be_worded_after_its_exchange_has_ended(app: Application) -> None:
    exchange = app.simulator.begin(read_moderation(orjson.dumps({"input": "I want to kill them."})))
    encoder = OpenAIModerations().encoder(exchange)
    app.simulator.end(exchange, "done")
    told = orjson.loads(encoder.whole(exchange.plan.pieces))
    assert told["results"][0]["flagged"]


FIELDS = "input model x".split()


@given(name=st.sampled_from(FIELDS), junk=JUNK)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_field_it_is_read_or_refused(name: str, junk: Any) -> None:
    with suppress(Refused):
        read_moderation(orjson.dumps({"input": "a"} | {name: junk}))
