"""Functions that Gemini may or must call: which are called, how calls are worded, and what follows their results."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_bodies import (
    ARRAY,
    MODEL,
    NEWEST,
    SSE,
    TIME,
    WEATHER,
    body,
    call,
    chunks,
    functions,
    parts,
    result,
    said,
    tell,
    text,
    user,
    words,
)
from running import application, written_by

from llmsim.conversation import Reply, ToolCall
from llmsim.server.handlers import Application


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


ASKED = user(text("The weather in Oslo, please"))


def called(found: list[Any]) -> list[str]:
    return [part["functionCall"]["name"] for part in found if "functionCall" in part]


@pytest.mark.parametrize(
    ("mode", "names", "calls"),
    [
        ("AUTO", (), ["get_weather"]),
        ("MODE_UNSPECIFIED", (), ["get_weather"]),
        ("ANY", (), ["get_weather"]),
        ("ANY", ("get_time",), ["get_time"]),
        ("VALIDATED", ("get_time",), ["get_time"]),
        ("VALIDATED", (), ["get_weather"]),
        ("NONE", (), []),
        ("any", ("get_time",), ["get_time"]),
    ],
)
async def test_the_mode_says_what_is_called(app: Application, mode: str, names: Any, calls: list[str]) -> None:
    told = await tell(app, body(ASKED, **functions(WEATHER, TIME, mode=mode, names=names)))
    assert called(parts(told)) == calls
    assert told.json["candidates"][0]["finishReason"] == "STOP"
    if not calls:
        assert words(told) == "Hello there."


@pytest.mark.parametrize("method", ["generateContent", SSE, ARRAY])
async def test_a_call_is_one_part_with_all_of_its_arguments(app: Application, method: str) -> None:
    told = await tell(app, body(ASKED, **functions()), method)
    (reply,) = chunks(told) if method != "generateContent" else [told.json]
    (part,) = reply["candidates"][0]["content"]["parts"]
    assert part["functionCall"].pop("id")
    assert part == {"functionCall": {"name": "get_weather", "args": {"city": "Oslo"}}}
    assert reply["candidates"][0]["finishReason"] == "STOP"
    assert reply["usageMetadata"]["candidatesTokenCount"] > 0


async def test_calls_that_go_together_are_parts_of_one_content() -> None:
    calls = (ToolCall("call_1", "get_weather", '{"city":"Oslo"}'), ToolCall("call_2", "get_time", '{"zone":"CET"}'))
    with written_by(lambda ask, dice: Reply((), calls=calls)) as own:
        app = application(generator=own)
        whole, streamed = [await tell(app, body(), each) for each in ("generateContent", SSE)]
    assert called(parts(whole)) == ["get_weather", "get_time"]
    assert [called(chunk["candidates"][0]["content"]["parts"]) for chunk in chunks(streamed)][:2] == [
        ["get_weather"],
        ["get_time"],
    ]
    assert chunks(streamed)[-1]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("spelling", ["functionDeclarations", "function_declarations"])
@pytest.mark.parametrize("field", ["parametersJsonSchema", "parameters_json_schema", "parameters"])
async def test_functions_come_in_either_spelling(app: Application, spelling: str, field: str) -> None:
    """Also with types in small letters, as LiteLLM sends them."""
    schema = {"type": "object", "properties": {"cityName": {"type": "string"}}, "required": ["cityName"]}
    told = await tell(app, body(ASKED, tools=[{spelling: [{"name": "f", field: schema}]}]))
    (part,) = parts(told)
    assert set(part["functionCall"]["args"]) == {"cityName"}


@pytest.mark.parametrize("declared", [{"name": "stop"}, {"name": "stop", "parameters": None}])
async def test_a_function_without_parameters_is_called_with_none(app: Application, declared: Any) -> None:
    (part,) = parts(await tell(app, body(**functions(declared, mode="ANY"))))
    assert part["functionCall"]["args"] == {}


# -- what follows


async def test_a_result_is_answered_in_words(app: Application) -> None:
    told = await tell(app, body(ASKED, said(call(city="Oslo")), user(result()), **functions()))
    assert called(parts(told)) == []
    assert words(told).startswith('The get_weather tool returned: {"result":"rainy"}')


@pytest.mark.parametrize("role", ["user", "function", "tool"])
async def test_results_come_from_the_user_or_from_the_function(app: Application, role: str) -> None:
    answered = {"role": role, "parts": [result()]}
    assert words(await tell(app, body(ASKED, said(call(city="Oslo")), answered, **functions())))


async def test_results_may_come_one_content_each(app: Application) -> None:
    sent = body(ASKED, said(call(), call("get_time")), user(result()), user(result("get_time")))
    assert (await tell(app, {**sent, **functions(WEATHER, TIME)})).status == 200


async def test_keys_of_arguments_and_results_keep_their_spelling(app: Application) -> None:
    sent = body(ASKED, said(call(cityName="Oslo")), user(result(wind_speed=3, windSpeed=4)), **functions())
    assert '{"wind_speed":3,"windSpeed":4}' in words(await tell(app, sent))


# -- signatures


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_the_first_call_of_a_reply_is_signed(method: str) -> None:
    calls = (ToolCall("call_1", "get_weather", '{"city":"Oslo"}'), ToolCall("call_2", "get_weather", '{"city":"Rome"}'))
    with written_by(lambda ask, dice: Reply((), calls=calls)) as own:
        told = await tell(application(generator=own), {"contents": [ASKED]}, method, NEWEST)
    replies = chunks(told) if method == SSE else [told.json]
    found = [
        part for one in replies for part in one["candidates"][0]["content"].get("parts", ()) if "functionCall" in part
    ]
    assert ["thoughtSignature" in part for part in found] == [True, False]


async def test_a_reply_can_be_sent_back_as_it_came(app: Application) -> None:
    first = await tell(app, {"contents": [ASKED], **functions()}, model=NEWEST)
    content = first.json["candidates"][0]["content"]
    called = content["parts"][0]["functionCall"]
    answer = {"functionResponse": {"id": called["id"], "name": called["name"], "response": {"result": "rainy"}}}
    told = await tell(app, {"contents": [ASKED, content, user(answer)], **functions()}, model=NEWEST)
    assert "rainy" in words(told)


# -- calls that went wrong


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_arguments_that_are_no_object_are_a_malformed_call(method: str) -> None:
    with written_by(lambda ask, dice: Reply((), calls=(ToolCall("call_1", "get_weather", "[1]"),))) as own:
        told = await tell(application(generator=own), body(), method)
    reply = chunks(told)[-1] if method == SSE else told.json
    candidate = reply["candidates"][0]
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert candidate["finishMessage"] == "Malformed function call: get_weather([1])"


async def test_a_call_that_is_cut_is_not_shown(app: Application) -> None:
    told = await tell(app, body(ASKED, config={"maxOutputTokens": 2}, **functions()))
    (candidate,) = told.json["candidates"]
    assert (candidate["finishReason"], candidate["content"]) == ("MAX_TOKENS", {"role": "model"})


# -- the tools that Google runs itself


@pytest.mark.parametrize("tool", ["google_search", "codeExecution", "url_context", "googleMaps"])
async def test_google_s_own_tools_are_taken(app: Application, tool: str) -> None:
    assert words(await tell(app, body(tools=[{tool: {}}]), model=MODEL)) == "Hello there."


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_a_search_tells_where_the_words_come_from(app: Application, method: str) -> None:
    told = await tell(app, body(user(text("Who won?")), tools=[{"googleSearch": {}}]), method)
    replies = chunks(told) if method == SSE else [told.json]
    assert ["groundingMetadata" in reply["candidates"][0] for reply in replies][:-1] == [False] * (len(replies) - 1)
    found = replies[-1]["candidates"][0]["groundingMetadata"]
    assert found["webSearchQueries"] == ["Who won?"]
    (support,) = found["groundingSupports"]
    assert support["segment"] == {"endIndex": 12, "text": "Hello there."}
    assert support["groundingChunkIndices"] == list(range(len(found["groundingChunks"])))
    assert all(chunk["web"]["uri"].startswith("https://") for chunk in found["groundingChunks"])


async def test_pages_that_were_read_are_told(app: Application) -> None:
    sent = body(user(text("Compare https://example.com/a and https://example.com/b")), tools=[{"urlContext": {}}])
    found = (await tell(app, sent)).json["candidates"][0]["urlContextMetadata"]["urlMetadata"]
    assert [page["retrievedUrl"] for page in found] == ["https://example.com/a", "https://example.com/b"]
    assert {page["urlRetrievalStatus"] for page in found} == {"URL_RETRIEVAL_STATUS_SUCCESS"}


@pytest.mark.parametrize("method", ["generateContent", SSE])
@pytest.mark.parametrize("model", [MODEL, NEWEST])
async def test_code_comes_before_the_words_with_what_it_printed(app: Application, method: str, model: str) -> None:
    sent = {"contents": [user(text("Add them up"))], "tools": [{"codeExecution": {}}]}
    told = await tell(app, sent, method, model)
    replies = chunks(told) if method == SSE else [told.json]
    found = [part for reply in replies for part in reply["candidates"][0]["content"]["parts"]]
    assert found[0]["executableCode"]["language"] == "PYTHON"
    assert found[1]["codeExecutionResult"] == {"outcome": "OUTCOME_OK", "output": "55\n"}
    assert "".join(part["text"] for part in found[2:]) == "Hello there."
    again = {**sent, "contents": [*sent["contents"], {"role": "model", "parts": found}, user()]}
    assert (await tell(app, again, model=model)).status == 200


async def test_a_function_that_is_called_leaves_nothing_to_search_for(app: Application) -> None:
    told = await tell(app, body(ASKED, tools=[{"functionDeclarations": [WEATHER]}, {"googleSearch": {}}]))
    assert called(parts(told)) == ["get_weather"]
    assert "groundingMetadata" not in told.json["candidates"][0]
