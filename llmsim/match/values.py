"""What a condition compares with: a pattern of names, a text, a number, or yes and no."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from llmsim.errors import SettingsError

LONGEST = 1000
"""Characters of a value; longer ones are refused."""

SCANNED = 1 << 18
"""Characters of a text that are searched; RE2 takes linear time, so that this bounds what one condition costs."""

_NUMBER = r"-?\d{1,12}(?:\.\d{1,6})?"

_TOLD_APART = 48
"""Characters of a text by which an index tells it from others."""


@dataclass(frozen=True)
class Value(ABC):
    """What stands behind the colon of a condition; `told` is how it is written."""

    told: str

    @abstractmethod
    def holds(self, found: Any) -> bool:
        """Whether what was found in a request is what is asked for."""


@dataclass(frozen=True)
class Glob(Value):
    """A name in which `*` stands for any letters and `?` for one; capitals make no difference."""

    @cached_property
    def plain(self) -> str | None:
        """The one name it stands for, in small letters; None for a pattern."""
        return None if re.search(r"[*?]", self.told) else self.told.lower()

    @cached_property
    def _search(self) -> Any:
        parts = ["." if sign == "?" else ".*" if sign == "*" else re.escape(sign) for sign in _squeezed(self.told)]
        return compiled("".join(parts), "is").fullmatch

    def holds(self, found: Any) -> bool:
        """Whether the name is the one, or fits the pattern."""
        if self.plain is not None:
            return str(found).lower() == self.plain
        return self.told == "*" or self._search(str(found)[:SCANNED]) is not None


@dataclass(frozen=True)
class Text(Value):
    """A text that must contain these words (capitals make no difference), be one exactly (`=text`), or fit `/a.*b/i`.

    Expressions are RE2's (github.com/google/re2/wiki/Syntax): no look-around and no backreferences, and in return a
    search never takes more than linear time. Raises SettingsError for an expression that is none.
    """

    def __post_init__(self) -> None:
        """Compiles the expression, so that a broken one is told at once."""
        if self.expression is not None:
            compiled(*self.expression)

    @cached_property
    def expression(self) -> tuple[str, str] | None:
        """The regular expression and its flags, where it is one."""
        match = re.fullmatch(r"/(.+)/([ims]*)", self.told, re.DOTALL)
        return (match[1].replace(r"\/", "/"), match[2]) if match else None

    @cached_property
    def _check(self) -> Callable[[str], bool]:
        if self.expression is not None:
            search = compiled(*self.expression).search
            return lambda text: search(text[:SCANNED]) is not None
        if self.told.startswith("="):
            wanted = self.told[1:]
            return lambda text: text == wanted
        if self.told == "*":
            return bool
        words = self.told.lower()
        return lambda text: words in text.lower()

    def holds(self, found: Any) -> bool:
        """Whether the text has it."""
        return self._check(found if isinstance(found, str) else str(found))

    @property
    def pattern(self) -> str | None:
        """An expression that is found wherever this holds, for an index over many of them; None where there is none."""
        if self.expression is not None:
            body, flags = self.expression
            return f"(?{flags}){body}" if flags else body
        return None if self.told.startswith("=") or self.told == "*" else f"(?i){_escaped(self.told[:_TOLD_APART])}"


@dataclass(frozen=True)
class Number(Value):
    """A number: `3`, `>3`, `>=3`, `<3`, `<=3`, `2..5` with both ends, or for a status `4xx`; `-3` for one below 0."""

    def __post_init__(self) -> None:
        """Reads it, so that what is no number is told at once."""
        _ = self.range

    @cached_property
    def range(self) -> tuple[float, float]:
        """The least and the greatest number that it stands for."""
        told = self.told.strip()
        if found := re.fullmatch(r"([1-5])xx", told):
            return int(found[1]) * 100, int(found[1]) * 100 + 99
        if found := re.fullmatch(rf"({_NUMBER})\.\.({_NUMBER})", told):
            if float(found[2]) < float(found[1]):
                raise SettingsError(f"{self.told!r} is not allowed: nothing is in that range")
            return float(found[1]), float(found[2])
        found = re.fullmatch(rf"(>=|<=|>|<|=?)({_NUMBER})", told)
        if found is None:
            raise SettingsError(f"{self.told!r} is no number; allowed are 3, >3, >=3, <3, <=3, 2..5")
        sign, number = found[1], float(found[2])
        step = 1e-9
        if sign in ("", "="):
            return number, number
        return {
            ">": (number + step, float("inf")),
            ">=": (number, float("inf")),
            "<": (float("-inf"), number - step),
            "<=": (float("-inf"), number),
        }[sign]

    def holds(self, found: Any) -> bool:
        """Whether the number lies in the range."""
        low, high = self.range
        return isinstance(found, int | float) and low <= found <= high


@dataclass(frozen=True)
class Flag(Value):
    """Yes or no."""

    def __post_init__(self) -> None:
        """Raises SettingsError for what is neither."""
        if self.told not in ("true", "false"):
            raise SettingsError(f"{self.told!r} is not allowed; it is true or false")

    def holds(self, found: Any) -> bool:
        """Whether it is as asked."""
        return bool(found) == (self.told == "true")


@dataclass(frozen=True)
class Scalar(Value):
    """A value in a JSON body: compared as a number where it begins with a sign of comparison, else as a text.

    A bare `*` asks that there is one at all. Numbers, true, false and null stand for themselves; 1 is 1.0, and "1" too.
    """

    @cached_property
    def _value(self) -> Value:
        if re.match(rf"[<>]=?-?\d|{_NUMBER}\.\.-?\d", self.told):
            return Number(self.told)
        return Text(self.told if _speaks(self.told) else f"={self.told}")

    def __post_init__(self) -> None:
        """Reads it, so that a broken expression is told at once."""
        _ = self._value

    def holds(self, found: Any) -> bool:
        """Whether the value is the one asked for."""
        if self.told == "*":
            return True
        if isinstance(self._value, Number):
            return not isinstance(found, bool) and self._value.holds(found)
        if isinstance(found, dict | list):
            return False
        if isinstance(found, int | float) and not isinstance(found, bool) and re.fullmatch(_NUMBER, self.told):
            return found == float(self.told)
        return self._value.holds(_worded(found))


def _speaks(told: str) -> bool:
    """Whether a scalar is written as a text with a rule of its own."""
    return told.startswith(("=", "/"))


def _worded(found: Any) -> str:
    """A JSON scalar as it is written."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return "null" if found is None else str(found)


def _squeezed(pattern: str) -> str:
    return re.sub(r"\*+", "*", pattern)


@lru_cache(maxsize=4096)
def compiled(body: str, flags: str = "") -> Any:
    """An expression of RE2; raises SettingsError for one that is none. Imported late: most servers have no rule."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"(?{flags}){body}" if flags else body, options)
    except re2.error as error:
        told = error.args[0] if error.args else error
        reason = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        raise SettingsError(f"/{body}/ is no regular expression of RE2: {reason}") from None


def _escaped(text: str) -> str:
    import re2

    return str(re2.escape(text))
