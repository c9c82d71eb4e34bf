"""GET /metrics: the simulator's figures for Prometheus, as text or OpenMetrics, whichever the scraper asks for."""

from __future__ import annotations

import asyncio
import gzip
import sys
from collections import deque
from itertools import islice
from typing import Literal, get_args

from llmsim import __version__
from llmsim.dialects import Answer, Request
from llmsim.exchange import Exchange
from llmsim.figures import MOST_NAMES, sent
from llmsim.server.routes import Routes
from llmsim.server.snapshot import Snapshot
from llmsim.settings import Settings
from llmsim.simulator import Simulator

PATH = "/metrics"

Names = Literal["llmsim", "vllm", "both"]
"""Whose names the metrics have."""

_LIFTED = 20
"""Changes to look back on for a fault that has just been lifted."""


class Metrics:
    """Tells the simulator's tallies what only a server knows, and answers those who scrape them."""

    def __init__(self, simulator: Simulator, routes: Routes, names: Names = "llmsim") -> None:
        self._simulator = simulator
        self._routes = routes
        self._names = names
        self._build = {"version": __version__, "python": sys.version.split()[0]}
        tallies = simulator.meter.tallies
        tallies.place, tallies.kind_of = self._endpoint, self._kind
        tallies.configured = simulator.settings.model_profiles

    async def answer(self, request: Request) -> Answer:
        """The answer to a request for the metrics; `?names=vllm` asks for those of vLLM, `?names=both` for all."""
        if request.method not in ("GET", "HEAD"):
            return _text(405, "The metrics are read by GET.\n", (b"allow", b"GET, HEAD"))
        names = request.args.get("names", self._names)
        if names not in get_args(Names):
            return _text(400, f"names: there is no {names[:60]!r}; there are {', '.join(get_args(Names))}\n")
        accept = request.headers.get(b"accept", b"").decode("latin-1")
        encodings = request.headers.get(b"accept-encoding", b"").decode("latin-1")
        worded = asyncio.get_running_loop().run_in_executor(
            None, _worded, await self.figures(), names, accept, encodings
        )
        return await worded

    async def figures(self) -> Snapshot:
        """The figures of all that is measured here."""
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """The figures at this moment."""
        simulator, tallies = self._simulator, self._simulator.meter.tallies
        tallies.configured = simulator.settings.model_profiles
        told = Snapshot(build=self._build)
        for exchange in simulator.meter.live.values():
            self._under_way(told, exchange)
        tallies.sort()
        told.series = [series.copy() for series in tallies.series.values()]
        told.late, told.late_sum = tallies.late.counts.copy(), tallies.late.sum
        told.faults, told.mocks, told.limits = dict(tallies.faults), dict(tallies.mocks), dict(tallies.limits)
        told.load = [station.json() for station in islice(simulator.stations, MOST_NAMES)]
        told.gauges |= {
            "journal_exchanges": len(simulator.journal),
            "journal_size": simulator.journal.size,
            "store_entries": len(simulator.store),
            "store_size": simulator.store.size,
            "lag": simulator.pacer.lag.quantile(0.95),
            "start": simulator.clock.wall() - (simulator.clock.now() - simulator.started),
        }
        return told

    def _under_way(self, told: Snapshot, exchange: Exchange) -> None:
        series = self._simulator.meter.tallies.of(exchange)
        waits = exchange.first is None if exchange.plan.load is None else exchange.queued
        (told.waiting if waits else told.running)[series.labels.model] += 1
        told.gauges["wordless"] = told.gauges.get("wordless", 0) + (exchange.first is None)
        told.gauges["streams"] = told.gauges.get("streams", 0) + exchange.ask.stream
        if exchange.ask.follows is None:
            told.sent[series.labels] += sent(exchange)

    def _endpoint(self, exchange: Exchange) -> str:
        """The path of the route that the request came by, never the path that the client wrote."""
        asked = exchange.asked or (exchange.ask.follows and exchange.ask.follows.asked)
        if asked is None:
            return exchange.ask.endpoint
        _, route, request = asked
        if route is None:  # what is too large is refused before anybody looks at its route
            found = self._routes.find(Request(request.method, request.path, request.query, request.headers))
            route = None if found is None else found[1]
        return "" if route is None else str(route.path)

    def _kind(self, exchange: Exchange, id: str) -> str:
        """The kind of a fault that has struck; one that has done all it was armed for has been lifted already."""
        simulator, overrides = self._simulator, exchange.ask.overrides
        settings = simulator.settings
        if overrides is not None and settings.overrides:
            settings = overrides.over(settings)
        found = _kind_in(settings, id)
        if found is None:
            lifted = reversed(deque(simulator.history, maxlen=_LIFTED))
            found = next((kind for change in lifted if (kind := _kind_in(change.before, id)) is not None), None)
        return found or "unknown"


def _kind_in(settings: Settings, id: str) -> str | None:
    return next((one.fault.kind for one in settings.spoilers if one.id == id), None)


def _worded(told: Snapshot, names: str, accept: str, encodings: str) -> Answer:
    """The answer's bytes; imports what words them when it is first asked for, as few servers are scraped."""
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.exposition import choose_encoder

    from llmsim.server import samples, vllm_samples

    registry = CollectorRegistry()
    if names != "vllm":
        registry.register(samples.Samples(told))
    if names != "llmsim":
        registry.register(vllm_samples.VllmSamples(told))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    answer = Answer(200, encode(registry), [(b"content-type", content_type.encode())])
    answer.headers.append((b"vary", b"accept, accept-encoding"))
    if "gzip" in (one.partition(";")[0].strip() for one in encodings.split(",")):
        answer.body = gzip.compress(answer.body, 1)
        answer.headers.append((b"content-encoding", b"gzip"))
    return answer


def _text(status: int, told: str, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, told.encode(), [(b"content-type", b"text/plain; charset=utf-8"), *headers])
