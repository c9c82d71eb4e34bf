"""The figures under llmsim's own names for Prometheus; docs/metrics.md tells each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from llmsim.buckets import LATE, Histogram
from llmsim.figures import NONE, Series
from llmsim.server.snapshot import Snapshot

LABELS = ("provider", "endpoint", "model", "streaming")

_GAUGES = (
    ("streams", "active_streams", "", "Streamed replies under way."),
    ("lag", "event_loop_lag_p95_seconds", "seconds", "How late 95 % of the newest ticks of the pacer came at most."),
    ("journal_exchanges", "journal_exchanges", "", "Exchanges that the journal keeps."),
    ("journal_size", "journal_bytes", "bytes", "Bytes that the journal counts for."),
    ("store_entries", "store_entries", "", "Files, responses, threads and other things of clients that are kept."),
    ("store_size", "store_bytes", "bytes", "Bytes that the store counts for."),
    ("start", "start_time_seconds", "seconds", "When the simulator began, in seconds since the epoch."),
)

_LOAD = (
    ("slots", "Replies that the server of a latency profile works at at once.", "slots"),
    ("active", "Replies that have a slot.", "active"),
    ("queue_limit", "Requests that may wait for a slot.", "queue"),
    ("queued", "Requests that wait for a slot.", "queued"),
    ("slowing", "How many times longer the time between tokens is than with one reply at work.", "slowing"),
    ("cached_prompt_tokens", "Tokens of prompts in the cache.", "cached"),
)

_TIMES: Sequence[tuple[str, str, Callable[[Series], Histogram]]] = (
    ("time_to_first_token_seconds", "From a request to the first token of a streamed reply.", lambda one: one.ttft),
    (
        "time_between_tokens_seconds",
        "Time between tokens of streamed replies, once for each gap, as the mean of its reply.",
        lambda one: one.between,
    ),
    (
        "time_per_output_token_seconds",
        "Time between tokens of streamed replies, once for each reply, as its mean.",
        lambda one: one.each,
    ),
    ("request_duration_seconds", "From a request to the end of its answer.", lambda one: one.total),
)


class Samples(Collector):
    """Words a snapshot."""

    def __init__(self, told: Snapshot) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        """Every metric, also those that have nothing to tell yet."""
        yield InfoMetricFamily("llmsim_build", "The simulator's release and its Python.", value=self._told.build)
        yield from self._requests()
        yield from self._taken()
        yield from self._times()
        yield from self._rules()
        yield from self._gauges()
        yield from self._load()

    def _requests(self) -> Iterator[Metric]:
        ended = CounterMetricFamily(
            "llmsim_requests", "Requests that have ended.", labels=(*LABELS, "status", "outcome")
        )
        left = CounterMetricFamily(
            "llmsim_abandoned_requests", "Requests whose clients left before the end.", labels=LABELS
        )
        for series in self._told.series:
            own = values(series)
            for (status, outcome), cell in series.cells.items():
                if cell.count:
                    ended.add_metric([*own, str(status or NONE), outcome], cell.count)
            if gone := sum(cell.count for (_, outcome), cell in series.cells.items() if outcome == "abandoned"):
                left.add_metric(own, gone)
        yield from (ended, left)

    def _taken(self) -> Iterator[Metric]:
        tokens = CounterMetricFamily(
            "llmsim_tokens", "Tokens as a provider charges them, into the model and out.", labels=(*LABELS, "direction")
        )
        cached = CounterMetricFamily(
            "llmsim_cached_tokens", "Those of the tokens in that came from the provider's cache.", labels=LABELS
        )
        cost = CounterMetricFamily(
            "llmsim_cost_dollars", "US dollars by the catalogue's prices; nothing without a known price.", labels=LABELS
        )
        for series in self._told.series:
            own = values(series)
            out = series.completions.sum + self._told.sent[series.labels]
            if not series.prompts.sum and not out:
                continue
            tokens.add_metric([*own, "in"], series.prompts.sum)
            tokens.add_metric([*own, "out"], out)
            cached.add_metric(own, series.cached)
            cost.add_metric(own, series.dollars)
        yield from (tokens, cached, cost)

    def _times(self) -> Iterator[Metric]:
        for name, told, get in _TIMES:
            yield histogram(f"llmsim_{name}", told, LABELS, ((values(one), get(one)) for one in self._told.series))
        late = HistogramMetricFamily(
            "llmsim_lateness_seconds", "The greatest lateness of any part of a reply.", unit="seconds"
        )
        late.add_metric([], buckets(LATE, self._told.late), self._told.late_sum)
        yield late

    def _rules(self) -> Iterator[Metric]:
        for name, told, labels, counts in (
            ("faults", "How often faults have struck.", ("kind", "fault"), self._told.faults),
            ("mock_answers", "Requests that mocks have answered.", ("mock",), self._told.mocks),
            ("limit_refusals", "Requests that rate limits have refused.", ("what", "limit"), self._told.limits),
        ):
            family = CounterMetricFamily(f"llmsim_{name}", told, labels=labels)
            for own, count in counts.items():
                family.add_metric(own, count)
            yield family

    def _gauges(self) -> Iterator[Metric]:
        told = self._told
        active, queued = sum(told.running.values()) + sum(told.waiting.values()), told.gauges.get("wordless", 0)
        yield GaugeMetricFamily("llmsim_active_requests", "Requests under way.", value=active)
        yield GaugeMetricFamily("llmsim_queued_requests", "Requests that wait for their first token.", value=queued)
        for key, name, text, unit in ((key, name, text, unit) for key, name, unit, text in _GAUGES):
            yield GaugeMetricFamily(f"llmsim_{name}", text, value=told.gauges.get(key, 0), unit=unit)

    def _load(self) -> Iterator[Metric]:
        for name, told, key in _LOAD:
            gauge = GaugeMetricFamily(f"llmsim_load_{name}", told, labels=("profile",))
            for station in self._told.load:
                value = station[key] if key != "cached" else station["cache"]["tokens"]
                if value is not None:
                    gauge.add_metric([station["profile"]], value)
            yield gauge
        refused = CounterMetricFamily(
            "llmsim_load_refusals", "Requests that found the slots and the queue full.", labels=("profile",)
        )
        for station in self._told.load:
            refused.add_metric([station["profile"]], station["refused"])
        yield refused


def values(series: Series) -> tuple[str, ...]:
    """The values of a series' labels."""
    provider, endpoint, model, streaming = series.labels
    return provider, endpoint, model, "true" if streaming else "false"


def histogram(
    name: str, told: str, labels: Sequence[str], found: Iterable[tuple[Sequence[str], Histogram]]
) -> HistogramMetricFamily:
    """A family of histograms; those that hold nothing are left out."""
    family = HistogramMetricFamily(name, told, labels=labels, unit="seconds" if name.endswith("_seconds") else "")
    for own, one in found:
        if any(one.counts):
            family.add_metric(own, buckets(one.bounds, one.counts), one.sum)
    return family


def buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Buckets as Prometheus has them: each with all that is in the ones below."""
    names = [*(str(bound) for bound in bounds), "+Inf"]
    return list(zip(names, accumulate(counts), strict=True))
