"""What happens besides the requests: changes, faults armed and lifted, phases of scenarios, warnings."""

from __future__ import annotations

from argparse import Namespace

from llmsim.ctl.client import Client
from llmsim.ctl.command import Commands
from llmsim.ctl.page import Page, clock, plain

_QUIET = 0.5
"""Seconds without an event after which all that the server has kept counts as told."""


def add(commands: Commands) -> None:
    """Adds events."""
    parser = commands.add(
        "events",
        events,
        "tell what has happened besides the requests, and with --follow what happens",
        "events\nevents --follow\nevents --after 120 --json",
        "With --json each event is one line.",
    )
    parser.add_argument("--follow", action="store_true", help="go on telling until Ctrl+C")
    parser.add_argument("--after", type=int, default=0, metavar="N", help="only those with a greater number")


def events(client: Client, page: Page, options: Namespace) -> int:
    """What has happened."""
    for event in client.events(options.after, None if options.follow else _QUIET):
        if event is None:
            continue
        if page.json:
            page.row(event)
        else:
            kind = page.paint("warn" if event["kind"] == "warning" else "dim", plain(event["kind"]).ljust(8))
            who = f"  ({plain(event['who'])})" if event["who"] else ""
            page.line(f"{clock(event['time'])}  {kind}  {plain(event['text'])}{who}")
        if options.follow:
            page.to.flush()
    return 0
