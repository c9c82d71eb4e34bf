"""Traces and metrics by OpenTelemetry, sent as its own environment variables say; loaded where it is asked for."""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING, Any

from llmsim import __version__
from llmsim.errors import SettingsError
from llmsim.simulator import Simulator

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor

FAREWELL = 3.0
"""Seconds at the end for what is still to be sent."""

_INSTALL = "otel: it takes packages that are not installed: pip install 'llmsim[otel]'"


class Telemetry:
    """Tells OpenTelemetry of every exchange as it ends: a span and its child, and the figures of both.

    `port` is the one that the server listens on. Without `spans` and `readers` they are made as the environment
    says: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER and the like. Raises SettingsError for what cannot be had.
    """

    def __init__(
        self, simulator: Simulator, spans: SpanProcessor | None = None, *readers: MetricReader, port: int = 0
    ) -> None:
        try:
            from opentelemetry.sdk.metrics import MeterProvider
            from opentelemetry.sdk.trace import TracerProvider

            from llmsim.server.telemetry.measures import Measures
            from llmsim.server.telemetry.spans import Spans
        except ImportError:
            raise SettingsError(_INSTALL) from None
        self._tracers = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        if spans is None:
            processor, reader = _processor(), _reader()
            readers = (reader,) if reader is not None else ()
        else:
            processor = spans
        if processor is not None:
            self._tracers.add_span_processor(processor)
        self._meters = MeterProvider(readers, _resource(), shutdown_on_exit=False)
        if processor is not None:
            told = Spans(self._tracers.get_tracer("llmsim", __version__), simulator, port)
            simulator.observers.append(told.ended)
        if readers:
            measured = Measures(self._meters.get_meter("llmsim", __version__), simulator)
            simulator.observers.append(measured.ended)

    def stop(self) -> None:
        """Sends what is left, for three seconds at most; blocks as long."""
        thread = Thread(target=self._shut, name="llmsim telemetry's end", daemon=True)
        thread.start()
        thread.join(FAREWELL)

    def _shut(self) -> None:
        self._tracers.shutdown()
        self._meters.shutdown()


def off() -> bool:
    """Whether the environment switches OpenTelemetry off altogether."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _resource() -> Any:
    """Who sends: as the environment says, else llmsim."""
    from opentelemetry.sdk.resources import Resource

    told = Resource.create()
    own = {"service.version": __version__}
    if str(told.attributes.get("service.name", "unknown_service")).startswith("unknown_service"):
        own["service.name"] = "llmsim"
    return told.merge(Resource(own))


def _processor() -> SpanProcessor | None:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = _exporter("traces")
    return None if exporter is None else BatchSpanProcessor(exporter)


def _reader() -> MetricReader | None:
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    exporter = _exporter("metrics")
    return None if exporter is None else PeriodicExportingMetricReader(exporter)


def _exporter(signal: str) -> Any:
    """The exporter that OTEL_TRACES_EXPORTER or OTEL_METRICS_EXPORTER names; None for `none`."""
    from importlib.metadata import entry_points

    variable = f"OTEL_{signal.upper()}_EXPORTER"
    name = os.environ.get(variable, "").strip() or "otlp"
    if name == "none":
        return None
    found = {one.name: one for one in entry_points(group=f"opentelemetry_{signal}_exporter")}
    kind = _protocol(signal) if name == "otlp" else name
    if kind not in found:
        if name == "otlp" and "otlp_proto_http" not in found:
            raise SettingsError(_INSTALL)
        there = ", ".join(("none", *sorted(found)))
        raise SettingsError(f"{variable}: there is no exporter {kind!r} here; there are {there}")
    return found[kind].load()()


def _protocol(signal: str) -> str:
    """The entry point of the OTLP exporter by the protocol that the environment names; HTTP where it names none."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL")
    told = own or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    return {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}.get(told, told)
