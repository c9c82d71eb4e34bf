"""A request without what does not matter for its answer: what two of them have to have in common to be the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from llmsim.conversation import Ask, Message

Parts = tuple[tuple[str, str], ...]
"""What a request asks, by names for people, in order."""

_SHOWN = 60
_TOLD = 6
"""Differences that are told; of more, how many there are."""


class Normal(NamedTuple):
    """A request in nobody's dialect: its parts, and a key of all and of what was said alone.

    Left out are the client, its key, a seed, whether the answer streams, and ids of calls. `talk` leaves out the model
    and the limits too, which differ where another API is asked the same.
    """

    parts: Parts
    key: bytes
    talk: bytes


def normal(ask: Ask) -> Normal | None:
    """What the ask comes to; None for what is not asked in words."""
    if ask.parts is not None or not (ask.messages or ask.prompts):
        return None
    parts = tuple(_parts(ask))
    talk = [one for one in parts if one[0].startswith(("message", "prompt", "tool "))]
    said = [(name, "" if name.startswith("tool ") else value) for name, value in talk]
    return Normal(parts, _digest(parts), _digest(said))


def _digest(parts: Sequence[tuple[str, str]]) -> bytes:
    return blake2b(orjson.dumps(parts), digest_size=16).digest()


def _parts(ask: Ask) -> Iterator[tuple[str, str]]:
    yield "model", ask.model
    for at, message in enumerate(ask.messages, 1):
        yield f"message {at} ({message.role})", _message(message)
    for number, prompt in enumerate(ask.prompts, 1):
        for at, message in enumerate(prompt, 1):
            yield f"prompt {number}, message {at} ({message.role})", _message(message)
    for tool in ask.tools:
        yield f"tool {tool.name}", _json(tool.schema)
    choice, form = ask.tool_choice, ask.format
    if ask.tools:
        yield "tool_choice", " ".join((choice.mode, *choice.names, "" if choice.parallel else "one at a time")).strip()
    yield "format", form.kind if form.schema is None else f"{form.kind} {_json(form.schema)}"
    for name, value in (("max_tokens", ask.max_tokens), ("n", ask.n), ("thinking", ask.thinking)):
        yield name, "none" if value is None else str(value)
    yield "stop", ", ".join(map(repr, ask.stop)) or "none"


def _message(message: Message) -> str:
    """The text; behind it what else the message has."""
    calls = [f"\n{call.name}({_arguments(call.arguments)})" for call in message.calls]
    media = [f"\n[{kind}]" for kind in message.media]
    return "".join((message.text, *calls, *media))


def _arguments(told: str) -> str:
    try:
        return _json(orjson.loads(told))
    except orjson.JSONDecodeError:
        return told


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return str(value)


_VOLATILE = frozenset(("user", "metadata", "safety_identifier", "prompt_cache_key", "seed"))


def exact(method: str, path: str, query: str, body: bytes) -> bytes:
    """A key of the request as it is on the wire, but for the order of its fields, ids of users and secrets."""
    kept = "&".join(sorted(part for part in query.split("&") if part and not part.startswith(("key=", "alt="))))
    canonical = body
    if body[:1] == b"{":
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
        else:
            told = {name: value for name, value in told.items() if name not in _VOLATILE}
            canonical = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    return blake2b(f"{method} {path}?{kept}\n".encode() + canonical, digest_size=16).digest()


# -- what keeps two from being the same


def differences(asked: Parts, taped: Parts) -> list[str]:
    """Each part in which they differ, a sentence each: what was asked, and what is on the tape."""
    told, there = dict(asked), dict(taped)
    found = []
    for name in (*told, *(name for name in there if name not in told)):
        ours, theirs = told.get(name), there.get(name)
        if ours == theirs:
            continue
        if theirs is None:
            found.append(f"{name} is not on the tape")
        elif ours is None:
            found.append(f"{name} was not asked")
        else:
            found.append(f"{name}: {_apart(ours, theirs)}")
    return found if len(found) <= _TOLD else [*found[:_TOLD], f"{len(found) - _TOLD} more"]


def _apart(ours: str, theirs: str) -> str:
    """Both from where they differ on."""
    at = next((at for at, (one, two) in enumerate(zip(ours, theirs, strict=False)) if one != two), None)
    at = min(len(ours), len(theirs)) if at is None else at
    begin = max(0, at - 20)
    shown = [
        f"{'…' if begin else ''}{text[begin : begin + _SHOWN]}{'…' if len(text) > begin + _SHOWN else ''}"
        for text in (ours, theirs)
    ]
    return f"{shown[0]!r} was asked, {shown[1]!r} is on the tape"


def distance(asked: Parts, taped: Parts) -> float:
    """How far apart they are: parts that differ, less the more they begin alike."""
    told, there = dict(asked), dict(taped)
    far = 0.0
    for name in told.keys() | there.keys():
        ours, theirs = told.get(name), there.get(name)
        if ours is None or theirs is None:
            far += 1
        elif ours != theirs:
            same = next((at for at, (one, two) in enumerate(zip(ours, theirs, strict=False)) if one != two), 0)
            far += 1 - 0.5 * same / max(len(ours), len(theirs), 1)
    return far
