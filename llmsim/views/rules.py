"""Rules as they are shown: faults with their fuses, buckets of rate limits, a mock made from a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.limits import BucketState, Limit
from llmsim.settings import Armed
from llmsim.tally import Tally
from llmsim.views import ArmedFault, Gauge

_LONGEST: Final = 200
"""Characters of a user's text that a mock made from a request asks for."""


def armed(one: Armed, now: float, tally: Tally) -> ArmedFault:
    """One fault in force, with what is left of its fuse."""
    waits = max(0.0, (one.since or 0.0) - now)
    left = None if one.until is None else min(one.for_s or 0.0, max(0.0, one.until - now))
    hits = tally.hits.get(one.id, 0)
    unit, most = ("requests", one.for_requests) if one.for_requests else ("hits", one.count)
    return ArmedFault(
        id=one.id,
        label=one.label or one.fault.kind,
        kind=one.fault.kind,
        summary=one.fault.summary(),
        left=left,
        seconds=one.for_s,
        hits=hits,
        scope="" if one.scope.always else str(one.scope),
        more=tally.left(one),
        most=most,
        unit=unit if most else "",
        per="" if one.per == "all" else one.per,
        waits=waits,
    )


def gauge(one: BucketState, limits: Sequence[Limit]) -> Gauge:
    """One bucket of a rate limit."""
    return Gauge(
        name=str(one.rule),
        whose=_whose(one.rule, one.per),
        kind=one.kind,
        limit=one.limit,
        level=one.level,
        reset=one.reset,
        busy=one.busy,
        place=_place(one.rule, limits),
    )


def _whose(rule: Limit, values: Sequence[str]) -> str:
    """Whose a bucket is; keys are masked."""
    told = [masks.key(value) if what == "key" else value for what, value in zip(rule.per, values, strict=False)]
    return " ".join(told) or "everybody"


def _place(rule: Limit, limits: Iterable[Limit]) -> int | None:
    """Where the rule is; a bucket of a tier keeps an edited one until the next request comes."""
    return next(
        (place for place, one in enumerate(limits) if one == rule or (rule.name and one.name == rule.name)), None
    )


def draft(exchange: Exchange, asked: str) -> dict[str, Any]:
    """The fields of a mock: such a request, and the reply as it was."""
    ask, plan = exchange.ask, exchange.plan
    when: dict[str, Any] = {}
    if ask.model:
        when["model"] = ask.model
    if words := asked.strip()[:_LONGEST]:
        # A text that begins with a sign of the grammar would be read as something else.
        when["text"] = f"={asked}" if words[0] in "=/*" and len(asked) <= _LONGEST else words.lstrip("=/*") or "*"
    if not when:
        when["endpoint"] = ask.endpoint
    failure = plan.failure
    if failure is not None:
        error: dict[str, Any] = {"status": exchange.status or 500}
        error |= {"message": failure.message} if failure.message else {}
        reply: Any = {"error": error}
    else:
        reply = {"text": exchange.text() or "write the reply here"}
    return {"name": f"like-{exchange.number}", "when": when, "reply": reply}
