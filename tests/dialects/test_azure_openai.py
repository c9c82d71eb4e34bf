"""Azure OpenAI serves what OpenAI's dialects serve, on its own paths, with its own headers, errors and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from forms import file, send
from inprocess import Told, ask
from running import application, until, written_by
from transcript import assert_golden

from llmsim.conversation import Reply, Stop
from llmsim.dialects import Request, kinds
from llmsim.dialects import _openai_batch_run as batch_run
from llmsim.dialects._azure_paths import _model
from llmsim.dialects.azure_openai import AzureOpenAI
from llmsim.errors import Failure
from llmsim.server.handlers import Application

DATED = "api-version=2024-10-21"
CHAT = "chat/completions"
USER: Any = {"role": "user", "content": "Hello"}
HEADERS = {
    b"apim-request-id",
    b"x-request-id",
    b"x-ms-client-request-id",
    b"x-ms-region",
    b"azureml-model-session",
    b"x-ratelimit-limit-requests",
    b"x-ratelimit-remaining-requests",
    b"x-ratelimit-limit-tokens",
    b"x-ratelimit-remaining-tokens",
}
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:one two")


@pytest.fixture(autouse=True)
def as_it_was(app: Application) -> Iterator[None]:
    yield
    app.simulator.change(generator="fixed:one two", faults=(), strict=False, rpm=None, tpm=None)
    app.simulator.limiter.clear()


async def deployed(
    app: Application, operation: str = CHAT, deployment: str = "gpt-4o", query: str = DATED, **more: Any
) -> Told:
    body = {"messages": [USER], **more} if operation == CHAT else more
    return await ask(app, f"/openai/deployments/{deployment}/{operation}?{query}", body)


def header(told: Told, name: bytes) -> bytes:
    return dict(told.headers)[name]


# -- paths


def test_every_route_of_openai_is_served() -> None:
    served = {(route.method, route.path) for route in AzureOpenAI().routes()}
    for dialect in kinds().values():
        for route in dialect().routes() if dialect.provider == "openai" else ():
            rest = route.path.removeprefix("/v1/")
            places = {f"/openai/{rest}", f"/openai/deployments/{{deployment}}/{rest}"}
            assert len(places & {path for method, path in served if method == route.method}) == 1, route.path


@pytest.mark.parametrize("root", ["", "/azure"])
async def test_the_deployment_in_the_path_is_the_model(app: Application, root: str) -> None:
    told = await ask(app, f"{root}/openai/deployments/gpt-4o-mini/{CHAT}?{DATED}", {"messages": [USER]})
    assert told.json["model"] == "gpt-4o-mini"
    assert told.json["choices"][0]["message"]["content"] == "one two"


@pytest.mark.parametrize(
    ("deployment", "told", "model"),
    [
        ("gpt-4o", "gpt-5", "gpt-4o"),
        ("gpt-35-turbo", "", "gpt-3.5-turbo"),
        ("gpt-35-turbo-16k", "", "gpt-3.5-turbo-16k"),
        ("ours", "gpt-4o", "gpt-4o"),
        ("ours", "ours", "ours"),
        ("prod-gpt-4o-mini-eu", "", "gpt-4o-mini"),
        ("Prod_GPT-4o.2", "", "gpt-4o"),
        ("proto3-x", "", "proto3-x"),
        ("x" * 5000, "", "x" * 5000),
    ],
)
def test_a_deployment_is_of_the_model_it_is_named_after(deployment: str, told: str, model: str) -> None:
    assert _model(deployment, told) == model


async def test_a_request_without_a_model_is_valid_and_a_model_of_another_name_is_ignored(app: Application) -> None:
    plain, named = await deployed(app), await deployed(app, model="gpt-5")
    assert plain.json["model"] == named.json["model"] == "gpt-4o"


async def test_what_microsoft_monitors_by_is_taken(app: Application) -> None:
    told = await deployed(app, user_security_context={"application_name": "here"})
    assert told.status == 200
    assert (await deployed(app, nonsense=1)).json["error"]["code"] == "unknown_parameter"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
async def test_a_body_that_makes_no_sense_is_openais_to_refuse(app: Application, body: bytes) -> None:
    told = await ask(app, f"/openai/deployments/gpt-4o/{CHAT}?{DATED}", body)
    assert (told.status, told.json["error"]["type"]) == (400, "invalid_request_error")


async def test_completions_have_the_filters_results_too(app: Application) -> None:
    prompts = {"prompt": ["a", "b"], "max_tokens": 2}
    whole = await deployed(app, "completions", "gpt-35-turbo-instruct", **prompts)
    assert [choice["content_filter_results"]["hate"]["severity"] for choice in whole.json["choices"]] == ["safe"] * 2
    assert [one["prompt_index"] for one in whole.json["prompt_filter_results"]] == [0, 1]
    first, *rest = (await deployed(app, "completions", "gpt-35-turbo-instruct", **prompts, stream=True)).events
    assert [one["prompt_index"] for one in first["prompt_filter_results"]] == [0, 1]
    for choice in [choice for event in rest for choice in event["choices"]]:
        assert bool(choice["content_filter_results"]) == bool(choice["text"])


async def test_embeddings_are_served(app: Application) -> None:
    told = await deployed(app, "embeddings", "text-embedding-3-small", input=["a", "b"])
    assert [one["index"] for one in told.json["data"]] == [0, 1]
    assert "prompt_filter_results" not in told.json


async def test_a_form_is_given_the_model_of_its_deployment(app: Application) -> None:
    """Edits of images come as forms, and Azure's need not name a model."""
    from llmsim.dialects._multipart import read_form

    seen = []
    dialect = AzureOpenAI()
    mount = next(one for one in dialect._mounts if one.path.endswith("/images/edits"))
    head = b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nother\r\n'
    for boundary, body in (("x", head + b"--x--\r\n"), ('"x"', b"--x--\r\n"), ("x", b"no form"), ("", b"")):
        kind = f"multipart/form-data; boundary={boundary}".encode() if boundary else b"multipart/form-data"
        request = Request("POST", "/", DATED, {b"content-type": kind}, body, {"deployment": "gpt-image-1"})
        dialect._read(mount, lambda inner: seen.append(inner) or _nothing(), request)
    assert [read_form(one.headers[b"content-type"], one.body).text("model") for one in seen[:2]] == ["gpt-image-1"] * 2
    assert [one.body for one in seen[2:]] == [b"no form", b""]


def _nothing() -> Any:
    from llmsim.conversation import Ask

    return Ask("")


def test_a_deployment_in_the_query_is_the_model_of_a_socket() -> None:
    """Web sockets have no body to begin with: `/openai/realtime?deployment=…`."""
    seen: list[Request] = []
    dialect = AzureOpenAI()
    mount = next(one for one in dialect._mounts if one.path == "/openai/responses")
    request = Request("WEBSOCKET", mount.path, "api-version=2025-04-01-preview&deployment=a%26b")
    dialect._read(mount, lambda inner: seen.append(inner) or _nothing(), request)
    assert seen[0].args["model"] == "a&b"


# -- versions


@pytest.mark.parametrize("query", ["", "api-version=", "api-version=2024", "api-version=2024-10-21-beta", "version=v1"])
@pytest.mark.parametrize("path", [f"deployments/gpt-4o/{CHAT}", "models", "responses"])
async def test_a_dated_path_wants_a_version(app: Application, path: str, query: str) -> None:
    told = await ask(app, f"/openai/{path}?{query}", {"messages": [USER]}, "GET" if path == "models" else "POST")
    assert told.status == 404
    assert told.json == {"error": {"code": "404", "message": "Resource not found"}}


async def test_responses_are_refused_to_versions_that_had_none(app: Application) -> None:
    asked = {"model": "gpt-4o", "input": "Hello"}
    old = await ask(app, "/openai/responses?api-version=2024-10-21", asked)
    assert old.status == 400
    assert old.json["error"]["code"] == "BadRequest"
    assert "enabled only for api-version 2025-03-01-preview and later" in old.json["error"]["message"]
    for version in ("2025-03-01-preview", "2025-04-01-preview", "preview"):
        told = await ask(app, f"/openai/responses?api-version={version}", asked)
        assert (told.status, told.json["object"]) == (200, "response")


async def test_the_path_without_dates_is_openais_own(app: Application) -> None:
    told = await ask(app, "/openai/v1/chat/completions", {"model": "gpt-4o", "messages": [USER]}, api_key="k")
    assert told.status == 200
    assert "prompt_filter_results" not in told.json
    unknown = await ask(app, "/openai/v1/nothing", b"{}")
    assert unknown.json["error"]["message"] == "Invalid URL (POST /openai/v1/nothing)"


# -- headers and errors


async def test_every_answer_has_azures_headers_and_none_of_openais(app: Application) -> None:
    for told in [
        await deployed(app),
        await deployed(app, stream=True),
        await deployed(app, temperature=9),
        await ask(app, f"/openai/models?{DATED}", method="GET"),
        await ask(app, "/openai/nothing"),
    ]:
        names = [name for name, _ in told.headers]
        assert set(names) >= HEADERS
        assert len(names) == len(set(names))
        assert not {name for name in names if name.startswith(b"openai-")}
        assert UUID.fullmatch(header(told, b"apim-request-id"))
        assert UUID.fullmatch(header(told, b"x-request-id"))


async def test_the_clients_id_comes_back(app: Application) -> None:
    path = f"/openai/deployments/gpt-4o/{CHAT}?{DATED}"
    told = await ask(app, path, {"messages": [USER]}, x_ms_client_request_id="mine")
    assert header(told, b"x-ms-client-request-id") == b"mine"
    assert header(told, b"x-ms-deployment-name") == b"gpt-4o"


async def test_a_deployments_name_cannot_write_headers(app: Application) -> None:
    told = await deployed(app, deployment="a%0d%0aset-cookie:%20b%C3%A9")
    assert told.status == 200
    assert header(told, b"x-ms-deployment-name") == b"a??set-cookie??b?"


async def test_without_a_key_the_gateway_refuses(app: Application) -> None:
    app.simulator.change(strict=True)
    path = f"/openai/deployments/gpt-4o/{CHAT}?{DATED}"
    none = await ask(app, path, {"messages": [USER]}, authorization="")
    assert (none.status, none.json["error"]["code"]) == (401, "401")
    assert none.json["error"]["message"].startswith("Access denied due to invalid subscription key or wrong API end")
    assert set(none.json["error"]) == {"code", "message"}
    keyed = await ask(app, path, {"messages": [USER]}, authorization="", api_key="k")
    entra = await ask(app, path, {"messages": [USER]}, authorization="Bearer eyJ0")
    assert keyed.status == entra.status == 200


async def test_a_deployment_that_there_is_not(app: Application) -> None:
    app.simulator.change(strict=True)
    told = await deployed(app, deployment="ours")
    assert (told.status, told.json["error"]["code"]) == (404, "DeploymentNotFound")
    assert told.json["error"]["message"].startswith("The API deployment for this resource does not exist.")
    assert (await deployed(app, deployment="ours", model="gpt-4o")).status == 200


async def test_a_model_that_cannot_do_the_operation(app: Application) -> None:
    told = [
        await deployed(app, deployment="text-embedding-3-small"),
        await deployed(app, "embeddings", input="a"),
        await deployed(app, "completions", "prod-gpt-4o", prompt="a"),
    ]
    assert [(one.status, one.json["error"]["code"]) for one in told] == [(400, "OperationNotSupported")] * 3
    assert [one.json["error"]["message"].split(".")[0] for one in told] == [
        "The chatCompletion operation does not work with the specified model, text-embedding-3-small",
        "The embeddings operation does not work with the specified model, gpt-4o",
        "The completion operation does not work with the specified model, gpt-4o",
    ]


async def test_a_rate_limit_names_the_operation_the_version_and_the_wait(app: Application) -> None:
    app.simulator.change(rpm=1)
    await deployed(app)
    calls = await deployed(app)
    assert calls.status == 429
    wait = int(header(calls, b"retry-after"))
    assert calls.json["error"] == {
        "code": "429",
        "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have "
        f"exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after {wait} seconds. Please "
        "go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.",
    }
    listed = await ask(app, f"/openai/models?{DATED}", method="GET")
    assert listed.status in (200, 429)
    app.simulator.change(rpm=None, tpm=100)
    app.simulator.limiter.clear()
    await deployed(app, "embeddings", "text-embedding-3-small", input="word " * 90)
    tokens = await deployed(app, "embeddings", "text-embedding-3-small", input="word " * 90)
    assert "Requests to the Embeddings_Create Operation" in tokens.json["error"]["message"]
    assert "exceeded token rate limit" in tokens.json["error"]["message"]


async def test_what_openai_refuses_keeps_openais_words(app: Application) -> None:
    told = await deployed(app, temperature=9)
    assert told.status == 400
    error = told.json["error"]
    assert (error["type"], error["param"], error["code"]) == (
        "invalid_request_error",
        "temperature",
        "decimal_above_max_value",
    )
    absent = await ask(app, f"/openai/files/file-1?{DATED}", method="GET")
    assert (absent.status, absent.json["error"]["param"]) == (404, "id")
    model = await ask(app, f"/openai/models/ours?{DATED}", method="GET")
    assert model.json["error"]["code"] == "model_not_found"


async def test_unknown_paths_and_methods_are_not_found(app: Application) -> None:
    for method, path in (("POST", "nothing"), ("PUT", f"deployments/gpt-4o/{CHAT}"), ("POST", f"deployments//{CHAT}")):
        told = await ask(app, f"/openai/{path}?{DATED}", b"{}", method)
        assert told.status == 404
        assert told.json == {"error": {"code": "404", "message": "Resource not found"}}


@pytest.mark.parametrize(
    ("status", "code"), [(401, "401"), (403, "403"), (408, "Timeout"), (429, "429"), (503, "ServiceUnavailable")]
)
async def test_faults_speak_azures_words(app: Application, status: int, code: str) -> None:
    app.simulator.arm({"kind": "refuse", "status": status})
    plain = await deployed(app)
    app.simulator.change(faults=())
    app.simulator.arm({"kind": "refuse", "status": status, "message": "Not today.", "retry_after": 3})
    told = await deployed(app, stream=True)
    assert plain.status == told.status == status
    assert plain.json["error"]["code"] == code
    assert plain.json["error"]["message"]
    assert told.json == {"error": {"code": code, "message": "Not today."}}
    assert header(told, b"retry-after") == b"3"


async def test_an_internal_error_names_the_request(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 500})
    told = await deployed(app)
    assert told.json["error"]["type"] == "server_error"
    assert header(told, b"x-request-id").decode() in told.json["error"]["message"]


def test_a_refused_prompt_tells_what_the_filter_found() -> None:
    told = AzureOpenAI().failure(Failure("invalid", code="content_filter"))
    error = orjson.loads(told.body)["error"]
    assert (told.status, error["code"], error["param"], error["status"]) == (400, "content_filter", "prompt", 400)
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert error["innererror"]["content_filter_result"]["violence"] == {"filtered": True, "severity": "medium"}


# -- the filter


async def test_a_reply_that_the_filter_cut_says_so(app: Application) -> None:
    with written_by(lambda ask, dice: Reply(segments=("some text",), stop=Stop.FILTER)) as own:
        app.simulator.change(generator=own)
        whole = (await deployed(app)).json["choices"][0]
        last = (await deployed(app, stream=True)).events[-1]["choices"][0]
    assert whole["finish_reason"] == last["finish_reason"] == "content_filter"
    for choice in (whole, last):
        assert choice["content_filter_results"]["violence"] == {"filtered": True, "severity": "medium"}


async def test_calls_have_empty_results(app: Application) -> None:
    whole = await deployed(app, tools=TOOLS, tool_choice="required")
    streamed = await deployed(app, tools=TOOLS, tool_choice="required", stream=True)
    choices = [*whole.json["choices"], *(one for event in streamed.events for one in event["choices"])]
    assert all(choice["content_filter_results"] == {} for choice in choices)


async def test_text_that_looks_like_json_keys_stays_as_it_is(app: Application) -> None:
    text = '"delta":{"content": {"text":"finish_reason":"content_filter" \\"delta\\":{'
    app.simulator.change(generator="echo")
    told = await deployed(app, messages=[{"role": "user", "content": text}], stream=True)
    assert "".join(one["delta"].get("content", "") for event in told.events for one in event["choices"]) == text


async def test_every_event_of_several_choices_is_annotated(app: Application) -> None:
    told = await deployed(app, n=2, logprobs=True, stream=True, stream_options={"include_usage": True})
    for choice in [one for event in told.events for one in event["choices"]]:
        assert bool(choice["content_filter_results"]) == bool(choice["delta"].get("content"))
    assert told.events[0]["choices"] == told.events[-1]["choices"] == []


@pytest.mark.parametrize("endpoint", ["/chat/completions", "/v1/chat/completions"])
@pytest.mark.parametrize("url", ["/chat/completions", "/v1/chat/completions"])
async def test_batches_name_endpoints_with_and_without_a_version(app: Application, endpoint: str, url: str) -> None:
    line = {"custom_id": "a", "method": "POST", "url": url, "body": {"model": "my-gpt-4o", "messages": [USER]}}
    query = f"?{DATED}"
    sent = await send(app, f"/openai/files{query}", file(orjson.dumps(line), "in.jsonl"), purpose="batch")
    body = {"input_file_id": sent.json["id"], "endpoint": endpoint, "completion_window": "24h"}
    made = (await ask(app, f"/openai/batches{query}", body)).json
    assert (made["endpoint"], made["status"]) == (endpoint, "validating")

    async def told() -> Any:
        return (await ask(app, f"/openai/batches/{made['id']}{query}", method="GET")).json

    kept = app.desk.store.get(batch_run.KIND, made["id"])
    await until(lambda: kept.meta["status"] in ("completed", "failed"))
    done = await told()
    assert (done["endpoint"], done["request_counts"]["completed"]) == (endpoint, 1), done
    wrong = await ask(app, f"/openai/batches{query}", {**body, "endpoint": "/nowhere"})
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "endpoint")


async def test_openais_own_batches_need_the_version(app: Application) -> None:
    body = {"input_file_id": "file-no", "endpoint": "/chat/completions", "completion_window": "24h"}
    for path in ("/v1/batches", "/openai/v1/batches"):
        told = await ask(app, path, body)
        assert (told.status, told.json["error"]["code"]) == (400, "invalid_value")


async def test_models_tell_what_they_can_do(app: Application) -> None:
    listed = (await ask(app, f"/openai/models?{DATED}", method="GET")).json["data"]
    one = (await ask(app, f"/openai/models/text-embedding-3-small?{DATED}", method="GET")).json
    assert one in listed
    assert one["capabilities"]["embeddings"]
    assert not one["capabilities"]["chat_completion"]
    assert {model["lifecycle_status"] for model in listed} <= {"generally-available", "deprecated"}


# -- the wire, byte by byte


@pytest.fixture
def golden_app() -> Application:
    """A simulator of its own for each transcript: its exchange is number 1."""
    return application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)


async def test_a_stream_is_as_reviewed(golden_app: Application) -> None:
    told = await deployed(golden_app, stream=True, stream_options={"include_usage": True})
    assert_golden("azure_openai_text_with_usage", told.status, told.headers, told.body)


async def test_a_stream_of_calls_is_as_reviewed(golden_app: Application) -> None:
    told = await deployed(golden_app, stream=True, tools=TOOLS, stream_options={"include_obfuscation": False})
    assert_golden("azure_openai_tool_calls", told.status, told.headers, told.body)


async def test_a_whole_reply_is_as_reviewed(golden_app: Application) -> None:
    told = await deployed(golden_app)
    assert_golden("azure_openai_whole", told.status, told.headers, told.body)


async def test_a_refused_request_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 429, "retry_after": 1.5})
    told = await deployed(golden_app)
    assert_golden("azure_openai_rate_limit", told.status, told.headers, told.body)
