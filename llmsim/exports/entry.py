"""The one JSON form of an exchange, for the control API, for files and for the command line; secrets are masked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from llmsim import explain, masks
from llmsim.exchange import Exchange
from llmsim.honesty import gaps
from llmsim.load import LoadedExchange
from llmsim.metrics import outcome
from llmsim.spent import spent
from llmsim.verdict.costs import price_of
from llmsim.verdict.tries import told_wait

LIMIT = 16_384
"""Characters of a request's body and of a reply's text that an entry tells, if nobody says otherwise."""


def moment(wall: float) -> str:
    """Seconds since the epoch as RFC 3339 has them, in UTC, to the millisecond."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entry(exchange: Exchange, *, earlier: int | None = None, limit: int = LIMIT, bodies: bool = True) -> dict[str, Any]:
    """Everything that is known about an exchange; times in milliseconds, None where there is none.

    `earlier` is the number of the try before it, if it is a retry (`llmsim.verdict.retries` finds it). `limit` bounds
    the texts, in characters; without `bodies` they are left out. Masked are keys, and what looks like one in texts.
    """
    ask, plan = exchange.ask, exchange.plan
    told: dict[str, Any] = {
        "number": exchange.number,
        "time": moment(exchange.wall),
        "client": masks.text(ask.client, ask.key),
        "key": masks.key(ask.key),
        "provider": ask.provider,
        "api": ask.dialect,
        "endpoint": masks.target(ask.endpoint),
        "model": masks.text(ask.model, ask.key),
        "stream": ask.stream,
        "attempt": ask.attempt,
        "retry_of": earlier,
        "follows": None if ask.follows is None else ask.follows.number,
        "status": exchange.status or None,
        "outcome": outcome(exchange),
        **times(exchange),
        "tokens": {"sent": exchange.tokens, "planned": plan.usage.completion},
        "usage": _usage(exchange),
        "cost": _cost(exchange),
        "profile": plan.profile,
        "origin": plan.origin,
        "mock": plan.mock or None,
        "faults": list(plan.faults),
        "why": _why(exchange),
    }
    if bodies:
        told["request"], told["request_cut"] = masks.body(exchange.request, ask.key, limit)
        reply = exchange.text()
        told["reply"] = masks.text(reply[: limit + masks.LONGEST], ask.key)[:limit]
        told["reply_cut"] = len(reply) > limit
    return told


def times(exchange: Exchange) -> dict[str, Any]:
    """What was asked of the times and what was achieved, in milliseconds.

    `tbt_ms` are means, of streams that came to their end. `hindered` says that the client read too slowly for a while,
    so that what was late is not the simulator's doing; `paced_by_hand` that what was asked has been changed since.
    """
    asked = None if exchange.first_due is None else exchange.first_due - exchange.started
    achieved = None if exchange.first is None else exchange.first - exchange.started
    duration = None if exchange.ended is None else exchange.ended - exchange.started
    gap = gaps(exchange)
    return {
        "ttft_ms": {"asked": _ms(asked), "achieved": _ms(achieved)},
        "duration_ms": _ms(duration),
        "late_ms": _ms(exchange.late),
        "tbt_ms": {"asked": _ms(gap[0]), "achieved": _ms(gap[1])} if gap else {"asked": None, "achieved": None},
        "hindered": exchange.hindered,
        "paced_by_hand": not exchange.steady,
        "load": _load(exchange),
    }


def _load(exchange: Exchange) -> dict[str, Any] | None:
    """How the load went into it; None where it had no say. `queued_ms` is None while it waits."""
    if not isinstance(exchange, LoadedExchange):
        return None
    others = None if exchange.waited is None else exchange.company
    return {"queued_ms": _ms(exchange.waited), "others": others, "slowing": round(exchange.stretch, 4)}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _usage(exchange: Exchange) -> dict[str, int]:
    usage = exchange.plan.usage
    return {
        "prompt": usage.prompt,
        "completion": usage.completion,
        "thinking": usage.thinking,
        "cached": usage.cached,
    }


def _cost(exchange: Exchange) -> float | None:
    """US dollars by the catalogue; None where it has no price."""
    prompt, completion = spent(exchange)
    if not prompt and not completion:
        return 0.0
    price = price_of(exchange, prompt, completion)
    return None if price is None else round(price, 9)


def _why(exchange: Exchange) -> list[str]:
    """How the reply came to be, one line a cause, masked."""
    lines = explain.why(exchange)
    wait = told_wait(exchange)
    if wait is not None:
        lines.append(f"told to wait {wait:g} s")
    return [masks.text(line, exchange.ask.key) for line in lines]
