"""OpenTelemetry is told of every exchange, in the words of its conventions, within the trace of the client."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from running import application

from llmsim.errors import SettingsError
from llmsim.server import telemetry
from llmsim.server.telemetry import Telemetry

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
SECRET = "sk-proj-abcdefghijklmnop"


class Watched:
    """An application whose telemetry stays in memory."""

    def __init__(self, **settings):
        self.app = application(**settings)
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        Telemetry(self.app.simulator, SimpleSpanProcessor(self.spans), self.reader, port=8080)

    async def ask(self, body, path="/v1/chat/completions", **headers):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://here") as client:
            return await client.post(path, json=body, headers={"authorization": f"Bearer {SECRET}", **headers})

    def told(self):
        """The server's span, and the model's where there is one."""
        found = {span.kind: span for span in self.spans.get_finished_spans()}
        return found[SpanKind.SERVER], found.get(SpanKind.INTERNAL)

    def points(self):
        """The points of every metric, by its name."""
        data = self.reader.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return {metric.name: list(metric.data.data_points) for metric in metrics}


async def test_a_span_is_the_child_of_the_clients_and_the_models_of_the_servers():
    watched = Watched()
    await watched.ask(CHAT, traceparent=f"00-{TRACE}-{PARENT}-01")
    server, model = watched.told()
    assert f"{server.context.trace_id:032x}" == f"{model.context.trace_id:032x}" == TRACE
    assert f"{server.parent.span_id:016x}" == PARENT
    assert model.parent.span_id == server.context.span_id
    assert (server.name, model.name) == ("POST /v1/chat/completions", "chat gpt-4o")


async def test_a_trace_that_the_client_does_not_sample_is_not_sent():
    watched = Watched()
    await watched.ask(CHAT, traceparent=f"00-{TRACE}-{PARENT}-00")
    assert watched.spans.get_finished_spans() == ()
    assert watched.points()["gen_ai.server.request.duration"][0].count == 1


async def test_the_models_span_says_what_was_asked_and_what_came_of_it():
    watched = Watched(target_tokens=20, generator="words")
    asked = {"max_tokens": 7, "temperature": 0.5, "stop": ["zzz"], "seed": 3, "stream": True}
    answer = await watched.ask({**CHAT, **asked})
    server, model = watched.told()
    attributes = dict(model.attributes)
    assert attributes.pop("gen_ai.response.time_to_first_chunk") >= 0
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stop_sequences": ("zzz",),
        "gen_ai.request.seed": 3,
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.response.finish_reasons": ("length",),
        "gen_ai.usage.input_tokens": 8,
        "gen_ai.usage.output_tokens": 7,
    }
    assert [event.name for event in model.events] == ["first token"]
    assert server.attributes["http.response.header.x-request-id"] == (answer.headers["x-request-id"],)
    assert server.attributes["http.response.status_code"] == 200
    assert server.attributes["server.port"] == 8080


@pytest.mark.parametrize(
    ("path", "body", "name", "provider"),
    [
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}, "embeddings", "openai"),
        ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}, "text_completion", "openai"),
        ("/v1/responses", {"model": "gpt-4o", "input": "x"}, "chat", "openai"),
        ("/v1/messages", {**CHAT, "model": "claude-sonnet-4-5", "max_tokens": 9}, "chat", "anthropic"),
        (
            "/v1beta/models/gemini-2.5-flash:generateContent",
            {"contents": [{"role": "user", "parts": [{"text": "x"}]}], "generationConfig": {"topK": 4}},
            "generate_content",
            "gcp.gemini",
        ),
        ("/api/chat", {**CHAT, "model": "llama3.2", "stream": False}, "chat", "ollama"),
    ],
)
async def test_every_api_has_its_operation_and_its_provider(path, body, name, provider):
    watched = Watched()
    answer = await watched.ask(body, path, **{"anthropic-version": "2023-06-01"})
    assert answer.status_code == 200, answer.text
    _, model = watched.told()
    assert (model.attributes["gen_ai.operation.name"], model.attributes["gen_ai.provider.name"]) == (name, provider)
    assert model.attributes.get("gen_ai.request.top_k") == (4 if "topK" in str(body) else None)


async def test_a_fault_is_told_by_name_and_is_an_error():
    watched = Watched(faults=[{"kind": "refuse", "status": 503, "label": "bad day"}])
    await watched.ask(CHAT)
    server, model = watched.told()
    assert server.status.status_code is model.status.status_code is StatusCode.ERROR
    assert server.attributes["error.type"] == model.attributes["error.type"] == "503"
    assert server.attributes["llmsim.faults"] == ("bad day",)
    (point,) = watched.points()["gen_ai.server.request.duration"]
    assert point.attributes["error.type"] == "503"


async def test_a_clients_own_mistake_is_no_error_of_the_server():
    watched = Watched()
    await watched.ask({})
    server, model = watched.told()
    assert server.status.status_code is StatusCode.UNSET
    assert server.attributes["error.type"] == "400"
    assert model is None


async def test_no_secret_is_sent():
    watched = Watched()
    await watched.ask(CHAT, f"/v1beta/models/gemini-2.5-flash:generateContent?key={SECRET}")
    await watched.ask(CHAT)
    assert SECRET not in "".join(span.to_json() for span in watched.spans.get_finished_spans())


async def test_labels_of_metrics_do_not_grow_with_what_clients_make_up():
    watched = Watched()
    for number in range(5):
        await watched.ask({**CHAT, "model": f"made-up-{number}"})
    points = watched.points()
    assert [point.attributes["gen_ai.request.model"] for point in points["gen_ai.server.request.duration"]] == ["other"]
    assert {point.attributes["gen_ai.token.type"]: point.value for point in points["llmsim.tokens"]} == {
        "input": 40,
        "output": 100,
    }


async def test_streams_have_their_times_in_the_metrics():
    watched = Watched()
    await watched.ask({**CHAT, "stream": True})
    points = watched.points()
    assert points["gen_ai.server.time_to_first_token"][0].count == 1
    assert points["gen_ai.server.time_per_output_token"][0].count == 1
    assert points["http.server.active_requests"][0].value == 0
    assert points["http.server.request.duration"][0].attributes["http.route"] == "/v1/chat/completions"


def test_an_exporter_that_is_none_is_told_in_one_sentence(simulator, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "pigeon")
    with pytest.raises(SettingsError, match="no exporter 'pigeon' here; there are none, "):
        Telemetry(simulator)


@pytest.mark.parametrize("protocol", ["grpc", "http/json"])
def test_a_protocol_without_its_package_is_told_with_the_variable(simulator, monkeypatch, protocol):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    with pytest.raises(SettingsError, match="OTEL_TRACES_EXPORTER: there is no exporter "):
        Telemetry(simulator)


def test_signals_that_are_switched_off_are_not_looked_at(simulator, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    Telemetry(simulator).stop()
    assert simulator.observers == []


def test_the_environment_names_the_service(monkeypatch):
    assert telemetry._resource().attributes["service.name"] == "llmsim"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    assert telemetry._resource().attributes["service.name"] == "mine"


def test_a_missing_package_is_told_with_what_brings_it(simulator, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"pip install 'llmsim\[otel\]'$"):
        Telemetry(simulator)


def test_a_server_without_it_loads_nothing_of_it():
    code = "import sys, llmsim.server.serve; print(*sys.modules)"
    root = Path(__file__).parents[3]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert "opentelemetry" not in loaded


async def test_what_a_client_writes_leaves_short_and_without_its_secrets():
    watched = Watched()
    hostile = f"\x1b]0;x\x07\u202e\x00 {SECRET} " + "x" * 100_000
    await watched.ask({**CHAT, "model": hostile, "stop": [hostile]}, **{"user-agent": f"a/1 {SECRET} " + "y" * 5_000})
    told = [(name, value) for span in watched.told() if span for name, value in span.attributes.items()]
    assert {"gen_ai.request.model", "gen_ai.request.stop_sequences", "user_agent.original"} <= {
        name for name, _ in told
    }
    assert SECRET not in str(told)
    assert all(len(str(value)) < 1_500 for _, value in told)
    for span in watched.spans.get_finished_spans():
        span.to_json().encode()  # what the console's exporter writes
        assert SECRET not in span.name
