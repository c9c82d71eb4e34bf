"""Requests to every path of every dialect and of the control API, with junk anywhere in them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import orjson

from fuzz.application import LOCAL, Asked, Broken, judge
from fuzz.seeds import BODIES
from llmsim.dialects import kinds

Steps = tuple[Any, ...]

HEADERS: Mapping[str, Mapping[bytes, bytes]] = {
    "openai": {b"authorization": b"Bearer sk-fuzz"},
    "anthropic": {
        b"x-api-key": b"k",
        b"anthropic-version": b"2023-06-01",
        b"anthropic-beta": b"files-api-2025-04-14,mcp-client-2025-11-20,context-management-2025-06-27",
    },
    "gemini": {b"x-goog-api-key": b"k"},
    "azure": {b"api-key": b"k"},
}
_MODELS = {"gemini": "gemini-2.5-flash", "vertex": "gemini-2.5-flash", "bedrock": "anthropic.claude-sonnet-4-5-v1:0"}
_VERSION = "api-version=2024-10-21"


class Place(NamedTuple):
    """Where a request goes: a route of a dialect, or of the control API, with its names filled in."""

    provider: str
    method: str
    route: str
    path: str

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """Those by which the provider knows its clients."""
        return {**LOCAL, **HEADERS.get(self.provider, HEADERS["openai"]), b"content-type": b"application/json"}


@cache
def places() -> tuple[Place, ...]:
    """Every path of every dialect, below the name of its provider, so that nobody else answers."""
    found = {}
    for made in kinds().values():
        for route in made().routes():
            if route.method == "WEBSOCKET":
                continue
            model = _MODELS.get(made.provider, "gpt-4o")
            path = re.sub(
                r"\{(\w+)(?::path)?\}", lambda one, model=model: model if one[1] == "model" else "x", route.path
            )
            place = Place(made.provider, route.method, route.path, f"/{made.provider}{path}")
            found[place.method, place.path] = place
    return tuple(found.values())


@cache
def seeds(place: Place) -> tuple[Any, ...]:
    """Valid bodies for the path, those of the longest ending that fits; an empty one where there are none."""
    fits = [end for end in BODIES if place.route.endswith(end)]
    return tuple(BODIES[max(fits, key=len)]) if fits else ({},)


def inside(value: Any, path: Steps = ()) -> Iterator[Steps]:
    """The ways to everything in a body."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from inside(value[key], (*path, key))


def spoiled(body: Any, steps: Steps, junk: Any) -> Any:
    """The body with junk at that place."""
    made: Any = copy.deepcopy(body)
    inner = made
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = junk
    return made


@cache
def asked() -> Asked:
    """The application that is asked."""
    return Asked()


def send(place: Place, body: bytes, query: str = "", headers: Mapping[bytes, bytes] | None = None) -> int:
    """Asks and judges; gives the status. Raises Broken."""
    query = f"{_VERSION}&{query}" if place.provider == "azure" else query
    told = asked().ask(place.method, place.path, body, query, {**place.headers, **(headers or {})})
    judge(place.provider, told, f"{place.method} {place.path}?{query}")
    return told.status


def at_random(data: bytes) -> None:
    """A target of the fuzzer: a path, a way to spoil its seed, and bytes to spoil it with."""
    if len(data) < 4:
        return
    place = places()[int.from_bytes(data[:2], "little") % len(places())]
    junk, how = data[4:], data[2]
    query = junk[:60].decode("latin-1") if how & 1 else ""
    if how & 2:
        send(place, junk, query)
        return
    try:
        value = orjson.loads(junk)
    except orjson.JSONDecodeError:
        value = junk.decode("utf-8", "ignore")
    known = seeds(place)
    seed = known[data[3] % len(known)]
    ways = list(inside(seed))
    sent = spoiled(seed, ways[data[3] % len(ways)], value) if ways else value
    try:
        raw = orjson.dumps(sent)
    except TypeError:  # deeper than it writes
        raw = junk
    send(place, raw, query)


# -- the control API


@cache
def controlled() -> Asked:
    """An application whose settings may be turned upside down."""
    return Asked()


@cache
def operations() -> tuple[tuple[str, str], ...]:
    """Every call of the control API, but for streams without an end."""
    found = controlled().app.control.operations
    return tuple((one.method, one.path) for one in found if one.path != "/events")


CONTROL: Mapping[str, Any] = {
    "/faults": {"kind": "refuse", "status": 429, "probability": 0.5, "scope": "model:gpt*", "count": 3},
    "/faults/preview": {"scope": "model:gpt*", "last": 10},
    "/mocks": {"name": "a", "when": {"text": "/x/"}, "reply": {"text": "{{ model }}"}},
    "/mocks/try": {"mocks": [{"when": "has:x", "reply": "y"}], "last": 10},
    "/limits": [{"name": "free", "scope": "key:ci", "rpm": 3}],
    "/limits/drain": {"name": "free", "share": 0.5},
    "/settings": {"seed": 1, "speed": 2, "profiles": {"a": {"ttft": {"kind": "fixed", "mean": 1}}}},
    "/verify": {"expect": [{"when": "model:gpt*", "times": ">=1", "within_s": 10}]},
    "/scenario": {"name": "s", "steps": [{"at": "1s", "arm": {"kind": "cut"}}]},
    "/reset": {"what": ["journal"]},
}


def control(method: str, path: str, body: bytes, query: str = "") -> int:
    """Asks the control API; gives the status. Raises Broken for 500 and above, and where no sentence is told."""
    path = "/llmsim" + re.sub(r"\{\w+\}", "1", path)
    told = controlled().ask(method, path, body, query, {**LOCAL, b"content-type": b"application/json"})
    if told.status >= 500 or (told.status >= 400 and b'"message":"' not in told.body.replace(b": ", b":")):
        raise Broken(f"{method} {path}?{query}: {told.status}: {told.body[:500]!r}")
    return told.status


def control_at_random(data: bytes) -> None:
    """A target of the fuzzer: a call, and its body; what was changed is undone, so that cases stand for themselves."""
    if len(data) < 3:
        return
    method, path = operations()[data[0] % len(operations())]
    query = data[2:62].decode("latin-1") if data[1] & 1 else ""
    control(method, path, data[2:], query)
    undo()


def undo() -> None:
    """Takes back what a call has changed."""
    control("DELETE", "/mocks", b"")
    control("DELETE", "/faults", b"")
    control("PUT", "/limits", b"[]")
    control("DELETE", "/scenario", b"")
