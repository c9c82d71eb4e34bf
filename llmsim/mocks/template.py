"""Templates of mocks: Jinja2 in its sandbox, over the request.

A template sees `model`, `text` (the user's newest), `system`, `messages` (each with `role`, `text`, `name`, `calls`),
`tools` (names), `stream`, `turn`, `seen`, `client`, `headers`, `body` (the request's JSON) and `call` (the newest tool
result, with its `name` and `text`); drawn from the exchange's dice, `choice(list)`, `number(low, high)`, `id(length)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache, partial, wraps
from typing import Any

from llmsim.dice import Dice
from llmsim.errors import LlmsimError, SettingsError
from llmsim.match import Subject

LONGEST = 4 << 20
"""Characters that a template may write."""


class TemplateError(LlmsimError):
    """A template that cannot be written for this request; the message says why."""


@cache
def _environment() -> Any:
    from jinja2 import StrictUndefined, pass_eval_context
    from jinja2.compiler import CodeGenerator
    from jinja2.filters import do_join
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Joining(CodeGenerator):
        """Has the operator `~` looked at, too; Jinja lets a sandbox see the others alone."""

        def visit_Concat(self, node: Any, frame: Any) -> None:
            self.write("environment.joined((")
            for part in node.nodes:
                self.visit(part, frame)
                self.write(", ")
            self.write("))")

    class Sandbox(ImmutableSandboxedEnvironment):
        """One in which no power and no product is so large that to work it out would hold everybody up."""

        intercepted_binops = frozenset(("**", "*", "%", "+"))
        code_generator_class = Joining

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "%":
                _padded("%", str(left) if isinstance(left, str) else "", right)
            elif (operator != "+" or hasattr(left, "__len__")) and _too_large(operator, left, right):
                raise OverflowError(f"what {operator} comes to is too large")
            return _bounded(operator, super().call_binop(context, operator, left, right))

        def call(self, context: Any, called: Any, /, *args: Any, **named: Any) -> Any:
            name = getattr(called, "__name__", "")
            if name in _PADDING or name == "format":
                form = str(getattr(getattr(called, "__wrapped__", None), "__self__", ""))
                _padded(name, form, (*args, *named.values()))
            return _bounded(name or "a call", super().call(context, called, *args, **named))

        def wrap_str_format(self, value: Any) -> Any:
            if getattr(value, "__name__", "") in ("format", "format_map"):
                _padded("format", str(getattr(value, "__self__", "")), ())
            return super().wrap_str_format(value)

        def joined(self, parts: tuple[Any, ...]) -> str:
            """The texts in one, for the operator `~`."""
            return _joined("~", [str(part) for part in parts])

        @staticmethod
        def concat(parts: Iterable[str]) -> str:
            """What a macro, a block or a `{% set %}` wrote, in one."""
            return _joined("a block", list(parts))

    @pass_eval_context
    def _bounded_join(context: Any, value: Any, d: str = "", attribute: Any = None) -> Any:
        items = list(value)
        if sum(len(one) for one in items if isinstance(one, str)) + len(str(d)) * len(items) > LONGEST:
            raise OverflowError("what join comes to is too large")
        return do_join(context, items, d, attribute)

    made = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True)
    # They draw from no dice of ours, so that the same request would not get the same reply.
    del made.globals["lipsum"], made.filters["random"]
    made.filters["join"] = _bounded_join
    for name in ("center", "indent", "format"):
        made.filters[name] = partial(_filtered, name, made.filters[name])
    for name, plain in made.filters.items():
        made.filters[name] = _bounding(name, plain)
    return made


def _bounded(name: str, made: Any) -> Any:
    """The same; raises OverflowError where it is so long that a loop is growing it."""
    if isinstance(made, (str, list, tuple)) and len(made) > LONGEST:
        raise OverflowError(f"what {name} comes to is too large")
    return made


def _bounding(name: str, plain: Any) -> Any:
    """A filter with a bound to what it gives."""

    @wraps(plain)  # with the marks by which Jinja knows what else it is to be called with
    def bounding(*args: Any, **named: Any) -> Any:
        return _bounded(name, plain(*args, **named))

    return bounding


def _joined(name: str, texts: Sequence[str]) -> str:
    if sum(map(len, texts)) > LONGEST:
        raise OverflowError(f"what {name} comes to is too large")
    return "".join(texts)


_PADDING = ("ljust", "rjust", "center", "zfill", "expandtabs")
_WIDTHS = {"%": re.compile(r"%[-+ #0.\d]*\d{8}"), "format": re.compile(r"\{[^{}]*:[^{}]*\d{8}")}
"""Widths, within a format, that no text of a mock can have."""
_NESTED = re.compile(r":[^{}]*\{")
"""A width that is itself given, as in `{:{}}`."""


def _padded(name: str, form: str, given: Any) -> None:
    """Raises OverflowError for a width, in a format or given, that is more than a mock's text may have."""
    numbers = [one for one in (given if isinstance(given, tuple) else ()) if isinstance(one, int)]
    width, wide = _WIDTHS.get(name), name in (*_PADDING, "indent") or "*" in form or _NESTED.search(form)
    if (width is not None and width.search(form)) or (wide and any(abs(one) > LONGEST for one in numbers)):
        raise OverflowError(f"what {name} comes to is too large")


def _filtered(name: str, plain: Any, text: Any, *args: Any, **named: Any) -> Any:
    form = str(text) if name == "format" else ""
    _padded("%" if name == "format" else name, form, (*args, *named.values()))
    return plain(text, *args, **named)


def _too_large(operator: str, left: Any, right: Any) -> bool:
    """Whether a power or a product has more bits than anybody needs, or is a text that may not be written anyway."""
    sized = [hasattr(one, "__len__") for one in (left, right)]
    sizes = [len(one) if has else abs(one) for one, has in zip((left, right), sized, strict=True)]
    bits = [math.log2(max(2, size)) for size in sizes]
    if operator == "+":
        return all(sized) and sum(sizes) > LONGEST
    if operator == "**":
        return bool(bits[0] * sizes[1] > 4096)
    return sum(bits) > (math.log2(LONGEST) + 1 if any(sized) else 4096)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    from jinja2 import TemplateSyntaxError

    try:
        return _environment().from_string(text)
    except TemplateSyntaxError as error:
        raise SettingsError(f"template line {error.lineno}: {error.message}") from None


def check(text: str) -> str:
    """The same text; raises SettingsError where it is no template."""
    _compiled(text)
    return text


def write(text: str, subject: Subject, dice: Dice) -> str:
    """What the template comes to for this request; raises TemplateError."""
    if "{" not in text:
        return text
    parts: list[str] = []
    size = 0
    try:
        for part in _compiled(text).generate(_seen(subject, dice)):
            size += len(part)
            if size > LONGEST:
                raise TemplateError(f"the template writes more than {LONGEST} characters")
            parts.append(part)
    except TemplateError:
        raise
    except Exception as error:  # whatever the template's author wrote may raise anything
        raise TemplateError(f"template: {error}") from error
    return "".join(parts)


def _seen(subject: Subject, dice: Dice) -> dict[str, Any]:
    ask = subject.ask
    messages = [
        {"role": one.role, "text": one.text, "name": one.name, "calls": [call.name for call in one.calls]}
        for one in ask.messages
    ]
    names = {call.id: call.name for message in ask.messages for call in message.calls}
    last = ask.messages[-1] if ask.answers_a_tool else None
    return {
        "model": ask.model,
        "text": ask.last_user_text,
        "system": "\n".join(one.text for one in ask.messages if one.role == "system"),
        "messages": messages,
        "tools": [tool.name for tool in ask.tools],
        "stream": ask.stream,
        "turn": sum(one.role == "user" for one in ask.messages),
        "seen": subject.seen,
        "client": ask.client,
        "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in ask.headers.items()},
        "body": subject.json,
        "call": None if last is None else {"name": last.name or names.get(last.call_id or "", ""), "text": last.text},
        "choice": dice.choice,
        "number": dice.between,
        "id": lambda length=8: dice.text(min(int(length), 1000)),
    }
