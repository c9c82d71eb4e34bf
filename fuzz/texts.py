"""Everything that reads a short text: match lines, faults, overrides, templates, expressions, expectations."""

from __future__ import annotations

import contextlib
from functools import cache
from unicodedata import category

import orjson
from llmsim_tui.text import safe
from pydantic import ValidationError

from fuzz.application import Broken
from llmsim import faults, generators, masks, overrides, tokens
from llmsim.conversation import Ask, Message
from llmsim.ctl import page
from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.journal.verify import Expectation
from llmsim.match import Match, Subject
from llmsim.mocks import template
from llmsim.schema.document import UnsatisfiableSchema
from llmsim.schema.patterns import compiled, finds
from llmsim.server.logs import forms
from llmsim.settings import Settings


def text_of(data: bytes) -> str:
    """The text that a client's or an operator's bytes are; any text there is, lone surrogates too."""
    return data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "replace") if data else ""


def _text(data: bytes) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return text_of(data)
    return data.decode("latin-1")


@cache
def subject() -> Subject:
    """A request that conditions and templates look at."""
    body = orjson.dumps({"metadata": {"team": "blue", "n": 3}, "messages": [{"role": "user", "content": "Hi {{x}}"}]})
    ask = Ask("gpt-4o", (Message("system", "Be brief."), Message("user", "A refund, please")), provider="openai")
    ask.headers = {b"x-team": b"blue"}
    return Subject(ask, body, 2)


def match(data: bytes) -> None:
    """A match line: one sentence says what is wrong with it, or it reads the same again and can be asked."""
    try:
        made = Match(_text(data))
    except SettingsError:
        return
    if Match(str(made)) != made or Match(made.mapping()) != made:
        raise Broken(f"{made!r} is not what it is written as: {str(made)!r}, {made.mapping()!r}")
    made.holds(subject())
    made.failing(subject())


def fault(data: bytes) -> None:
    """A fault in its short form, as the command line, scenarios and headers have it."""
    with contextlib.suppress(SettingsError):
        Settings().changed(faults=(faults.read(_text(data)),))


def override(data: bytes) -> None:
    """The `x-llmsim-` headers of a client."""
    names = [name.encode() for name in overrides.NAMES]
    at, told = data[:1], data[1:]
    values = told.split(b"\n")
    begin = at[0] if at else 0
    headers = {b"x-llmsim-" + names[(begin + place) % len(names)]: value for place, value in enumerate(values[:9])}
    found = overrides.read(headers)
    if found is not None:
        with contextlib.suppress(SettingsError):
            found.over(Settings())
            _ = found.seed, found.explain


def write(data: bytes) -> None:
    """A mock's template: what it cannot write is told, and nothing of this process can be reached by it."""
    told = _text(data)[:400]
    try:
        template.check(told)
        template.write(told, subject(), Dice(1))
    except (SettingsError, template.TemplateError):
        return


def expression(data: bytes) -> None:
    """A client's pattern in a schema, with what it is to be found in; none may take long."""
    pattern, _, told = _text(data).partition("\n")
    with contextlib.suppress(UnsatisfiableSchema):
        compiled(pattern)
        finds(pattern, told * 20)


def generator(data: bytes) -> None:
    """A generator's name with its argument."""
    with contextlib.suppress(SettingsError, ValueError):
        generators.make(_text(data)).reply(subject().ask, Dice(1), 20)


def expectation(data: bytes) -> None:
    """What is expected of the clients, from JSON."""
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError:
        raw = {"when": _text(data), "times": _text(data)[:9]}
    with contextlib.suppress(ValidationError, SettingsError):
        Expectation.model_validate(raw)


def secret(data: bytes) -> None:
    """Masks: a text, a query and headers lose no more than their secrets, and never raise."""
    told = _text(data)
    key = "sk-proj-" + "Q" * 40
    for shown in (masks.text(f"{told} {key} {told}"), masks.query(f"key={key}&{told}"), masks.header("cookie", told)):
        if key in shown:
            raise Broken(f"a key is shown: {shown[:300]!r}")
    masks.body(data, limit=50)


def shown(data: bytes) -> None:
    """What a client wrote, as the log, the console and `llmsim ctl` show it: nothing in it is obeyed by a terminal."""
    told = _text(data)
    for name, plain in (("log", forms.shown(told)), ("console", safe(told)), ("ctl", page.plain(told))):
        if any(category(sign) in ("Cc", "Zl", "Zp") or "\u202a" <= sign <= "\u202e" for sign in plain):
            raise Broken(f"the {name} shows {plain!r}")


def count(data: bytes) -> None:
    """Tokens: all the texts of a text's tokens, joined, are the text."""
    told = data.decode("utf-8", "replace")
    if b"".join(tokens.token_bytes(told)).decode("utf-8", "replace") != told or tokens.count(told) < 0:
        raise Broken(f"the tokens of {told!r} are not its own")
