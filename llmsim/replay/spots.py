"""Finds ids and dates in a recorded reply, and puts fresh ones of the same length in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from llmsim.dice import Dice


class Spot(NamedTuple):
    """A place in a body: an id, or a date as seconds since the epoch or as RFC 3339 has it."""

    start: int
    end: int
    kind: str


_IDS = re.compile(rb'"(?:[A-Za-z_]*_id|id|[a-z]+Id)"\s*:\s*"([A-Za-z0-9_:.-]{10,200})"')
_SECONDS = re.compile(rb'"(?:created|[a-z_]+_at|expires)"\s*:\s*(\d{10})(?!\d)')
_MOMENTS = re.compile(
    rb'"(?:[a-z_]*_at|[a-zA-Z]*(?:Time|Date))"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*(?:Z|\+00:00))"'
)
# An id has a long run of letters and digits together, or is a UUID; names of models and files have none.
_RANDOM = re.compile(
    r"(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_URL = re.compile(r"[A-Za-z0-9_-]{20,}")
_PREFIX = re.compile(r"^(?:[A-Za-z]+[-_])*(?:01)?")
_DAY = 86_400.0


def spots(body: bytes, recorded: float) -> list[Spot]:
    """Ids and dates, in order; dates only of about when it was recorded, as others are facts and not moments."""
    found = [Spot(*match.span(1), "id") for match in _IDS.finditer(body) if is_id(match[1].decode())]
    for match in _SECONDS.finditer(body):
        if abs(int(match[1]) - recorded) < _DAY:
            found.append(Spot(*match.span(1), "seconds"))
    for match in _MOMENTS.finditer(body):
        if abs(_moment(match[1]).timestamp() - recorded) < _DAY:
            found.append(Spot(*match.span(1), "moment"))
    return sorted(found)


def is_id(told: str) -> bool:
    """Whether a text looks like an id, and not like a name that somebody gave."""
    if _RANDOM.search(told):
        return True
    return bool(_URL.fullmatch(told)) and any(sign.isupper() for sign in told) and any(sign.isdigit() for sign in told)


def fresh(
    body: bytes, places: Iterable[Spot], dice: Dice, shift: float, known: Mapping[str, str]
) -> tuple[bytes, dict[str, str]]:
    """The body with new ids and with dates `shift` seconds later, as long as before; and the new ids by the old.

    An id that is `known` keeps the new one that it has.
    """
    told = bytearray(body)
    made: dict[str, str] = {}
    for start, end, kind in places:
        old = body[start:end].decode()
        if kind == "id":
            new = made.get(old) or known.get(old) or new_id(old, dice)
            made[old] = new
        elif kind == "seconds":
            new = f"{int(old) + int(shift):010d}"
        else:
            new = _later(old, shift)
        if len(new) == len(old):
            told[start:end] = new.encode()
    return bytes(told), made


def new_id(old: str, dice: Dice) -> str:
    """An id of the same form: digits for digits, letters for letters; what it begins with says what it is of."""
    begin = _PREFIX.match(old)
    kept = begin[0] if begin and len(old) - len(begin[0]) >= 8 else ""
    rest = old[len(kept) :]
    hexadecimal = all(sign in "0123456789abcdef-_" for sign in rest)
    return kept + "".join(_sign(sign, hexadecimal, dice) for sign in rest)


def _sign(sign: str, hexadecimal: bool, dice: Dice) -> str:
    if not sign.isalnum():
        return sign
    if hexadecimal:
        return "0123456789abcdef"[dice.below(16)]
    if sign.isdigit():
        return str(dice.below(10))
    letter = chr(ord("a") + dice.below(26))
    return letter.upper() if sign.isupper() else letter


def _moment(told: bytes) -> datetime:
    try:
        return datetime.fromisoformat(told.decode().replace("Z", "+00:00")[:26].rstrip(".").partition("+")[0]).replace(
            tzinfo=UTC
        )
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _later(old: str, shift: float) -> str:
    """The moment that much later, in the same digits."""
    whole, rest = old[:19], old[19:]
    moved = datetime.fromisoformat(whole) + timedelta(seconds=int(shift))
    return moved.isoformat(timespec="seconds") + rest
