"""Templates of mocks: Jinja2 in its sandbox, over the request.

A template sees `model`, `text` (the user's newest), `system`, `messages` (each with `role`, `text`, `name`, `calls`),
`tools` (names), `stream`, `turn`, `seen`, `client`, `headers`, `body` (the request's JSON) and `call` (the newest tool
result, with its `name` and `text`); drawn from the exchange's dice, `choice(list)`, `number(low, high)`, `id(length)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from functools import cache, lru_cache, wraps
from typing import Any

from llmsim.dice import Dice
from llmsim.errors import LlmsimError, SettingsError
from llmsim.match import Subject
from llmsim.mocks import sizes
from llmsim.mocks.sizes import LONGEST, Purse

_LONGEST, _MOST = 100_000, 4_000
"""Characters of a template, and its opening braces: each pair of them is 60 µs of a core and 8 KB."""


class TemplateError(LlmsimError):
    """A template that cannot be written for this request; the message says why."""


_purse = Purse()


@cache
def _environment() -> Any:
    from jinja2 import StrictUndefined, nodes, pass_eval_context
    from jinja2.compiler import CodeGenerator
    from jinja2.filters import do_join
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Looking(CodeGenerator):
        """Has the operator `~` and slices looked at, too; Jinja lets a sandbox see the other operators alone."""

        def visit_Concat(self, node: Any, frame: Any) -> None:
            self.write("environment.joined((")
            for part in node.nodes:
                self.visit(part, frame)
                self.write(", ")
            self.write("))")

        def visit_Getitem(self, node: Any, frame: Any) -> None:
            if not isinstance(node.arg, nodes.Slice):
                super().visit_Getitem(node, frame)
                return
            self.write("environment.sliced(")
            self.visit(node.node, frame)
            for part in (node.arg.start, node.arg.stop, node.arg.step):
                self.write(", ")
                if part is None:
                    self.write("None")
                else:
                    self.visit(part, frame)
            self.write(")")

    class Sandbox(ImmutableSandboxedEnvironment):
        """One in which no step comes to so much that to make it would hold everybody up, or take all the memory."""

        intercepted_binops = frozenset(("**", "*", "%", "+"))
        code_generator_class = Looking

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            sizes.operated(operator, left, right)
            return _purse.spend(operator, super().call_binop(context, operator, left, right))

        def call(self, context: Any, called: Any, /, *args: Any, **named: Any) -> Any:
            name = getattr(called, "__name__", "")
            owner = getattr(getattr(called, "__wrapped__", called), "__self__", None)
            if name == "join" and isinstance(owner, (str, bytes)) and args:
                args = (list(args[0]), *args[1:])
                sizes.joined(name, owner, args[0])
            elif isinstance(owner, _PLAIN):
                sizes.stepped(name, owner, (*args, *named.values()))
            return _purse.spend(name or "a call", super().call(context, called, *args, **named))

        def joined(self, parts: tuple[Any, ...]) -> str:
            """The texts in one, for the operator `~`."""
            sizes.joined("~", "", parts)
            return str(_purse.spend("~", "".join(map(str, parts))))

        def sliced(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
            """A part of a value."""
            return _purse.spend("a slice", value[start:stop:step])

        @staticmethod
        def concat(parts: Iterable[str]) -> str:
            """What a macro, a block or a `{% set %}` wrote, in one."""
            listed = list(parts)
            sizes.joined("a block", "", listed)
            return str(_purse.spend("a block", "".join(listed)))

    @pass_eval_context
    def _bounded_join(context: Any, value: Any, d: str = "", attribute: Any = None) -> Any:
        items = _listed(value)
        if attribute is None:  # what stands in an attribute is no longer than what it stands in
            sizes.joined("join", d, items)
        return do_join(context, items, d, attribute)

    made = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True, finalize=_shown)
    # They draw from no dice of ours, so that the same request would not get the same reply.
    del made.globals["lipsum"], made.filters["random"]
    made.filters["join"], made.filters["list"] = _bounded_join, _listed
    for name, plain in made.filters.items():
        made.filters[name] = _bounding(name, plain)
    return made


_PLAIN = (str, bytes, int, float, list, tuple, dict)
"""Whose methods can make much of little."""


def _shown(value: Any) -> Any:
    """A value that is to be written; raises OverflowError where its text would be too long."""
    if not isinstance(value, str) and sizes.weight(value) > LONGEST:
        raise sizes.refuse("a value")
    return value


def _listed(value: Iterable[Any]) -> list[Any]:
    """All of it; what is made one by one is counted one by one."""
    if isinstance(value, Sized):
        return list(value)
    found = []
    for one in value:
        _purse.spend("list", (one,))
        found.append(one)
    return found


def _bounding(name: str, plain: Any) -> Any:
    """A filter with a bound to what it gives."""
    marked = getattr(plain, "jinja_pass_arg", None) is not None

    @wraps(plain)  # with the marks by which Jinja knows what else it is to be called with
    def bounding(*args: Any, **named: Any) -> Any:
        value, *given = args[1:] if marked else args
        sizes.stepped("filter format" if name == "format" else name, value, (*given, *named.values()))
        return _purse.spend(name, plain(*args, **named))

    return bounding


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    from jinja2 import TemplateSyntaxError

    _purse.fill()  # Jinja works out what is constant
    try:
        return _environment().from_string(text)
    except TemplateSyntaxError as error:
        raise SettingsError(f"template line {error.lineno}: {error.message}") from None


def check(text: str) -> str:
    """The same text; raises SettingsError where it is no template, or a longer one than may be."""
    if "{" in text:
        if len(text) > _LONGEST or text.count("{") > _MOST:
            raise SettingsError(f"a template has at most {_LONGEST:,} characters and {_MOST:,} opening braces")
        _compiled(text)
    return text


def write(text: str, subject: Subject, dice: Dice) -> str:
    """What the template comes to for this request; raises TemplateError."""
    if "{" not in text:
        return text
    parts: list[str] = []
    size = 0
    compiled = _compiled(text)
    _purse.fill()
    try:
        for part in compiled.generate(_seen(subject, dice)):
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
