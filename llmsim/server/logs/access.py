"""One line of the log for each request, so many a second at most."""

from __future__ import annotations

import logging
from typing import Any

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.metrics import outcome
from llmsim.simulator import Simulator
from llmsim.spent import spent

logger = logging.getLogger("llmsim.requests")

_LONGEST = 300
_SPOKEN = ("method", "path", "status", "outcome")


class Access:
    """Logs requests as they end: `most` a second, then how many more there were."""

    def __init__(self, simulator: Simulator, most: int) -> None:
        self._clock = simulator.clock
        self._most = most
        self._since = float("-inf")
        self._told = 0
        self._left_out = 0
        simulator.observers.append(self.ended)

    def ended(self, exchange: Exchange) -> None:
        """Told of an exchange that has ended."""
        now = exchange.ended or 0.0
        if now - self._since >= 1.0:
            self._since, self._told = now, 0
        if self._told < self._most:
            self._told += 1
            about = {"exchange": exchange, "fields": told(exchange), "spoken": _SPOKEN}
            logger.info("%s", _line(exchange), extra=about)
            return
        if not self._left_out:
            self._clock.call_at(self._since + 1.0, self._sum)
        self._left_out += 1

    def _sum(self) -> None:
        """Says how many requests had no line."""
        count, self._left_out = self._left_out, 0
        more = "1 more request is" if count == 1 else f"{count} more requests are"
        logger.info("%s not shown", more, extra={"fields": {"suppressed": count}})


def _line(exchange: Exchange) -> str:
    return f"{_method(exchange)} {_path(exchange)} {exchange.status or '-'} {outcome(exchange)}"


def told(exchange: Exchange) -> dict[str, Any]:
    """What is worth knowing of an exchange, in fields; times in milliseconds."""
    ask, plan = exchange.ask, exchange.plan
    prompt, completion = spent(exchange)
    fields = {
        "method": _method(exchange),
        "path": _path(exchange),
        "status": exchange.status,
        "outcome": outcome(exchange),
        "provider": ask.provider,
        "model": masks.text(ask.model[:_LONGEST]),
        "stream": ask.stream,
        "tokens_in": prompt,
        "tokens_out": completion,
        "ttft_ms": _ms(exchange.first, exchange.started) if ask.stream else None,
        "duration_ms": _ms(exchange.ended, exchange.started),
        "late_ms": round(exchange.late * 1000, 3),
        "faults": list(plan.faults),
        "mock": plan.mock,
        "attempt": ask.attempt,
        "key": masks.key(ask.key[:_LONGEST]),
        "client": masks.text(ask.client),
        "address": _address(exchange),
        "trace_id": trace_id(exchange),
    }
    return {name: value for name, value in fields.items() if value or name == "status"}


def trace_id(exchange: Exchange) -> str:
    """The id of the trace that the client's request is part of (W3C trace context), else nothing."""
    parts = exchange.ask.headers.get(b"traceparent", b"").split(b"-")
    known = len(parts) >= 4 and len(parts[1]) == 32 and parts[1].isalnum() and parts[1].strip(b"0")
    return parts[1].decode("ascii") if known else ""


def _asked(exchange: Exchange) -> Any:
    asked = exchange.asked or (exchange.ask.follows and exchange.ask.follows.asked)
    return asked[2] if asked else None


def _method(exchange: Exchange) -> str:
    request = _asked(exchange)
    return str(request.method)[:20] if request is not None else "-"


def _path(exchange: Exchange) -> str:
    request = _asked(exchange)
    if request is None:
        return masks.text(exchange.ask.endpoint[:_LONGEST])
    return masks.target(f"{request.path}?{request.query}" if request.query else request.path)[:_LONGEST]


def _address(exchange: Exchange) -> str:
    request = _asked(exchange)
    return str(request.client) if request is not None else ""


def _ms(moment: float | None, since: float) -> float | None:
    return None if moment is None else round((moment - since) * 1000, 1)
