"""The journal: looked through, exported, forgotten; one exchange in full; the verdict; acting on a reply."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import Any

from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.command import Commands
from llmsim.ctl.entries import HEADS, RIGHT, row
from llmsim.ctl.follow import follow
from llmsim.ctl.page import Page, block, clock, ms

ACTIONS = ("pause", "resume", "cut", "fail", "step", "speed")


def add(commands: Commands) -> None:
    """Adds journal, verdict, show and act."""
    _add_journal(commands)
    parser = commands.add(
        "verdict", verdict, "judge how clients took errors, waits and broken replies", "verdict key:ci"
    )
    parser.add_argument("match", nargs="*", metavar="MATCH", help="only clients' requests that it holds for")
    parser = commands.add("show", show, "tell all about one request, and why its reply is as it is", "show 17")
    parser.add_argument("number", type=int, metavar="N", help="its number in the journal")
    parser = commands.add(
        "act",
        act,
        "act on one reply under way",
        "journal --live\nact 17 pause\nact 17 step\nact 17 speed 4\nact 17 cut\nact 17 fail 429",
    )
    parser.add_argument("number", type=int, metavar="N", help="its number in the journal")
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument(
        "value", nargs="?", type=float, metavar="VALUE", help="speed: how many times as fast; fail: a status"
    )


def _add_journal(commands: Commands) -> None:
    parser = commands.add(
        "journal",
        journal,
        "list the requests that were seen, the newest last",
        "journal\njournal status:429 --limit 50\njournal --follow key:ci\njournal 'model:gpt* !key:ci' --bodies\n"
        "journal --export har -o traffic.har\njournal --clear",
    )
    parser.add_argument("match", nargs="*", metavar="MATCH", help="only requests that it holds for (default: all)")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)")
    parser.add_argument("--bodies", action="store_true", help="with their requests and replies")
    parser.add_argument("--live", action="store_true", help="those under way")
    parser.add_argument("--follow", action="store_true", help="go on with each request that ends, until Ctrl+C")
    parser.add_argument("--export", choices=("jsonl", "har"), help="all of them for other programs, secrets masked")
    parser.add_argument("-o", dest="output", metavar="FILE", help="export: the file to write (default: stdout)")
    parser.add_argument("--clear", action="store_true", help="forget all of them")


def journal(client: Client, page: Page, options: Namespace) -> int:
    """What was seen."""
    if options.clear:
        told = client.delete("/journal")
        if not page.told(told):
            page.line(f"forgot {told['cleared']} requests")
        return 0
    match = " ".join(options.match) or None
    if options.follow:
        return follow(client, page, match, options.limit)
    if options.export:
        return _export(client, options.export, match, options.output)
    if options.live:
        told = client.get("/exchanges", limit=options.limit)
        found = told
    else:
        told = client.get("/journal", match=match, limit=options.limit, bodies="true" if options.bodies else None)
        found = told["exchanges"][::-1]
    if not page.told(told):
        _table(page, found, options.bodies)
    return 0


def _table(page: Page, found: list[dict[str, Any]], bodies: bool) -> None:
    if not found:
        page.line("no such request was seen")
        return
    if not bodies:
        page.table(HEADS, [row(one) for one in found], RIGHT)
        return
    for one in found:
        page.table(HEADS, [row(one)], RIGHT)
        for name in ("request", "reply"):
            page.line(page.paint("dim", f"{name}:"))
            page.line(block(one[name]) or "-")
        page.line()


def _export(client: Client, form: str, match: str | None, output: str | None) -> int:
    chunks = client.chunks("/journal/export", format=form, match=match)
    if not output or output == "-":
        sys.stdout.flush()
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return 0
    first = next(chunks, b"")  # a refusal comes before the file is touched
    try:
        with open(output, "wb", opener=_private) as file:
            file.write(first)
            for chunk in chunks:
                file.write(chunk)
    except OSError as error:
        raise ControlError(f"{output}: cannot be written: {error.strerror}") from None
    return 0


def _private(path: str, flags: int) -> int:
    """Opens a new file for its owner alone: it holds what clients wrote."""
    return os.open(path, flags, 0o600)


def verdict(client: Client, page: Page, options: Namespace) -> int:
    """What the clients did."""
    told = client.get("/journal/verdict", match=" ".join(options.match) or None)
    if not page.told(told):
        for line in told["lines"]:
            page.line(block(line))
    return 0


def show(client: Client, page: Page, options: Namespace) -> int:
    """One exchange."""
    told = client.get(f"/exchanges/{options.number}")
    if page.told(told):
        return 0
    page.pairs(_facts(told))
    for name in ("request", "reply"):
        page.line(page.paint("dim", f"{name}{' (cut)' if told[f'{name}_cut'] else ''}:"))
        page.line(block(told[name]) or "-")
    return 0


def _facts(told: dict[str, Any]) -> list[tuple[str, Any]]:
    ttft, usage = told["ttft_ms"], told["usage"]
    again = f"a retry of #{told['retry_of']}" if told["retry_of"] else "no retry"
    return [
        ("request", f"#{told['number']} at {clock(told['time'])}, {again}"),
        ("client", f"{told['client'] or 'without a name'}, key {told['key'] or 'none'}"),
        ("to", f"{told['endpoint']} ({told['api']}), model {told['model'] or 'none'}"),
        (
            "outcome",
            f"{told['outcome']}, status {told['status'] or 'none yet'}, {'stream' if told['stream'] else 'whole'}",
        ),
        ("first token", f"{ms(ttft['achieved'])}, asked {ms(ttft['asked'])}, at most {ms(told['late_ms'])} late"),
        ("took", ms(told["duration_ms"])),
        ("tokens", f"{told['tokens']['sent']} of {told['tokens']['planned']} sent"),
        ("usage", ", ".join(f"{count} {name}" for name, count in usage.items())),
        ("cost", "no price is known" if told["cost"] is None else f"${told['cost']:.6f}"),
        ("mock", told["mock"]),
        ("faults", ", ".join(told["faults"])),
        ("why", told["why"]),
    ]


def act(client: Client, page: Page, options: Namespace) -> int:
    """Acts on one reply."""
    if options.action == "speed" and options.value is None:
        raise ControlError("act N speed takes a value: how many times as fast, as in 2 or 0.5")
    if options.action == "fail":
        body = {} if options.value is None else {"status": int(options.value)}
    else:
        body = {} if options.value is None else {"value": options.value}
    told = client.post(f"/exchanges/{options.number}/{options.action}", body)
    if not page.told(told):
        page.table(HEADS, [row(told)], RIGHT)
    return 0
