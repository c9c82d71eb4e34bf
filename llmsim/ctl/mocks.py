"""Mocks: listed, put in force from files, tried on what was seen, taken away."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.command import Commands, no_words, one_word, unknown
from llmsim.ctl.given import document
from llmsim.ctl.page import Page, plain, short
from llmsim.ctl.placed import placed
from llmsim.signs import safe

_VERBS = ("list", "add", "put", "remove", "clear", "try", "reload", "states")
_MORE = """\
  mock [list]         the mocks, in their order, with how often each has answered
  mock add FILE       adds those of a file behind the others; - is the standard input
  mock put FILE       puts those of a file in the place of all
  mock remove NAME    takes one away
  mock clear          takes all away
  mock try [FILE]     which of them would have answered each of the last requests; nothing is changed
  mock reload         reads the server's own files of mocks again
  mock states         where the machines of mocks are

A file is YAML, JSON or TOML: one mock, a list of them, or a mapping with `mocks`."""


def add(commands: Commands) -> None:
    """Adds mock."""
    parser = commands.add(
        "mock", mock, "list, add, try and take away mocks", "mock add refunds.yaml\nmock try refunds.yaml", _MORE
    )
    parser.add_argument("words", nargs="*", metavar="VERB", help=", ".join(_VERBS))
    parser.add_argument("--last", type=int, default=100, metavar="N", help="try: requests to look at (default: 100)")


def mock(client: Client, page: Page, options: Namespace) -> int:
    """What the first word says."""
    verb, *words = options.words or ["list"]
    if verb == "add":
        return _add(client, page, one_word(words, "a file"))
    if verb == "put":
        name = one_word(words, "a file")
        try:
            return _list(client.put("/mocks", _read(name)), page)
        except ControlError as error:
            raise placed(error, name, "mocks") from None
    if verb == "remove":
        return _gone(client.delete(f"/mocks/{quote(one_word(words, 'a name'), safe='')}"), page)
    if verb == "try":
        return _try(client, page, words, options.last)
    if verb not in _VERBS:
        raise unknown(verb, _VERBS)
    no_words(words, f"mock {verb}")
    if verb == "clear":
        return _gone(client.delete("/mocks"), page)
    if verb == "states":
        return _states(client.get("/mocks/states"), page)
    return _list(client.post("/mocks/reload") if verb == "reload" else client.get("/mocks"), page)


def _read(name: str) -> list[Any]:
    """The mocks in a file, unjudged; fixtures of other tools are put into llmsim's form."""
    raw = document(name)
    if isinstance(raw, dict) and ("reply" in raw or "replies" in raw) and "mocks" not in raw:
        return [raw]
    if isinstance(raw, dict) and set(raw) == {"mocks"}:
        raw = raw["mocks"]
    elif isinstance(raw, dict):
        return _foreign(name, raw)
    if not isinstance(raw, list):
        raise ControlError(f"{name}: mocks are a list, not a {type(raw).__name__}")
    return raw


def _foreign(name: str, raw: dict[str, Any]) -> list[Any]:
    """The mocks that another tool's fixtures stand for; what was left out of them is told on stderr."""
    from llmsim.mocks import imports  # late: it loads the models of mocks

    found = imports.read(raw)
    if found is None:
        raise ControlError(f"{name}: it is no mock: a mock has reply or replies; several are a list, or below mocks")
    if found.problems:
        told = "\n".join(f"{name}: {sentence}" for _, sentence in found.problems)
        raise placed(ControlError(told, 400), name, "mocks")
    for _, sentence in found.notes:
        print(f"llmsim: {name}: left out: {safe(sentence)}", file=sys.stderr)
    return [mock for _, mock in found.mocks]


def _add(client: Client, page: Page, name: str) -> int:
    mocks = _read(name)
    try:
        client.post("/mocks/try", {"mocks": mocks, "last": 1})  # all are judged before the first one is added
        told = [client.post("/mocks", one) for one in mocks]
    except ControlError as error:
        raise placed(error, name, "mocks") from None
    if not page.told(told):
        page.line(plain(f"added {', '.join(one['name'] for one in told) or 'nothing'}"))
    return 0


def _list(told: list[dict[str, Any]], page: Page) -> int:
    if page.told(told):
        return 0
    if not told:
        page.line("there are no mocks")
        return 0
    rows = []
    for one in told:
        reply = one["reply"] if "reply" in one else one["replies"]
        limit = f"{one['answered']}/{one['times']}" if "times" in one else one["answered"]
        name = one["name"] + ("" if one.get("enabled", True) else " (off)")
        rows.append((name, one.get("when", "every request"), limit, _reply(reply)))
    page.table(("name", "when", "answered", "reply"), rows, "answered")
    return 0


def _reply(reply: Any) -> str:
    if isinstance(reply, list):
        return f"{len(reply)} in turn"
    told = reply if isinstance(reply, str) else " ".join(f"{name}={value}" for name, value in reply.items())
    return short(" ".join(str(told).split()), 60)


def _gone(told: dict[str, Any], page: Page) -> int:
    if not page.told(told):
        what = told["dropped"]
        page.line(plain(f"took {what if isinstance(what, str) else f'{what} mocks'} away"))
    return 0


def _try(client: Client, page: Page, words: Sequence[str], last: int) -> int:
    body: dict[str, Any] = {"last": last}
    name = one_word(words, "a file") if words else "-"
    if words:
        body["mocks"] = _read(name)
    try:
        told = client.post("/mocks/try", body)
    except ControlError as error:
        raise placed(error, name, "mocks") from None
    if not page.told(told):
        page.line(f"{told['taken']} of the last {told['of']} requests would have been answered")
        rows = [(f"#{one['number']}", one["mock"], _near(one["near"])) for one in told["requests"]]
        if rows:
            page.table(("request", "mock", "nearest"), rows, "request")
    return 0


def _near(near: dict[str, Any] | None) -> str:
    return f"{near['mock']}: not {' and '.join(near['failing'])}" if near else ""


def _states(told: dict[str, Any], page: Page) -> int:
    if not page.told(told):
        page.pairs(told.items())
        if not told:
            page.line("no machine has left its start")
    return 0
