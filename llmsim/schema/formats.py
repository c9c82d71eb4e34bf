"""Strings in the formats that JSON Schema names: dates, addresses, ids and the like."""

from __future__ import annotations

import base64
from collections.abc import Callable

from llmsim.dice import Dice


def listed(words: str) -> tuple[str, ...]:
    """The words of a line, each by itself."""
    return tuple(words.split())


FIRST_NAMES = listed("Maria James Aisha Lucas Sofia Kenji Priya Noah Elena Omar Grace Mateo Ingrid Wei Amara Daniel")
LAST_NAMES = listed("Garcia Smith Khan Silva Rossi Tanaka Patel Jensen Novak Haddad Okafor Lopez Berg Chen Martin")
NOUNS = listed("report summary project garden river market engine signal harbor window letter bridge")
ADJECTIVES = listed("quiet amber early simple northern bright steady modern hidden gentle rapid open")
_DOMAINS = ("example.com", "example.org", "example.net")


def date(dice: Dice) -> str:
    """A day, as RFC 3339 writes it."""
    return f"{dice.between(2024, 2026)}-{dice.between(1, 12):02}-{dice.between(1, 28):02}"


def clock_time(dice: Dice) -> str:
    """A time of the day with its zone, as RFC 3339 writes it."""
    return f"{dice.below(24):02}:{5 * dice.below(12):02}:00Z"


def date_time(dice: Dice) -> str:
    """A moment, as RFC 3339 writes it."""
    return f"{date(dice)}T{clock_time(dice)}"


def email(dice: Dice) -> str:
    """An e-mail address in a domain kept for examples."""
    return f"{dice.choice(FIRST_NAMES)}.{dice.choice(LAST_NAMES)}@{dice.choice(_DOMAINS)}".lower()


def uri(dice: Dice) -> str:
    """A web address in a domain kept for examples."""
    return f"https://{dice.choice(_DOMAINS)}/{dice.choice(NOUNS)}s/{dice.between(1, 999)}"


def uuid(dice: Dice) -> str:
    """A UUID of version 4."""
    digits = f"{dice.bits():016x}{dice.bits():016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[dice.below(4)]}{digits[17:20]}-{digits[20:]}"


def phone(dice: Dice) -> str:
    """A telephone number of the range kept for fiction."""
    return f"+1-{dice.between(201, 989)}-555-01{dice.below(100):02}"


def _base64(dice: Dice) -> str:
    return base64.b64encode(f"{dice.choice(ADJECTIVES)} {dice.choice(NOUNS)}".encode()).decode()


def _duration(dice: Dice) -> str:
    return dice.choice((f"PT{dice.between(5, 90)}M", f"P{dice.between(1, 14)}D", f"PT{dice.between(1, 12)}H"))


def _ipv6(dice: Dice) -> str:
    return f"2001:db8::{dice.below(65536):x}:{dice.between(1, 65535):x}"


def _hostname(dice: Dice) -> str:
    return f"{dice.choice(NOUNS)}.{dice.choice(_DOMAINS)}"


FORMATS: dict[str, Callable[[Dice], str]] = {
    "date": date,
    "time": clock_time,
    "date-time": date_time,
    "datetime": date_time,
    "duration": _duration,
    "email": email,
    "idn-email": email,
    "uri": uri,
    "url": uri,
    "iri": uri,
    "uri-reference": lambda dice: f"/{dice.choice(NOUNS)}s/{dice.between(1, 999)}",
    "iri-reference": lambda dice: f"/{dice.choice(NOUNS)}s/{dice.between(1, 999)}",
    "uri-template": lambda dice: f"https://example.com/{dice.choice(NOUNS)}s/{{id}}",
    "uuid": uuid,
    "ipv4": lambda dice: f"192.0.2.{dice.between(1, 254)}",
    "ipv6": _ipv6,
    "hostname": _hostname,
    "idn-hostname": _hostname,
    "regex": lambda dice: dice.choice((r"^[a-z]+$", r"^\d{4}$", r"^\w+@\w+\.com$")),
    "json-pointer": lambda dice: f"/{dice.choice(NOUNS)}s/{dice.below(10)}",
    "relative-json-pointer": lambda dice: f"{dice.below(3)}/{dice.choice(NOUNS)}",
    "byte": _base64,
    "binary": _base64,
    "base64": _base64,
    "password": lambda dice: dice.text(14),
    "phone": phone,
    "color": lambda dice: f"#{dice.below(1 << 24):06x}",
    "decimal": lambda dice: f"{dice.between(1, 200)}.{dice.below(100):02}",
    "int64": lambda dice: str(dice.between(1, 99_999)),
}

# The shortest text of a format, for where the greatest length leaves no room for a likely one.
SHORTEST = {
    "duration": "P1D",
    "email": "a@b.co",
    "idn-email": "a@b.co",
    "uri": "a:b",
    "url": "a:b",
    "iri": "a:b",
    "uri-reference": "a",
    "iri-reference": "a",
    "ipv4": "1.1.1.1",
    "ipv6": "::1",
    "hostname": "a.io",
    "idn-hostname": "a.io",
    "regex": "a",
    "json-pointer": "",
    "relative-json-pointer": "0",
    "byte": "QUE=",
    "password": "",
}
# Formats that stay right when letters follow.
_OPEN = frozenset(listed("uri url iri uri-reference iri-reference uri-template regex json-pointer password"))


def lengthened(name: str, text: str, least: int, dice: Dice) -> str:
    """The text of a format made at least so long, as far as the format lets it grow."""
    missing = least - len(text)
    if missing <= 0:
        return text
    more = "".join(dice.choice("abcdefghijklmnoprstuvw") for _ in range(missing))
    if name in _OPEN:
        return text + more
    if name in ("email", "idn-email"):
        return more + text
    if name in ("byte", "binary", "base64"):
        return "QUJD" * (missing // 4 + 1) + text
    return text
