"""Embeddings are valid by OpenAI's document and its SDK's types, of length 1, and within OpenAI's limits."""

from __future__ import annotations

import base64
import struct
from contextlib import suppress
from math import hypot
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import Told, ask
from junk import JUNK
from openai.types import CreateEmbeddingResponse
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim import tokens
from llmsim.dialects import _openai_embeddings_request as request
from llmsim.dialects.openai_embeddings import OpenAIEmbeddings
from llmsim.errors import Refused
from llmsim.server.handlers import Application
from llmsim.vectors import embed

PATH = "/v1/embeddings"
SMALL, LARGE, ADA = "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def embedded(app: Application, given: Any = "hello world", model: str = SMALL, **fields: Any) -> Told:
    return await ask(app, PATH, {"model": model, "input": given, **fields})


def assert_embeddings(answer: Told) -> list[list[float]]:
    """Judges an answer with floats by the document and by the SDK's types; gives its vectors."""
    assert answer.status == 200, answer.body[:500]
    assert_fits("CreateEmbeddingResponse", answer.json)
    told = CreateEmbeddingResponse.model_validate_json(answer.body, strict=True)
    assert_known_keys(told)
    assert [one.index for one in told.data] == list(range(len(told.data)))
    assert told.usage.prompt_tokens == told.usage.total_tokens
    for one in told.data:
        assert hypot(*one.embedding) == pytest.approx(1.0, abs=1e-5)
    return [one.embedding for one in told.data]


def decoded(text: str) -> list[float]:
    data = base64.b64decode(text, validate=True)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


# -- inputs


@pytest.mark.parametrize(
    "given",
    ["hello world", ["hello world"], [15339, 1917], [[15339, 1917]]],
    ids=["text", "texts", "tokens", "lists of tokens"],
)
async def test_a_text_has_one_vector_in_whatever_form_it_comes(app: Application, given: Any) -> None:
    answer = await embedded(app, given)
    assert assert_embeddings(answer) == [embed("hello world", 1536).tolist()]
    assert answer.json["usage"]["prompt_tokens"] == 2


async def test_several_texts_have_a_vector_each(app: Application) -> None:
    answer = await embedded(app, ["one", "two words", "one"])
    first, second, third = assert_embeddings(answer)
    assert first == third != second
    assert answer.json["usage"]["prompt_tokens"] == 1 + 2 + 1


async def test_several_lists_of_tokens_have_a_vector_each(app: Application) -> None:
    given = [[15339], [15339, 1917], [100257]]
    vectors = assert_embeddings(await embedded(app, given))
    assert vectors == [embed(text, 1536).tolist() for text in ("hello", "hello world", "<|endoftext|>")]


@pytest.mark.parametrize(
    ("model", "size"), [(SMALL, 1536), (LARGE, 3072), (ADA, 1536), ("my-embedder", 1536), (f"openai/{LARGE}", 3072)]
)
async def test_a_model_has_its_size(app: Application, model: str, size: int) -> None:
    answer = await embedded(app, model=model)
    assert len(assert_embeddings(answer)[0]) == size
    assert answer.json["model"] == model


# -- forms


async def test_base64_holds_the_very_same_numbers(app: Application) -> None:
    floats = assert_embeddings(await embedded(app, ["a", "b"], encoding_format="float"))
    answer = await embedded(app, ["a", "b"], encoding_format="base64")
    assert [decoded(one["embedding"]) for one in answer.json["data"]] == floats


async def test_numbers_are_floats_where_nothing_is_said(app: Application) -> None:
    bare, asked = [await embedded(app, **fields) for fields in ({}, {"encoding_format": "float"})]
    assert assert_embeddings(bare) == assert_embeddings(asked)


@pytest.mark.parametrize(("model", "size"), [(SMALL, 512), (LARGE, 256), (LARGE, 3072), (SMALL, 1)])
async def test_dimensions_shorten_a_vector(app: Application, model: str, size: int) -> None:
    (whole,), (short,) = [
        assert_embeddings(await embedded(app, model=model, **more)) for more in ({}, {"dimensions": size})
    ]
    length = hypot(*whole[:size])
    assert short == pytest.approx([number / length for number in whole[:size]], abs=1e-6)


@pytest.mark.parametrize("name", ["dimensions", "encoding_format", "user"])
async def test_null_stands_for_leaving_a_field_out(app: Application, name: str) -> None:
    assert len(assert_embeddings(await embedded(app, **{name: None}))[0]) == 1536


# -- limits


async def test_the_most_inputs_are_answered_quickly(app: Application) -> None:
    answer = await embedded(app, [f"row {index}" for index in range(2048)], encoding_format="base64")
    assert len(answer.json["data"]) == 2048


async def test_the_tokens_of_all_inputs_may_be_more_than_one_input_may_have(app: Application) -> None:
    answer = await embedded(app, ["word " * 5000] * 4)
    assert answer.status == 200
    assert answer.json["usage"]["prompt_tokens"] == 4 * 5001


async def test_an_input_of_the_most_tokens_is_taken(app: Application) -> None:
    text = "word" + " word" * 8191
    assert tokens.count_tokens(text, SMALL) == 8192
    assert (await embedded(app, text)).status == 200
    assert (await embedded(app, text + " word")).status == 400


async def test_too_many_tokens_together_are_refused_with_a_type_of_their_own(app: Application) -> None:
    answer = await embedded(app, ["word" + " word" * 7999] * 38)
    assert (answer.status, answer.json) == (
        400,
        {
            "error": {
                "message": "Requested 304000 tokens, max 300000 tokens per request",
                "type": "max_tokens_per_request",
                "param": None,
                "code": "max_tokens_per_request",
            }
        },
    )


# -- refusals: what is sent; then status, message, param and code

INPUT = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
NO_VECTORS = "You are not allowed to generate embeddings from this model"
REFUSALS: list[tuple[dict[str, Any], int, str, str | None, str | None]] = [
    ({"model": None}, 400, "you must provide a model parameter", None, None),
    ({"model": ""}, 400, "you must provide a model parameter", None, None),
    (
        {"model": 5},
        400,
        "Invalid type for 'model': expected a string, but got an integer instead.",
        "model",
        "invalid_type",
    ),
    ({"model": "gpt-4o"}, 403, NO_VECTORS, None, None),
    ({"model": "omni-moderation-latest"}, 403, NO_VECTORS, None, None),
    ({"input": ""}, 400, "Invalid 'input': input cannot be an empty string.", None, None),
    ({"input": ["a", ""]}, 400, "Invalid 'input[1]': input cannot be an empty string.", None, None),
    *(({"input": given}, 400, INPUT, None, None) for given in (None, 5, True, {}, [], [[]], ["a", 1], [1, "a"], [1.5])),
    ({"input": [[1], ["a"]]}, 400, INPUT, None, None),
    ({"input": [[1], []]}, 400, INPUT, None, None),
    (
        {"input": [100256]},
        400,
        "Invalid token in input: 100256. Minimum value is 0, maximum value is 100276 (inclusive).",
        None,
        None,
    ),
    ({"input": ["a"] * 2049}, 400, "Invalid 'input': array length must be 2048 or less.", None, None),
    ({"input": [[1]] * 2049}, 400, "Invalid 'input': array length must be 2048 or less.", None, None),
    ({"input": [1] * 8193}, 400, "Invalid 'input': maximum input length is 8192 tokens.", None, None),
    ({"input": [[1], [1] * 8193]}, 400, "Invalid 'input[1]': maximum input length is 8192 tokens.", None, None),
    ({"input": "a " * 9000}, 400, "Invalid 'input': maximum input length is 8192 tokens.", None, None),
    ({"dimensions": 5, "model": ADA}, 400, "This model does not support specifying dimensions.", None, None),
    ({"dimensions": 5, "model": "my-embedder"}, 400, "This model does not support specifying dimensions.", None, None),
    (
        {"dimensions": 1537},
        400,
        "Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.",
        None,
        None,
    ),
    (
        {"dimensions": 0},
        400,
        "Invalid 'dimensions': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        "dimensions",
        "integer_below_min_value",
    ),
    (
        {"dimensions": "512"},
        400,
        "Invalid type for 'dimensions': expected an integer, but got a string instead.",
        "dimensions",
        "invalid_type",
    ),
    (
        {"encoding_format": "float16"},
        400,
        "Invalid value: 'float16'. Supported values are: 'float' and 'base64'.",
        "encoding_format",
        "invalid_value",
    ),
    (
        {"user": 5},
        400,
        "Invalid type for 'user': expected a string, but got an integer instead.",
        "user",
        "invalid_type",
    ),
    ({"text": "a"}, 400, "Unknown parameter: 'text'.", "text", "unknown_parameter"),
]


@pytest.mark.parametrize(("fields", "status", "message", "param", "code"), REFUSALS, ids=lambda value: str(value)[:40])
async def test_a_mistake_is_told_in_openais_words(
    app: Application, fields: dict[str, Any], status: int, message: str, param: str | None, code: str | None
) -> None:
    answer = await ask(app, PATH, {"model": SMALL, "input": "a", **fields})
    assert_fits("ErrorResponse", answer.json)
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (answer.status, answer.json["error"]) == (status, error)


async def test_an_input_that_is_missing_is_told_so(app: Application) -> None:
    answer = await ask(app, PATH, {"model": SMALL})
    assert answer.json["error"]["message"] == "Missing required parameter: 'input'."
    assert answer.json["error"]["code"] == "missing_required_parameter"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000], ids=str)
async def test_a_body_that_is_no_object_is_refused(app: Application, body: bytes) -> None:
    answer = await ask(app, PATH, body)
    assert (answer.status, answer.json["error"]["code"]) == (400, None)


# -- as any other reply


async def test_embeddings_count_for_the_limits_and_in_the_journal(app: Application) -> None:
    app.simulator.change(tpm=10)
    told = [await embedded(app, "word " * 9), await embedded(app, "word " * 9)]
    app.simulator.change(tpm=None)
    app.simulator.limiter.clear()
    assert [one.status for one in told] == [200, 429]
    assert told[1].json["error"]["type"] == "tokens"
    exchange = list(app.simulator.journal)[-2]
    assert (exchange.ask.endpoint, exchange.plan.usage.prompt, exchange.plan.usage.completion) == (PATH, 10, 0)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_fault_comes_in_place_of_the_answer(app: Application, status: int) -> None:
    app.simulator.arm({"kind": "refuse", "status": status})
    answer = await embedded(app)
    app.simulator.lift()
    assert answer.status == status
    assert_fits("ErrorResponse", answer.json)


def test_numbers_are_little_endian_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = embed("a", 4)
    swapped = embed("a", 4)
    swapped.byteswap()
    told = request._base64(embed("a", 4))
    monkeypatch.setattr(request, "byteorder", "big")
    assert request._base64(swapped) == told
    assert decoded(told.decode()) == vector.tolist()


async def test_an_answer_has_no_more_than_it_says(app: Application) -> None:
    told = orjson.loads((await embedded(app)).body)
    assert set(told) == {"object", "data", "model", "usage"}
    assert set(told["data"][0]) == {"object", "index", "embedding"}


def test_an_answer_can_be_worded_after_its_exchange_has_ended(app: Application) -> None:
    exchange = app.simulator.begin(request.read_embeddings(orjson.dumps({"model": SMALL, "input": "a"})))
    encoder = OpenAIEmbeddings().encoder(exchange)
    app.simulator.end(exchange, "done")
    told = orjson.loads(encoder.whole(exchange.plan.pieces))
    assert len(told["data"]) == 1


FIELDS = "input dimensions encoding_format model user x".split()


@given(name=st.sampled_from(FIELDS), junk=JUNK)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_field_it_is_read_or_refused(name: str, junk: Any) -> None:
    with suppress(Refused):
        request.read_embeddings(orjson.dumps({"model": SMALL, "input": "a"} | {name: junk}))
