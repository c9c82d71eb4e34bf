"""Strings that match a regular expression, written by walking the tree that Python's own parser makes of it."""

from __future__ import annotations

import re
import string
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

from llmsim.dice import Dice
from llmsim.schema.document import UnsatisfiableSchema

# The standard library documents no parser of its own expressions, yet every Python since 3.11 has this one.
_parser: Any = import_module("re._parser")

_PLAIN = string.ascii_letters + string.digits
_WRITABLE = _PLAIN + " " + string.punctuation + "éüñçøÅ漢字"
_CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": _PLAIN + "_",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_letters + " -",
    "CATEGORY_NOT_WORD": " -.,",
    "CATEGORY_NOT_SPACE": _PLAIN + string.punctuation,
}
# Unicode classes of ECMAScript that Python has no word for, inside and outside of brackets.
_UNICODE = {"L": "A-Za-zÀ-ÖØ-öø-ÿ", "Lu": "A-ZÀ-ÖØ-Þ", "Ll": "a-zß-öø-ÿ", "N": "0-9", "Nd": "0-9", "P": "!-/:-@_"}
_ECMA = re.compile(r"\\p\{(?:\w+=)?(\w+)\}|\(\?<(?=[A-Za-z_])|\\k<(\w+)>|(\\.|\[|\])", re.DOTALL)
_LONGEST_RANGE = 512
_TRIES = 120
_SECONDS = 0.05
_STEPS = 4000
_LONGEST = 20_000
_LONGEST_PATTERN = 4000
# The regex package prepares for a text of plain letters by a table that takes their number cubed (18 s for 2,000).
_LONGEST_WORD = 250


@dataclass(slots=True, frozen=True)
class _Node:
    """A part of an expression: `size` is the least number of characters it matches."""

    kind: str
    size: int = 0
    items: tuple[_Node, ...] = ()
    letters: str = ""
    plain: str = ""
    low: int = 0
    high: int = 0


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """The expression as Python's; raises UnsatisfiableSchema where it is none in Python's nor ECMAScript's spelling."""
    if len(pattern) > _LONGEST_PATTERN:
        raise UnsatisfiableSchema(f"The pattern {pattern[:80]!r}… is longer than {_LONGEST_PATTERN} characters.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for spelling in (pattern, _from_ecma(pattern)):
            try:
                return re.compile(spelling)
            except (re.error, OverflowError, RecursionError):
                continue
    raise UnsatisfiableSchema(f"The pattern {pattern!r} cannot be read as a regular expression.")


def finds(pattern: str, text: str) -> bool:
    """Whether the expression matches somewhere in the text, as JSON Schema's `pattern` asks.

    Patterns come from clients, and some take ages; raises UnsatisfiableSchema where one takes longer than 50 ms.
    """
    try:
        return _bounded(pattern).search(text, timeout=_SECONDS) is not None
    except TimeoutError:
        raise UnsatisfiableSchema(f"The pattern {pattern!r} takes too long to match.") from None


@lru_cache(maxsize=512)
def _bounded(pattern: str) -> Any:
    """The expression for the regex package, whose searches can be given a time; tiktoken has it installed."""
    if _longest_word(_tree(pattern)) > _LONGEST_WORD:
        raise UnsatisfiableSchema(
            f"The pattern {pattern[:80]!r}… has more than {_LONGEST_WORD} plain letters in a row."
        )
    regex: Any = import_module("regex")
    try:
        return regex.compile(compiled(pattern).pattern)
    except (regex.error, OverflowError, RecursionError):
        raise UnsatisfiableSchema(f"The pattern {pattern!r} cannot be read as a regular expression.") from None


def _from_ecma(pattern: str) -> str:
    inside = False

    def spell(found: re.Match[str]) -> str:
        nonlocal inside
        name, group, mark = found.groups()
        if mark:
            inside = mark == "[" or (inside and mark != "]")
            return mark
        if group:
            return f"(?P={group})"
        if not name:
            return "(?P<"
        letters = _UNICODE.get(name, _UNICODE.get(name[:1], _UNICODE["L"]))
        return letters if inside else f"[{letters}]"

    return _ECMA.sub(spell, pattern)


@lru_cache(maxsize=512)
def _tree(pattern: str) -> _Node:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _sequence(_parser.parse(compiled(pattern).pattern))


def _longest_word(node: _Node) -> int:
    """The most letters in a row that stand in an expression one by one."""
    longest = row = 0
    for item in node.items:
        row = row + 1 if item.kind == "letters" else 0
        longest = max(longest, row, _longest_word(item))
    return longest


def _sequence(tree: Any) -> _Node:
    items = tuple(_node(str(op), value) for op, value in tree)
    return _Node("sequence", sum(item.size for item in items), items)


def _node(op: str, value: Any) -> _Node:
    match op:
        case "LITERAL":
            return _Node("letters", 1, letters=chr(value))
        case "NOT_LITERAL" | "ANY" | "IN":
            return _letters(op, value)
        case "BRANCH":
            options = tuple(_sequence(option) for option in value[1])
            return _Node("either", min(option.size for option in options), options)
        case "SUBPATTERN":
            inner = _sequence(value[3])
            return _Node("group", inner.size, (inner,), low=value[0] or 0)
        case "ATOMIC_GROUP":
            return _sequence(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = int(value[0]), int(value[1]), _sequence(value[2])
            return _Node("repeat", low * inner.size, (inner,), low=low, high=high)
        case "GROUPREF":
            return _Node("back", low=value)
        case "ASSERT" if value[0] > 0:
            return _Node("ahead", items=(_sequence(value[1]),))
    # Anchors and negative assertions write nothing: the finished text is searched, and written again where they fail.
    return _Node("sequence")


def _letters(op: str, value: Any) -> _Node:
    if op == "ANY":
        return _Node("letters", 1, letters=_PLAIN + " -_.", plain=_PLAIN)
    members = [("NEGATE", None), ("LITERAL", value)] if op == "NOT_LITERAL" else [(str(kind), av) for kind, av in value]
    listed = "".join(_members(kind, av) for kind, av in members)
    if members[0][0] == "NEGATE":
        letters = "".join(letter for letter in _WRITABLE if letter not in listed)
    else:
        letters = "".join(letter for letter in listed if letter.isprintable()) or listed
    return _Node("letters", 1, letters=letters, plain="".join(letter for letter in letters if letter in _PLAIN))


def _members(kind: str, value: Any) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "RANGE":
        low, high = value
        return "".join(map(chr, range(low, min(high, low + _LONGEST_RANGE) + 1)))
    return _CATEGORIES.get(str(value), "") if kind == "CATEGORY" else ""


@dataclass(slots=True)
class _Writer:
    """Writes one text: `slack` is how many characters more than the least may still be spent, `steps` how many nodes.

    Raises UnsatisfiableSchema when the steps are used up: repeated nothings in repeated nothings would never end.
    """

    dice: Dice
    slack: int
    steps: list[int]
    text: list[str] = field(default_factory=list)
    groups: dict[int, str] = field(default_factory=dict)
    ahead: list[tuple[int, list[str]]] = field(default_factory=list)

    def write(self, node: _Node) -> None:
        self.steps[0] -= 1
        if self.steps[0] < 0:
            raise UnsatisfiableSchema("A pattern takes too many steps to write a text for.")
        match node.kind:
            case "sequence":
                for item in node.items:
                    self.write(item)
            case "letters":
                # Letters and digits look likelier than the signs that a class allows beside them.
                usual = node.plain if node.plain and self.dice.below(8) else node.letters
                self.text.append(self.dice.choice(usual) if usual else "")
            case "either":
                option = self.dice.choice([one for one in node.items if one.size - node.size <= self.slack])
                self.slack -= option.size - node.size
                self.write(option)
            case "group":
                start = len(self.text)
                self.write(node.items[0])
                self.groups[node.low] = "".join(self.text[start:])
            case "repeat":
                self._repeat(node)
            case "back":
                self.text += self.groups.get(node.low, "")
            case "ahead":
                self._look_ahead(node.items[0])

    def _repeat(self, node: _Node) -> None:
        item = node.items[0]
        room = min(node.high - node.low, self.slack // max(item.size, 1))
        extra = room if self.dice.below(2) else self.dice.between(0, room)
        self.slack -= extra * item.size
        for _ in range(node.low + extra):
            self.write(item)

    def _look_ahead(self, node: _Node) -> None:
        scout = _Writer(self.dice, self.dice.between(0, 6), self.steps)
        scout.write(node)
        self.ahead.append((len(self.text), scout.text))

    def finished(self) -> str:
        for at, letters in self.ahead:
            self.text[at : at + len(letters)] = letters
        return "".join(self.text)


def matching(
    pattern: str, dice: Dice, least: int = 0, most: int | None = None, accept: Callable[[str], bool] = lambda text: True
) -> str:
    """A text that the pattern matches, `least` to `most` characters long, that `accept` says yes to.

    Raises UnsatisfiableSchema where no such text is found.
    """
    tree = _tree(pattern)
    if tree.size > _LONGEST:
        raise UnsatisfiableSchema(f"Texts that match {pattern!r} are longer than {_LONGEST} characters.")
    if most is not None and tree.size > most:
        raise UnsatisfiableSchema(f"Texts that match {pattern!r} are longer than the greatest length of {most}.")
    shortest = max(least, tree.size)
    for attempt in range(_TRIES):
        longest = shortest + 6 + attempt // 4
        slack = dice.between(shortest, longest if most is None else min(longest, most)) - tree.size
        writer = _Writer(dice, slack, [_STEPS + 8 * (shortest + 6)])
        writer.write(tree)
        text = _padded(writer.finished(), least, dice)
        if (most is None or len(text) <= most) and finds(pattern, text) and accept(text):
            return text
    raise UnsatisfiableSchema(f"No text was found that matches {pattern!r} and keeps the limits beside it.")


def _padded(text: str, least: int, dice: Dice) -> str:
    return text + "".join(dice.choice(string.ascii_lowercase) for _ in range(least - len(text)))


def matching_all(patterns: Sequence[str], dice: Dice, least: int, most: int | None) -> str:
    """A text that every one of the patterns matches."""
    reason: UnsatisfiableSchema | None = None
    for pattern in patterns:
        others = [other for other in patterns if other != pattern]
        try:
            return matching(pattern, dice, least, most, lambda text, others=others: all(finds(o, text) for o in others))  # type: ignore[misc]
        except UnsatisfiableSchema as problem:
            reason = problem
    raise reason or UnsatisfiableSchema("There is no pattern to match.")
