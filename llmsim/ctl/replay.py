"""Replays on a running server: a tape put in and taken out, its takes, what was asked and is not on it."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from llmsim.ctl.client import Client
from llmsim.ctl.command import Commands, no_words, one_word
from llmsim.ctl.page import Page, plain

_MORE = """\
  replay FILE      answers requests from a tape on the server's machine
  replay [status]  which tapes are in, and what came of it
  replay takes     what is on them, and how often each has been played
  replay misses    requests that were not on them, each with the take that came nearest
  replay rewind    lets every take be played again from the first one
  replay stop      takes the tapes out"""


def add(commands: Commands) -> None:
    """Adds replay."""
    parser = commands.add(
        "replay", replay, "replay a tape, see what it answers", "replay run.jsonl --mode none\nreplay misses", _MORE
    )
    parser.add_argument("words", nargs="*", metavar="FILE|VERB", help="a tape, or status, takes, misses, rewind, stop")
    parser.add_argument("--mode", metavar="MODE", help="once, none, new_episodes or all")


def replay(client: Client, page: Page, options: Namespace) -> int:
    """What the first word says; a tape where it is no verb."""
    verb, *words = options.words or ["status"]
    if verb in ("status", "rewind", "stop"):
        no_words(words, f"replay {verb}")
        calls = {"status": client.get, "stop": client.delete}
        path = "/replay/rewind" if verb == "rewind" else "/replay"
        return _status(client.post(path, {}) if verb == "rewind" else calls[verb](path), page)
    if verb == "takes":
        no_words(words, "replay takes")
        return _takes(client.get("/replay/takes"), page)
    if verb == "misses":
        no_words(words, "replay misses")
        return _misses(client.get("/replay/misses"), page)
    body = {"tape": one_word(options.words, "tape"), **({"mode": options.mode} if options.mode else {})}
    return _status(client.put("/replay", body), page)


def _status(told: dict[str, Any], page: Page) -> int:
    if not page.told(told):
        files = ", ".join(told["tapes"]) or "a tape"
        counts = f"{told['hits']} answered, {told['misses']} not on it"
        page.line(plain(f"{files}: {told['takes']} takes, {told['played']} played, {counts}, mode {told['mode']}"))
        for note in told["notes"]:
            page.line(plain(note))
    return 0


def _takes(told: list[dict[str, Any]], page: Page) -> int:
    if not page.told(told):
        rows = [
            (
                one["place"],
                f"{one['method']} {one['path']}",
                one["model"],
                "stream" if one["stream"] else "whole",
                str(one["status"]),
                one["end"],
                f"{one['duration_ms']:.0f} ms",
                f"{one['played']}×",
            )
            for one in told
        ]
        page.table(("place", "request", "model", "reply", "status", "end", "took", "played"), rows)
    return 0


def _misses(told: list[dict[str, Any]], page: Page) -> int:
    if not page.told(told):
        for one in told:
            page.line(plain(f"{one['request']}: {one['why']}"))
    return 0
