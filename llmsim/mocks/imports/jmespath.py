"""Reads the JMESPath expressions that mock-llm's rules match by as llmsim's conditions; of the language, what they use.

That is paths into `body`, `headers`, `path` and `method`, the comparisons, `&&`, `||`, `!`, parentheses, `contains`,
`starts_with` and `ends_with`, and filters such as `body.messages[?role=='system'].content`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from llmsim.mocks.imports.parts import When, containing, exactly, literal, together

NEVER: When = {"provider": "none"}
"""What no request is."""

_DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<raw>'(?:[^'\\]|\\.)*')|(?P<json>`(?:[^`\\]|\\.)*`)|(?P<sign>&&|\|\||[!=<>]=|[!<>(),])"
    r"|(?P<path>@|(?:[A-Za-z_]\w*|\"[^\"]*\")(?:\.(?:[A-Za-z_]\w*|\"[^\"]*\")|\[(?:-?\d+|\*|\]|\?[^\[\]]*\]?)?\]?)*))"
)
_STEP = re.compile(
    r"\.?(?P<name>[A-Za-z_]\w*)|\.?\"(?P<quoted>[^\"]*)\"|\[(?P<at>-?\d+|\*|)\]|\[\?(?P<filter>[^\[\]]*)\]"
)
_FILTER = re.compile(r"\s*(\w+)\s*==\s*(?:'([^'\\]*)'|`\"?([^`\"\\]*)\"?`)\s*")


class Unread(ValueError):
    """An expression that has no counterpart; the message says what of it."""


class Target(NamedTuple):
    """What a path leads to: a value in the body, a header, the path or the method; of several values a projection."""

    kind: str
    path: str = ""
    several: bool = False

    def holds(self, values: list[str]) -> When:
        """Conditions on it that hold together."""
        if self.kind == "json":
            return together({"json": {self.path: one}} for one in values)
        if self.kind == "header":
            return together({"header": {self.path: one}} for one in values)
        raise Unread(f"{self.kind} can be compared with == alone")


def target(told: str) -> Target:
    """Where a path leads; raises Unread."""
    path, at, several = "", 0, False
    while at < len(told):
        step = _STEP.match(told, at)
        if step is None:
            raise Unread(f"{told!r} is no path that llmsim can ask for")
        name = step["name"] or step["quoted"]
        if name is not None:
            path += f".{name}" if re.fullmatch(r"\w+", name) else f"[{json.dumps(name)}]"
        elif step["filter"] is not None:
            found = _FILTER.fullmatch(step["filter"])
            if found is None:
                raise Unread(f"the filter [?{step['filter']}] is none that llmsim can ask for")
            path += f"[?@.{found[1]}=={json.dumps(found[2] if found[2] is not None else found[3])}]"
            several = True
        else:
            path += f"[{step['at'] or '*'}]"
            several = several or step["at"] in ("*", "")
        at = step.end()
    root, _, rest = path.lstrip(".").partition(".")
    if root == "body" and rest:
        return Target("json", rest, several)
    if path.startswith(".headers") and len(path) > 9:
        return Target("header", json.loads(path[9:-1]) if path[8] == "[" else rest)
    if path in (".path", ".method"):
        return Target(path[1:])
    raise Unread(f"{told!r} is neither in body nor in headers")


def when(told: str) -> When:
    """The conditions of an expression; raises Unread."""
    tokens, at = [], 0
    told = told.strip()
    while at < len(told):
        found = _TOKEN.match(told, at)
        if found is None:
            raise Unread(f"column {at + 1} of {told!r} cannot be read")
        tokens.append((str(found.lastgroup), found[found.lastgroup or 0]))
        at = found.end()
    reader = _Reader(tokens)
    read = reader.either(0)
    if reader.tokens:
        raise Unread(f"{reader.tokens[0][1]!r} cannot be read where it stands")
    return read


class _Reader:
    """Reads the words of an expression from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def take(self, *signs: str) -> str:
        """The next sign where it is one of these, else nothing."""
        if self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return ""

    def either(self, depth: int) -> When:
        if depth > _DEEPEST:
            raise Unread(f"at most {_DEEPEST} parentheses within each other")
        parts = [self.together(depth)]
        while self.take("||"):
            parts.append(self.together(depth))
        return {} if {} in parts else parts[0] if len(parts) == 1 else {"or": parts}

    def together(self, depth: int) -> When:
        parts = [self.one(depth)]
        while self.take("&&"):
            parts.append(self.one(depth))
        return together(parts)

    def one(self, depth: int) -> When:
        if self.take("!"):
            inner = self.one(depth + 1)
            return {"not": inner} if inner else NEVER
        if self.take("("):
            inner = self.either(depth + 1)
            self.need(")")
            return inner
        kind, word = self.operand()
        if kind == "path" and self.take("("):
            return self.called(word)
        sign = self.take("==", "!=", "<", "<=", ">", ">=")
        if sign:
            return _compared((kind, word), sign, self.operand())
        if kind != "path":
            return {} if _value((kind, word)) else NEVER
        return {} if word == "@" else _there(target(word))

    def operand(self) -> tuple[str, str]:
        if not self.tokens or self.tokens[0][0] == "sign":
            raise Unread("a path or a value is missing")
        return self.tokens.pop(0)

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise Unread(f"{sign!r} is missing")

    def called(self, name: str) -> When:
        """One of the functions that compare texts."""
        if name not in ("contains", "starts_with", "ends_with"):
            raise Unread(f"the function {name}() has no counterpart; contains, starts_with and ends_with have")
        kind, word = self.operand()
        self.need(",")
        value = _value(self.operand())
        self.need(")")
        if kind != "path" or not isinstance(value, str):
            raise Unread(f"{name}() is read with a path and a text")
        place = target(word)
        if name == "contains":
            return _contains(place, value)
        return place.holds([f"/^{literal(value)}/" if name == "starts_with" else f"/{literal(value)}$/"])


def _contains(place: Target, value: str) -> When:
    """A text that has it, or a list of which it is one."""
    if place.several:
        return place.holds(exactly(value))
    whole = place.holds(containing(value) or ["*"])
    if place.kind != "json":
        return whole
    return {"or": [whole, place._replace(path=f"{place.path}[*]").holds(exactly(value))]}


def _value(operand: tuple[str, str]) -> Any:
    kind, word = operand
    if kind == "raw":
        return re.sub(r"\\(['\\])", r"\1", word[1:-1])
    if kind == "json":
        try:
            return json.loads(word[1:-1].replace("\\`", "`"))
        except ValueError:
            return word[1:-1]
    raise Unread(f"{word!r} stands where a value is read")


def _compared(left: tuple[str, str], sign: str, right: tuple[str, str]) -> When:
    if left[0] != "path":
        left, right = right, left
        sign = sign.translate(str.maketrans("<>", "><"))
    if left[0] != "path" or right[0] == "path":
        raise Unread("a path is compared with a value")
    place, value = target(left[1]), _value(right)
    if place.several or isinstance(value, dict | list):
        raise Unread("lists and mappings cannot be compared")
    if sign in ("==", "!="):
        same = _same(place, value)
        return same if sign == "==" else {"not": same} if same else NEVER
    if place.kind != "json" or not isinstance(value, int | float) or value < 0:
        raise Unread(f"{sign} is read with a number of at least 0 and a path into the body")
    return place.holds([f"{sign}{value:g}"])


def _same(place: Target, value: Any) -> When:
    if place.kind == "method":
        return {} if value == "POST" else NEVER
    if place.kind == "path":
        return {"endpoint": str(value)}
    if value is None:
        absent = place.holds(["*"])
        return {"or": [{"not": absent}, place.holds(["null"])]}
    return place.holds(exactly(value) if isinstance(value, str) else [json.dumps(value)])


def _there(place: Target) -> When:
    """What counts as true: there, and neither null, false nor empty."""
    if place.kind in ("path", "method"):
        return {}
    held = place.holds(["*"])
    if place.kind == "header" or place.several:
        return held
    return {"and": [held, {"not": {"json": {place.path: ["null", "false", "="]}}}]}
