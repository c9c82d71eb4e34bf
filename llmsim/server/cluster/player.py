"""A worker's simulator: it decides replies by itself, and what is to be counted once as the hub has granted it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from llmsim import repeats
from llmsim.clock import Clock
from llmsim.conversation import Ask
from llmsim.decide import refusal
from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.exchange import Exchange
from llmsim.limits import Limiter, Standing
from llmsim.limits.standing import unlimited
from llmsim.match import Subject
from llmsim.mocks import Mock
from llmsim.server.cluster.claims import (
    Chance,
    Claims,
    Grant,
    Outcome,
    Who,
    counted,
    counted_fault,
    counted_mock,
    loaded,
)
from llmsim.server.cluster.shared import Memory, Numbers, SharedRepeats
from llmsim.settings import Armed, Settings, Spoiler
from llmsim.simulator import Simulator
from llmsim.tally import Taken, Tally

_ELSEWHERE: Any = object()
"""Stands for what a request has spent, which the hub knows."""

_KNOWN = 1000
"""Keys of which the last standing is kept, for the headers of what is refused before limits have their say."""


class WorkerTally(Tally):
    """Counts what need not be exact by itself, for the hub to add up; the rest comes with the grant."""

    def __init__(self) -> None:
        super().__init__()
        self.grant: Grant | None = None
        self.struck_now: set[str] = set()
        self.answered_now = False

    def may(self, armed: Armed, ask: Ask) -> bool:
        """Whether a fault that is about a request may strike it."""
        if not counted_fault(armed):
            return True
        return self.grant is not None and armed.id in self.grant.faults

    def struck(self, spoiler: Spoiler, ask: Ask) -> None:
        """Notes a strike."""
        if counted_fault(spoiler.armed):
            self.struck_now.add(spoiler.id)
        else:
            super().struck(spoiler, ask)

    def spent(self, armed: Armed) -> bool:
        """Never: the hub lifts what is used up."""
        return False

    def find(self, settings: Settings, subject: Subject) -> Taken | None:
        """The mock that was granted, else the first that nobody has to count."""
        if self.grant is not None and self.grant.mock:
            mock = next((one for one in settings.mocks if one.name == self.grant.mock), None)
            if mock is not None and self.grant.answer < len(mock.answers):
                return Taken(mock, mock.answers[self.grant.answer], subject)
        index = settings.mock_index
        mock = index.find(subject, lambda one: not counted_mock(one)) if index is not None else None
        return None if mock is None else Taken(mock, mock.answers[0], subject)

    def count(self, taken: Taken) -> None:
        """Notes that a mock has answered."""
        if counted_mock(taken.mock):
            self.answered_now = True
        else:
            self.answered[taken.mock.name] = self.answered.get(taken.mock.name, 0) + 1


class WorkerLimiter(Limiter):
    """Lets in whom the hub has let in."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.grant: Grant | None = None
        self.settled: Callable[[int, int, int], None] = lambda *_: None
        self.admitted: set[int] = set()
        """Those that the requests which begin at this moment were let in under."""
        self._last: dict[str, Standing] = {}

    def admit(
        self,
        subject: Subject,
        limits: Sequence[Any],
        tokens_in: int,
        tokens_out: int,
        among: Container[int] | None = None,
    ) -> Standing:
        """The standing that was granted."""
        standing = self.grant.standing if self.grant is not None else None
        if standing is None:
            return unlimited(tokens_in, tokens_out)
        if not standing.refused:
            self.open[subject.ask.number] = _ELSEWHERE
        self.admitted.add(subject.ask.number)
        if len(self._last) >= _KNOWN:
            self._last.clear()
        self._last[subject.ask.key] = standing
        return standing

    def look(self, subject: Subject, limits: Sequence[Any]) -> Standing:
        """Where the key stood last."""
        last = self._last.get(subject.ask.key) if limits else None
        return unlimited(0, 0) if last is None else last._replace(refused="", wait=0.0, quota=False, too_large=False)

    def settle(self, number: int, tokens_in: int, tokens_out: int) -> None:
        """Tells the hub what a request has really used."""
        if self.open.pop(number, None) is not None:
            self.settled(number, tokens_in, tokens_out)


class WorkerSimulator(Simulator):
    """One of several that are one from the outside; its settings are the hub's, which alone changes them."""

    tally: WorkerTally
    limiter: WorkerLimiter

    def __init__(self, settings: Settings, memory: Memory, **given: Any) -> None:
        super().__init__(settings, **given)
        self.tally, self.limiter = WorkerTally(), WorkerLimiter(self.clock)
        self.holds.spent = counted_fault  # the hub knows: what a counted hold keeps back is let go by hand
        self._memory = memory
        self.numbers = self._shared = Numbers(memory)
        self._repeats = self._seen = SharedRepeats(memory)
        self.came: Callable[[Outcome], None] = lambda _: None
        self.changed: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
        self.revision = 0
        self.counting = counted(self.settings)
        """Whether a request has to be claimed for before it begins."""
        self.loaded = loaded(self.settings)
        """Whether a profile is in use under load: its slots and its queue are one worker's."""
        self._seen_of: dict[int, int] = {}

    # -- settings

    def follow(self, changes: Mapping[str, Any], revision: int) -> None:
        """Takes the hub's settings on: all of them, in the order in which they were changed."""
        before = self.settings
        fields = {name: getattr(before, name) for name in Settings.model_fields}
        after = Settings.model_construct(**{**fields, **changes})
        self.revision = revision
        self._take(after)
        self.counting, self.loaded = counted(after), loaded(after)
        self.tally.forget({one.id for one in after.faults} - {one.id for one in before.faults})
        if after.mocks != before.mocks:
            self.tally.renewed(before.mocks, after.mocks)

    def change(self, *, who: str = "", text: str = "", mark: str = "", **changes: Any) -> Settings:
        """Changes settings here, and has the hub change them for all."""
        self._take(self.settings.changed(**changes))
        self.changed(who, changes)
        return self.settings

    def light_fuses(self, lit: Any = ()) -> None:
        """Leaves it to the hub to lift faults whose time is up; they strike no more all the same."""

    # -- requests

    def begin(self, ask: Ask, request: bytes = b"") -> Exchange:
        """Numbers and counts the request together with all other workers, where it was not claimed for, and begins it.

        Both in one step: they are next to all that a request costs more than with one process.
        """
        shared = self._shared
        if not shared.taken and ask.follows is None:
            shared.taken, self._seen.taken = self._memory.take(ask.digest)
        try:
            return super().begin(ask, request)
        except BaseException:
            shared.taken = 0
            raise

    # -- claims

    def claims(self, ask: Ask, request: bytes) -> Claims | None:
        """What is to be counted once for this request; None where nothing is. Numbers and counts the request."""
        try:
            settings = over(self.settings, ask)
        except SettingsError:
            return None  # the request is refused for it when it begins
        if not (self.counting if settings is self.settings else counted(settings)):
            return None
        if not ask.number:
            ask.number, seen = self._memory.take(ask.digest)
            self._seen_of[ask.number] = seen
        seen = self._seen_of[ask.number]
        subject = Subject(ask, request, seen)
        words = (ask.max_tokens or self.settings.target_tokens) * ask.n if ask.parts is None else 0
        made = Claims(self.revision, ask.number, seen, Who.of(ask), ask.prompt_tokens, words)
        made.limits = self.limiter.about(subject, self.settings.rate_limits)
        made.open = refusal(ask, settings, unlimited(0, 0)) is None
        if made.open:
            dice = Dice(repeats.seed(ask, self.settings, seen))
            made.chances = tuple(self._chances(settings, subject, dice))
            made.mocks = _mocks(settings, subject)
        return made if made.limits or made.chances or made.mocks else None

    def _chances(self, settings: Settings, subject: Subject, dice: Dice) -> list[Chance]:
        now, found = self.clock.now(), []
        for id, _, armed, fault in settings.spoilers:
            if armed is None or not counted_fault(armed) or not armed.on(now):
                continue
            if armed.scope.always or armed.scope.holds(subject):
                rolls = fault.probability >= 1 or dice.fork(f"fault {id}").random() < fault.probability
                found.append(Chance(id, armed.count, armed.per, armed.for_requests, rolls))
        return found

    def forget(self, ask: Ask) -> None:
        """Lets go of a request that was claimed for and does not begin."""
        self._seen_of.pop(ask.number, None)

    def granted(self, ask: Ask, grant: Grant | None, begin: Callable[[], Any]) -> Any:
        """Begins a request with what it was granted, and tells what came of it."""
        tally, number = self.tally, ask.number
        tally.grant = self.limiter.grant = grant
        tally.struck_now, tally.answered_now = set(), False
        self.limiter.admitted.clear()
        if number:
            self._shared.taken, self._seen.taken = number, self._seen_of.pop(number, 0)
        try:
            return begin()
        finally:
            tally.grant = self.limiter.grant = None
            self._shared.taken = self._seen.taken = 0
            if grant is not None:
                self._came(number, grant)

    def _came(self, number: int, grant: Grant) -> None:
        """Tells what came of a grant, and gives back what a request did not make use of that was refused after all."""
        tally, limiter = self.tally, self.limiter
        if grant.faults or grant.mock:
            withheld = bool(grant.mock) and not tally.answered_now
            self.came(Outcome(number, grant.faults - tally.struck_now, withheld))
        standing = grant.standing
        if standing is not None and not standing.refused and number not in limiter.admitted:
            limiter.settled(number, 0, 0)


def _mocks(settings: Settings, subject: Subject) -> tuple[str, ...]:
    """The names of the counted mocks that come before the first that is not."""
    names: list[str] = []

    def open_(mock: Mock) -> bool:
        if counted_mock(mock):
            names.append(mock.name)
            return False
        return True

    if settings.mock_index is not None:
        settings.mock_index.find(subject, open_)
    return tuple(names)


def over(settings: Settings, ask: Ask) -> Settings:
    """The settings with what the request asks for itself."""
    return ask.overrides.over(settings) if ask.overrides is not None and settings.overrides else settings
