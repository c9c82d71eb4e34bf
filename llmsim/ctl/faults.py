"""Faults: armed, listed, lifted, and tried out on what was seen."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from llmsim.ctl.client import Client
from llmsim.ctl.command import Commands, no_words, one_word
from llmsim.ctl.given import seconds
from llmsim.ctl.page import Page, lasting, plain

_MORE = """\
  fault [list]             the faults in force, in the order in which they strike
  fault FAULT              arms one: a status or a kind, and its settings
  fault lift [ID]          lifts one, or all
  fault preview SCOPE      how many of the last requests a scope would have met
  fault kinds              every kind of fault and its settings"""


def add(commands: Commands) -> None:
    """Adds fault."""
    parser = commands.add(
        "fault",
        fault,
        "arm, list and lift faults",
        'fault 429 count=3 retry_after=1 --for 20s\nfault "cut after_tokens=5 probability=0.5" --label snip\n'
        "fault 503 scope=model:gpt* --id outage\nfault lift outage\nfault preview 'model:gpt* !key:ci' --last 500",
        _MORE,
    )
    parser.add_argument("words", nargs="*", metavar="FAULT|VERB", help="a fault, or list, lift, preview, kinds")
    parser.add_argument("--for", dest="lasts", metavar="TIME", help="lift it by itself after 20s, 5m, 1h")
    parser.add_argument("--label", metavar="TEXT", help="what it is called in the console and the journal")
    parser.add_argument("--id", metavar="ID", help="its id, in the place of the fault that has it")
    parser.add_argument(
        "--last", type=int, default=100, metavar="N", help="preview: requests to look at (default: 100)"
    )


def fault(client: Client, page: Page, options: Namespace) -> int:
    """What the first word says; a fault where it is no verb."""
    verb, *words = options.words or ["list"]
    if verb == "list":
        no_words(words, "fault list")
        return _list(client.get("/faults"), page)
    if verb == "lift":
        return _lift(client, page, words)
    if verb == "preview":
        return _preview(client, page, " ".join(words), options.last)
    if verb == "kinds":
        return _kinds(client, page, words)
    body = armed(options.words)
    for name, value in (("label", options.label), ("id", options.id)):
        if value:
            body[name] = value
    if options.lasts:
        body["for_s"] = seconds(options.lasts)
    told = client.post("/faults", body)
    if not page.told(told):
        page.line(plain(f"armed {told['id']}: {_said(told)}"))
    return 0


def armed(words: Sequence[str]) -> dict[str, Any]:
    """The body that arms a fault; a word whose quotes the shell has taken off is a field of its own."""
    if len(words) == 1:
        return {"fault": words[0]}
    loose = [word for word in words[1:] if "=" in word and any(sign.isspace() for sign in word) and '"' not in word]
    told = {name: text for name, _, text in (word.partition("=") for word in loose)}
    return {"fault": " ".join(word for word in words if word not in loose), **told}


def _list(told: list[dict[str, Any]], page: Page) -> int:
    if page.told(told):
        return 0
    if not told:
        page.line("no fault is armed")
        return 0
    rows = []
    for one in told:
        left = "lifted by hand" if one["left_s"] is None else f"{lasting(one['left_s'])} left"
        rows.append((one["id"], one.get("label"), _said(one), one["hits"], one["in_force"], left))
    page.table(("id", "label", "fault", "hits", "in force", "lasts"), rows, "hits")
    return 0


def _said(one: dict[str, Any]) -> str:
    """The fault in one line: what it does, then when and whom it meets."""
    told = one["summary"] if one["kind"] == "refuse" else f"{one['kind']} {one['summary']}".strip()
    if one.get("probability", 1.0) != 1.0:
        told += f" {one['probability']:.0%}"
    if one.get("for_s"):
        told += f" for {lasting(one['for_s'])}"
    own = ("scope", "count", "per", "for_requests", "after_s", "every_s", "on_s")
    return told + "".join(f" {name}={_quoted(one[name])}" for name in own if name in one)


def _quoted(value: Any) -> str:
    """As the short form has it."""
    return f'"{value}"' if " " in str(value) else str(value)


def _lift(client: Client, page: Page, words: Sequence[str]) -> int:
    told = client.delete(f"/faults/{quote(one_word(words, 'id'), safe='')}" if words else "/faults")
    if not page.told(told):
        page.line(f"lifted {told['lifted']} {'fault' if told['lifted'] == 1 else 'faults'}")
    return 0


def _preview(client: Client, page: Page, scope: str, last: int) -> int:
    told = client.post("/faults/preview", {"scope": scope, "last": last})
    if not page.told(told):
        page.line(f"it would have met {told['matched']} of the last {told['looked_at']} requests")
        numbers = told["numbers"]
        if numbers:
            shown = " ".join(f"#{number}" for number in numbers[-20:])
            page.line(shown if len(numbers) <= 20 else f"the newest of them: {shown}")
    return 0


def _kinds(client: Client, page: Page, words: Sequence[str]) -> int:
    no_words(words, "fault kinds")
    told = client.get("/faults/kinds")
    if page.told(told):
        return 0
    page.line("each kind with its settings, beside probability, and what it does")
    for kind, schema in told.items():
        own = [name for name in schema.get("properties", {}) if name != "probability"]
        page.pairs([(f"{kind:8}", [" ".join(own), schema.get("description", "").split("\n")[0]])])
    return 0
