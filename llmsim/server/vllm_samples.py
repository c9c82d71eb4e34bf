"""The figures under vLLM's names, for dashboards and routers that were made for a vLLM server.

vLLM, docs/usage/metrics.md and vllm/v1/metrics/loggers.py. What has no counterpart here is left out: there are no
phases of an engine, and the cache of keys and values is always empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from llmsim.buckets import Histogram
from llmsim.figures import NONE, OTHER, Series
from llmsim.server.samples import histogram
from llmsim.server.snapshot import Snapshot

LABELS = ("model_name", "engine")
ENGINE = "0"

REASONS = ("stop", "length", "abort", "error")
"""Why requests have finished; an outcome that is none of these is an error."""

_HISTOGRAMS: Sequence[tuple[str, str, Callable[[Series], Histogram]]] = (
    ("time_to_first_token_seconds", "Histogram of time to first token in seconds.", lambda one: one.ttft),
    ("inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", lambda one: one.between),
    ("time_per_output_token_seconds", "Histogram of time per output token in seconds.", lambda one: one.between),
    ("request_time_per_output_token_seconds", "Histogram of time per output token per request.", lambda one: one.each),
    ("e2e_request_latency_seconds", "Histogram of end-to-end request latency in seconds.", lambda one: one.total),
    ("request_prompt_tokens", "Number of prefill tokens processed.", lambda one: one.prompts),
    ("request_generation_tokens", "Number of generation tokens processed.", lambda one: one.completions),
)


class VllmSamples(Collector):
    """Words a snapshot, by model."""

    def __init__(self, told: Snapshot) -> None:
        self._told = told
        self._models: dict[str, list[Series]] = {}
        for series in told.series:
            if series.labels.model != NONE:  # vLLM counts generations alone
                self._models.setdefault(series.labels.model, []).append(series)

    def collect(self) -> Iterator[Metric]:
        """Every metric; what is under way is told of one model at least, as routers look for it first."""
        names = list(self._models) or [OTHER]
        for name, text, found in (
            ("num_requests_running", "Number of requests in model execution batches.", self._told.running),
            ("num_requests_waiting", "Number of requests waiting to be processed.", self._told.waiting),
            ("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", Counter[str]()),
        ):
            gauge = GaugeMetricFamily(f"vllm:{name}", text, labels=LABELS)
            for model in names:
                gauge.add_metric([model, ENGINE], found[model])
            yield gauge
        yield from self._counters()
        for name, text, get in _HISTOGRAMS:
            found_by_model = (((model, ENGINE), self._joined(model, get)) for model in self._models)
            yield histogram(f"vllm:{name}", text, LABELS, found_by_model)

    def _counters(self) -> Iterator[Metric]:
        sent = self._told.sent
        counts: Sequence[tuple[str, str, Callable[[Series], float]]] = (
            ("prompt_tokens", "Number of prefill tokens processed.", lambda one: one.prompts.sum),
            ("generation_tokens", "Number of generation tokens.", lambda one: one.completions.sum + sent[one.labels]),
            ("prefix_cache_queries", "Prefix cache queries, in tokens.", lambda one: one.prompts.sum),
            ("prefix_cache_hits", "Prefix cache hits, in tokens.", lambda one: one.cached),
            ("num_preemptions", "Cumulative number of preemptions.", lambda one: 0),
        )
        for name, text, get in counts:
            counter = CounterMetricFamily(f"vllm:{name}", text, labels=LABELS)
            for model, own in self._models.items():
                counter.add_metric([model, ENGINE], sum(map(get, own)))
            yield counter
        finished = CounterMetricFamily(
            "vllm:request_success", "Count of successfully processed requests.", labels=(*LABELS, "finished_reason")
        )
        for model, own in self._models.items():
            reasons = sum(map(_reasons, own), Counter[str]())
            for reason in REASONS:
                finished.add_metric([model, ENGINE, reason], reasons[reason])
        yield finished

    def _joined(self, model: str, get: Callable[[Series], Histogram]) -> Histogram:
        first, *others = map(get, self._models[model])
        joined = first.copy()
        for other in others:
            joined.join(other)
        return joined


def _reasons(series: Series) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for (_, outcome), cell in series.cells.items():
        outcomes[{"ok": "stop", "abandoned": "abort"}.get(outcome, "error")] += cell.count
    outcomes["length"] = min(series.lengths, outcomes["stop"])
    outcomes["stop"] -= outcomes["length"]
    return outcomes
