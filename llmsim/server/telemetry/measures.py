"""The figures of exchanges as OpenTelemetry's metrics, with labels that no client can make grow on."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from llmsim.exchange import Exchange
from llmsim.server.telemetry import words
from llmsim.simulator import Simulator
from llmsim.spent import spent

# Buckets, in seconds, that the semantic conventions advise.
_DURATION = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
_FIRST = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_EACH = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5]
_HTTP = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_LATE = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0]


class Measures:
    """Counts exchanges as they end."""

    def __init__(self, meter: Meter, simulator: Simulator) -> None:
        self._simulator = simulator

        def histogram(name: str, told: str, bounds: list[float]) -> Histogram:
            return meter.create_histogram(name, "s", told, explicit_bucket_boundaries_advisory=bounds)

        self._http = histogram("http.server.request.duration", "Duration of HTTP server requests.", _HTTP)
        self._total = histogram("gen_ai.server.request.duration", "From a request to its last token.", _DURATION)
        self._first = histogram("gen_ai.server.time_to_first_token", "From a request to its first token.", _FIRST)
        self._each = histogram("gen_ai.server.time_per_output_token", "Time per token after the first.", _EACH)
        self._late = histogram("llmsim.lateness", "Greatest lateness of any part of a reply.", _LATE)
        self._tokens = meter.create_counter("llmsim.tokens", "{token}", "Tokens as a provider charges them.")
        meter.create_observable_up_down_counter("http.server.active_requests", [self._active], "{request}")

    def _active(self, _: CallbackOptions) -> Iterable[Observation]:
        """Requests under way."""
        return [Observation(len(self._simulator.meter.live))]

    def ended(self, exchange: Exchange) -> None:
        """Told of an exchange that has ended."""
        labels = self._simulator.meter.tallies.of(exchange).labels
        took = (exchange.ended or exchange.started) - exchange.started
        asked = exchange.asked
        about: dict[str, str | int] = {"http.route": labels.endpoint, "url.scheme": "http"}
        about["http.request.method"] = asked[2].method if asked else "POST"
        if exchange.status:
            about["http.response.status_code"] = exchange.status
        failed = {"error.type": why} if (why := words.error(exchange)) else {}
        self._http.record(took, {**about, **failed})
        if name := words.operation(exchange):
            own = {
                "gen_ai.operation.name": name,
                "gen_ai.provider.name": words.provider(exchange),
                "gen_ai.request.model": labels.model,
            }
            self._total.record(took, {**own, **failed})
            if exchange.ask.follows is None:
                self._played(exchange, own)

    def _played(self, exchange: Exchange, own: dict[str, str]) -> None:
        prompt, completion = spent(exchange)
        for count, kind in ((prompt, "input"), (completion, "output")):
            if count:
                self._tokens.add(count, {**own, "gen_ai.token.type": kind})
        self._late.record(exchange.late)
        first, end = exchange.first, exchange.ended
        if exchange.ask.stream and exchange.state == "done" and first is not None and end is not None:
            self._first.record(first - exchange.started, own)
            if completion > 1:
                self._each.record((end - first) / (completion - 1), own)
