"""What the readers of other tools' fixtures share: exact texts as conditions, errors as answers, what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args

from llmsim.mocks.answer import ErrorOf

Step = str | int
Place = tuple[Step, ...]
When = dict[str, Any]
Fields = dict[str, Any]

STATUSES: frozenset[int] = frozenset(get_args(ErrorOf.model_fields["status"].annotation))
"""Statuses that every provider has an error of its own for."""

OPENAI = ["openai", "azure*"]
"""The providers whose errors have OpenAI's form."""

_PIECE = 400
"""Characters of a text that one condition looks for; a longer one is looked for in pieces."""


class Told(NamedTuple):
    """A sentence about a place in the file."""

    place: Place
    sentence: str


class Made(NamedTuple):
    """The fields of a mock, and the place in the file that they come from."""

    place: Place
    fields: Fields


@dataclass
class Report:
    """What a reader tells of besides the mocks."""

    notes: list[Told] = field(default_factory=list)
    problems: list[Told] = field(default_factory=list)

    def note(self, place: Place, sentence: str) -> None:
        """Something was left out that changes no answer."""
        self.notes.append(Told(place, sentence))

    def refuse(self, place: Place, sentence: str) -> None:
        """Something has no counterpart."""
        self.problems.append(Told(place, sentence))

    def others(self, place: Place, raw: Mapping[str, Any], known: Iterable[str]) -> None:
        """Notes every name that is none of the known ones."""
        for name in raw:
            if name not in known:
                self.note((*place, str(name)), f"{name} is left out")


def literal(text: str) -> str:
    """An expression that is found where exactly this text is; the slashes are escaped for a condition's own."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if sign.isalnum() or sign in " _" or (sign > "\x7f" and sign.isprintable()):
        return sign
    return f"\\{sign}" if " " < sign < "\x7f" else f"\\x{{{ord(sign):x}}}"


def containing(text: str) -> list[str]:
    """Conditions that hold together where a text contains this one, capitals and all."""
    return [f"/{literal(text[at : at + _PIECE])}/" for at in range(0, len(text), _PIECE)]


def exactly(text: str) -> list[str]:
    """Conditions that hold together where a text is this one; a very long one is looked for in pieces."""
    if len(text) <= _PIECE * 2:
        return [f"={text}"]
    pieces = [literal(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE)]
    return [f"/^{pieces[0]}/", *(f"/{piece}/" for piece in pieces[1:-1]), f"/{pieces[-1]}$/"]


def together(parts: Iterable[When]) -> When:
    """One match for all of them."""
    kept = [part for part in parts if part]
    return kept[0] if len(kept) == 1 else {"and": kept} if kept else {}


def plain_model(name: str) -> bool:
    """Whether a name has no sign that stands for others in llmsim's conditions."""
    return not re.search(r"[*?]", name) and bool(name)


def failing(when: When, status: int, body: Mapping[str, Any], retry_after: float | None) -> list[tuple[When, Fields]]:
    """The matches and answers for an error in OpenAI's form: to its own clients as it stands, else in their words."""
    told = body.get("error")
    error: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    own: Fields = {"status": status, "message": str(error.get("message") or "") or None}
    own |= {name: str(error[name]) for name in ("code", "param") if error.get(name)}
    if retry_after is not None:
        own["retry_after"] = retry_after
    worded = {"error": {name: value for name, value in own.items() if value is not None}}
    if not error.get("type") and status in STATUSES:
        return [(when, worded)]
    raw: Fields = {"status": status, "body": dict(body)}
    if retry_after is not None:
        raw["headers"] = {"retry-after": f"{retry_after:g}"}
    if status not in STATUSES:
        return [(when, {"raw": raw})]
    return [(together([when, {"provider": OPENAI}]), {"raw": raw}), (when, worded)]


def calls(raw: Any, place: Place, report: Report) -> list[Fields]:
    """Tool calls, each with `name`, `arguments` and perhaps an `id`; what is no call is refused."""
    made: list[Fields] = []
    for at, one in enumerate(raw if isinstance(raw, list) else [raw]):
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            report.refuse((*place, at), "this is no tool call with a name")
            continue
        made.append(call(one["name"], one.get("arguments"), one.get("id")))
        report.others((*place, at), one, ("name", "arguments", "id", "type", "index"))
    return made


def call(name: str, arguments: Any, id: Any = None) -> Fields:
    """One tool call."""
    import orjson

    if arguments is None or arguments == "":
        arguments = {}
    if not isinstance(arguments, dict | str):
        arguments = orjson.dumps(arguments).decode()
    return {"name": name, "arguments": arguments, **({"id": str(id)} if id else {})}
