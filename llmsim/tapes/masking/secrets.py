"""Finds secrets in a text: keys by their form, passwords and tokens by what stands before them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmsim import masks

Span = tuple[int, int]

_NAME = (
    masks.NAMES.pattern + r"|pwd|passcode|secret|pin|(?:account|signing|encryption|master|shared[-_]?access)[-_]?key"
    r"|shared[-_]?access[-_]?signature|api[-_]?token|(?:web)?hook[-_]?secret|connection[-_]?string|private[-_]?token"
    r"|set[-_]?cookie"
)
_NAMED = re.compile(rf".*(?:{_NAME})s?", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(r"(?:.*[-_.])?(?:token|signature|sig|key)", re.IGNORECASE)
_RANDOM = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9._~+/=-]{16,}")

# name = value, name: value, "name": "value", name is value; the value has quotation marks or no spaces.
_HINTS = ("pass", "pwd", "pin", "secret", "key", "token", "auth", "cred", "cookie", "sig", "connection")
_HEAD = re.compile(r"[A-Za-z][\w.-]{0,40}\Z")
_REST = re.compile(r"""([\w.-]{0,60}(?: key| token)?)\\{0,8}["'`]?\s{0,9}([=:]>?=?|(?:is|was)\b)""")
_VALUE = re.compile(
    r"""\s{0,9}(?:(\\{0,8}["'`])(?P<quoted>[^\0]{1,8192}?)\1"""
    r"""|(?P<bare>(?:(?:bearer|basic|token)\s+)?[^\s"'`<>,;&\\]{4,8192}))""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:bearer|basic|token|key|digest|negotiate)\s+", re.IGNORECASE)
_BEARER = re.compile(r"\b(?:bearer|basic)\s+([a-z0-9._~+/-]{8,}=*)", re.IGNORECASE)
_LOGIN = re.compile(r"://([^\s/:@\"'<>]{0,256}:[^\s/@\"'<>]{1,256})@")
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----([^\0]*?)"
    r"(?:-----END [A-Z0-9 ]{0,40}KEY(?: BLOCK)?-----|\0|\Z)"
)
_BOT = re.compile(r"[MNO](?<![\w-].)[A-Za-z\d_-]{23,27}\.[\w-]{6,7}\.[\w-]{27,40}(?![\w-])")
_CAPITALS = re.compile("[A-Z]+")
_PROSE_SIGNS = (":", "is", "was")
_PROSE = re.compile(r"[A-Za-z]*[.!?]?")


def find(text: str, own: Sequence[str] = ()) -> Iterator[Span]:
    """Where secrets are, `own` ones among them wherever they stand; spans may overlap."""
    for one in own:
        at = text.find(one)
        while at >= 0:
            yield at, at + len(one)
            at = text.find(one, at + len(one))
    for form in masks.forms(text):
        yield from (found.span() for found in form.finditer(text))
    if "PRIVATE KEY" in text:
        yield from (found.span(1) for found in _PEM.finditer(text))
    if "://" in text:
        yield from (found.span(1) for found in _LOGIN.finditer(text))
    if text.count(".") > 1:
        yield from (found.span() for found in _BOT.finditer(text))
    yield from _told(text)


def _told(text: str) -> Iterator[Span]:
    """What is said to be a secret."""
    yield from (found.span(1) for found in _BEARER.finditer(text))
    low = _lower(text)
    for hint in _HINTS:
        at = low.find(hint)
        while at >= 0:
            rest = _REST.match(text, at)
            if rest:
                head = _HEAD.search(text, max(0, at - 40), at)
                yield from _value(text, rest, ((head[0] if head else "") + rest[1]).replace(" ", "_"))
            at = low.find(hint, at + len(hint))


def _lower(text: str) -> str:
    """The text in small letters, as long as it was: there are letters whose small form is longer."""
    low = text.lower()
    return low if len(low) == len(text) else _CAPITALS.sub(lambda found: found[0].lower(), text)


def _value(text: str, rest: re.Match[str], name: str) -> Iterator[Span]:
    found = _VALUE.match(text, rest.end())
    if found is None:
        return
    group = "quoted" if found["quoted"] is not None else "bare"
    value = found[group]
    prose = group == "bare" and rest[2] in _PROSE_SIGNS and _PROSE.fullmatch(value)
    if not prose and named(name, value):
        yield found.start(group) + scheme(value), found.end(group)


def named(name: str, value: str) -> bool:
    """Whether a field's name says that its value is secret; of `token` and its like only what looks like chance is."""
    if not value or value in _WORDS:
        return False
    return _NAMED.fullmatch(name) is not None or (
        _TOKEN.fullmatch(name) is not None and _RANDOM.fullmatch(value) is not None
    )


_WORDS = frozenset("true false null none None required string".split())


def scheme(value: str) -> int:
    """How much of a value is no secret yet: `Bearer ` and its like."""
    found = _SCHEME.match(value)
    return found.end() if found else 0
