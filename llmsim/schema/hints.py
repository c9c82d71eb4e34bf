"""What the user's own words offer for a property: a place, a name, an address, a number, the question itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmsim.schema.formats import listed

_STOP = frozenset(
    listed(
        "a an and are as at be by can could do does for from get give go have hello help hey hi how i i'm if in is it"
        " its let like list make me my need of on or please so tell thank thanks that the their them then there these"
        " this to use using want was we what what's when where where's which who who's why will with would write you"
        " your find show search book check call compare create generate translate summarize look plan"
        " email send ask contact forecast weather add"
    )
)
_DAYS = frozenset(
    listed(
        "January February March April May June July August September October November December Monday Tuesday"
        " Wednesday Thursday Friday Saturday Sunday"
    )
)
_PROPER = re.compile(r"(?:\b(from|to|in|at|for|near|by)\s+)?((?:[^\W\d_a-z][\w'’-]*)(?:\s+[^\W\d_a-z][\w'’-]*)*)")
_FOUND = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "url": re.compile(r"https?://[^\s<>\"')]+"),
    "date": re.compile(r"\b\d{4}-\d\d-\d\d\b"),
    "uuid": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE),
}
_WHOLE = frozenset(("query", "text"))
_SUBJECTS = frozenset((*_FOUND, *_WHOLE, "city", "country", "name", "firstname", "lastname", "company"))
_NUMBER = re.compile(r"(?<![\w.:/-])-?\d{1,15}(?:\.\d{1,15})?(?![\w:/-])")
_LONGEST_QUERY = 80
# The word before a place that tells which end of a journey it is, and those before any place.
_WAYS = ("from", "to")
_WHERE = ("from", "in", "at", "near")
_SAID_AFTER = {
    **dict.fromkeys(("origin", "from", "departure"), "from"),
    **dict.fromkeys(("destination", "to", "arrival"), "to"),
}


class Hints:
    """What the user's text offers for a property; read only when first asked."""

    __slots__ = ("_names", "_numbers", "_turns", "text")

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._names: list[tuple[str, str]] | None = None
        self._numbers: list[str] | None = None
        self._turns: dict[str, int] = {}

    def word(self, name: str, subject: str) -> str:
        """The user's own word for a property of this name and subject, or an empty string.

        A property that comes again, as in an array, gets the next such word, and none after the last.
        """
        if not self.text or subject not in _SUBJECTS:
            return ""
        turn = self._turns[name] = self._turns.get(name, -1) + 1
        found = self._words(name.lower(), subject)
        return found[turn] if turn < len(found) else ""

    def _words(self, name: str, subject: str) -> Sequence[str]:
        if subject in _FOUND:
            return _FOUND[subject].findall(self.text)
        if subject in _WHOLE:
            return (self.shortened,)
        return self._proper(name, subject)

    @property
    def shortened(self) -> str:
        """The user's text, cut at a word where it is long."""
        return self.text if len(self.text) <= _LONGEST_QUERY else self.text[:_LONGEST_QUERY].rsplit(" ", 1)[0]

    def _proper(self, name: str, subject: str) -> list[str]:
        if self._names is None:
            self._names = list(_proper_names(self.text))
        wanted = _SAID_AFTER.get(name, "")
        told = [(word, proper) for word, proper in self._names if not wanted or word not in _WAYS or word == wanted]
        if subject in ("city", "country"):
            told.sort(key=lambda pair: (wanted not in ("", pair[0]), not pair[0]))
        else:
            told.sort(key=lambda pair: pair[0] in _WHERE)
        return [proper for _, proper in told]

    def number(self) -> float | None:
        """The next number the user wrote that no property has yet, or None."""
        if self._numbers is None:
            self._numbers = _NUMBER.findall(self.text)
        if not self._numbers:
            return None
        found = self._numbers[0]
        return float(found) if "." in found else int(found)

    def used_number(self) -> None:
        """Takes the number away that `number` told of."""
        if self._numbers:
            del self._numbers[0]

    def mentions(self, value: object) -> bool:
        """Whether the user's text holds this word."""
        return isinstance(value, str) and len(value) > 1 and value.lower() in self.text.lower()


def _proper_names(text: str) -> list[tuple[str, str]]:
    names = []
    for found in _PROPER.finditer(text):
        words = found.group(2).split()
        while words and (words[0].lower() in _STOP or words[0] in _DAYS):
            words = words[1:]
        if words:
            names.append((found.group(1) or "", " ".join(words).removesuffix("'s").removesuffix("’s")))
    return names
