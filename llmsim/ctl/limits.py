"""Rate limits: listed with their buckets, set, drained and refilled."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.command import Commands, no_words, one_word, unknown
from llmsim.ctl.given import document, fields
from llmsim.ctl.page import Page, lasting

_VERBS = ("list", "set", "add", "clear", "drain", "refill")
_MORE = """\
  limit [list]              the limits, and every bucket with what is left in it
  limit set FILE            puts those of a file in the place of all; - is the standard input
  limit set NAME=VALUE …    puts this one in the place of all
  limit add NAME=VALUE …    adds this one behind the others (or those of a FILE)
  limit clear               takes all away
  limit drain [NAME]        empties the buckets of a limit, or of all
  limit refill [NAME]       fills them

Figures are rpm, tpm, input_tpm, output_tpm, rpd, tpd, quota_requests, quota_tokens and concurrency, or a tier;
beside them name, when (a match), per (key, model, provider, client; `per=` for all together) and burst."""

_HEADS = ("bucket of", "whose", "figure", "left", "of", "full in", "under way")


def add(commands: Commands) -> None:
    """Adds limit."""
    parser = commands.add(
        "limit",
        limit,
        "list, set, drain and refill rate limits",
        "limit set rpm=60 per=key\nlimit add name=mini tpm=10000 when=model:*mini* per=key,model\n"
        "limit drain mini --share 0.5\nlimit refill",
        _MORE,
    )
    parser.add_argument("words", nargs="*", metavar="VERB", help=", ".join(_VERBS))
    parser.add_argument("--share", type=float, metavar="SHARE", help="drain: how much of a bucket goes (default: 1)")


def limit(client: Client, page: Page, options: Namespace) -> int:
    """What the first word says."""
    verb, *words = options.words or ["list"]
    if verb in ("set", "add"):
        rules = _read(words)
        there = client.get("/limits")["limits"] if verb == "add" else []
        return _list(client.put("/limits", [*there, *rules]), page)
    if verb in ("drain", "refill"):
        return _buckets(client, page, verb, words, options.share)
    if verb not in _VERBS:
        raise unknown(verb, _VERBS)
    no_words(words, f"limit {verb}")
    return _list(client.put("/limits", []) if verb == "clear" else client.get("/limits"), page)


def _read(words: Sequence[str]) -> list[Any]:
    """The limits of a file, or the one of `name=value` words."""
    if not words:
        raise ControlError("a file or figures such as rpm=60 are missing")
    if any("=" in word for word in words):
        told = fields(words)
        if "per" in told and not isinstance(told["per"], list):
            told["per"] = [one.strip() for one in str(told["per"] or "").split(",") if one.strip()]
        return [told]
    name = one_word(words, "a file")
    raw = document(name)
    if isinstance(raw, dict):
        raw = raw["limits"] if set(raw) == {"limits"} else [raw]
    if not isinstance(raw, list):
        raise ControlError(f"{name}: limits are a list, one limit, or a mapping with limits")
    return raw


def _list(told: dict[str, Any], page: Page) -> int:
    if page.told(told):
        return 0
    rows = [_row(one) for one in told["limits"]]
    if rows:
        page.table(("name", "when", "per", "figures"), rows)
    else:
        page.line("there are no limits beside the settings rpm and tpm")
    buckets = told["buckets"]
    if buckets:
        page.line()
        page.table(_HEADS, [_bucket(one) for one in buckets], "left of")
    return 0


def _row(one: dict[str, Any]) -> tuple[str, str, str, str]:
    own = ("name", "when", "per")
    figures = " ".join(f"{name}={value}" for name, value in one.items() if name not in own)
    per = one.get("per", ["key", "model"])
    return one.get("name", ""), one.get("when", "every request"), ",".join(per) or "all together", figures


def _bucket(one: dict[str, Any]) -> tuple[Any, ...]:
    level = one["level"]
    full = "never" if one["reset"] is None else lasting(one["reset"])
    owner = " ".join(one["per"]) or "all together"
    return one["name"] or one["rule"], owner, one["kind"], f"{level:.0f}", one["limit"], full, one["busy"]


def _buckets(client: Client, page: Page, verb: str, words: Sequence[str], share: float | None) -> int:
    body: dict[str, Any] = {"name": one_word(words, "name")} if words else {}
    if share is not None and verb == "drain":
        body["share"] = share
    told = client.post(f"/limits/{verb}", body)
    if not page.told(told):
        count = told[f"{verb}ed"]
        page.line(f"{verb}ed {count} {'bucket' if count == 1 else 'buckets'}")
    return 0
