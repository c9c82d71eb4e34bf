"""Fields that an API does not know: refused as the API refuses, or ignored, as the settings and the model have it."""

from typing import Any

import pytest
from inprocess import ask
from running import application

from llmsim.server.handlers import Application
from llmsim.server.lenient import MOST_FIELDS

LLAMA, GPT = "meta-llama/Llama-3.1-8B-Instruct", "gpt-4o"
HI = [{"role": "user", "content": "Hi"}]
CHAT: dict[str, Any] = {"model": LLAMA, "messages": HI}
BODIES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "chat": ("/v1/chat/completions", {"model": GPT, "messages": HI}, {}),
    "responses": ("/v1/responses", {"model": GPT, "input": "Hi"}, {}),
    "completions": ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"}, {}),
    "embeddings": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hi"}, {}),
    "anthropic": (
        "/v1/messages",
        {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": HI},
        {"anthropic_version": "2023-06-01"},
    ),
    "gemini": ("/v1beta/models/gemini-2.5-pro:generateContent", {"contents": [{"parts": [{"text": "Hi"}]}]}, {}),
    "azure": (
        "/openai/deployments/mine/chat/completions?api-version=2024-10-21",
        {"messages": HI},
        {},
    ),
    "vertex": (
        "/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4-5:rawPredict",
        {"anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "messages": HI},
        {},
    ),
}


@pytest.fixture
def app() -> Application:
    return application()


@pytest.mark.parametrize("api", BODIES)
async def test_every_api_refuses_what_it_does_not_know_unless_it_is_to_be_ignored(app: Application, api: str) -> None:
    path, body, headers = BODIES[api]
    odd = {**body, "top_q": 3, "nested": {"deep": [1]}}
    assert (await ask(app, path, odd, **headers)).status == 400
    app.simulator.change(unknown_fields="ignore")
    told, plain = await ask(app, path, odd, **headers), await ask(app, path, body, **headers)
    assert (told.status, plain.status) == (200, 200)


async def test_an_open_model_takes_unknown_fields_at_any_depth(app: Application) -> None:
    parts = [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]
    body = {**CHAT, "messages": [{"role": "user", "content": parts, "odd": 1}], "top_k": 3, "extra_body": {"a": 1}}
    assert (await ask(app, "/v1/chat/completions", body)).status == 200


async def test_openais_own_models_refuse_them_in_openais_words(app: Application) -> None:
    told = await ask(app, "/v1/chat/completions", {**CHAT, "model": GPT, "top_k": 3})
    assert told.json["error"]["message"] == "Unknown parameter: 'top_k'."


async def test_with_refuse_an_open_model_refuses_them_too(app: Application) -> None:
    app.simulator.change(unknown_fields="refuse")
    assert (await ask(app, "/v1/chat/completions", {**CHAT, "top_k": 3})).status == 400


async def test_a_model_that_the_server_is_said_to_serve_counts_as_open(app: Application) -> None:
    app.simulator.change(served_models=(GPT,))
    assert (await ask(app, "/v1/chat/completions", {**CHAT, "model": GPT, "top_k": 3})).status == 200


async def test_what_is_wrong_besides_is_told_and_not_what_is_unknown(app: Application) -> None:
    told = await ask(app, "/v1/chat/completions", {**CHAT, "top_k": 3, "temperature": "hot"})
    assert (told.status, told.json["error"]["param"]) == (400, "temperature")
    told = await ask(app, "/v1/chat/completions", {**CHAT, "top_k": 3, "stream_options": {"include_usage": True}})
    assert (told.status, told.json["error"]["param"]) == (400, "stream_options")


async def test_geminis_faults_besides_are_told_alone(app: Application) -> None:
    app.simulator.change(unknown_fields="ignore")
    path, body, _ = BODIES["gemini"]
    odd = {**body, "generationConfig": {"topQ": 1, "temperature": 1}, "top_q": 1}
    assert (await ask(app, path, odd)).status == 200
    told = await ask(app, path, {**odd, "generation_config": {"seed": "x"}})
    assert told.status == 400
    assert "top" not in told.json["error"]["message"]


async def test_a_reply_is_the_same_with_fields_that_are_ignored(app: Application) -> None:
    plain = await ask(app, "/v1/chat/completions", CHAT)
    app.simulator.reset("counts")
    odd = await ask(app, "/v1/chat/completions", {**CHAT, "top_k": 3, "repetition_penalty": 1.1})
    assert odd.json["choices"] == plain.json["choices"]


async def test_the_journal_reads_such_a_request_again(app: Application) -> None:
    await ask(app, "/v1/chat/completions", {**CHAT, "top_k": 3})
    (exchange,) = app.simulator.journal
    again = app.desk.reread(exchange)
    assert again is not None
    assert again.last_user_text == "Hi"


async def test_a_body_that_is_no_object_stays_refused(app: Application) -> None:
    assert (await ask(app, "/v1/chat/completions", b"[1]")).status == 400
    assert (await ask(app, "/v1/chat/completions", {**CHAT, "messages": "Hi", "top_k": 1})).status == 400


async def test_a_body_with_very_many_unknown_fields_stays_refused(app: Application) -> None:
    many = dict.fromkeys(map(str, range(MOST_FIELDS + 1)), 0)
    assert (await ask(app, "/v1/chat/completions", {**CHAT, **many})).status == 400
