"""The one-line form of a match: `model:gpt-4o* stream:true text:/refund/ !key:ci (turn:1 or tool_result:true)`."""

from __future__ import annotations

import re

from llmsim.errors import SettingsError
from llmsim.match.subject import FIELDS, compiled_path
from llmsim.match.tree import All, Condition, Node, Not, Some, either, opposite, together
from llmsim.match.values import LONGEST

DEEPEST = 50
"""Parentheses within parentheses."""
MOST = 1_000
"""Conditions of a match."""
_LONGEST_LINE = 200_000
"""Characters of a line."""

_WORDS = ("or", "and", "not")
_BLANK = re.compile(r"\s*")
_KEY = r"(?:\[[^\]]*\]|[^\s:()\"\[\]])+"
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*)\"")
_NAME = re.compile(rf"([a-z_]+)(?:\.({_KEY}|{_QUOTED.pattern}))?:")
_REGEX = re.compile(r"/(?:[^/\\\n]|\\.)+/[ims]*(?=[\s)]|$)")
_BARE = re.compile(r"[^\s()\"]+")


class Room:
    """How many conditions a match may yet have."""

    def __init__(self) -> None:
        self._left = MOST

    def take(self) -> None:
        """Takes the place of one; raises SettingsError where there is none left."""
        self._left -= 1
        if self._left < 0:
            raise SettingsError(f"a match has at most {MOST:,} conditions")


def condition(name: str, key: str, told: str) -> Condition:
    """A condition; raises SettingsError for an unknown name or a value that it cannot have."""
    field = FIELDS.get(name)
    if field is None:
        raise SettingsError(f"{name}: there is no such condition; there are {', '.join(FIELDS)}")
    if field.keyed != bool(key):
        form = f"{name}.NAME:VALUE" if field.keyed else f"{name}:VALUE"
        raise SettingsError(f"{name}: it is written {form}")
    if len(told) > LONGEST or len(key) > LONGEST:
        raise SettingsError(f"{name}: a value has at most {LONGEST} characters")
    if not told:
        raise SettingsError(f"{name}: a value is missing; * stands for any")
    if name == "json":
        compiled_path(key)
    try:
        return Condition(name, field.value(told), key.lower() if name == "header" else key)
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None


def parse(text: str, room: Room | None = None) -> Node:
    """The tree of a line; raises SettingsError that says at which column it cannot be read."""
    if len(text) > _LONGEST_LINE:
        raise SettingsError(f"a match has at most {_LONGEST_LINE:,} characters")
    reader = _Reader(text, room or Room())
    tree = reader.either(0) if reader.more() else All(())
    if reader.more():
        raise reader.wrong("a closing parenthesis without an opening one")
    return tree


class _Reader:
    """Reads a line from left to right."""

    def __init__(self, text: str, room: Room) -> None:
        self.text = text
        self.room = room
        self.at = 0

    def wrong(self, what: str) -> SettingsError:
        return SettingsError(f"column {self.at + 1} of {self.text[:200]!r}: {what}")

    def more(self) -> bool:
        """Whether anything stands behind the blanks."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def word(self, word: str) -> bool:
        """Takes a word of the grammar, where it is next."""
        found = re.compile(rf"(?i:{word})(?=[\s()]|$)").match(self.text, self.at) if self.more() else None
        if found:
            self.at = found.end()
        return found is not None

    def either(self, depth: int) -> Node:
        parts = [self.together(depth)]
        while self.word("or"):
            parts.append(self.together(depth))
        return either(parts)

    def together(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while self.more() and self.text[self.at] != ")" and not self._is("or"):
            self.word("and")
            parts.append(self.one(depth))
        return together(parts)

    def _is(self, word: str) -> bool:
        at = self.at
        found = self.word(word)
        self.at = at
        return found

    def one(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.wrong(f"at most {DEEPEST} parentheses within each other")
        if not self.more() or self.text[self.at] == ")" or self._is("or") or self._is("and"):
            raise self.wrong("a condition is missing")
        if self.text[self.at] == "!":
            self.at += 1
            return opposite(self.one(depth + 1))
        if self.word("not"):
            return opposite(self.one(depth + 1))
        if self.text[self.at] != "(":
            return self._condition()
        self.at += 1
        if self.more() and self.text[self.at] == ")":
            self.at += 1
            self.room.take()
            return All(())
        inner = self.either(depth + 1)
        if not self.more() or self.text[self.at] != ")":
            raise self.wrong("a closing parenthesis is missing")
        self.at += 1
        return inner

    def _condition(self) -> Node:
        self.room.take()
        found = _NAME.match(self.text, self.at)
        start = self.at
        name, key = (found[1], found[2] or "") if found else ("has", "")
        key = _unquoted(found[3]) if found and found[3] is not None else key
        if found:
            self.at = found.end()
        told = self._value()
        if not found and ":" in told and self.text[start] != '"':
            self.at = start
            raise self.wrong("a word with a colon is written in quotation marks, a condition NAME:VALUE")
        try:
            return condition(name, key, told)
        except SettingsError as error:
            self.at = start
            raise self.wrong(str(error)) from None

    def _value(self) -> str:
        if quoted := _QUOTED.match(self.text, self.at):
            self.at = quoted.end()
            return _unquoted(quoted[1])
        if self.text[self.at : self.at + 1] == '"':
            raise self.wrong("a quotation mark is not closed")
        found = _REGEX.match(self.text, self.at) or _BARE.match(self.text, self.at)
        if found is None:
            raise self.wrong("a value is missing; * stands for any")
        self.at = found.end()
        return found[0]


def written(tree: Node) -> str:
    """The line of a tree, which reads as the same tree again; `()` in it asks for nothing."""
    if isinstance(tree, Some) and len(tree.parts) > 1:
        return " or ".join(_within(part, (Some,)) for part in tree.parts)
    if isinstance(tree, All):
        return " ".join(_within(part, (Some, All)) for part in tree.parts)
    return _within(tree, ())


def _within(part: Node, bracketed: tuple[type[Node], ...]) -> str:
    if isinstance(part, Not):
        return "!" + _within(part.part, (Some, All))
    if isinstance(part, Condition):
        return _condition_line(part)
    line = written(part)
    return f"({line})" if isinstance(part, bracketed) else line


def _condition_line(one: Condition) -> str:
    value = one.value.told
    bare = _BARE.fullmatch(value) and not value.startswith("/")
    whole = _REGEX.fullmatch(value)
    shown = value if bare or whole else _quoted(value)
    if one.name == "has":
        plain = shown.lower() not in _WORDS and not shown.startswith("!") and (":" not in shown or shown[0] == '"')
        return shown if plain else f"has:{shown}"
    key = one.key if re.fullmatch(_KEY, one.key) else _quoted(one.key)
    return f"{one.name}.{key}:{shown}" if one.key else f"{one.name}:{shown}"


def _quoted(text: str) -> str:
    return '"' + re.sub(r"([\"\\])", r"\\\1", text) + '"'


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
