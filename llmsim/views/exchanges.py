"""Exchanges as they are shown: a line in a list, a reply under way, all that is known of one."""

from __future__ import annotations

from bisect import bisect_right

from llmsim.conversation import Ask
from llmsim.exchange import Exchange
from llmsim.metrics import outcome
from llmsim.views import Outcome, Row, Stream

_STALL = 1.0
"""Seconds without a token after which a stream counts as stalled."""
_TAIL = 40
"""Pieces at the end of a reply that its line shows."""


def row(exchange: Exchange, now: float) -> Row:
    """One exchange as a line, at this moment."""
    ask, plan = exchange.ask, exchange.plan
    kind: Outcome = outcome(exchange)  # type: ignore[assignment]
    told = exchange.first is not None and exchange.status == 200
    return Row(
        number=exchange.number,
        wall=exchange.wall,
        client=ask.client or "-",
        model=_model(ask),
        endpoint=ask.endpoint,
        attempt=ask.attempt,
        stream=ask.stream,
        outcome=kind,
        status=exchange.status or None,
        ttft=exchange.first - exchange.started if told and exchange.first is not None and ask.stream else None,
        duration=None if exchange.ended is None else exchange.ended - exchange.started,
        tokens=exchange.tokens,
        planned=plan.usage.completion,
        prompt_tokens=plan.usage.prompt,
        profile=plan.profile,
        origin=plan.origin,
        faults=plan.faults,
        held=exchange.state == "live" and held(exchange, now),
    )


def held(exchange: Exchange, now: float) -> bool:
    """Whether an exchange under way is held back."""
    return exchange.plan.hold > 0.0 and exchange.holds(now)


def _model(ask: Ask) -> str:
    """The model, or for what needs none the path it was asked at."""
    return ask.model or ask.endpoint.removeprefix("/v1") or "-"


def stream(exchange: Exchange, now: float) -> Stream:
    """One reply under way."""
    plan, cursor = exchange.plan, exchange.cursor
    played = exchange.time(now)
    since = exchange.time(now) - (plan.times[cursor - 1] if cursor else 0.0)
    ahead = plan.times[cursor] - played if cursor < len(plan.times) else 0.0
    if held(exchange, now):
        state, since = "held", now - exchange.started
    elif not exchange.rate:
        state = "paused"
    elif not cursor:
        state = "waiting"
    else:
        state = "stalled" if since > _STALL and ahead > _STALL / 4 else "streaming"
    # What came with the first token, such as hidden thinking, tells nothing about the pace.
    paced = cursor - bisect_right(plan.times, plan.times[0])
    # From when the first one was due: of several that came late together it would be any pace.
    begun = exchange.first if exchange.first_due is None else exchange.first_due
    spent = now - begun if begun is not None and paced > 0 else 0.0
    return Stream(
        number=exchange.number,
        client=exchange.ask.client or "-",
        model=_model(exchange.ask),
        tokens=cursor,
        planned=len(plan.pieces) - 1,
        rate=paced / spent if spent > 0 else 0.0,
        waited=since,
        state=state,  # type: ignore[arg-type]
        text=exchange.text(max(0, cursor - _TAIL)),
        faults=plan.faults,
        whole=not exchange.ask.stream,
        factor=exchange.factor,
    )
