"""One call of the control API: what it is about, and how its answers and errors look."""

from __future__ import annotations

import asyncio
import reprlib
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from llmsim import masks
from llmsim.errors import LlmsimError, SettingsError
from llmsim.history import rule_weight
from llmsim.match import Allowance, Match
from llmsim.mocks.plain import plain
from llmsim.server.control import guard
from llmsim.server.nesting import DEEPEST, too_deep
from llmsim.server.turns import turns
from llmsim.settings import explain

if TYPE_CHECKING:
    from llmsim.exchange import Exchange
    from llmsim.mocks.index import Near
    from llmsim.server.control import Control
    from llmsim.settings import Settings
    from llmsim.simulator import Simulator

T = TypeVar("T")

AT_ONCE = 200
"""Rules that are told between two turns of the loop, about 2 ms."""

LIMIT = 32 << 20
"""Bytes of a body."""

YAML_LIMIT = 4 << 20
"""Bytes of a body in YAML, which takes a hundred times as long to read as JSON."""

PARTS = 300_000
"""Values of a body."""

SIGNS = 600_000
"""Commas, colons and opening braces of a body, those in its texts among them. What has more of them is not read, as
that would take more than a tenth of a second in which nobody is served."""

LONG = 16 << 10
"""Bytes of a body from which on it is read in a thread: a rule, such as a mock, can take a millisecond for 50 bytes."""

_LONGEST = 20_000
"""Characters of a problem's message."""


class Problem(LlmsimError):
    """A call that cannot be done: its status, and the sentence that is told."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


@dataclass(slots=True)
class Call:
    """One call: the control API it came to, the names in its path, its query, its body, and who makes it."""

    control: Control
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    who: str = "api"
    told: Any = None

    @property
    def simulator(self) -> Simulator:
        """The simulator that it is about."""
        return self.control.simulator

    @property
    def may_change(self) -> bool:
        """Whether whoever makes the call could also change something."""
        headers = {b"authorization": self.headers.get("authorization", "").encode("latin-1", "replace")}
        return not (self.control.read_only or guard.watches(headers, self.control.watch_token))

    def read(self) -> None:
        """Reads the body as JSON, or as YAML where the content type says so; raises Problem."""
        body = self.body
        if not body.strip():
            return
        yaml = "yaml" in self.headers.get("content-type", "")
        if yaml and len(body) > YAML_LIMIT:
            raise Problem(
                413, f"the body is larger than the {YAML_LIMIT >> 20} MB of YAML; {LIMIT >> 20} MB are of JSON"
            )
        if len(body) > SIGNS and sum(body.count(sign) for sign in (b",", b":", b"\n" if yaml else b"{")) > SIGNS:
            raise Problem(413, f"the body has more than {SIGNS:,} commas, colons and braces in it")
        self.told = _yaml(body) if yaml else _json(body)
        if len(body) > PARTS and _many(self.told):
            raise Problem(413, f"the body has more than {PARTS:,} values in it")

    async def aside(self, work: Callable[[], T]) -> T:
        """What the work comes to; for a long body it is done in a thread, so that replies under way keep their pace.

        One long body is worked on at a time, those that wait in the order in which they came.
        """
        if len(self.body) <= LONG:
            return work()
        return await self.in_thread(work)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What the work comes to, done in a thread."""
        async with self.control.one_long:
            with turns:
                return await asyncio.get_running_loop().run_in_executor(None, work)

    async def ready(self, **changes: Any) -> Settings | None:
        """The settings with what a long body changes in them, worked out aside; raises SettingsError."""
        return await self.in_thread(self.reading(**changes)) if len(self.body) > LONG else None

    def reading(self, **changes: Any) -> Callable[[], Settings]:
        """Reads the settings with these changes, and works out what is soon needed of them; raises SettingsError."""

        def read() -> Settings:
            made = self.simulator.settings.changed(**changes)
            _ = made.mock_index
            for one in made.mocks:
                rule_weight(one), one.flat()
            return made

        return read

    def change(
        self, changes: Mapping[str, Any], ready: Settings | None = None, *, anew: Collection[str] = (), **said: str
    ) -> Settings:
        """Changes settings, all or nothing, by what is `ready` but for what is read `anew`; raises SettingsError."""
        kept = set(changes).difference(anew) if ready is not None else ()
        made = {name: getattr(ready, name) if name in kept else value for name, value in changes.items()}
        now = self.simulator.change(who=self.who, **said, **made)
        if ready is not None and now.mocks == ready.mocks:
            now.__dict__.setdefault("mock_index", ready.mock_index)
        return now

    def json(self) -> Any:
        """What the body says; None where there is none."""
        return self.told

    def mapping(self) -> dict[str, Any]:
        """The body as a mapping; raises Problem."""
        told = self.told
        if told is None:
            return {}
        if not isinstance(told, dict):
            raise Problem(400, f"the body is a {type(told).__name__}; it must be an object")
        return told

    def fields(self, *names: str) -> dict[str, Any]:
        """The body as a mapping of these names and no others; raises Problem."""
        told = self.mapping()
        unknown = next((name for name in told if name not in names), None)
        if unknown is not None:
            raise Problem(400, f"{unknown[:60]}: there is no such field; there are {', '.join(names)}")
        return told

    def last(self, told: Mapping[str, Any], most: int) -> int:
        """How many of the newest exchanges a body asks for, 100 if it does not say; raises Problem."""
        last = told.get("last", 100)
        if not isinstance(last, int) or isinstance(last, bool) or not 1 <= last <= most:
            raise Problem(400, f"last: {shown(last)} is not allowed: it is a whole number from 1 to {most}")
        return last

    def word(self, name: str, *allowed: str) -> str:
        """A word of the query, the first of those allowed if it is not there; raises Problem."""
        told = self.query.get(name, allowed[0])
        if told not in allowed:
            raise Problem(400, f"{name}: {told[:40]!r} is not allowed; there are {', '.join(allowed)}")
        return told

    def model(self, kind: type[BaseModel], told: Any = None, allowance: Allowance | None = None) -> Any:
        """The body, or what is given, as one of that kind; raises Problem in one sentence."""
        try:
            return kind.model_validate(self.mapping() if told is None else told, context=allowance)
        except ValidationError as error:
            raise Problem(400, explain(error)) from None

    def number(self, name: str, usual: int, least: int = 0, most: int = 1 << 62) -> int:
        """A whole number of the query; raises Problem."""
        told = self.query.get(name)
        if told is None:
            return usual
        found = whole(told)
        if found is None or not least <= found <= most:
            raise Problem(400, f"{name}: {told[:60]!r} is not allowed: it is a whole number from {least} to {most}")
        return found

    def match(self) -> Match:
        """The match of the query, in its one-line form; raises Problem."""
        try:
            return Match(self.query.get("match", ""))
        except SettingsError as error:
            raise Problem(400, f"match: {error}") from None


def shown(value: Any) -> str:
    """A value as a problem tells it: of very much the beginning."""
    return reprlib.repr(value)


def _many(value: Any) -> bool:
    """Whether there are more values in it than there may be."""
    waiting, count = [value], 0
    while waiting and count <= PARTS:
        one = waiting.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += len(inner)
        waiting += inner
    return count > PARTS


def _json(body: bytes) -> Any:
    if too_deep(body):
        raise Problem(400, f"the body is nested too deeply; at most {DEEPEST} levels are allowed")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is no JSON: {error}") from None


def whole(told: str) -> int | None:
    """The whole number that is told, in the digits of ASCII; None where it is none or has more than 18 of them."""
    return int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None


def _yaml(body: bytes) -> Any:
    import yaml

    try:
        return plain(yaml.safe_load(body), PARTS)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise Problem(400, f"the body is no YAML{where}: {getattr(error, 'problem', None) or error}") from None


Handler = Callable[[Call], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Operation:
    """A path of the control API: what it does, what its body is, and whether it changes anything."""

    method: str
    path: str
    handler: Handler
    summary: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    changes: bool = True
    status: int = 200


def near_told(near: Near | None, exchange: Exchange) -> dict[str, Any] | None:
    """The mock that came nearest to a request, secrets masked."""
    if near is None:
        return None
    return {"mock": near.name, "failing": [masks.text(one, exchange.ask.key) for one in near.failing]}


def answer(told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON; a response stays what it is."""
    if isinstance(told, Response):
        return told
    return Response(orjson.dumps(told, default=str), status, headers, media_type="application/json")


def problem(error: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as every error of the control API looks; what is said of very much at once is cut."""
    told = str(error)
    told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
    return answer({"error": {"message": told, **error.more}}, error.status, headers)
