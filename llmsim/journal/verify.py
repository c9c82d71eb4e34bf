"""Says whether the requests that were expected were seen, in one sentence that tells what to look at if not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from operator import itemgetter
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from llmsim import masks
from llmsim.errors import SettingsError
from llmsim.exchange import Exchange
from llmsim.journal.search import TURN, Query, Reread, value_of
from llmsim.match import ALWAYS, Match
from llmsim.match.line import written
from llmsim.settings import explain

_RANGE = re.compile(r"(?:(\d{1,9})(?:\.\.(\d{1,9}))?|([<>]=?|=)(\d{1,9}))")
_NAMED = 20
"""Numbers that a sentence tells."""
_NEAR = 50
"""Exchanges that are read again to find the nearest one."""


class Times:
    """How often: `3`, `0`, `>=1`, `<5` or `2..4`; a value. Raises SettingsError for what is none of these."""

    def __init__(self, raw: Any = ">=1") -> None:
        told = str(raw).replace(" ", "") if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
        found = _RANGE.fullmatch(told)
        if found is None:
            raise SettingsError(f"times: {raw!r} is not allowed; it is a number or a range: 3, >=1, <5, 2..4")
        low, high, sign, limit = found.groups()
        self.least, self.most = _span(low, high, sign, limit)
        if self.most is not None and self.most < self.least:
            raise SettingsError(f"times: {raw!r} is not allowed: nothing is in that range")

    def __contains__(self, count: int) -> bool:
        """Whether that often is right."""
        return count >= self.least and (self.most is None or count <= self.most)

    def __str__(self) -> str:
        """The short form, which reads as the same again."""
        if self.most is None:
            return f">={self.least}"
        return str(self.least) if self.most == self.least else f"{self.least}..{self.most}"

    def of(self, thing: str) -> str:
        """In words: `exactly 3 requests`."""
        if self.most is None:
            return f"at least {_many(self.least, thing)}"
        if self.most == self.least:
            return f"exactly {_many(self.least, thing)}" if self.least else f"no {thing}"
        return f"{self.least} to {_many(self.most, thing)}" if self.least else f"at most {_many(self.most, thing)}"

    def __eq__(self, other: object) -> bool:
        """Values are equal by what they allow."""
        return isinstance(other, Times) and (self.least, self.most) == (other.least, other.most)

    def __hash__(self) -> int:
        """The same for equal ones."""
        return hash((self.least, self.most))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validated from a number or a text, written as a text."""
        told = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.no_info_plain_validator_function(_times, serialization=told)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Either form."""
        return {"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "a number or a range: 3, >=1, 2..4"}


def _times(raw: Any) -> Times:
    return raw if isinstance(raw, Times) else Times(raw)


def _span(low: str | None, high: str | None, sign: str | None, limit: str | None) -> tuple[int, int | None]:
    if sign is None:
        return int(low or 0), int(high or low or 0)
    number = int(limit or 0)
    if sign.startswith(">"):
        return number + (sign == ">"), None
    return (number if sign == "=" else 0), number - (sign == "<")


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


class Expectation(BaseModel):
    """Which requests are expected, how often, and of how many clients.

    `within_s` looks only at requests that began in the last so many seconds. A client is a key with a client's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Match = ALWAYS
    times: Times = Times()
    within_s: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    of_clients: Times | None = None

    def verify(
        self, exchanges: Iterable[Exchange], *, reread: Reread | None = None, now: float | None = None
    ) -> Verified:
        """Whether it was met; `now` is the moment on the simulator's clock, which `within_s` needs."""
        return next(step for step in self.verifying(exchanges, reread=reread, now=now) if step is not None)

    def verifying(
        self, exchanges: Iterable[Exchange], *, reread: Reread | None = None, now: float | None = None
    ) -> Iterator[Verified | None]:
        """The same with pauses: each None before the result is a moment to let others have their turn."""
        if self.within_s is not None:
            if now is None:
                raise SettingsError("within_s: it needs the present moment")
            exchanges = [one for one in exchanges if one.started >= now - self.within_s]
        query = Query(self.when, reread)
        found: list[Exchange] = []
        others: list[Exchange] = []
        for exchange in exchanges:
            if query.work >= TURN:
                query.work = 0
                yield None
            (found if query.holds(exchange) else others).append(exchange)
        clients = len({(one.ask.key, one.ask.client) for one in found})
        few = len(found) < self.times.least or (self.of_clients is not None and clients < self.of_clients.least)
        near: Nearest | None = None
        if few and others:
            for step in _nearest(query, others):
                yield None
                near = step or near
        yield self._told(found, clients, near)

    def _told(self, found: list[Exchange], clients: int, near: Nearest | None) -> Verified:
        right = len(found) in self.times and (self.of_clients is None or clients in self.of_clients)
        numbers = tuple(one.number for one in found)
        return Verified(right, self._sentence(right, numbers, clients, near), len(found), clients, numbers, near)

    def _sentence(self, right: bool, numbers: tuple[int, ...], clients: int, near: Nearest | None) -> str:
        which = "" if self.when.always else f" with {self.when}"
        since = f" in the last {self.within_s:g} s" if self.within_s is not None else ""
        sources = "" if self.of_clients is None else f" of {self.of_clients.of('client')}"
        seen = f"saw {len(numbers) or 'none'}{_listed(numbers)}"
        seen += "" if self.of_clients is None else f" of {_many(clients, 'client')}"
        sentence = f"expected {self.times.of('request')}{which}{since}{sources}, {seen}"
        if not right and near is not None:
            sentence += f"; the nearest was #{near.number}: {' and '.join(near.failed)}"
        return masks.text(sentence)

    @classmethod
    def of(cls, raw: Any) -> Self:
        """The expectation that a mapping describes; raises SettingsError in one sentence."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise SettingsError(explain(error)) from None


def _listed(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return ""
    shown = ", ".join(f"#{number}" for number in numbers[:_NAMED])
    more = len(numbers) - _NAMED
    return f" ({shown} and {more} more)" if more > 0 else f" ({shown})"


@dataclass(frozen=True, slots=True)
class Nearest:
    """The exchange that failed the fewest conditions, the newest of them, and what it failed, a line each."""

    number: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether an expectation was met, and what was seen; `numbers` are the exchanges that were meant."""

    holds: bool
    sentence: str
    seen: int
    clients: int
    numbers: tuple[int, ...]
    nearest: Nearest | None = None

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        near = self.nearest
        return {
            "holds": self.holds,
            "sentence": self.sentence,
            "seen": self.seen,
            "clients": self.clients,
            "numbers": list(self.numbers),
            "nearest": None if near is None else {"number": near.number, "failed": list(near.failed)},
        }


def _nearest(query: Query, others: list[Exchange]) -> Iterator[Nearest | None]:
    """Better and better ones, the nearest last: those that fail little without reading are read again."""
    ranked: list[tuple[int, int, Exchange]] = []
    for exchange in others:
        if query.work >= TURN:
            query.work = 0
            yield None
        query.work += 8
        ranked.append((len(query.failing(exchange, deep=False)), -exchange.number, exchange))
    best: tuple[int, int] | None = None
    for _, _, exchange in nsmallest(_NEAR, ranked, key=itemgetter(0, 1)):
        failed = query.failing(exchange)
        rank = (len(failed), -exchange.number)
        if failed and (best is None or rank < best):
            best = rank
            whole = query.whole(exchange)
            yield Nearest(exchange.number, tuple(_failed(part, value_of(part, whole)) for part in failed))
        elif query.work >= TURN:
            query.work = 0
            yield None


def _failed(part: Any, found: list[str] | None) -> str:
    line = f"{written(part)} does not hold"
    if found is None:
        return line
    if not found:
        return f"{line} (there is none)"
    shown = [masks.key(one) if getattr(part, "name", "") == "key" else masks.text(one) for one in found[:3]]
    return f"{line} (it is {', '.join(repr(one if len(one) <= 60 else one[:60] + '…') for one in shown)})"
