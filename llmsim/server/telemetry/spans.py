"""Two spans for an exchange: the server's own, under the trace of its client, and below it what the model did."""

from __future__ import annotations

from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.server.telemetry import words
from llmsim.simulator import Simulator


class Spans:
    """Makes the spans of exchanges once they have ended, at the moments when they were."""

    def __init__(self, tracer: Tracer, simulator: Simulator, port: int) -> None:
        self._tracer = tracer
        self._simulator = simulator
        self._port = port
        self._fields = [(name, name.encode()) for name in propagate.get_global_textmap().fields]

    def ended(self, exchange: Exchange) -> None:
        """Told of an exchange that has ended."""
        begin = int(exchange.wall * 1e9)
        end = begin + int(((exchange.ended or exchange.started) - exchange.started) * 1e9)
        route = self._simulator.meter.tallies.of(exchange).labels.endpoint
        asked = exchange.asked or (exchange.ask.follows and exchange.ask.follows.asked)
        method = asked[2].method if asked else "POST"
        span = self._tracer.start_span(
            f"{method} {route}", self._parent(exchange), SpanKind.SERVER, start_time=begin, record_exception=False
        )
        if span.is_recording():
            span.set_attributes({"http.request.method": method, "http.route": route, **self._server(exchange, asked)})
            span.set_attributes(words.own(exchange))
            if exchange.status >= 500 or exchange.state == "dropped":
                span.set_status(Status(StatusCode.ERROR, words.error(exchange)))
            if words.operation(exchange):
                self._model(exchange, set_span_in_context(span), begin, end)
        span.end(end)

    def _parent(self, exchange: Exchange) -> Context:
        """The client's trace, by W3C trace context or what OTEL_PROPAGATORS names."""
        headers = exchange.ask.headers
        carried = {name: headers[key].decode("latin-1") for name, key in self._fields if key in headers}
        return propagate.extract(carried, Context())

    def _server(self, exchange: Exchange, asked: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"url.scheme": "http", "server.port": self._port}
        if exchange.status:
            told["http.response.status_code"] = exchange.status
        if why := words.error(exchange):
            told["error.type"] = why
        if asked:
            dialect, _, request = asked
            told |= {"url.path": masks.text(request.path[:1000]), "client.address": request.client}
            if request.query:
                told["url.query"] = masks.query(request.query[:1000])
            if id := dialect.request_id(exchange):
                told["http.response.header.x-request-id"] = [id]
        if agent := exchange.ask.headers.get(b"user-agent"):
            told["user_agent.original"] = words.shown(agent.decode("latin-1"))
        return told

    def _model(self, exchange: Exchange, within: Context, begin: int, end: int) -> None:
        """The child: `chat gpt-4o`, of the kind for a model in the same process."""
        told = words.request(exchange) | words.reply(exchange)
        name = f"{told['gen_ai.operation.name']} {told['gen_ai.request.model']}"
        span = self._tracer.start_span(name, within, SpanKind.INTERNAL, told, start_time=begin)
        if exchange.first is not None and exchange.ask.stream:
            span.add_event("first token", timestamp=begin + int((exchange.first - exchange.started) * 1e9))
        if why := words.error(exchange):
            span.set_attribute("error.type", why)
            span.set_status(Status(StatusCode.ERROR, why))
        span.end(end)
