"""The replies under way: each is played at its moments, which change with its pace, and can be acted on by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from llmsim.clock import Clock
from llmsim.errors import Failure, SettingsError
from llmsim.exchange import Exchange
from llmsim.faults.refuse import Refuse
from llmsim.load import Stations
from llmsim.pacer import Pacer, Playback
from llmsim.plan import Drop, Fail
from llmsim.settings import explain

ACTIONS = ("pause", "resume", "cut", "fail", "step", "speed")
"""What can be done to one reply under way: `pause`, `cut` say it; `resume` lets it go on, also one that is held; `fail`
ends it with an error of `status`, `message` and `retry_after`, a 500 without; `step` sends the next token and pauses;
`speed` plays it so many times as fast as all others."""

_ERROR = ("status", "message", "retry_after")
"""What an error that a reply fails with may have."""

_AT_ONCE = 1e9
"""The pace of what is to be over at this moment."""


def checked(action: str, value: float, error: Mapping[str, Any] | None) -> tuple[Failure | None, str]:
    """What a reply is to fail with, if it is, and the deed's terms in words; SettingsError for what cannot be done."""
    if action not in ACTIONS:
        raise SettingsError(f"action: there is no {action!r}; there are {', '.join(ACTIONS)}")
    if action == "speed":
        if not 0 < value <= 1000:
            raise SettingsError(f"value: {value!r} is not allowed: a speed is above 0 and at most 1000")
        return None, f" ×{value:g}"
    if action != "fail" or not error:
        return None, ""
    if unknown := [name for name in error if name not in _ERROR]:
        raise SettingsError(f"{unknown[0][:60]}: an error has no such field; it has {', '.join(_ERROR)}")
    try:
        told = Refuse.model_validate(dict(error))
    except ValidationError as problem:
        raise SettingsError(explain(problem)) from None
    return Failure.of_status(told.status, told.message, told.retry_after), f" with {told.status}"


class UnderWay:
    """Who plays which reply; `live` gives the exchanges that have not ended, by number."""

    def __init__(
        self, clock: Clock, pacer: Pacer, stations: Stations, live: Callable[[], Mapping[int, Exchange]]
    ) -> None:
        self._clock = clock
        self._pacer = pacer
        self._stations = stations
        self._live = live
        self._playbacks: dict[int, Playback] = {}

    def __len__(self) -> int:
        """How many are being played."""
        return len(self._playbacks)

    def schedule(self, exchange: Exchange, playback: Playback, moment: float | None) -> None:
        """Lets the pacer play this exchange from that moment on, and again whenever its pace is changed."""
        self._playbacks[exchange.number] = playback
        if moment is not None:
            self._pacer.at(moment, playback)

    def left(self, exchange: Exchange) -> None:
        """Told that an exchange has ended, and tells who played it."""
        playback = self._playbacks.pop(exchange.number, None)
        if playback is not None:
            self._pacer.drop(playback)
            playback.over()

    def followers(self, exchange: Exchange) -> list[Exchange]:
        """The exchanges that tell a reply without a client of its own to those who ask for it."""
        return [other for other in self._live().values() if other.ask.follows is exchange]

    def moved(self, exchange: Exchange) -> None:
        """Told that an exchange's next moment has come nearer, and that of those that follow it with it."""
        self._replay(exchange)
        if exchange.ask.detached:
            for other in self.followers(exchange):
                self._replay(other)

    def speed(self, speed: float) -> None:
        """Plays all that is not held so many times as fast as planned, from this moment on."""
        for exchange in self._live().values():
            if not exchange.held:
                self._pace(exchange, speed * exchange.factor)

    def act(self, exchange: Exchange, action: str, value: float, speed: float, failure: Failure | None = None) -> None:
        """Does one of `ACTIONS` to a reply and to those that follow it; `speed` is that of all replies.

        `failure` is what it fails with.
        """
        for one in (exchange, *self.followers(exchange)):
            self._act(one, action, value, speed, failure)

    def _act(self, exchange: Exchange, action: str, value: float, speed: float, failure: Failure | None) -> None:
        if action == "step" and exchange.queued:
            self._stations.force(exchange)
        if action in ("cut", "fail"):
            exchange.let_go(self._clock.now())
            exchange.divert(Drop() if action == "cut" else Fail(failure or Failure("internal")), self._clock.now())
            self._pace(exchange, exchange.rate or speed or 1.0)
        elif action == "step" and not (exchange.ask.stream or exchange.ask.detached):
            self._pace(exchange, _AT_ONCE)  # a reply that is sent whole is one event: all of it is due at once
        elif action == "step":
            playback = self._playbacks.get(exchange.number)
            if exchange.step(self._clock.now()) and playback is not None:
                self._pacer.drop(playback)
                self._pacer.at(self._clock.now(), playback)
        else:
            if action == "speed":
                exchange.factor = value
            elif action == "resume":
                exchange.let_go(self._clock.now())
            exchange.held = action == "pause" or (exchange.held and action == "speed")
            self._pace(exchange, 0.0 if exchange.held else speed * exchange.factor)

    def _pace(self, exchange: Exchange, rate: float) -> None:
        exchange.pace(rate, self._clock.now())
        self._replay(exchange)

    def _replay(self, exchange: Exchange) -> None:
        """Lets the pacer play the exchange at what is its next moment now."""
        playback = self._playbacks.get(exchange.number)
        if playback is not None:
            self._pacer.drop(playback)
            if (moment := playback.next_moment()) is not None:
                self._pacer.at(moment, playback)
