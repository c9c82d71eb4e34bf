"""Scenarios on a running server: begun, watched, stopped, and written from what was done by hand."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.command import Commands, no_words, one_word
from llmsim.ctl.given import document
from llmsim.ctl.page import Page, clock, lasting, plain
from llmsim.ctl.placed import placed

_MORE = """\
  scenario FILE        begins the scenario in a file; with --wait it is watched to its end
  scenario [status]    how far the one is that was begun last, and what came of it
  scenario stop        stops it, and lifts what it has armed
  scenario record      the changes that were made by hand, as a scenario

The exit status is 1 when something that it expects was not met."""


def add(commands: Commands) -> None:
    """Adds scenario."""
    parser = commands.add(
        "scenario",
        scenario,
        "begin, watch, stop and record scenarios",
        "scenario storm.yaml --wait\nscenario status\nscenario record -o mine.yaml",
        _MORE,
    )
    parser.add_argument("words", nargs="*", metavar="FILE|VERB", help="a file (- is stdin), or status, stop, record")
    parser.add_argument("--wait", action="store_true", help="tell its phases as they begin, and wait for its end")
    parser.add_argument("--name", metavar="NAME", help="record: what it is called (default: recorded)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="record: the file to write (default: stdout)")


def scenario(client: Client, page: Page, options: Namespace) -> int:
    """What the first word says; a file where it is no verb."""
    verb, *words = options.words or ["status"]
    if verb == "status":
        no_words(words, "scenario status")
        return _status(client.get("/scenario"), page)
    if verb == "stop":
        no_words(words, "scenario stop")
        return _status(client.delete("/scenario"), page)
    if verb == "record":
        return _record(client, words, page, options)
    return _begin(client, page, one_word(options.words, "file"), options.wait)


def _begin(client: Client, page: Page, name: str, wait: bool) -> int:
    raw = document(name)
    if not isinstance(raw, dict):
        raise ControlError(f"{name}: a scenario is a mapping, not a {type(raw).__name__}")
    body = {**({} if name == "-" else {"name": Path(name).stem}), **raw}
    happening = client.events() if wait else iter(())
    next(happening, None)  # the connection stands, so no phase can be missed
    try:
        told = client.post("/scenario", body)
    except ControlError as error:
        raise placed(error, name, "scenario") from None
    if not wait:
        if not page.told(told):
            page.line(plain(f"began {told['name']}, which lasts {lasting(told['lasts_s'])}"))
        return 0
    try:
        _watch(page, happening, told["name"])
    except KeyboardInterrupt:
        print("llmsim: the scenario goes on; `llmsim ctl scenario stop` stops it", file=sys.stderr)
        return 130
    return _status(client.get("/scenario"), page)


def _watch(page: Page, happening: Any, name: str) -> None:
    """Tells what the scenario says until it is over."""
    for event in happening:
        if event is None or event["kind"] != "scenario":
            continue
        if not page.json:
            page.line(f"{clock(event['time'])}  {plain(event['text'])}")
            page.to.flush()
        if event["text"].startswith(tuple(f"{name} {state}" for state in ("done", "stopped", "failed"))):
            return


def _status(told: dict[str, Any], page: Page) -> int:
    results = told.get("results", [])
    if not page.told(told):
        phase = f", phase {told['phase']}" if told["phase"] and told["state"] == "running" else ""
        at = f"{lasting(told['elapsed_s'])} of {lasting(told['lasts_s'])}"
        page.line(plain(f"scenario {told['name']} {told['state']}{phase}, {at}"))
        if told.get("problem"):
            page.line(plain(told["problem"]))
        for one in results:
            page.verdict(one["met"], one["sentence"])
    if told["state"] == "failed":
        return 2
    return 0 if all(one["met"] for one in results) else 1


def _record(client: Client, words: Sequence[str], page: Page, options: Namespace) -> int:
    no_words(words, "scenario record")
    told: str = client.get("/scenario/recorded", name=options.name)
    if page.json:
        import yaml

        told_json = yaml.safe_load(told)
        page.told(told_json)
        return 0
    if not options.output or options.output == "-":
        page.line(told.rstrip())
        return 0
    try:
        Path(options.output).write_text(told, encoding="utf-8")
    except OSError as error:
        raise ControlError(f"{options.output}: cannot be written: {error.strerror}") from None
    page.line(f"wrote {options.output}")
    return 0
