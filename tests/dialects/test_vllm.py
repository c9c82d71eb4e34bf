"""vLLM's own paths: its version, tokens and text; and its list of models."""

from inprocess import ask
from running import application

from llmsim.dialects.vllm import VERSION

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"


async def test_a_text_has_as_many_tokens_as_its_prompt_is_counted_for() -> None:
    app = application()
    told = (await ask(app, "/tokenize", {"model": LLAMA, "prompt": "Hello there", "return_token_strs": True})).json
    assert (told["count"], told["token_strs"]) == (2, ["Hello", " there"])
    again = (await ask(app, "/detokenize", {"model": LLAMA, "tokens": told["tokens"]})).json
    assert again == {"prompt": "Hello there"}


async def test_messages_have_tokens_and_what_else_is_told_changes_nothing() -> None:
    messages = [{"role": "user", "content": "Hello there"}]
    told = (await ask(application(), "/tokenize", {"messages": messages, "add_generation_prompt": True})).json
    assert told["count"] == len(told["tokens"]) > 2
    assert told["token_strs"] is None


async def test_nothing_to_tokenize_is_refused() -> None:
    told = await ask(application(), "/tokenize", {"model": LLAMA})
    assert (told.status, told.json["error"]["param"]) == (400, "prompt")
    assert (await ask(application(), "/detokenize", {"tokens": "x"})).status == 400


async def test_foreign_tokens_stand_for_some_text() -> None:
    assert (await ask(application(), "/detokenize", {"tokens": [9906, 262_143]})).status == 200


async def test_the_server_tells_its_version_and_that_it_lives() -> None:
    app = application()
    assert (await ask(app, "/version", method="GET")).json == {"version": VERSION}
    assert (await ask(app, "/ping", method="GET")).status == 200


async def test_the_models_that_are_served_are_listed_as_vllm_lists_them() -> None:
    app = application(served_models=(LLAMA,))
    (model,) = (await ask(app, "/v1/models", method="GET")).json["data"]
    assert (model["id"], model["owned_by"]) == (LLAMA, "vllm")
    assert model["max_model_len"] > 0
    assert (await ask(app, f"/v1/models/{LLAMA}", method="GET")).json == model


async def test_a_model_that_is_served_is_known_where_unknown_ones_are_refused() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    app = application(served_models=(LLAMA,), strict=True)
    assert (await ask(app, "/v1/chat/completions", {**body, "model": LLAMA})).status == 200
    assert (await ask(app, "/v1/chat/completions", {**body, "model": "other"})).status == 404
