"""What a test says to a simulator and asks of it: mocks, faults, settings, what it saw and whether that was right."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from llmsim import faults
from llmsim.errors import SettingsError
from llmsim.journal.verify import Expectation, Verified
from llmsim.mocks import Answer, Mock
from llmsim.settings import Settings, explain
from llmsim.simulator import Simulator
from llmsim.testing.seen import Requests, Seen
from llmsim.verdict import Verdict, judge

T = TypeVar("T")
Fault = int | str | Mapping[str, Any]
"""A status, a fault in its short form, or its fields."""

_WHO = "a test"


class Rule:
    """A mock or a fault in force, by its name; as a context manager it is taken away at the end of the block."""

    def __init__(self, controls: Controls, kind: Literal["mock", "fault"], name: str) -> None:
        self.kind = kind
        self.name = name
        self._controls = controls

    @property
    def hits(self) -> int:
        """How often it has answered, or struck."""
        tally = self._controls.simulator.tally
        return (tally.answered if self.kind == "mock" else tally.hits).get(self.name, 0)

    def remove(self) -> None:
        """Takes it away; harmless when it has gone already."""
        self._controls.remove(self)

    def __enter__(self) -> Rule:
        """The rule itself."""
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        """Its kind and its name."""
        return f"<{self.kind} {self.name}, {self.hits} hits>"


class Controls(ABC):
    """The controls of one simulator, safe in any thread; all but `reset` and questions goes through its history."""

    _first: Mapping[str, Any]
    """The settings that `reset` goes back to."""

    @property
    @abstractmethod
    def simulator(self) -> Simulator:
        """The simulator itself; what is done with it by hand has to be done in its own loop."""

    @abstractmethod
    def _do(self, work: Callable[[], T]) -> T:
        """Does the work where the simulator lives."""

    @abstractmethod
    def _end_all(self) -> None:
        """Ends what is under way; called where the simulator lives."""

    # -- rules

    def mock(self, when: Any = "", reply: Any = None, **fields: Any) -> Rule:
        """Answers the requests that `when` holds for with `reply`, before all other mocks of its priority.

        `reply` is a text, a mapping as mocks in files have it, or a list of either, given in turn. `fields` are those
        of a mock (`times`, `priority`, `name` …) and of an answer (`tool_calls`, `json`, `error`, `finish` …). Raises
        SettingsError for what cannot be read.
        """
        return self._do(lambda: self._mocked(when, reply, fields))

    def _mocked(self, when: Any, reply: Any, fields: Mapping[str, Any]) -> Rule:
        there = self.simulator.settings.mocks
        own = {name: value for name, value in fields.items() if name not in _OF_ANSWERS}
        own["name"] = own.get("name") or _free_name({one.name for one in there})
        try:
            one = Mock.model_validate({"when": when, **_replied(reply, fields), **own})
        except ValidationError as error:
            raise SettingsError(f"mock: {explain(error)}") from None
        self.simulator.change(who=_WHO, text=f"mock {one.name}", mocks=(one, *there))
        self.simulator.tally.answered.pop(one.name, None)
        return Rule(self, "mock", one.name)

    def fail(self, what: Fault, *, when: Any = "", times: int | None = None, **fields: Any) -> Rule:
        """Spoils the replies to requests that `when` holds for, `times` times or until it is removed.

        `what` is a status, a fault in its short form such as `cut after_tokens=5`, or a mapping of its fields;
        `fields` are more of them (`retry_after`, `probability`, `per`, `for_s` …). Raises SettingsError for what cannot
        be read.
        """
        told = dict(what) if isinstance(what, Mapping) else faults.read(f"{what}")
        told |= fields
        if when not in ("", None):
            told["scope"] = when
        if times is not None:
            told["count"] = times
        return Rule(self, "fault", self._do(lambda: self.simulator.arm(told, who=_WHO)).id)

    def remove(self, rule: Rule) -> None:
        """Takes a rule away; harmless when it has gone already."""
        self._do(lambda: self._removed(rule))

    def _removed(self, rule: Rule) -> None:
        if rule.kind == "fault":
            self.simulator.lift(rule.name, who=_WHO)
            return
        there = self.simulator.settings.mocks
        kept = tuple(one for one in there if one.name != rule.name)
        self.simulator.change(who=_WHO, text=f"no mock {rule.name}", mocks=kept)

    def change(self, **settings: Any) -> Settings:
        """Changes settings, all or nothing, and gives those that hold now; raises SettingsError."""
        return self._do(lambda: self.simulator.change(who=_WHO, **settings))

    def reset(self) -> None:
        """Everything as it was at the start: settings, rules, journal, counts, limits, store; ends what is under way.

        Only the numbers of exchanges go on.
        """
        self._do(self._reset)

    def _reset(self) -> None:
        self._end_all()
        self.simulator.reset("journal", "counts", "limits", "store", who=_WHO)
        self.simulator.change(who=_WHO, text="as at the start", **self._first)

    # -- questions

    @property
    def requests(self) -> Requests:
        """The requests so far, oldest first."""
        return self._do(self._seen)

    def _seen(self) -> Requests:
        reread = self.simulator.reread
        return Requests((Seen(one, reread) for one in self.simulator.journal), reread)

    def verify(self, when: Any = "", *, times: int | str = ">=1", **more: Any) -> Verified:
        """Raises AssertionError, with what was seen instead, if not so many requests matched; `0`, `>=1`, `2..4`.

        `more` may be `within_s` and `of_clients`.
        """
        __tracebackhide__ = True
        expected = Expectation.of({"when": when, "times": times, **more})
        found = self._do(lambda: self._verified(expected))
        if not found.holds:
            raise AssertionError(found.sentence)
        return found

    def _verified(self, expected: Expectation) -> Verified:
        simulator = self.simulator
        return expected.verify(list(simulator.journal), reread=simulator.reread, now=simulator.clock.now())

    def verdict(self) -> Verdict:
        """What the clients made of errors, waits and broken replies so far."""
        return self._do(lambda: judge(list(self.simulator.journal), self.simulator.clock.now()))


_OF_ANSWERS = frozenset(field.alias or name for name, field in Answer.model_fields.items())


def _replied(reply: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The reply, or the replies, with the fields of an answer that were given beside."""
    more = {name: value for name, value in fields.items() if name in _OF_ANSWERS}
    if isinstance(reply, list | tuple):
        if more:
            raise SettingsError(f"mock: {next(iter(more))}: with several replies it goes into each of them")
        return {"replies": list(reply)}
    if not more:
        return {} if reply is None else {"reply": reply}
    told = reply if isinstance(reply, Mapping) else {} if reply is None else {"text": reply}
    return {"reply": {**told, **more}}


def _free_name(taken: set[str]) -> str:
    number = 1
    while (name := f"mock-{number}") in taken:
        number += 1
    return name
