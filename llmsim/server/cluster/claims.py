"""What of a request has to be counted once for all workers: limits, faults that are spent, mocks that take turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from llmsim.conversation import Ask
from llmsim.limits import Standing
from llmsim.mocks import Mock
from llmsim.settings import Armed, Settings


class Who(NamedTuple):
    """What counts and limits go by: a request without its words."""

    model: str
    provider: str
    key: str
    client: str
    digest: bytes

    @classmethod
    def of(cls, ask: Ask) -> Who:
        """That of an ask."""
        return cls(ask.model, ask.provider, ask.key, ask.client, ask.digest)

    def ask(self, number: int) -> Ask:
        """An ask that has nothing else."""
        made = Ask(self.model, provider=self.provider, key=self.key, client=self.client, digest=self.digest)
        made.number = number
        return made


class Chance(NamedTuple):
    """A fault that is counted and about the request; `rolls` says whether its dice let it strike."""

    id: str
    strikes: int | None
    per: str
    for_requests: int | None
    rolls: bool


@dataclass(slots=True)
class Claims:
    """A request before its reply is decided, under the settings of `revision`.

    `limits` are the places of the rate limits that are about it, `chances` the faults, `mocks` the names of those that
    could answer, the first one first. Without `open` the provider refuses it, so that it meets no rule but limits.
    """

    revision: int
    number: int
    seen: int
    who: Who
    tokens_in: int = 0
    tokens_out: int = 0
    limits: frozenset[int] = frozenset()
    open: bool = True
    chances: tuple[Chance, ...] = ()
    mocks: tuple[str, ...] = ()


@dataclass(slots=True)
class Grant:
    """What a request was given: where its limits stand, the faults that may strike it, the mock and which answer."""

    standing: Standing | None = None
    faults: frozenset[str] = frozenset()
    mock: str = ""
    answer: int = 0


@dataclass(slots=True)
class Outcome:
    """What came of a grant: faults that spared the request, None for all, and whether the mock's answer was held."""

    number: int
    spared: frozenset[str] | None = None
    withheld: bool = False


def counted_fault(armed: Armed | None) -> bool:
    """Whether it matters how often a fault has struck."""
    return armed is not None and (armed.count is not None or armed.for_requests is not None)


def counted_mock(mock: Mock) -> bool:
    """Whether it matters how often a mock has answered."""
    return mock.times is not None or mock.state is not None or mock.then == "pass" or len(mock.answers) > 1


def counted(settings: Settings) -> bool:
    """Whether there is any rule of which it matters what came of it before."""
    return bool(
        settings.rate_limits
        or any(counted_fault(one.armed) for one in settings.spoilers)
        or any(counted_mock(one) for one in settings.mocks)
    )


def loaded(settings: Settings) -> bool:
    """Whether a latency profile that may be in use has slots, a queue, or a cache of prompts."""
    names = {settings.latency_profile, *settings.model_profiles.values(), *settings.profiles}
    for mock in settings.mocks:
        for answer in mock.answers:
            if isinstance(answer.latency, str):
                names.add(answer.latency)
            elif answer.latency is not None and answer.latency.loaded:
                return True
    return any(settings.profile(name).loaded for name in names if name is not None)
