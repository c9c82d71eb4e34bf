"""A simulator as it is shown: everything a console reads, made when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from llmsim import catalogue
from llmsim.exchange import Exchange
from llmsim.faults.hold import Hold
from llmsim.honesty import REPLIES, Honesty, measured
from llmsim.journal.search import with_texts
from llmsim.latency import Profile, presets
from llmsim.metrics import BUCKET
from llmsim.mocks import Mock
from llmsim.mocks.index import Near
from llmsim.scenarios.play import Playing
from llmsim.settings import Settings
from llmsim.simulator import Simulator
from llmsim.views import Bucket, Gauge, Happening, Play, Pulse, Retries, Row, Stream, exchanges, rules
from llmsim.views.inspect import PIECES, inspected
from llmsim.views.retries import LOOKED_AT, retried

_RATE_SPAN = 10
"""Buckets that a rate is taken over: five seconds."""


class Controlled(Protocol):
    """What else there is beside the simulator: the scenario under way, and whether the server is stopping."""

    @property
    def playing(self) -> Playing | None:
        """The scenario that was begun last."""
        ...

    def stopping(self) -> bool:
        """Whether the server is stopping."""
        ...


class View:
    """Reads the simulator's own objects; reading is cheap and changes nothing."""

    def __init__(self, simulator: Simulator, control: Controlled) -> None:
        self._simulator = simulator
        self._control = control
        self.run = f"{simulator.clock.wall() - simulator.clock.now() + simulator.started:.6f}"
        """Tells this run of a simulator from all others."""
        self._nearest: tuple[Any, Near | None] = (None, None)
        self._detail: tuple[object, dict[str, Any]] = (None, {})
        self._mocks: Sequence[Mock] = ()
        self._tag = 0
        self._retried: tuple[object, Retries] = (None, Retries())

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
            armed=[rules.armed(one, clock.now(), simulator.tally) for one in simulator.settings.faults],
            asked_ttft=_median([asked for asked, _ in ttfts]),
            achieved_ttft=_median([achieved for _, achieved in ttfts]),
            held=self._held(clock.now()),
        )

    def _held(self, now: float) -> int:
        """How many replies are held back; looked for only where some may be."""
        simulator = self._simulator
        if not len(simulator.holds) and not any(type(one.fault) is Hold for one in simulator.settings.faults):
            return 0
        return sum(exchanges.held(one, now) for one in simulator.meter.live.values())

    # -- exchanges

    def numbers(self) -> tuple[int, int]:
        """The oldest and the newest exchange kept."""
        return self._simulator.journal.first, self._simulator.journal.last

    def row(self, number: int) -> Row | None:
        """One exchange as a line."""
        exchange = self._simulator.journal.get(number)
        if exchange is None:
            return None
        if exchange.state == "live":
            self._simulator.moments.watch(exchange)
        return exchanges.row(exchange, self._simulator.clock.now())

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """One exchange with its request, its reply and why it is as it is."""
        exchange = self._simulator.journal.get(number)
        if exchange is None:
            return None
        self._simulator.moments.watch(exchange, wanted=True)
        # Worked out anew only when something has come of it: the inspector asks at every tick.
        key = (number, exchange.state, exchange.cursor, exchange.steady, self._simulator.settings.revision)
        if self._detail[0] != key:
            self._detail = (key, self._inspected(exchange))
        return {"row": exchanges.row(exchange, self._simulator.clock.now()), **self._detail[1]}

    def _inspected(self, exchange: Exchange) -> dict[str, Any]:
        simulator = self._simulator
        told = inspected(exchange, self._near(exchange), simulator.reword)
        return told | {"went": [one and round(one * 1000, 2) for one in simulator.moments.went(exchange, PIECES)]}

    def honesty(self) -> Honesty:
        """Asked beside achieved, over the newest replies."""
        return measured(self._simulator.journal.newest(REPLIES), self._simulator.pacer.lag)

    def _near(self, exchange: Exchange) -> Near | None:
        """The nearest mock; remembered, as the inspector asks at every tick and a request is read again for it."""
        key = (exchange.number, exchange.state, self._simulator.settings.revision)
        if self._nearest[0] != key:
            self._nearest = (key, self._simulator.near(exchange))
        return self._nearest[1]

    def drafted(self, number: int) -> dict[str, Any] | None:
        """A mock's fields from one exchange: its model and last user text, and what was replied."""
        exchange = self._simulator.journal.get(number)
        if exchange is None:
            return None
        return rules.draft(exchange, with_texts(exchange, self._simulator.reread).last_user_text)

    def streams(self, limit: int) -> Sequence[Stream]:
        """Replies under way, oldest first."""
        now = self._simulator.clock.now()
        found: list[Stream] = []
        for exchange in self._simulator.meter.live.values():
            if len(found) == limit:
                break
            self._simulator.moments.watch(exchange)
            found.append(exchanges.stream(exchange, now))
        return found

    def retries(self) -> Retries:
        """How clients took what went wrong, of the newest requests; worked out once a second, if anything has come."""
        simulator = self._simulator
        now, meter = simulator.clock.now(), simulator.meter
        key = (int(now), meter.begun, sum(meter.outcomes.values()))
        if self._retried[0] is None or (key != self._retried[0] and key[0] != self._retried[0][0]):  # type: ignore[index]
            self._retried = (key, retried(simulator.journal.newest(LOOKED_AT), now))
        return self._retried[1]

    # -- figures and events

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

    # -- settings and rules

    def settings(self) -> Settings:
        """The settings in force."""
        return self._simulator.settings

    def mocks_tag(self) -> int:
        """A number that stays while the mocks do, as other settings change: there may be thousands of them."""
        now = self._simulator.settings
        if len(self._mocks) != len(now.mocks) or any(a is not b for a, b in zip(self._mocks, now.mocks, strict=True)):
            self._mocks, self._tag = now.mocks, now.revision
        return self._tag

    def profiles(self) -> Mapping[str, Profile]:
        """Presets, under the user's own profiles."""
        return {**presets(), **self._simulator.settings.profiles}

    def models(self) -> Sequence[str]:
        """Models seen in traffic, the busiest first, then the catalogue's."""
        seen = [model for model, _ in self._simulator.meter.models.most_common() if model]
        return [*seen, *(name for name in catalogue.names() if name not in set(seen))]

    def answered(self) -> Mapping[str, int]:
        """How often each mock has answered."""
        return self._simulator.tally.answered

    def playing(self) -> Play | None:
        """The scenario that was begun last."""
        playing = self._control.playing
        if playing is None:
            return None
        name, lasts = playing.scenario.name, playing.scenario.length
        return Play(name, playing.state, playing.phase, playing.elapsed, lasts, playing.problem)

    def gauges(self) -> Sequence[Gauge]:
        """Every bucket in use."""
        limits = self._simulator.settings.limits
        return [rules.gauge(one, limits) for one in self._simulator.limiter.buckets()]


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
