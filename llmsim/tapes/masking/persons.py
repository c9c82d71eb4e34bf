"""Finds what is a person's in a text: addresses, numbers of phones, cards, accounts and of people themselves.

Numbers are found by how they are written, and kept to those whose check digits are right (python-stdnum).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module

REGIONS = ("US", "GB", "DE", "FR", "IN", "JP", "AU", "BR")
"""Countries whose phone numbers are known as they are dialled at home; with + in front all are."""

Span = tuple[int, int]

_AT = re.compile("@|%40")
_LOCAL = re.compile(r"[\w.!#$&'*+/=?^`{|}~-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_]{2,24}|\[[0-9a-fA-F.:]{3,45}\]")

# What may hold a number: at least seven signs of those that numbers are written with.
_RUN = re.compile(r"[A-Z0-9+(][A-Z0-9 ().+/\-]{5,}[A-Z0-9)]")
_LEAST_DIGITS = 4
_COLONS = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?![\w:])")
_PAIRS = re.compile(r":[0-9A-Fa-f]{0,4}:|-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
"""What an address with colons or a machine's own has in it."""

_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_DOTS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_INTERNATIONAL = re.compile(r"(?<![\w+])\+\d(?:[ ().\-/]{0,2}\d){7,14}(?!\w)")
_AT_HOME = re.compile(r"(?<![\w.+(])(?:\(\d{2,5}\)|0\d{1,5}|\d{3})(?:[ .\-/]{1,2}\d{2,8}){1,5}(?!\w|[.\-]\d)")


def find(text: str, regions: Sequence[str] = REGIONS) -> Iterator[Span]:
    """Where a person's things are; spans may overlap."""
    yield from _addresses(text)
    for found in _PAIRS.finditer(text):
        start, end = max(0, found.start() - 40), found.end() + 46
        yield from _matches(_COLONS, text, _own_address, start, end)
        yield from (within.span() for within in _MAC.finditer(text, start, end))
    known: dict[str, list[Span]] = {}
    for run in _RUN.finditer(text):
        start, end = max(0, run.start() - 1), min(len(text), run.end() + 1)
        if sum(map(str.isdigit, run[0])) >= _LEAST_DIGITS:
            around = text[start:end]
            if around not in known:  # a stream says the same numbers in each of its events
                known[around] = list(_numbers(around, regions))
            yield from ((start + first, start + last) for first, last in known[around])


def _addresses(text: str) -> Iterator[Span]:
    """Addresses of mail."""
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end(), at.end() + 255)
        local = _LOCAL.search(text, max(0, at.start() - 64), at.start()) if domain else None
        if local and domain:
            yield local.start(), domain.end()


def _numbers(text: str, regions: Sequence[str]) -> Iterator[Span]:
    yield from _matches(_DOTS, text, _own_address)
    yield from (found.span() for found in _INTERNATIONAL.finditer(text))
    for form, valid in _forms():
        yield from _matches(form, text, valid)
    for found in _AT_HOME.finditer(text):
        if _phone(found[0], tuple(regions)):
            yield found.span()


def _matches(
    form: re.Pattern[str], text: str, valid: Callable[[str], bool], start: int = 0, end: int = 1 << 62
) -> Iterator[Span]:
    return (found.span() for found in form.finditer(text, start, end) if valid(found[0]))


def _own_address(told: str) -> bool:
    """Whether it is an address of the internet that says something of somebody: not a machine's name for itself."""
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _phone(told: str, regions: Sequence[str]) -> bool:
    """Whether it is a number as it is dialled in one of the countries; dates and sums are none."""
    import phonenumbers

    return any(phonenumbers.PhoneNumberMatcher(told, region).has_next() for region in regions)


def known_regions() -> frozenset[str]:
    """Countries whose phone numbers can be told, by their two letters."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


# How a number is written, and who knows whether it is one.
_FORMS = {
    r"[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}": "luhn",  # cards, ISO/IEC 7812
    r"3[47]\d{2}([ -]?)\d{6}\1\d{5}": "luhn",
    r"3[0689]\d{2}([ -]?)\d{6}\1\d{4}": "luhn",
    r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?": "iban",
    r"(?!000|666|9)\d{3}([ -])\d{2}\1\d{4}": "us.ssn",
    r"9\d{2}([ -])\d{2}\1\d{4}": "us.itin",
    r"[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]": "",  # gov.uk, National Insurance numbers
    r"\d{3} \d{3} \d{4}": "gb.nhs",
    r"\d{8}-?[A-Z]": "es.dni",
    r"[XYZ]-?\d{7}-?[A-Z]": "es.nie",
    r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}": "fr.nir",
    r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]": "it.codicefiscale",
    r"\d{3}\.\d{3}\.\d{3}-\d{2}": "br.cpf",
    r"(?!20\d\d 20\d\d)\d{4} \d{4} \d{4}": "in_.aadhaar",
    r"[A-Z]{5}\d{4}[A-Z]": "in_.pan",
    r"\d{11}": "pl.pesel",
    r"756\.\d{4}\.\d{4}\.\d{2}": "ch.ssn",
    r"\d{6}(?:\d{2})?[-+]\d{4}": "se.personnummer",
    r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d": "mx.curp",
    r"\d{3}([ -])\d{3}\1\d{3}": "ca.sin",
    r"\d{2} \d{3} \d{3} \d{3}": "de.idnr",
}


@cache
def _forms() -> list[tuple[re.Pattern[str], Callable[[str], bool]]]:
    """The forms, each with its check; loaded when the first text is looked at."""
    return [
        (
            re.compile(rf"(?<![\w.+]){form}(?!\w|[.-]\d)"),
            _check(name) if name else lambda _: True,
        )
        for form, name in _FORMS.items()
    ]


def _check(name: str) -> Callable[[str], bool]:
    valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return lambda told: valid(told.replace(" ", "").replace("-", "")) or valid(told)
