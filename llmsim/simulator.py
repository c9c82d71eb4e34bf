"""The core: takes asks in, plans and plays replies, and lets everything about them be changed while it runs."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from llmsim import repeats
from llmsim.clock import Clock, RealClock
from llmsim.conversation import Ask, Stop
from llmsim.decide import answered, overloaded, refusal, refused
from llmsim.dice import Dice, blend
from llmsim.errors import Failure, SettingsError
from llmsim.events import Events
from llmsim.exchange import Exchange, State
from llmsim.history import FUSE, Change, History, redoing, short, undoing
from llmsim.holds import Holds
from llmsim.journal import Journal
from llmsim.limits import Limiter, Standing, unlimited
from llmsim.load import Stations
from llmsim.match import Subject
from llmsim.metrics import Meter
from llmsim.mocks.index import Near
from llmsim.moments import Moments
from llmsim.pacer import Pacer, Playback, Waiter
from llmsim.plan import Drop, End, Fail, Piece, Plan, Usage
from llmsim.repeats import Repeats
from llmsim.settings import Armed, Settings, Spoiler
from llmsim.store import Store
from llmsim.tally import Tally
from llmsim.underway import UnderWay, checked

logger = logging.getLogger("llmsim")


class Simulator:
    """Everything of one simulated provider of models; not safe for use from several threads."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        journal: Journal | None = None,
        store: Store | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.clock: Clock = clock or RealClock()
        self.journal = Journal() if journal is None else journal
        self.store = Store(self.clock) if store is None else store
        self.events = Events(self.clock)
        self.meter = Meter(self.clock)
        self.limiter = Limiter(self.clock)
        self.pacer = Pacer(self.clock)
        self.stations = Stations(self.clock, lambda exchange: self.underway.moved(exchange))
        self.underway = UnderWay(self.clock, self.pacer, self.stations, lambda: self.meter.live)
        self.holds = Holds(
            self.clock, self.events, lambda one: self.underway.act(one, "resume", 1.0, self.settings.speed)
        )
        self.holds.spent = lambda armed: self.tally.spent(armed)
        self.tally = Tally()
        self.moments = Moments()
        self.reread: Callable[[Exchange], Ask | None] = lambda _: None  # only a server can
        self.reword: Callable[[Exchange], tuple[bytes, Sequence[tuple[bytes, bytes]]] | None] = lambda _: None
        self.started = self.clock.now()
        self.history = History()
        self.observers: list[Callable[[Exchange], None]] = []
        self._repeats = Repeats()
        self.numbers: Iterator[int] = count(1)
        self._armed = 0
        self.settings = self._with_fuses(self.settings)
        self._first = {name: getattr(self.settings, name) for name in Settings.model_fields}

    @property
    def hits(self) -> Mapping[str, int]:
        """How often each fault has struck, by id."""
        return self.tally.hits

    # -- one exchange

    def begin(self, ask: Ask, request: bytes = b"") -> Exchange:
        """Decides the whole reply under this moment's settings and opens an exchange for it."""
        if ask.follows is not None:
            return self._beside(ask, request)
        settings, now = self.settings, self.clock.now()
        if ask.overrides is not None and settings.overrides:
            settings = ask.overrides.over(settings)
        ask.number = number = next(self.numbers)
        seen = self._repeats.count(ask)
        dice = Dice(repeats.seed(ask, self.settings, seen))
        subject = Subject(ask, request, seen)
        standing = self._admitted(subject)
        plan = self._decided(subject, settings, dice, now, standing)
        if plan.hold:
            plan = self.holds.room(plan, settings)
        begin = Exchange if plan.load is None else self.stations.open
        exchange = begin(number, ask, plan, now, self.clock.wall(), settings.speed)
        if plan.hold:
            self.holds.take(exchange, settings)
        exchange.standing, exchange.request = standing, request
        exchange.seed, exchange.seen = dice.seed, seen
        self.journal.add(exchange)
        self.meter.began(exchange)
        return exchange

    def _decided(self, subject: Subject, settings: Settings, dice: Dice, now: float, standing: Standing) -> Plan:
        """The plan; where a generator or a fault raises, the provider's internal error, so that no number is lost."""
        ask = subject.ask
        failure = refusal(ask, settings, standing)
        if failure is not None:
            return refused(failure, ask)  # it meets no fault and spends no mock
        spoilers = self.tally.in_force(settings, subject, now) if settings.spoilers else ()
        taken = self.tally.find(settings, subject) if settings.mock_index is not None else None
        try:
            plan = answered(ask, settings, dice, spoilers, taken, self.stations)
        except Exception as error:
            logger.exception("a reply could not be planned", extra={"fields": {"exchange": ask.number}})
            note = f"planning raised {error!r}"
            return Plan([Fail(Failure("internal"))], [0.0], Usage(ask.prompt_tokens), "error", notes=(note,))
        if plan.load is not None and self.stations.full(plan):
            return overloaded(ask, plan)
        if taken is not None and not taken.withheld(plan):
            self.tally.count(taken)
        if spoilers:
            self._count(ask, plan, spoilers)
        return plan

    def _count(self, ask: Ask, plan: Plan, spoilers: Sequence[Spoiler]) -> None:
        """Counts the faults that struck, and lifts those that have done what they were armed for."""
        for spoiler in spoilers:
            armed = spoiler.armed
            if spoiler.id in plan.struck:
                self.tally.struck(spoiler, ask)
            if armed is not None and self.tally.spent(armed) and armed in self.settings.faults:
                self.lift(armed.id, who=FUSE, why="used up:")

    def near(self, exchange: Exchange) -> Near | None:
        """The mock that came nearest to a request that none took, as the mocks are at this moment."""
        if exchange.plan.mock or not self.settings.mocks or exchange.ask.follows is not None:
            return None
        ask = exchange.ask if exchange.state == "live" else self.reread(exchange) or exchange.ask
        return self.tally.nearest(self.settings, Subject(ask, exchange.request, exchange.seen))

    def _beside(self, ask: Ask, request: bytes) -> Exchange:
        """Opens an exchange that plays another one's plan, at that one's moments, or tells at once how far that one is.

        Nothing is decided for it: limits and faults have had their say on the exchange that it follows.
        """
        ask.number = next(self.numbers)
        followed: Exchange = ask.follows
        if ask.stream:
            exchange = followed.beside(ask.number, ask, self.clock.wall())
        else:
            plan = Plan([End(Stop.END)], [0.0], Usage(), "dialect")
            exchange = Exchange(ask.number, ask, plan, self.clock.now(), self.clock.wall())
            exchange.seed, exchange.standing = followed.seed, followed.standing
        exchange.request = request
        self.journal.add(exchange)
        self.meter.began(exchange)
        return exchange

    def refuse(self, ask: Ask, failure: Failure, request: bytes = b"") -> Exchange:
        """Opens an exchange for a request that its dialect refuses, so that it is seen like any other."""
        if self.settings.strict and not ask.key:
            failure = Failure("unauthenticated")
        ask.number = next(self.numbers)
        plan = Plan([Fail(failure)], [0.0], Usage(), "refused", notes=(failure.message or failure.kind,))
        exchange = Exchange(ask.number, ask, plan, self.clock.now(), self.clock.wall())
        exchange.request = request
        exchange.seed = blend(ask.number, self.settings.seed, 0)
        exchange.standing = self.limiter.look(Subject(ask, request), self.settings.rate_limits)
        self.journal.add(exchange)
        self.meter.began(exchange)
        return exchange

    def _admitted(self, subject: Subject) -> Standing:
        """Where the key stands with its rate limits once this ask is counted, by the estimate of what it will take."""
        ask, settings = subject.ask, self.settings
        words = (ask.max_tokens or settings.target_tokens) * ask.n if ask.parts is None else 0
        limits = settings.rate_limits
        if not limits:
            return unlimited(ask.prompt_tokens, words)
        return self.limiter.admit(subject, limits, ask.prompt_tokens, words)

    def _settle(self, exchange: Exchange) -> None:
        """Gives back what an exchange was counted for and did not take, or takes what it took more."""
        usage = exchange.plan.usage
        if exchange.plan.failure is not None:
            self.limiter.settle(exchange.number, 0, 0)
        else:
            said = usage.completion if exchange.state == "done" else exchange.tokens
            self.limiter.settle(exchange.number, usage.prompt, said)

    def end(self, exchange: Exchange, state: State) -> None:
        """Closes an exchange; the first to say how it ended is believed."""
        if exchange.state != "live":
            return
        exchange.state, exchange.ended = state, self.clock.now()
        plan, held = exchange.plan, self.limiter.open
        if held and exchange.number in held:
            self._settle(exchange)
        exchange.ask.shed()
        if plan.times and plan.times[-1]:
            plan.times = array("f", plan.times)  # the journal keeps it: half of the bytes
        self.underway.left(exchange)
        if plan.load is not None:
            self.stations.left(exchange)
        if plan.hold:
            self.holds.left(exchange)
        self.meter.finished(exchange)
        for observer in self.observers:
            observer(exchange)

    def schedule(self, exchange: Exchange, playback: Playback, moment: float | None) -> None:
        """Lets the pacer play this exchange from that moment on, and again whenever its pace is changed."""
        self.underway.schedule(exchange, playback, moment)

    async def play(self, exchange: Exchange) -> AsyncIterator[Sequence[Piece]]:
        """Batches of pieces, each at its moment; leaving the loop early abandons the exchange."""
        waiter = Waiter(exchange)
        try:
            while not exchange.over:
                waiter.reached = asyncio.get_running_loop().create_future()
                self.schedule(exchange, waiter, exchange.due())
                await waiter.reached
                if batch := exchange.take(self.clock.now()):
                    yield batch
            last = exchange.plan.pieces[-1]
            self.end(exchange, "failed" if isinstance(last, Fail) else "dropped" if isinstance(last, Drop) else "done")
        finally:
            self.end(exchange, "abandoned")

    # -- changes

    def change(self, *, who: str = "", text: str = "", mark: str = "", **changes: Any) -> Settings:
        """Changes settings, all or nothing; raises SettingsError and changes nothing when one of them cannot be."""
        before = self.settings
        if (after := self._with_fuses(before.changed(**changes))) == before:
            return before
        self._take(after)
        self._recount(before)
        self.light_fuses(lit=before.faults)
        text = text or ", ".join(f"{name} {short(getattr(after, name))}" for name in changes)
        self.history.add(Change(before, after, text, who, self.clock.now(), self.events.newest + 1))
        self.events.add("change", text, who, mark or next(iter(changes)))
        return after

    def reset(self, *what: str, who: str = "") -> None:
        """Puts parts back to where they began, or all: `journal`, `counts`, `limits`, `store`, `rules`, `settings`.

        `rules` lifts all faults and takes all mocks and limits away; `settings` are those the simulator began with.
        Raises SettingsError for a name that is none of these.
        """
        names = ("journal", "counts", "limits", "store", "rules", "settings")
        if unknown := [name for name in what if name not in names]:
            raise SettingsError(f"reset: there is no {unknown[0]!r}; there are {', '.join(names)}")
        wanted = set(what or names)
        if "settings" in wanted:
            self.change(who=who, text="settings as at the start", **self._first)
        if "rules" in wanted:
            rates: dict[str, Any] = {"rate_limit_rate": 0.0, "server_error_rate": 0.0, "timeout_rate": 0.0}
            self.change(who=who, text="no rules", faults=(), mocks=(), limits=(), **rates)
        for name, clear in (("counts", self._forget), ("limits", self.limiter.clear), ("store", self._empty)):
            if name in wanted:
                clear()
        if "journal" in wanted:
            self.journal.clear()
        self.events.add("reset", f"reset {', '.join(sorted(wanted))}", who)

    def _forget(self) -> None:
        """Counts rules and repetitions from nought."""
        self.tally.clear()
        self._repeats.clear()

    def _empty(self) -> None:
        """Clears the store, and the caches of prompts."""
        self.store.clear()
        self.stations.forget()

    def _recount(self, before: Settings) -> None:
        """Counts the hits of faults that are newly armed from nought; one that replaces another of its id counts on."""
        self.tally.forget({one.id for one in self.settings.faults} - {one.id for one in before.faults})
        if self.settings.mocks != before.mocks:
            self.tally.renewed(before.mocks, self.settings.mocks)

    def undo(self, who: str = "") -> str | None:
        """Takes the last change back and says which it was; None when there is none."""
        change = self.history.last()
        if change is None:
            return None
        self.history.undone(self._turned(undoing(change, self.settings), f"undone: {change.text}", who))
        self.events.add("undo", f"undone: {change.text}", who, "undo")
        return change.text

    def redo(self, who: str = "") -> str | None:
        """Makes the change that was taken back last again and says which; None when there is none."""
        change = self.history.last_undone()
        if change is None:
            return None
        self.history.redone(self._turned(redoing(change, self.settings), f"redone: {change.text}", who))
        self.events.add("redo", f"redone: {change.text}", who, "redo")
        return change.text

    def _turned(self, changes: dict[str, Any], text: str, who: str) -> Change:
        """Changes settings back or forth; faults whose time is up by now, or that are used up, stay lifted."""
        now, before = self.clock.now(), self.settings
        if "faults" in changes:
            changes["faults"] = tuple(
                one for one in changes["faults"] if (one.until is None or one.until > now) and not self.tally.spent(one)
            )
        self._take(before.changed(**changes))
        return Change(before, self.settings, text, who, now, self.events.newest + 1)

    def arm(self, fault: Mapping[str, Any], *, who: str = "") -> Armed:
        """Puts a fault in force, in place of an armed one of the same id; raises SettingsError when it cannot be.

        The fields are those of a config file: `kind` and the fault's own, and `id`, `label`, `for_s`.
        """
        name = fault.get("id") or self._new_id()
        one = self.settings.changed(faults=[{**fault, "id": name, "since": None, "until": None}]).faults[0]
        label, fuse = one.label or one.fault.summary(), f" for {one.for_s:g}s" if one.for_s else ""
        others = [other for other in self.settings.faults if other.id != name]
        text = f"armed {label} {one.fault.probability:.0%}{fuse}"
        return self.change(who=who, text=text, mark=f"▼{label}", faults=(*others, one)).faults[-1]

    def lift(self, name: str | Collection[str] | None = None, *, who: str = "", why: str = "lifted") -> int:
        """Lifts an armed fault, some or all, and gives how many were lifted; the founding rates go with all."""
        wanted = {name} if isinstance(name, str) else name
        gone = [one for one in self.settings.faults if wanted is None or one.id in wanted]
        rates = {"rate_limit_rate": 0.0, "server_error_rate": 0.0, "timeout_rate": 0.0} if name is None else {}
        if gone or any(getattr(self.settings, rate) for rate in rates):
            kept = tuple(one for one in self.settings.faults if wanted is not None and one.id not in wanted)
            self.change(who=who, text=f"{why} {self.tally.told(gone)}".strip(), mark="△lifted", faults=kept, **rates)
        return len(gone)

    def act(
        self, number: int, action: str, *, value: float = 1.0, error: Mapping[str, Any] | None = None, who: str = ""
    ) -> bool:
        """Does one of `ACTIONS` to a reply under way and to what follows it; False when it has already ended.

        `fail` takes an `error`, `speed` a `value`. Raises SettingsError for what cannot be done.
        """
        exchange = self.meter.live.get(number)
        if exchange is None or exchange.over:
            return False
        failure, told = checked(action, value, error)
        self.underway.act(exchange, action, value, self.settings.speed, failure)
        self.holds.look()
        self.events.add("act", f"{action} #{number}{told}", who)
        return True

    def _new_id(self) -> str:
        taken = {one.id for one in self.settings.faults}
        while (name := f"fault-{self._armed + 1}") in taken:
            self._armed += 1
        self._armed += 1
        return name

    def _take(self, after: Settings) -> None:
        before, self.settings = self.settings, after
        if after.mocks == before.mocks and "mock_index" in before.__dict__:
            after.__dict__["mock_index"] = before.mock_index  # thousands of mocks are sorted once, not for every change
        before.retire(after)
        if after.rate_limits != before.rate_limits:
            self.limiter.renew(after.rate_limits)
        _ = after.revision  # given out now, so that they rise
        if len(self.stations):
            self.stations.renew(after.find_profile)
        if after.speed != before.speed:
            self.underway.speed(after.speed)
        self.holds.renew(before, after)

    def _with_fuses(self, settings: Settings) -> Settings:
        """The settings with an id for every fault, and the moment it lifts for each that has its time."""
        now, faults = self.clock.now(), []
        for one in settings.faults:
            since = now + (one.after_s or 0.0) if one.since is None else one.since
            until = since + one.for_s if one.for_s and one.until is None else one.until
            if not one.id or (since, until) != (one.since, one.until):
                one = one.model_copy(update={"id": one.id or self._new_id(), "since": since, "until": until})
            faults.append(one)
        return settings.armed(tuple(faults)) if faults != list(settings.faults) else settings

    def light_fuses(self, lit: Collection[Armed] = ()) -> None:
        """Starts the fuses of all faults but those already lit; one whose time is up strikes no more without it."""
        burning = {id(one) for one in lit}
        for armed in self.settings.faults:
            if armed.until is not None and id(armed) not in burning:
                with suppress(RuntimeError):  # no loop is running that could call back
                    self.clock.call_at(armed.until, partial(self._burnt, armed))

    def _burnt(self, armed: Armed) -> None:
        if any(one is armed for one in self.settings.faults):
            self.lift(armed.id, who=FUSE, why="fuse lifted")
