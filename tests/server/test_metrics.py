"""What Prometheus reads at /metrics: well-formed, named as its conventions have it, and true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from running import application, running, until

from llmsim import buckets
from llmsim.server.handlers import Application
from llmsim.server.metrics import Metrics
from llmsim.server.samples import Samples
from llmsim.server.vllm_samples import VllmSamples
from llmsim.settings import Settings
from llmsim.simulator import Simulator

ROOT = Path(__file__).parent.parent.parent
OBSERVED = ROOT / "examples" / "observed"
CHAT = "/v1/chat/completions"
GEMINI = {"contents": [{"parts": [{"text": "Hello"}]}]}
KEY = {"authorization": "Bearer sk-test"}


def body(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **fields}


def client(app: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here", headers=KEY)


class Scraped:
    """The samples of an answer, found by name and labels."""

    def __init__(self, text: str, parse: Any = plain) -> None:
        self.families: list[Metric] = list(parse(text))

    def get(self, name: str, **labels: str) -> float:
        """The sum of all samples with that name and these labels."""
        found = [
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert found, f"no sample {name} {labels}"
        return sum(found)

    def values(self, name: str, label: str) -> set[str]:
        return {s.labels[label] for family in self.families for s in family.samples if s.name == name}


async def scraped(app: Application, names: str = "llmsim") -> Scraped:
    async with client(app) as asking:
        return Scraped((await asking.get(f"/metrics?names={names}")).raise_for_status().text)


# -- the form


async def test_the_text_format_is_what_is_told_without_a_wish() -> None:
    async with client(application()) as asking:
        answer = await asking.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert Scraped(answer.text).get("llmsim_active_requests") == 0


async def test_prometheus_gets_openmetrics_as_it_asks_for_it() -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
    async with client(application()) as asking:
        await asking.post(CHAT, json=body(stream=True))
        answer = await asking.get("/metrics?names=both", headers={"accept": accept, "accept-encoding": "gzip"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.endswith("# EOF\n")
    assert Scraped(answer.text, openmetrics).get("llmsim_requests_total", status="200") == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_the_metrics_can_only_be_read(method: str) -> None:
    async with client(application()) as asking:
        answer = await asking.request(method, "/metrics")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_names_that_there_are_not_are_refused() -> None:
    async with client(application()) as asking:
        answer = await asking.get("/metrics?names=tgi")
    assert answer.status_code == 400
    assert "llmsim, vllm, both" in answer.text


async def test_it_is_open_like_health_also_where_keys_are_asked_for() -> None:
    async with running(strict=True) as runner, httpx.AsyncClient(base_url=runner.url, timeout=60) as asking:
        assert (await asking.get("/metrics")).status_code == 200
        assert (await asking.head("/metrics")).content == b""


async def test_a_scrape_is_no_request_of_its_own() -> None:
    app = application()
    await scraped(app)
    await scraped(app)
    assert len(app.simulator.journal) == 0


def told_by(collector: Any, app: Application) -> list[Metric]:
    registry = CollectorRegistry()
    registry.register(collector(app.metrics.snapshot()))
    return list(registry.collect())


@pytest.mark.parametrize("collector", [Samples, VllmSamples])
async def test_names_keep_to_the_conventions(collector: Any) -> None:
    """The checks of `promtool check metrics`; vLLM's names have a colon, which it would complain of."""
    app = application()
    async with client(app) as asking:
        await asking.post(CHAT, json=body(stream=True))
    for family in told_by(collector, app):
        name = family.name
        assert family.documentation.endswith("."), name
        assert re.fullmatch(r"llmsim_[a-z0-9_]+" if collector is Samples else r"vllm:[a-z0-9_]+", name)
        assert not re.search(r"_(total|count|sum|bucket|info|counter|gauge|histogram)$", name)
        assert not re.search(r"milli|_ms\b|_ms_|minutes|kilobytes", name)
        assert family.type in ("counter", "gauge", "histogram", "info")
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            assert "le" not in sample.labels or sample.name.endswith("_bucket")
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels)


async def test_no_two_samples_are_the_same() -> None:
    app = application()
    async with client(app) as asking:
        for text in ("one", "two"):
            await asking.post(CHAT, json=body(text, stream=True))
            await asking.post(CHAT, json=body(text))
    told = [(s.name, *sorted(s.labels.items())) for f in (await scraped(app, "both")).families for s in f.samples]
    assert len(told) == len(set(told))


# -- the figures


async def test_requests_are_told_by_endpoint_model_status_and_streaming() -> None:
    app = application()
    async with client(app) as asking:
        await asking.post(CHAT, json=body())
        await asking.post(CHAT, json=body(stream=True))
        await asking.post(CHAT, content=b"{")
        await asking.get("/v1/files/file-that-is-not")
        await asking.post(
            "/v1beta/models/gemini-2.5-flash:generateContent", json={"contents": [{"parts": [{"text": "x"}]}]}
        )
    told = await scraped(app)
    where = {"endpoint": CHAT, "provider": "openai"}
    assert told.get("llmsim_requests_total", **where, model="gpt-4o", status="200", streaming="true") == 1
    assert told.get("llmsim_requests_total", **where, model="gpt-4o", status="200", streaming="false") == 1
    assert told.get("llmsim_requests_total", **where, model="none", status="400", outcome="failed") == 1
    assert told.get("llmsim_requests_total", endpoint="/v1/files/{file_id}", status="404") == 1
    assert told.get("llmsim_requests_total", provider="gemini", model="gemini-2.5-flash", status="200") == 1


async def test_what_clients_write_into_paths_and_models_makes_no_labels() -> None:
    app = application()
    async with client(app) as asking:
        for at in range(30):
            await asking.get(f"/v1/files/file-{at}")
            await asking.get(f"/openai/v1/responses/resp-{at}")
            await asking.post(CHAT, json=body(model=f"own-{at}"))
            await asking.post(f"/v1/made-up-{at}", json=body())
    told = await scraped(app)
    assert told.values("llmsim_requests_total", "model") == {"none", "other"}
    assert len(told.values("llmsim_requests_total", "endpoint")) == 3
    assert told.get("llmsim_requests_total", model="other") == 30


async def test_a_model_that_the_settings_name_is_told_apart_from_then_on() -> None:
    app = application()
    async with client(app) as asking:
        await asking.post(CHAT, json=body(model="mine"))
        app.simulator.change(model_profiles={"mine": "instant"})
        await scraped(app)
        await asking.post(CHAT, json=body(model="mine"))
    told = await scraped(app)
    assert (told.get("llmsim_requests_total", model="other"), told.get("llmsim_requests_total", model="mine")) == (1, 1)


async def test_a_body_that_is_too_large_is_told_by_its_endpoint() -> None:
    app = Application(Simulator(Settings()), body_limit=1024)
    async with client(app) as asking:
        await asking.post(CHAT, content=b"x" * 2000)
    assert (await scraped(app)).get("llmsim_requests_total", endpoint=CHAT, status="413") == 1


async def test_tokens_and_dollars_are_those_of_the_usage() -> None:
    app = application()
    async with client(app) as asking:
        usage = (await asking.post(CHAT, json=body())).json()["usage"]
    told = await scraped(app)
    into, out = usage["prompt_tokens"], usage["completion_tokens"]
    assert told.get("llmsim_tokens_total", direction="in", model="gpt-4o") == into
    assert told.get("llmsim_tokens_total", direction="out", model="gpt-4o") == out
    assert told.get("llmsim_cost_dollars_total", model="gpt-4o") == pytest.approx((into * 2.5 + out * 10) / 1e6)


async def test_faults_mocks_and_limits_are_told_by_name() -> None:
    mocks = [{"name": "greeting", "when": "text:hello", "reply": "hi"}]
    faults = [{"kind": "refuse", "status": 503, "label": "a bad day", "count": 1}]
    app = application(mocks=mocks, faults=faults, limits=[{"name": "tight", "rpm": 2}])
    async with client(app) as asking:
        for text in ("one", "hello", "three"):
            await asking.post(CHAT, json=body(text))
        await asking.post(CHAT, json=body("four"), headers={"authorization": "Bearer b", "x-llmsim-fault": "slow"})
    told = await scraped(app)
    assert told.get("llmsim_faults_total", kind="refuse", fault="a bad day") == 1
    assert told.get("llmsim_faults_total", kind="slow", fault="slow") == 1
    assert told.get("llmsim_mock_answers_total", mock="greeting") == 1
    assert told.get("llmsim_limit_refusals_total", limit="tight", what="requests") == 1


async def test_what_is_under_way_is_told_and_so_is_who_left() -> None:
    async with running(latency_profile="glacial") as runner:
        async with (
            httpx.AsyncClient(base_url=runner.url, timeout=60) as asking,
            asking.stream("POST", CHAT, json=body(stream=True)) as answer,
        ):
            await anext(answer.aiter_lines())
            told = await scraped(runner.app, "both")
            assert told.get("llmsim_active_requests") == told.get("llmsim_active_streams") == 1
            assert told.get("llmsim_queued_requests") == 0
            assert told.get("llmsim_tokens_total", direction="out") == 1
            assert told.get("vllm:num_requests_running", model_name="gpt-4o") == 1
        await until(lambda: not runner.simulator.meter.live)
        told = await scraped(runner.app)
    assert told.get("llmsim_active_requests") == 0
    assert told.get("llmsim_abandoned_requests_total", endpoint=CHAT) == 1


async def test_a_background_reply_is_one_request() -> None:
    app = application()
    async with client(app) as asking:
        await asking.post("/v1/responses", json={"model": "gpt-4o", "input": "Hello", "background": True})
    await until(lambda: not app.simulator.meter.live)
    told = await scraped(app)
    assert told.get("llmsim_requests_total", endpoint="/v1/responses", model="gpt-4o") == 1
    assert told.get("llmsim_tokens_total", direction="out", endpoint="/v1/responses") > 0


# -- vLLM's names


async def test_vllm_names_tell_the_same_by_model() -> None:
    app = application()
    async with client(app) as asking:
        await asking.post(CHAT, json=body(stream=True))
        usage = (await asking.post(CHAT, json=body(max_tokens=3))).json()["usage"]
    told = await scraped(app, "vllm")
    assert usage["completion_tokens"] == 3
    assert told.get("vllm:request_success_total", model_name="gpt-4o", finished_reason="length") == 1
    assert told.get("vllm:request_success_total", model_name="gpt-4o", finished_reason="stop") == 1
    assert told.get("vllm:time_to_first_token_seconds_count", model_name="gpt-4o", engine="0") == 1
    assert told.get("vllm:e2e_request_latency_seconds_count", model_name="gpt-4o") == 2
    assert told.get("vllm:request_generation_tokens_count", model_name="gpt-4o") == 2
    assert not any(family.name.startswith("llmsim_") for family in told.families)


async def test_a_router_finds_the_gauges_before_the_first_request() -> None:
    told = await scraped(application(), "vllm")
    assert told.get("vllm:num_requests_waiting") == told.get("vllm:kv_cache_usage_perc") == 0


# -- what is written about them


def families() -> dict[str, Metric]:
    app = application()
    return {family.name: family for family in (*told_by(Samples, app), *told_by(VllmSamples, app))}


def test_the_page_tells_every_metric_and_no_other() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    ending = {"counter": "_total", "info": "_info"}
    there = {name + ending.get(family.type, "") for name, family in families().items()}
    assert set(re.findall(r"^\| `((?:llmsim_|vllm:)\w+)`", page, re.MULTILINE)) == there


def test_the_page_tells_the_buckets() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    for bounds in ("TTFT", "TBT", "TOTAL", "LATE", "TOKENS"):
        told = " ".join(f"{bound:g}" if bound < 1e5 else str(int(bound)) for bound in getattr(buckets, bounds))
        assert told in page, bounds


def expressions() -> list[str]:
    board = json.loads((OBSERVED / "grafana" / "dashboards" / "llmsim.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    return [*asked, *(one["definition"] for one in board["templating"]["list"] if "definition" in one)]


def test_the_dashboard_asks_for_metrics_and_labels_that_there_are() -> None:
    labels = {
        **dict.fromkeys(("provider", "endpoint", "model", "streaming", "status", "outcome", "direction", "le")),
        **dict.fromkeys(("kind", "fault", "mock", "limit", "what", "job", "profile")),
    }
    ending = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "info": ("_info",)}
    there = {name + end for name, family in families().items() for end in ending[family.type]}
    there |= {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    for told in expressions():
        assert set(re.findall(r"\b(?:llmsim|process)_\w+", told)) <= there, told
        named = re.findall(r"(\w+)(?:=~|!=|!~|=)\"", told)
        grouped = [name.strip() for group in re.findall(r"by \(([^)]*)\)", told) for name in group.split(",")]
        assert {*named, *grouped} <= labels.keys(), told


def test_every_metric_of_the_traffic_is_on_the_dashboard() -> None:
    told = " ".join(expressions())
    ours = [name for name in families() if name.startswith("llmsim_")]
    assert [name for name in ours if name not in told] == ["llmsim_build", "llmsim_start_time_seconds"]


def test_the_files_beside_the_dashboard_fit_together() -> None:
    compose = yaml.safe_load((OBSERVED / "compose.yaml").read_text())
    scrape = yaml.safe_load((OBSERVED / "prometheus.yml").read_text())
    source = yaml.safe_load((OBSERVED / "grafana" / "datasources" / "prometheus.yaml").read_text())
    boards = yaml.safe_load((OBSERVED / "grafana" / "dashboards.yaml").read_text())
    services = compose["services"]
    mounts = [mount.split(":") for one in services.values() for mount in one.get("volumes", ())]
    assert all((OBSERVED / own).exists() for own, *_ in mounts)
    (job,) = scrape["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"llmsim:{services['llmsim']['ports'][0].rpartition(':')[2]}"]}]
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert boards["providers"][0]["options"]["path"] in [there for _, there, *_ in mounts]


def test_two_servers_of_one_simulator_do_not_get_in_each_others_way() -> None:
    app = application()
    other = Metrics(app.simulator, app.routes, "vllm")
    assert other.snapshot().build == app.metrics.snapshot().build
