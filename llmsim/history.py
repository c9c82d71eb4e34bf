"""The changes of the settings: those that can be taken back, and all of them in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from llmsim import masks
from llmsim.match import Match
from llmsim.mocks import Mock
from llmsim.settings import Armed, Settings

UNDO = 100
"""Changes that can be taken back."""

KEPT = 10_000
"""Changes that are remembered in their order, undoing included; the oldest goes first."""

SIZE = 32 << 20
"""Bytes that all remembered changes may take, by a fair estimate of the rules that each of them brought; the oldest
goes first, also from those that can be taken back, but never the newest."""

_OWN, _RULE, _CONDITION, _DEEP = 4_000, 2_500, 450, 6
"""Measured: bytes of a change without rules, of a mock or a fault without its texts, and of a condition; levels looked
into."""

_WEIGHT = "weight"
"""Where a rule keeps its own."""

FUSE = "fuse"
"""Who changes the settings when a fault's time is up: nobody's decision, so nothing to undo."""

SCENARIO = "scenario "
"""How the name of a scenario begins that changes the settings: it is stopped, not undone step by step."""


@dataclass(slots=True, frozen=True)
class Change:
    """One change of the settings, as it was made; `at` is the moment on the simulator's clock.

    `event` is the number of the event that tells of it.
    """

    before: Settings
    after: Settings
    text: str
    who: str
    at: float
    event: int = 0


class History:
    """Every change, newest last."""

    def __init__(self) -> None:
        self._all: deque[Change] = deque(maxlen=KEPT)
        self._open: deque[Change] = deque(maxlen=UNDO)
        self._undone: deque[Change] = deque(maxlen=UNDO)
        self._sizes: deque[int] = deque(maxlen=KEPT)
        self.size = 0

    def __iter__(self) -> Iterator[Change]:
        """Oldest first."""
        return iter(self._all)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._all)

    def add(self, change: Change) -> None:
        """Remembers a change; what a fuse or a scenario did cannot be taken back."""
        self._keep(change)
        if change.who != FUSE and not change.who.startswith(SCENARIO):
            self._open.append(change)
            self._undone.clear()

    def last(self) -> Change | None:
        """The last change that can be taken back."""
        return self._open[-1] if self._open else None

    def last_undone(self) -> Change | None:
        """The change that was taken back last, as long as nobody has changed anything else since."""
        return self._undone[-1] if self._undone else None

    def undone(self, change: Change) -> None:
        """Remembers that the last change was taken back, by this one."""
        self._undone.append(self._open.pop())
        self._keep(change)

    def redone(self, change: Change) -> None:
        """Remembers that the change taken back last was made again, by this one."""
        self._open.append(self._undone.pop())
        self._keep(change)

    def _keep(self, change: Change) -> None:
        """Puts a change behind the others, and lets the oldest go where there is no room."""
        if len(self._all) == KEPT:
            self._drop()
        self._all.append(change)
        self._sizes.append(weight(change))
        self.size += self._sizes[-1]
        while self.size > SIZE and len(self._all) > 1:
            self._drop()

    def _drop(self) -> None:
        gone = self._all.popleft()
        self.size -= self._sizes.popleft()
        for some in (self._open, self._undone):
            if some and some[0] is gone:
                some.popleft()


def weight(change: Change) -> int:
    """Bytes that a change holds, roughly: what it brought, as the rest it shares with the one before."""
    old = {id(one) for one in (*change.before.mocks, *change.before.faults)}
    rules: tuple[Armed | Mock, ...] = (*change.after.mocks, *change.after.faults)
    new = [one for one in rules if id(one) not in old]
    return _OWN + sum(rule_weight(one) for one in new)


def rule_weight(rule: Armed | Mock) -> int:
    """Bytes of one rule, worked out once."""
    kept: dict[str, Any] = rule.__dict__
    if _WEIGHT not in kept:
        kept[_WEIGHT] = _RULE + _texts(rule, _DEEP)
    return int(kept[_WEIGHT])


def _texts(value: Any, deep: int) -> int:
    """Bytes of all texts and conditions in a value."""
    if isinstance(value, str | bytes):
        return len(value)
    if not deep:
        return 0
    if isinstance(value, Mapping):
        return sum(_texts(one, deep - 1) for one in value.values())
    if isinstance(value, tuple | list):
        return sum(_texts(one, deep - 1) for one in value)
    if isinstance(value, Match):
        return _CONDITION * value.size
    if not isinstance(value, BaseModel):
        return 0
    return sum(_texts(getattr(value, name), deep - 1) for name in value.model_fields_set)


def undoing(change: Change, now: Settings) -> dict[str, Any]:
    """The settings that take a change back, and nothing that was changed since: faults and mocks one by one."""
    told: dict[str, Any] = {}
    for name in Settings.model_fields:
        old, new = getattr(change.before, name), getattr(change.after, name)
        if old == new:
            continue
        told[name] = _without(old, new, getattr(now, name)) if name in ("faults", "mocks") else old
    return told


def redoing(change: Change, now: Settings) -> dict[str, Any]:
    """The settings that make a change again that was taken back, and nothing that was changed since."""
    return undoing(replace(change, before=change.after, after=change.before), now)


def _without(old: Sequence[Any], new: Sequence[Any], now: Sequence[Any]) -> tuple[Any, ...]:
    """What there is, without what the change brought and with what it took, in the places that it had."""
    if tuple(now) == tuple(new):
        return tuple(old)
    olds, news = ({_name(one): one for one in some} for some in (old, new))
    brought = {name: one for name, one in news.items() if olds.get(name) != one}
    kept = [one for one in now if brought.get(_name(one)) != one]
    there = {_name(one) for one in kept}
    for place, one in enumerate(old):
        if news.get(_name(one)) != one and _name(one) not in there:
            kept.insert(min(place, len(kept)), one)
    return tuple(kept)


def _name(one: Armed | Mock) -> str:
    return one.id if isinstance(one, Armed) else one.name


def short(value: object) -> str:
    """A setting's value in a few words: how many there are of rules, all else as it is, secrets masked."""
    text = str(len(value)) if isinstance(value, tuple) else masks.text(str(value))
    return text if len(text) <= 60 else f"{text[:59]}…"
