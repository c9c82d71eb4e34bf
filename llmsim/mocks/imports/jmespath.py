"""Reads the JMESPath expressions that mock-llm's rules match by as llmsim's conditions; of the language, what they use.

That is paths into `body`, `headers`, `path` and `method`, the comparisons, `&&`, `||`, `!`, parentheses, `contains`,
`starts_with` and `ends_with`, and filters such as `body.messages[?role=='system'].content`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from llmsim.mocks.imports.jmespath_paths import Target, Unread, target
from llmsim.mocks.imports.parts import When, containing, exactly, literal, together

NEVER: When = {"provider": "none"}
"""What no request is."""

_DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<raw>'(?:[^'\\]|\\.)*')|(?P<json>`(?:[^`\\]|\\.)*`)|(?P<sign>&&|\|\||[!=<>]=|[!<>(),])"
    r"|(?P<path>@|(?:[A-Za-z_]\w*|\"[^\"]*\")(?:\.(?:[A-Za-z_]\w*|\"[^\"]*\")|\[(?:-?\d+|\*|\]|\?[^\[\]]*\]?)?\]?)*))"
)


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
            return self.opposite(depth)
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

    def opposite(self, depth: int) -> When:
        kind, word = self.tokens[0] if self.tokens else ("", "")
        if kind == "path" and re.search(r"[.\[]", word):
            raise Unread(f"!{word} is read as (!{word.partition('.')[0]})…, which is never true; write !({word})")
        inner = self.one(depth + 1)
        return {"not": inner} if inner else NEVER

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
        if self.take("||") and self.operand()[1] not in ("''", '`""`', "`[]`"):
            raise Unread("only an empty text can stand in for what is missing")
        self.need(",")
        value = _value(self.operand())
        self.need(")")
        if kind != "path" or not isinstance(value, str):
            raise Unread(f"{name}() is read with a path and a text")
        place = target(word)
        if place.kind == "path" and not re.search(r"[*?]", value):
            front, back = ("" if name == "starts_with" else "*"), ("" if name == "ends_with" else "*")
            return {"endpoint": f"{front}{value}{back}"}
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
    if place.several:
        raise Unread("a list alone is true in mock-llm even if it is empty; ask what it contains")
    held = place.holds(["*"])
    if place.kind == "header":
        return held
    return {"and": [held, {"not": {"json": {place.path: ["null", "false", "="]}}}]}
