"""A request as rules look at it, and every name that a condition may ask it by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from llmsim.conversation import Ask
from llmsim.errors import SettingsError
from llmsim.match.values import Flag, Glob, Number, Scalar, Text, Value, compiled


class Outcome(NamedTuple):
    """What became of a request, for the journal's queries: how it ended, and which rules had their say."""

    status: int = 0
    outcome: str = "live"
    faults: tuple[str, ...] = ()
    mock: str = ""


class Subject:
    """One request: its ask, its body as it came, how often the same one came before, and for old ones how it went."""

    __slots__ = ("_json", "ask", "body", "outcome", "seen")

    def __init__(self, ask: Ask, body: bytes = b"", seen: int = 0, outcome: Outcome | None = None) -> None:
        self.ask = ask
        self.body = body
        self.seen = seen
        self.outcome = outcome
        self._json: Any = _UNREAD

    @property
    def json(self) -> Any:
        """The body as JSON, read once; None where it is none."""
        if self._json is _UNREAD:
            import orjson

            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = None
        return self._json


_UNREAD = object()
Find = Callable[[Subject, str], Iterable[Any]]


@dataclass(frozen=True)
class Field:
    """A name that conditions ask by: how its value is read, what it finds in a request, and what that costs.

    With `keyed` the name has a second part of its own, as in `header.x-team`. What is known `late` can be asked of the
    journal alone. Conditions of a low `cost` are looked at first.
    """

    name: str
    value: type[Value]
    find: Find
    meaning: str
    cost: int = 0
    keyed: bool = False
    late: bool = False


def _system(subject: Subject, _: str) -> Iterable[str]:
    return ["\n".join(message.text for message in subject.ask.messages if message.role == "system")]


def _header(subject: Subject, name: str) -> Iterable[str]:
    found = subject.ask.headers.get(name.lower().encode("latin-1", "replace"))
    return () if found is None else (found.decode("latin-1"),)


def _json(subject: Subject, path: str) -> Iterable[Any]:
    """What the path finds; nothing in a body that is nested more deeply than `..` goes."""
    if not isinstance(subject.json, dict | list):
        return ()
    from jsonpath import JSONPathError

    try:
        found: Iterable[Any] = compiled_path(path).findall(subject.json)
    except (JSONPathError, RecursionError):
        return ()
    return found


def _anywhere(subject: Subject, _: str) -> Iterable[str]:
    ask = subject.ask
    yield from (ask.model, ask.client, ask.endpoint, ask.provider, ask.last_user_text)
    if subject.outcome is not None:
        yield from (str(subject.outcome.status), subject.outcome.outcome, *subject.outcome.faults)


def _there(name: str) -> Iterable[str]:
    """The name, or nothing where there is none, so that `key:*` asks for one."""
    return (name,) if name else ()


def _turn(subject: Subject, _: str) -> Iterable[int]:
    return (sum(message.role == "user" for message in subject.ask.messages),)


@cache
def _paths() -> Any:
    """Reads JSONPaths as the standard has them and no others; its expressions are RE2's, so that none can be slow."""
    from jsonpath import JSONPathEnvironment
    from jsonpath.function_extensions import Match, Search

    class Quick:
        def check_cache(self, pattern: str) -> Any:
            try:
                return compiled(pattern)
            except SettingsError:
                return None

    paths = JSONPathEnvironment(strict=True)
    paths.function_extensions["match"] = type("QuickMatch", (Quick, Match), {})()
    paths.function_extensions["search"] = type("QuickSearch", (Quick, Search), {})()
    return paths


@lru_cache(maxsize=512)
def compiled_path(path: str) -> Any:
    """A JSONPath (RFC 9535), `$.` in front where it was left out; raises SettingsError for one that is none."""
    import jsonpath  # late: it takes its time, and few rules have one

    try:
        return _paths().compile(path if path.startswith("$") else f"$.{path}")
    except jsonpath.JSONPathError as error:
        raise SettingsError(f"json.{path}: this is no JSONPath: {str(error).splitlines()[0]}") from None


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("provider", Glob, lambda s, _: (s.ask.provider,), "openai, anthropic, gemini, …"),
        Field("api", Glob, lambda s, _: (s.ask.dialect,), "the API, such as openai_chat"),
        Field("endpoint", Glob, lambda s, _: (s.ask.endpoint,), "the path that was asked"),
        Field("model", Glob, lambda s, _: _there(s.ask.model), "the model as the client names it"),
        Field("key", Glob, lambda s, _: _there(s.ask.key), "the client's key"),
        Field(
            "client", Glob, lambda s, _: _there(s.ask.client), "the client's name: x-llmsim-client, else its user agent"
        ),
        Field("stream", Flag, lambda s, _: (s.ask.stream,), "whether the reply is streamed"),
        Field("tools", Flag, lambda s, _: (bool(s.ask.tools),), "whether tools are offered"),
        Field("tool", Glob, lambda s, _: [tool.name for tool in s.ask.tools], "the name of a tool that is offered", 1),
        Field(
            "tool_result", Flag, lambda s, _: (s.ask.answers_a_tool,), "whether the newest message is a tool's result"
        ),
        Field("turn", Number, _turn, "how many messages the user has sent", 1),
        Field("attempt", Number, lambda s, _: (s.ask.attempt,), "0 on the first try, 1 on the SDK's first retry"),
        Field("seen", Number, lambda s, _: (s.seen,), "how often the very same request came before"),
        Field("header", Text, _header, "a header of the request, as in header.x-team:blue", 1, keyed=True),
        Field("text", Text, lambda s, _: (s.ask.last_user_text,), "the newest text of the user", 2),
        Field("system", Text, _system, "the system's text", 2),
        Field("any", Text, lambda s, _: [one.text for one in s.ask.messages], "the text of any message", 3),
        Field(
            "json", Scalar, _json, "a value in the body by its JSONPath, as in json.metadata.team:blue", 4, keyed=True
        ),
        Field("has", Text, _anywhere, "model, client, endpoint, provider or text: what a bare word asks for", 3),
        Field("status", Number, lambda s, _: (s.outcome.status if s.outcome else 0,), "the status told", late=True),
        Field(
            "outcome",
            Glob,
            lambda s, _: (s.outcome.outcome if s.outcome else "live",),
            "live, ok, limited, failed, cut or abandoned",
            late=True,
        ),
        Field("fault", Glob, lambda s, _: s.outcome.faults if s.outcome else (), "a fault that struck", late=True),
        Field(
            "mock", Glob, lambda s, _: _there(s.outcome.mock if s.outcome else ""), "the mock that answered", late=True
        ),
    )
}
