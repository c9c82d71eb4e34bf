"""A reply of Gemini, whole, as events and as an array: its candidates, its thoughts, its form, its cost."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from gemini_bodies import (
    ARRAY,
    MODEL,
    NEWEST,
    QUIET,
    SSE,
    body,
    chunks,
    data,
    functions,
    parts,
    said,
    tell,
    text,
    user,
    words,
)
from inprocess import Told, ask
from running import application, written_by
from transcript import assert_golden

from llmsim.conversation import Reply, Stop
from llmsim.server.handlers import Application


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


# -- the wire


async def test_a_reply_has_every_field_of_the_live_api(app: Application) -> None:
    told = await tell(app, body())
    reply = told.json
    assert re.fullmatch(r"[A-Za-z0-9_-]{23}", reply.pop("responseId"))
    assert reply == {
        "candidates": [
            {"content": {"parts": [{"text": "Hello there."}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 2,
            "candidatesTokenCount": 3,
            "totalTokenCount": 5,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 2}],
        },
        "modelVersion": MODEL,
    }
    assert dict(told.headers)[b"content-type"] == b"application/json; charset=UTF-8"


async def test_each_event_is_a_response_with_what_it_all_cost_so_far(app: Application) -> None:
    told = await tell(app, body(), SSE)
    assert dict(told.headers)[b"content-type"] == b"text/event-stream"
    found = chunks(told)
    assert [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in found] == ["Hello", " there", "."]
    assert [chunk["candidates"][0].get("finishReason") for chunk in found] == [None, None, "STOP"]
    assert [chunk["usageMetadata"]["candidatesTokenCount"] for chunk in found] == [1, 2, 3]
    assert [chunk["usageMetadata"]["totalTokenCount"] for chunk in found] == [3, 4, 5]
    assert len({chunk["responseId"] for chunk in found}) == 1
    assert {chunk["modelVersion"] for chunk in found} == {MODEL}


async def test_a_stream_without_alt_is_one_array_of_the_same(app: Application) -> None:
    array, events = [await tell(app, body(), method) for method in (ARRAY, SSE)]
    assert dict(array.headers)[b"content-type"] == b"application/json; charset=UTF-8"
    assert len(orjson.loads(array.body)) == len(chunks(events)) == 3
    assert [chunk["candidates"] for chunk in chunks(array)] == [chunk["candidates"] for chunk in chunks(events)]


async def test_a_whole_reply_is_not_made_a_stream_by_alt(app: Application) -> None:
    told = await tell(app, body(), "generateContent?alt=sse")
    assert words(told) == "Hello there."


@pytest.mark.parametrize("method", ["generateContent", SSE, ARRAY])
async def test_both_versions_answer_alike(app: Application, method: str) -> None:
    old, new = [await tell(app, body(), method, version=version) for version in ("v1beta", "v1")]
    assert re.sub(rb'"responseId":"[^"]+"', b"", old.body) == re.sub(rb'"responseId":"[^"]+"', b"", new.body)


@pytest.mark.parametrize("path", ["/gemini/v1/models/{}", "/gemini/v1beta/models/{}", "/v1/tunedModels/{}"])
async def test_it_is_mounted_in_other_places_too(app: Application, path: str) -> None:
    assert words(await ask(app, f"{path.format(MODEL)}:generateContent", body())) == "Hello there."


async def test_the_key_may_stand_in_the_query(app: Application) -> None:
    strict = application(generator="fixed:Hello", strict=True)
    told = await tell(strict, body(), "generateContent?key=AIza-test", x_goog_api_key="")
    assert told.status == 200


# -- either spelling


async def test_fields_come_in_either_spelling_also_in_one_body(app: Application) -> None:
    sent = {
        "contents": [user(text(), {"inline_data": {"mime_type": "image/png", "data": ""}})],
        "system_instruction": {"parts": [text("Be kind.")]},
        "generationConfig": {"max_output_tokens": "2", "topK": 2.0, "thinking_config": {"thinkingBudget": 0}},
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "block_none"}],
    }
    told = await tell(app, sent)
    assert told.json["candidates"][0]["finishReason"] == "MAX_TOKENS"


async def test_keys_inside_the_client_s_own_schemas_keep_their_spelling(app: Application) -> None:
    names = {"userName": {"type": "STRING"}, "user_name": {"type": "STRING"}, "max_items": {"type": "INTEGER"}}
    schema = {"type": "OBJECT", "properties": names, "required": list(names)}
    told = await tell(app, body(config={"responseMimeType": "application/json", "responseSchema": schema}))
    assert set(orjson.loads(words(told))) == set(names)
    declared = {"name": "f", "parameters": schema}
    (part,) = parts(await tell(app, body(**functions(declared))))
    assert set(part["functionCall"]["args"]) == set(names)


async def test_null_stands_for_nothing(app: Application) -> None:
    config = {"temperature": None, "stopSequences": None, **QUIET}
    assert words(await tell(app, {"contents": [user()], "generationConfig": config, "tools": None})) == "Hello there."


async def test_a_list_may_be_given_as_its_one_element(app: Application) -> None:
    assert words(await tell(app, {"contents": {"parts": text()}, "generationConfig": QUIET})) == "Hello there."


# -- why it ended


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_a_stop_sequence_ends_it_and_is_left_out(app: Application, method: str) -> None:
    told = await tell(app, body(config={"stopSequences": ["zzz", " the"]}), method)
    last = chunks(told)[-1] if method == SSE else told.json
    assert last["candidates"][0]["finishReason"] == "STOP"
    whole = [told.json] if method != SSE else chunks(told)
    said = [part["text"] for one in whole for part in one["candidates"][0]["content"]["parts"]]
    assert "".join(said) == "Hello"


async def test_thoughts_count_for_the_limit(app: Application) -> None:
    told = await tell(app, body(config={"maxOutputTokens": 5, "thinkingConfig": {"thinkingBudget": 100}}))
    (candidate,) = told.json["candidates"]
    assert candidate == {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    assert told.json["usageMetadata"]["thoughtsTokenCount"] == 5
    assert "candidatesTokenCount" not in told.json["usageMetadata"]


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_a_blocked_prompt_has_no_candidates(method: str) -> None:
    with written_by(lambda ask, dice: Reply((), stop=Stop.FILTER)) as own:
        told = await tell(application(generator=own), body(), method)
    (reply,) = chunks(told) if method == SSE else [told.json]
    assert "candidates" not in reply
    assert reply["promptFeedback"]["blockReason"] == "SAFETY"
    assert reply["usageMetadata"]["promptTokenCount"] == reply["usageMetadata"]["totalTokenCount"] == 2


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_a_blocked_candidate_keeps_what_was_said(method: str) -> None:
    with written_by(lambda ask, dice: Reply(("Well then",), stop=Stop.FILTER)) as own:
        told = await tell(application(generator=own), body(), method)
    replies = chunks(told) if method == SSE else [told.json]
    assert "".join(part["text"] for one in replies for part in one["candidates"][0]["content"]["parts"]) == "Well then"
    (last,) = replies[-1]["candidates"]
    assert last["finishReason"] == "SAFETY"
    assert any(rating.get("blocked") for rating in last["safetyRatings"])


# -- thoughts


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_thoughts_are_shown_only_to_who_asks_for_them(app: Application, method: str) -> None:
    for shown in (True, False):
        config = {"thinkingConfig": {"includeThoughts": shown, "thinkingBudget": 30}}
        told = await tell(app, body(config=config), method)
        replies = chunks(told) if method == SSE else [told.json]
        found = [part for one in replies for part in one["candidates"][0]["content"]["parts"]]
        assert any(part.get("thought") for part in found) is shown
        assert replies[-1]["usageMetadata"]["thoughtsTokenCount"] == 30
        assert replies[-1]["usageMetadata"]["totalTokenCount"] == 2 + 3 + 30


@pytest.mark.parametrize(("config", "spent"), [({"thinkingBudget": 0}, None), ({"thinkingBudget": 24}, 24)])
async def test_a_budget_is_kept(app: Application, config: dict[str, Any], spent: int | None) -> None:
    told = await tell(app, body(config={"thinkingConfig": config}))
    assert told.json["usageMetadata"].get("thoughtsTokenCount") == spent


async def test_higher_levels_think_longer(app: Application) -> None:
    spent = []
    for level in ("MINIMAL", "low", "MEDIUM", "HIGH"):
        sent = {"contents": [user()], "generationConfig": {"thinkingConfig": {"thinkingLevel": level}}}
        told = await tell(app, sent, model="gemini-3-flash-preview")
        spent.append(told.json["usageMetadata"]["thoughtsTokenCount"])
    assert spent == sorted(set(spent))


async def test_the_last_text_of_the_newest_models_is_signed(app: Application) -> None:
    sent = {"contents": [user()]}
    whole, streamed = [await tell(app, sent, method, NEWEST) for method in ("generateContent", SSE)]
    (part,) = parts(whole)
    assert part["thoughtSignature"]
    told = [chunk["candidates"][0]["content"]["parts"][0] for chunk in chunks(streamed)]
    assert ["thoughtSignature" in part for part in told] == [False, False, True]


# -- the form


PERSON = {
    "type": "OBJECT",
    "properties": {"name": {"type": "STRING"}, "age": {"type": "INTEGER", "minimum": 90, "maximum": 95}},
    "required": ["name", "age"],
    "propertyOrdering": ["age", "name"],
}


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_a_schema_is_kept_and_so_is_its_order(app: Application, method: str) -> None:
    told = await tell(app, body(config={"responseMimeType": "application/json", "responseSchema": PERSON}), method)
    replies = chunks(told) if method == SSE else [told.json]
    value = orjson.loads("".join(part["text"] for one in replies for part in one["candidates"][0]["content"]["parts"]))
    assert list(value) == ["age", "name"]
    assert 90 <= value["age"] <= 95


@pytest.mark.parametrize("field", ["responseJsonSchema", "_responseJsonSchema", "response_json_schema"])
async def test_a_json_schema_is_kept(app: Application, field: str) -> None:
    schema = {
        "type": "object",
        "properties": {"one": {"$ref": "#/$defs/one"}},
        "required": ["one"],
        "additionalProperties": False,
        "$defs": {"one": {"const": "only"}},
    }
    told = await tell(app, body(config={"responseMimeType": "application/json", field: schema}))
    assert orjson.loads(words(told)) == {"one": "only"}


@pytest.mark.parametrize(("kind", "quoted"), [("text/x.enum", False), ("application/json", True)])
@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_an_enum_is_bare_as_text_and_quoted_as_json(
    app: Application, method: str, kind: str, quoted: bool
) -> None:
    schema = {"type": "STRING", "enum": ["big pear"]}
    told = await tell(app, body(config={"responseMimeType": kind, "responseSchema": schema}), method)
    replies = chunks(told) if method == SSE else [told.json]
    found = "".join(part["text"] for one in replies for part in one["candidates"][0]["content"].get("parts", ()))
    assert found == ('"big pear"' if quoted else "big pear")


async def test_json_without_a_schema_is_json(app: Application) -> None:
    lorem = application(generator="lorem")
    orjson.loads(words(await tell(lorem, body(config={"responseMimeType": "application/json"}))))


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_candidates_are_as_many_as_asked_for(app: Application, method: str) -> None:
    told = await tell(app, body(config={"candidateCount": 3}), method)
    replies = chunks(told) if method == SSE else [told.json]
    said = dict.fromkeys(range(3), "")
    ends = []
    for one in (candidate for reply in replies for candidate in reply["candidates"]):
        said[one["index"]] += "".join(part["text"] for part in one["content"]["parts"])
        ends += [one["index"]] if "finishReason" in one else []
    assert set(said.values()) == {"Hello there."}
    assert sorted(ends) == [0, 1, 2]
    assert replies[-1]["usageMetadata"]["candidatesTokenCount"] == 9


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_log_probabilities_stand_beside_the_tokens(app: Application, method: str) -> None:
    told = await tell(app, body(config={"responseLogprobs": True, "logprobs": 2}), method)
    replies = chunks(told) if method == SSE else [told.json]
    results = [reply["candidates"][0]["logprobsResult"] for reply in replies]
    chosen = [one for result in results for one in result["chosenCandidates"]]
    assert [one["token"] for one in chosen] == ["Hello", " there", "."]
    assert all(one["logProbability"] <= 0 and one["tokenId"] >= 0 for one in chosen)
    assert all(len(top["candidates"]) == 2 for result in results for top in result["topCandidates"])
    assert all(reply["candidates"][0]["avgLogprobs"] <= 0 for reply in replies)


async def test_a_seed_gives_the_same_words_again() -> None:
    lorem = application(generator="lorem")
    first, again, other = [words(await tell(lorem, body(config={"seed": seed}))) for seed in (5, 5, 6)]
    assert first == again != other


# -- what it cost


async def test_the_instruction_the_functions_and_media_are_counted(app: Application) -> None:
    plain = (await tell(app, body())).json["usageMetadata"]["promptTokenCount"]
    for more in ({"systemInstruction": {"parts": [text("Be kind.")]}}, functions(mode="NONE")):
        assert (await tell(app, body(**more))).json["usageMetadata"]["promptTokenCount"] > plain + 2
    sent = body(user(text(), data(), data("audio/wav", ""), data("application/pdf", "")))
    usage = (await tell(app, sent)).json["usageMetadata"]
    modalities = {one["modality"]: one["tokenCount"] for one in usage["promptTokensDetails"]}
    assert modalities["TEXT"] == plain
    assert modalities["IMAGE"] >= 258
    assert sum(modalities.values()) == usage["promptTokenCount"]


async def test_a_count_is_what_the_prompt_will_cost(app: Application) -> None:
    request = body(user(text("How are you?"), data()), said(), user(text("And now?")), **functions())
    request["systemInstruction"] = {"parts": [text("Be kind.")]}
    spent = (await tell(app, request)).json["usageMetadata"]
    asked = {"generateContentRequest": {"model": f"models/{MODEL}", **request}}
    told = (await tell(app, asked, "countTokens")).json
    assert told == {"totalTokens": spent["promptTokenCount"], "promptTokensDetails": spent["promptTokensDetails"]}
    assert (await tell(app, {"contents": request["contents"]}, "countTokens")).json["totalTokens"] < told["totalTokens"]


# -- byte by byte

GOLDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "events": (SSE, body()),
    "array": (ARRAY, body()),
    "thoughts": (SSE, body(config={"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 4}})),
    "function_call": (SSE, body(user(text("The weather in Oslo?")), **functions())),
    "logprobs": (SSE, body(config={"responseLogprobs": True, "logprobs": 1, "maxOutputTokens": 2})),
    "two_candidates": (SSE, body(config={"candidateCount": 2, "maxOutputTokens": 2})),
    "whole": ("generateContent", body()),
    "refused": ("generateContent", {"contents": [user()], "colour": "red"}),
    "count": ("countTokens", {"contents": [user(text(), data())]}),
}


@pytest.fixture
def golden_app() -> Application:
    """A simulator of its own for each transcript: its exchange is number 1."""
    return application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)


def timeless(told: Told) -> Told:
    """The provider's answer with the time to its first token made alike."""
    provider = [(name, value) for name, value in told.headers if not name.startswith(b"x-llmsim-")]
    headers = [(name, re.sub(rb"dur=\d+", b"dur=MS", value)) for name, value in provider]
    return Told(told.status, headers, told.body)


@pytest.mark.parametrize("name", GOLDEN)
async def test_an_answer_is_as_reviewed(golden_app: Application, name: str) -> None:
    method, sent = GOLDEN[name]
    told = timeless(await tell(golden_app, sent, method))
    assert_golden(f"gemini_{name}", told.status, told.headers, told.body)


@pytest.mark.parametrize(("name", "method"), [("events", SSE), ("array", ARRAY)])
async def test_an_error_in_mid_stream_is_as_reviewed(golden_app: Application, name: str, method: str) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 2})
    told = timeless(await tell(golden_app, body(), method))
    assert_golden(f"gemini_error_in_mid_{name}", told.status, told.headers, told.body)


@pytest.mark.parametrize(("name", "method"), [("whole", "generateContent"), ("array", ARRAY)])
async def test_a_limit_is_as_reviewed(golden_app: Application, name: str, method: str) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 429, "retry_after": 17.5})
    told = timeless(await tell(golden_app, body(), method))
    assert_golden(f"gemini_rate_limit_{name}", told.status, told.headers, told.body)


@pytest.mark.parametrize("model", [MODEL, "gemini-9.9%25d"])
async def test_a_text_that_comes_again_is_told_as_it_was(model: str) -> None:
    app = application(generator='fixed:At 100 % of %d in Zürich: east, "so" \\ and on.', latency_profile="instant")
    for prompt in ("Hi", "Hi", "Hello to you all", "Hi", "Hello to you all"):
        path = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
        events = (await ask(app, path, body(user(text(prompt))))).events
        texts = [event["candidates"][0]["content"]["parts"][0]["text"] for event in events]
        assert "".join(texts) == 'At 100 % of %d in Zürich: east, "so" \\ and on.'
        assert {event["modelVersion"] for event in events} == {model.replace("%25", "%")}
        assert len({event["responseId"] for event in events}) == 1
        spent = [event["usageMetadata"] for event in events]
        assert [one["candidatesTokenCount"] for one in spent] == list(range(1, len(events) + 1))
        prompts = spent[0]["promptTokenCount"]
        assert [one["totalTokenCount"] - one["candidatesTokenCount"] for one in spent] == [prompts] * len(events)
        assert [one["candidates"][0].get("finishReason") for one in events] == [None] * (len(events) - 1) + ["STOP"]


async def test_a_whole_text_that_comes_again_is_signed_anew() -> None:
    app = application(generator="fixed:Hello there.")
    signed = [(await tell(app, {"contents": [user()]}, model=NEWEST)).json["candidates"][0] for _ in range(3)]
    assert len({one["content"]["parts"][0].get("thoughtSignature") for one in signed}) == 3
    assert {one["content"]["parts"][0]["text"] for one in signed} == {"Hello there."}
