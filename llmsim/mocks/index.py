"""Finds the mock that answers a request among thousands, looking at few of them; and the one that came nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter

from llmsim.match import FIELDS, Condition, Subject
from llmsim.match.values import SCANNED, Glob, Text
from llmsim.mocks import Mock

_EXACT = ("endpoint", "model", "key", "client", "api", "provider", "header")
_SEARCHED = ("text", "system")
_NAMES = {name: attrgetter(name) for name in ("endpoint", "model", "key", "client", "provider")} | {
    "api": attrgetter("dialect")
}
"""Names of a request that there is one of each, where an ask has them."""

_MEMORY = 64 << 20
"""Bytes that RE2 may take for one set of expressions."""

_REMEMBERED, _SHORT = 256, 2_000
"""Texts whose finds are remembered in each set of expressions, and the characters of the longest of them."""

_LARGEST = 100_000
"""Characters of the expressions in one set: RE2 works on it for a tenth of a second and lets nobody else work."""

_NEAREST = 200
"""Mocks that are looked at for the one that came nearest, those of the highest priority first."""


@dataclass(frozen=True, slots=True)
class Near:
    """The mock that came nearest to a request, and the conditions of it that did not hold."""

    name: str
    failing: tuple[str, ...]

    def told(self) -> str:
        """A sentence for people."""
        return f"nearest mock: {self.name}, but for {'; '.join(self.failing)}"


class Index:
    """Mocks in the order in which they are asked, found by one condition of theirs that is cheap to look up.

    A condition on an exact name is looked up in a table, all that search one text are searched in one pass (RE2's set
    of expressions); a mock with neither is always looked at.
    """

    def __init__(self, mocks: Sequence[Mock]) -> None:
        enabled = [one for one in mocks if one.enabled]
        self.order = sorted(enabled, key=lambda one: -one.priority)  # stable: of equal ones the first
        always: list[int] = []
        tables: dict[tuple[str, str], dict[str, list[int]]] = {}
        searched: dict[str, list[tuple[int, str]]] = {}
        for place, mock in enumerate(self.order):
            key = _best(mock)
            if key is None:
                always.append(place)
            elif key[1] is None:
                table = tables.setdefault((key[0].name, key[0].key), {})
                table.setdefault(key[2], []).append(place)
            else:
                searched.setdefault(key[0].name, []).append((place, key[1]))
        self._named = [(_NAMES[name], table) for (name, _), table in tables.items() if name in _NAMES]
        self._tables = [(FIELDS[name].find, key, table) for (name, key), table in tables.items() if name not in _NAMES]
        self._sets: list[_Set] = []
        for name, patterns in searched.items():
            made, large = _sets(name, patterns)
            self._sets += made
            always += large
        self._unnamed = always
        self._always = [self.order[place] for place in sorted(always)]

    def candidates(self, subject: Subject) -> Sequence[Mock]:
        """Mocks that may hold for the request, those that are asked first first."""
        places: list[int] = []
        for name, names in self._named:
            if meant := names.get(name(subject.ask).lower()):
                places += meant
        for find, key, table in self._tables:
            for found in find(subject, key):
                if meant := table.get(str(found).lower()):
                    places += meant
        for one in self._sets:
            if more := one.places(subject):
                places += more
        if not places:
            return self._always
        return [self.order[place] for place in sorted(places + self._unnamed)]

    def find(self, subject: Subject, open_: Callable[[Mock], bool]) -> Mock | None:
        """The mock that answers: the first that holds and is `open_`, neither spent nor in another state."""
        wordless = subject.ask.parts is not None
        for mock in self.candidates(subject):
            if (mock.wordless or not wordless) and mock.when.holds(subject) and open_(mock):
                return mock
        return None

    def nearest(self, subject: Subject, closed: Callable[[Mock], str]) -> Near | None:
        """The mock that fewest conditions kept from answering; `closed` says why one is spent or in another state."""
        best: tuple[float, Near] | None = None
        for mock in self.order[:_NEAREST]:
            failing = mock.when.failing(subject)
            if why := closed(mock):
                failing.append(why)
            if subject.ask.parts is not None and not mock.wordless:
                failing.append("this API answers with no words")
            far = len(failing) / (len(mock.when.required) + 1)
            if failing and (best is None or far < best[0]):
                best = (far, Near(mock.name, tuple(failing)))
        return best[1] if best else None


def _best(mock: Mock) -> tuple[Condition, str | None, str] | None:
    """The condition that a mock is found by: with an expression where a text is searched, else with an exact value."""
    required = [part for part in mock.when.required if isinstance(part, Condition)]
    for part in required:
        if part.name in _SEARCHED and isinstance(part.value, Text) and part.value.pattern is not None:
            return part, part.value.pattern, ""
    for name in _EXACT:
        for part in required:
            if part.name == name:
                exact = _exact(part)
                if exact is not None:
                    return part, None, exact
    return None


def _exact(part: Condition) -> str | None:
    value = part.value
    if isinstance(value, Glob):
        return value.plain
    return value.told[1:].lower() if value.told.startswith("=") else None


class _Set:
    """Expressions that search the same text, of which a request has one, in one pass over it."""

    def __init__(self, name: str, patterns: Sequence[tuple[int, str]]) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        self._find = FIELDS[name].find
        self._known: dict[str, Sequence[int]] = {}
        self._places = [place for place, _ in patterns]
        self._set = re2.Set.SearchSet(options)
        for _, pattern in patterns:
            self._set.Add(pattern)
        self._set.Compile()

    def places(self, subject: Subject) -> Sequence[int]:
        """The places of the mocks whose expression is found in the request.

        Those for short texts are remembered, as load generators send the same ones.
        """
        (text,) = self._find(subject, "")
        known = self._known.get(text)
        if known is None:
            known = [self._places[at] for at in self._set.Match(text[:SCANNED]) or ()]
            if len(text) <= _SHORT:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[text] = known
        return known


def _sets(name: str, patterns: Sequence[tuple[int, str]]) -> tuple[list[_Set], list[int]]:
    """Sets of expressions, none so large that RE2 cannot hold it, and the places of those it cannot hold at all."""
    import re2

    if sum(len(pattern) for _, pattern in patterns) <= _LARGEST:
        with suppress(re2.error):
            return [_Set(name, patterns)], []
    if len(patterns) == 1:
        return [], [patterns[0][0]]
    half = len(patterns) // 2
    first, second = _sets(name, patterns[:half]), _sets(name, patterns[half:])
    return [*first[0], *second[0]], [*first[1], *second[1]]
