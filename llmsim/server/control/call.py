"""One call of the control API: what it is about, and how its answers and errors look."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from llmsim import masks
from llmsim.errors import LlmsimError, SettingsError
from llmsim.match import Match
from llmsim.mocks.plain import plain
from llmsim.server.control import guard
from llmsim.server.nesting import DEEPEST, too_deep
from llmsim.settings import explain

if TYPE_CHECKING:
    from llmsim.exchange import Exchange
    from llmsim.mocks.index import Near
    from llmsim.server.control import Control
    from llmsim.simulator import Simulator

LIMIT = 32 << 20
"""Bytes of a body."""

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

    @property
    def simulator(self) -> Simulator:
        """The simulator that it is about."""
        return self.control.simulator

    @property
    def may_change(self) -> bool:
        """Whether whoever makes the call could also change something."""
        headers = {b"authorization": self.headers.get("authorization", "").encode("latin-1", "replace")}
        return not (self.control.read_only or guard.watches(headers, self.control.watch_token))

    def json(self) -> Any:
        """The body as JSON, or as YAML where the content type says so; None where there is none; raises Problem."""
        if not self.body.strip():
            return None
        if "yaml" in self.headers.get("content-type", ""):
            return _yaml(self.body)
        if too_deep(self.body):
            raise Problem(400, f"the body is nested too deeply; at most {DEEPEST} levels are allowed")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Problem(400, f"the body is no JSON: {error}") from None

    def mapping(self) -> dict[str, Any]:
        """The body as a mapping; raises Problem."""
        told = self.json()
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
            raise Problem(400, f"last: {last!r} is not allowed: it is a whole number from 1 to {most}")
        return last

    def word(self, name: str, *allowed: str) -> str:
        """A word of the query, the first of those allowed if it is not there; raises Problem."""
        told = self.query.get(name, allowed[0])
        if told not in allowed:
            raise Problem(400, f"{name}: {told[:40]!r} is not allowed; there are {', '.join(allowed)}")
        return told

    def model(self, kind: type[BaseModel], told: Any = None) -> Any:
        """The body, or what is given, as one of that kind; raises Problem in one sentence."""
        try:
            return kind.model_validate(self.mapping() if told is None else told)
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


def whole(told: str) -> int | None:
    """The whole number that is told, in the digits of ASCII; None where it is none or has more than 18 of them."""
    return int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None


def _yaml(body: bytes) -> Any:
    import yaml

    try:
        return plain(yaml.safe_load(body))
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
