"""A simulator in the console's own event loop, as the console's backend."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from llmsim import catalogue, explain
from llmsim.conversation import Ask
from llmsim.exchange import Exchange
from llmsim.latency import Profile, presets
from llmsim.metrics import BUCKET, outcome
from llmsim.server.control import Control
from llmsim.settings import Armed, Settings
from llmsim.simulator import Simulator
from llmsim_tui.backend import Action, ArmedFault, Bucket, Happening, Outcome, Pulse, Row, Stream
from llmsim_tui.local_rules import LocalRules

_RATE_SPAN = 10
"""Buckets that a rate is taken over: five seconds."""
_STALL = 1.0
"""Seconds without a token after which a stream counts as stalled."""
_TAIL = 40
"""Pieces at the end of a reply that its line shows."""


class LocalBackend(LocalRules):
    """Reads the simulator's own objects; what it gives is made when asked for.

    `control` is the server's, so that a scenario begun here and one begun over HTTP are the same.
    """

    read_only = False

    def __init__(self, simulator: Simulator, address: str, control: Control | None = None) -> None:
        super().__init__(simulator, control or Control(simulator))
        self.address = address

    def pulse(self) -> Pulse:
        """The figures of this moment; also books the tokens sent since the last one."""
        simulator = self._simulator
        meter, clock = simulator.meter, simulator.clock
        meter.sample()
        recent = meter.window(_RATE_SPAN + 1)[:-1]
        ended = sum(sum(slot.counts.values()) for slot in recent)
        wrong = sum(slot.counts["limited"] + slot.counts["failed"] + slot.counts["cut"] for slot in recent)
        span = max(1.0, min(_RATE_SPAN * BUCKET, clock.now() - simulator.started))
        ttfts = list(meter.ttfts)[-64:]
        return Pulse(
            wall=clock.wall(),
            up=clock.now() - simulator.started,
            state="stopping" if self._control.stopping() else "serving",
            requests=meter.begun,
            requests_per_s=ended / span,
            tokens_per_s=sum(slot.tokens for slot in recent) / span,
            live=len(meter.live),
            error_share=wrong / ended if ended else 0.0,
            lag_p95=simulator.pacer.lag.quantile(0.95),
            seed=simulator.settings.seed,
            armed=[self._armed(one) for one in simulator.settings.faults],
            asked_ttft=_median([asked for asked, _ in ttfts]),
            achieved_ttft=_median([achieved for _, achieved in ttfts]),
        )

    def _armed(self, one: Armed) -> ArmedFault:
        now, tally = self._simulator.clock.now(), self._simulator.tally
        waits = max(0.0, (one.since or 0.0) - now)
        left = None if one.until is None else min(one.for_s or 0.0, max(0.0, one.until - now))
        hits = tally.hits.get(one.id, 0)
        unit, most, spent = (
            ("requests", one.for_requests, tally._met.get(one.id, 0)) if one.for_requests else ("hits", one.count, hits)
        )
        return ArmedFault(
            id=one.id,
            label=one.label or one.fault.kind,
            kind=one.fault.kind,
            summary=one.fault.summary(),
            left=left,
            seconds=one.for_s,
            hits=hits,
            scope="" if one.scope.always else str(one.scope),
            more=None if most is None or (unit == "hits" and one.per != "all") else max(0, most - spent),
            most=most,
            unit=unit if most else "",
            per="" if one.per == "all" else one.per,
            waits=waits,
        )

    def numbers(self) -> tuple[int, int]:
        """The oldest and the newest exchange kept."""
        return self._simulator.journal.first, self._simulator.journal.last

    def row(self, number: int) -> Row | None:
        """One exchange as a line."""
        exchange = self._simulator.journal.get(number)
        return None if exchange is None else _row(exchange)

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """One exchange with its request, its reply and why it is as it is."""
        exchange = self._simulator.journal.get(number)
        if exchange is None:
            return None
        return {
            "row": _row(exchange),
            "why": explain.why(exchange, self._near(exchange)),
            "mock": exchange.plan.mock,
            "request": exchange.request.decode("utf-8", "replace"),
            "reply": exchange.text(),
        }

    def streams(self, limit: int) -> Sequence[Stream]:
        """Replies under way, oldest first."""
        now = self._simulator.clock.now()
        found: list[Stream] = []
        for exchange in self._simulator.meter.live.values():
            if len(found) == limit:
                break
            found.append(_stream(exchange, now))
        return found

    def buckets(self, count: int) -> Sequence[Bucket]:
        """The newest half-seconds."""
        return [Bucket(slot.number * BUCKET, slot.counts, slot.tokens) for slot in self._simulator.meter.window(count)]

    def ttfts(self) -> Sequence[float]:
        """The newest achieved TTFTs."""
        return [achieved for _, achieved in self._simulator.meter.ttfts]

    def happenings(self, after: int) -> Sequence[Happening]:
        """The newest events."""
        return [
            Happening(event.number, event.wall, event.kind, event.text, event.who, event.mark)
            for event in self._simulator.events.after(after)
        ]

    def settings(self) -> Settings:
        """The settings in force."""
        return self._simulator.settings

    def profiles(self) -> Mapping[str, Profile]:
        """Presets, under the user's own profiles."""
        return {**presets(), **self._simulator.settings.profiles}

    def models(self) -> Sequence[str]:
        """Models seen in traffic, the busiest first, then the catalogue's."""
        seen = [model for model, _ in self._simulator.meter.models.most_common() if model]
        return [*seen, *(name for name in catalogue.names() if name not in set(seen))]

    async def change(self, who: str = "console", *, text: str = "", mark: str = "", **changes: Any) -> None:
        """Changes settings."""
        self._simulator.change(who=who, text=text, mark=mark, **changes)

    async def arm(self, fault: Mapping[str, Any], *, label: str, seconds: float | None, id: str = "") -> str:
        """Arms a fault."""
        fields = {**fault, "label": label, "for_s": seconds, "id": id}
        return self._simulator.arm(fields, who="console").id

    async def lift(self, id: str | None = None) -> int:
        """Lifts one fault or all."""
        return self._simulator.lift(id, who="console")

    async def undo(self) -> str | None:
        """Takes the last change back."""
        return self._simulator.undo(who="console")

    async def act(self, number: int, action: Action, value: float = 1.0) -> bool:
        """Acts on one reply under way."""
        return self._simulator.act(number, action, value=value, who="console")


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


def _model(ask: Ask) -> str:
    """The model, or for what needs none the path it was asked at."""
    return ask.model or ask.endpoint.removeprefix("/v1") or "-"


def _row(exchange: Exchange) -> Row:
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
    )


def _stream(exchange: Exchange, now: float) -> Stream:
    plan, cursor = exchange.plan, exchange.cursor
    played = exchange.time(now)
    since = exchange.time(now) - (plan.times[cursor - 1] if cursor else 0.0)
    ahead = plan.times[cursor] - played if cursor < len(plan.times) else 0.0
    if not exchange.rate:
        state = "paused"
    elif not cursor:
        state = "waiting"
    else:
        state = "stalled" if since > _STALL and ahead > _STALL / 4 else "streaming"
    # What came with the first token, such as hidden thinking, tells nothing about the pace.
    paced = cursor - bisect_right(plan.times, plan.times[0])
    spent = now - exchange.first if exchange.first is not None and paced > 0 else 0.0
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
