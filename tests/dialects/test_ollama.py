"""Ollama's API: lines of JSON, its defaults and its own words for what is wrong."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from inprocess import Told, ask
from running import application, written_by
from transcript import assert_golden

from llmsim.conversation import Reply, ToolCall
from llmsim.server.handlers import Application

HI = [{"role": "user", "content": "Hi"}]
WORDS = "fixed:one two"
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def app() -> Application:
    return application(generator=WORDS)


async def chat(app: Application, **fields: Any) -> Told:
    return await ask(app, "/api/chat", {"model": "llama3.2", "messages": HI, **fields})


def lines(told: Told) -> list[Any]:
    return [orjson.loads(line) for line in told.body.splitlines()]


async def test_a_chat_streams_unless_it_is_told_not_to(app: Application) -> None:
    told = await chat(app)
    assert dict(told.headers)[b"content-type"] == b"application/x-ndjson"
    *words, last = lines(told)
    assert [line["message"] for line in words] == [
        {"role": "assistant", "content": "one"},
        {"role": "assistant", "content": " two"},
    ]
    assert all(line["model"] == "llama3.2" and line["done"] is False for line in words)
    assert (last["message"], last["done"], last["done_reason"]) == ({"role": "assistant", "content": ""}, True, "stop")


async def test_a_whole_chat_is_one_object(app: Application) -> None:
    told = await chat(app, stream=False)
    assert told.json["message"] == {"role": "assistant", "content": "one two"}
    assert (told.json["done"], told.json["eval_count"]) == (True, 2)
    assert dict(told.headers)[b"content-type"] == b"application/json"


async def test_durations_add_up_and_are_never_nought(app: Application) -> None:
    told = (await chat(app, stream=False)).json
    parts = [told[f"{part}_duration"] for part in ("load", "prompt_eval", "eval")]
    assert min(parts) >= 1
    assert told["total_duration"] == sum(parts)


async def test_a_completion_has_its_text_in_response(app: Application) -> None:
    told = await ask(app, "/api/generate", {"model": "llama3.2", "prompt": "Hi", "stream": False})
    assert told.json["response"] == "one two"
    streamed = await ask(app, "/api/generate", {"model": "llama3.2", "prompt": "Hi"})
    assert [line["response"] for line in lines(streamed)] == ["one", " two", ""]


@pytest.mark.parametrize(
    ("path", "said"),
    [("/api/chat", {"message": {"role": "assistant", "content": ""}}), ("/api/generate", {"response": ""})],
)
async def test_asking_nothing_loads_the_model(app: Application, path: str, said: dict[str, Any]) -> None:
    told = (await ask(app, path, {"model": "llama3.2"})).json
    assert told.items() >= {**said, "done": True, "done_reason": "load"}.items()


@pytest.mark.parametrize("think", [True, "high"])
async def test_thinking_is_told_apart(app: Application, think: object) -> None:
    whole = (await chat(app, model="qwen3", think=think, stream=False)).json["message"]
    assert whole["content"] == "one two"
    assert whole["thinking"]
    streamed = [line["message"] for line in lines(await chat(app, model="qwen3", think=think))]
    assert "".join(message["content"] for message in streamed) == "one two"
    assert streamed[0]["thinking"]


async def test_without_thinking_there_is_none(app: Application) -> None:
    assert "thinking" not in (await chat(app, think=False, stream=False, model="deepseek-reasoner")).json["message"]


async def test_a_model_that_can_think_does_unless_it_is_told_not_to(app: Application) -> None:
    assert (await chat(app, stream=False, model="qwen3:8b")).json["message"]["thinking"]
    assert "thinking" not in (await chat(app, stream=False, model="qwen3:8b", think=False)).json["message"]
    assert "thinking" not in (await chat(app, stream=False, model="llama3.2", think=False)).json["message"]
    assert (await chat(app, stream=False, model="mine", think=True)).json["message"]["thinking"]


@pytest.mark.parametrize(("alive", "reason"), [(0, "unload"), ("0s", "unload"), ("5m", "load"), (-1, "load")])
async def test_a_model_is_let_go_at_once_where_that_is_asked(app: Application, alive: object, reason: str) -> None:
    for path in ("/api/chat", "/api/generate"):
        told = await ask(app, path, {"model": "llama3.2", "keep_alive": alive})
        assert told.json["done_reason"] == reason


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
async def test_log_probabilities_come_with_each_token(app: Application, path: str) -> None:
    sent = {"model": "llama3.2", "messages": HI, "prompt": "Hi", "logprobs": True, "top_logprobs": 2}
    whole = (await ask(app, path, {**sent, "stream": False})).json["logprobs"]
    streamed = [entry for line in lines(await ask(app, path, sent)) for entry in line.get("logprobs", ())]
    assert [entry["token"] for entry in whole] == [entry["token"] for entry in streamed] == ["one", " two"]
    assert all(len(entry["top_logprobs"]) == 2 and entry["logprob"] <= 0 for entry in whole)
    assert "logprobs" not in (await ask(app, path, {**sent, "logprobs": False, "stream": False})).json


async def test_calls_have_objects_as_arguments_and_come_in_one_line() -> None:
    calls = (ToolCall("call_1", "look", '{"at": "é"}'), ToolCall("call_2", "go", "{}"))
    with written_by(lambda ask, dice: Reply(calls=calls)) as own:
        app = application(generator=own)
        whole = (await chat(app, stream=False)).json
        streamed = lines(await chat(app))
    worded = [
        {"id": "call_1", "function": {"index": 0, "name": "look", "arguments": {"at": "é"}}},
        {"id": "call_2", "function": {"index": 1, "name": "go", "arguments": {}}},
    ]
    assert whole["message"]["tool_calls"] == worded
    assert [call for line in streamed for call in line["message"].get("tool_calls", ())] == worded
    assert whole["done_reason"] == "stop"


async def test_a_call_that_the_limit_cut_short_is_none() -> None:
    call = ToolCall("call_1", "look", '{"at": "a very long place with many words in its name"}')
    with written_by(lambda ask, dice: Reply(calls=(call,))) as own:
        told = (await chat(application(generator=own), stream=False, options={"num_predict": 4})).json
    assert not told["message"].get("tool_calls")
    assert told["done_reason"] == "length"


async def test_a_format_is_kept(app: Application) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    told = await chat(app, stream=False, format=schema)
    assert isinstance(orjson.loads(told.json["message"]["content"])["age"], int)
    told = await chat(app, stream=False, format="json")
    assert isinstance(orjson.loads(told.json["message"]["content"]), dict)


async def test_after_a_tools_result_come_words(app: Application) -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "look", "arguments": {}}}]}
    result = {"role": "tool", "content": "a cat", "tool_name": "look"}
    told = await chat(app, stream=False, tools=[LOOK], messages=[*HI, called, result])
    assert "a cat" in told.json["message"]["content"]


async def test_images_are_counted(app: Application) -> None:
    bare = (await chat(app, stream=False)).json["prompt_eval_count"]
    seen = (await chat(app, stream=False, messages=[{**HI[0], "images": ["iVBORw0KGgo="]}])).json["prompt_eval_count"]
    assert seen > bare


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "missing request body"),
        (b"{", "invalid JSON"),
        (b"[]", "cannot unmarshal array"),
        ({"messages": HI}, "model is required"),
        ({"model": "", "messages": HI}, "model is required"),
        ({"model": 5}, "cannot unmarshal number into Go struct field ChatRequest.model"),
        ({"model": "m", "messages": "Hi"}, "cannot unmarshal string into Go struct field ChatRequest.messages"),
        ({"model": "m", "messages": [{"role": "wizard", "content": ""}]}, "invalid messages.0.role 'wizard'"),
        ({"model": "m", "messages": [{"content": "Hi"}]}, "messages.0.role is required"),
        ({"model": "m", "messages": HI, "stream": "yes please"}, "ChatRequest.stream"),
        ({"model": "m", "messages": HI, "options": {"seed": "x"}}, 'option "seed" must be of type int'),
        ({"model": "m", "messages": HI, "tools": [{"type": "function"}]}, "tools.0.function is required"),
        ({"model": "m", "messages": HI, "think": "hard"}, 'invalid think value: "hard" (must be "high"'),
        (
            {"model": "m", "messages": HI, "stream": "yes"},
            "cannot unmarshal string into Go struct field ChatRequest.stream",
        ),
        ({"model": "m", "messages": [{"role": "user", "content": []}]}, "ChatRequest.messages.content of type string"),
        ({"model": "m", "messages": HI, "format": "xml"}, 'invalid format: "xml"; expected "json"'),
        ({"model": "m", "messages": HI, "keep_alive": "soon"}, 'time: invalid duration "soon"'),
        ({"model": "m", "messages": HI, "top_logprobs": 21}, "top_logprobs must be between 0 and 20"),
        ({"model": "m", "messages": [{**HI[0], "images": ["!!"]}]}, "illegal base64 data"),
        ({"model": "llama3.2", "messages": HI, "think": True}, '"llama3.2" does not support thinking'),
        ({"model": "gemma3", "messages": HI, "tools": [LOOK]}, '"gemma3" does not support tools'),
        ({"model": "nomic-embed-text", "messages": HI}, '"nomic-embed-text" does not support chat'),
    ],
)
async def test_what_is_wrong_is_told_in_one_sentence(app: Application, body: Any, words: str) -> None:
    told = await ask(app, "/api/chat", body)
    assert told.status == 400
    assert words in told.json["error"]


async def test_an_unknown_model_is_refused_under_strict() -> None:
    told = await chat(application(strict=True), model="nobody")
    assert (told.status, told.json) == (404, {"error": "model 'nobody' not found"})


async def test_an_unknown_path_is_told_in_plain_text(app: Application) -> None:
    told = await ask(app, "/api/nowhere")
    assert (told.status, told.body) == (404, b"404 page not found")
    told = await ask(app, "/api/chat", method="GET")
    assert (told.status, told.body) == (405, b"405 method not allowed")


# -- models, embeddings, commands


async def test_models_are_listed_and_described(app: Application) -> None:
    listed = (await ask(app, "/api/tags", method="GET")).json["models"]
    assert "llama3.2:latest" in {model["name"] for model in listed}
    told = (await ask(app, "/api/show", {"model": "qwen3"})).json
    assert told["capabilities"] == ["completion", "tools", "thinking"]
    assert (await ask(app, "/api/show", {"model": "anything"})).json["details"]["family"] == "llama"
    assert (await ask(app, "/api/show", {})).json == {"error": "model is required"}
    assert (await ask(app, "/api/version", method="GET")).json["version"]
    assert (await ask(app, "/api/ps", method="GET")).json["models"][0]["expires_at"]


async def test_embeddings_have_the_size_that_was_asked(app: Application) -> None:
    told = (await ask(app, "/api/embed", {"model": "nomic-embed-text", "input": ["a", "b"], "dimensions": 64})).json
    assert [len(vector) for vector in told["embeddings"]] == [64, 64]
    assert told["prompt_eval_count"] == 2
    one = (await ask(app, "/api/embeddings", {"model": "nomic-embed-text", "prompt": "a"})).json
    assert len(one["embedding"]) == 768


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "missing request body"),
        ({"input": "a"}, "model is required"),
        ({"model": "m", "input": 5}, "invalid input type"),
        ({"model": "m", "input": ["a", 5]}, "invalid input type"),
        ({"model": "", "input": "a"}, "model is required"),
        ({"model": "m", "input": "a", "dimensions": -1}, "invalid dimensions"),
        ({"model": "m", "input": "a", "dimensions": 10**9}, "invalid dimensions"),
        (b"[]", "the body must be an object"),
    ],
)
async def test_what_is_wrong_with_embeddings_is_told(app: Application, body: Any, words: str) -> None:
    told = await ask(app, "/api/embed", body)
    assert told.status == 400
    assert words in told.json["error"]


async def test_commands_answer_as_if_they_had_worked(app: Application) -> None:
    told = await ask(app, "/api/pull", {"model": "llama3.2"})
    assert lines(told)[-1] == {"status": "success"}
    assert (await ask(app, "/api/pull", {"model": "llama3.2", "stream": False})).json == {"status": "success"}
    assert (await ask(app, "/api/delete", {"model": "llama3.2"}, method="DELETE")).status == 200
    assert (await ask(app, "/api/pull", {})).status == 400
    assert (await ask(app, "/api/copy", {"source": "a"})).json == {"error": 'destination "" is invalid'}
    assert (await ask(app, "/api/delete", {}, method="DELETE")).json == {"error": 'name "" is invalid'}


@pytest.mark.parametrize("verb", ["pull", "push"])
async def test_a_command_that_carries_a_model_tells_how_far_it_is(app: Application, verb: str) -> None:
    layers = [line for line in lines(await ask(app, f"/api/{verb}", {"model": "llama3.2"})) if "digest" in line]
    assert [line["status"].partition(" ")[0] for line in layers] == [f"{verb}ing"] * 2
    assert layers[-1]["completed"] == layers[-1]["total"] > 10**9


async def test_embedding_nothing_gives_nothing(app: Application) -> None:
    assert (await ask(app, "/api/embed", {"model": "nomic-embed-text"})).json["embeddings"] == []


# -- the wire


@pytest.mark.parametrize(
    ("name", "fields"),
    [("text", {}), ("thinking", {"model": "qwen3", "think": "low", "options": {"num_predict": 4}}), ("error", {})],
)
async def test_a_stream_is_as_reviewed(name: str, fields: dict[str, Any]) -> None:
    app = application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)
    if name == "error":
        app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2})
    told = await chat(app, **fields)
    body = re.sub(rb'"created_at":"[^"]+"', b'"created_at":"DATE"', told.body)
    assert_golden(f"ollama_{name}", told.status, told.headers, body)
