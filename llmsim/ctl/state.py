"""How a server is, its settings, and taking changes back."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from llmsim.ctl.client import Client
from llmsim.ctl.command import Commands
from llmsim.ctl.given import fields
from llmsim.ctl.page import Page, clock, lasting, plain

_MERGED = ("profiles", "model_profiles")
PARTS = ("journal", "counts", "limits", "store", "rules", "settings")


def add(commands: Commands) -> None:
    """Adds status, settings, changes, undo, redo and reset."""
    commands.add("status", status, "tell how the server is, in figures", "status\nstatus --json")
    parser = commands.add(
        "settings",
        settings,
        "show the settings, or change them, all or nothing",
        "settings\nsettings target_tokens speed\nsettings target_tokens=50 latency_profile=fast\n"
        "settings rpm=null model_profiles.gpt-4o=gpt5\nsettings speed=2 --if 17",
        "A value is written as in YAML: 50, 0.5, true, null, fast, {gpt-4o: fast}.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME[=VALUE]", help="settings to show, or to change")
    parser.add_argument("--if", dest="revision", metavar="REV", help="only if the settings are at this revision")
    parser = commands.add("changes", changes, "list the changes that were made, the newest last")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)")
    commands.add("undo", undo, "take the last change back")
    commands.add("redo", redo, "make the change that was taken back last again")
    parser = commands.add(
        "reset",
        reset,
        "put parts back to where they began, without names all of them",
        "reset\nreset journal counts",
        "Parts are journal, counts (dice, mocks' and faults' counters), limits (what was spent), store (what clients\n"
        "left), rules (lifts faults, takes mocks and limits away) and settings.",
    )
    parser.add_argument("parts", nargs="*", metavar="WHAT", help=", ".join(PARTS))


def status(client: Client, page: Page, options: Namespace) -> int:
    """How it is."""
    told = client.get("/state")
    if not page.told(told):
        page.pairs(_figures(told))
    return 0


def _figures(told: dict[str, Any]) -> list[tuple[str, Any]]:
    outcomes = ", ".join(f"{count} {name}" for name, count in told["outcomes"].items())
    playing = told["scenario"]
    tokens, rate, kept = told["tokens"], told["per_s"], told["journal"]
    return [
        ("server", f"{told['address']}, llmsim {told['version']}" + (", read-only" if told["read_only"] else "")),
        ("up", f"{lasting(told['uptime_s'])}, seed {told['seed']}, settings at revision {told['revision']}"),
        *([("cluster", _cluster(told))] if "cluster" in told else []),
        ("requests", f"{told['requests']}, {told['live']} under way" + (f": {outcomes}" if outcomes else "")),
        ("tokens", f"{tokens['in']} in, {tokens['out']} out"),
        ("rate", f"{rate['requests']:g} requests/s, {rate['tokens']:g} tokens/s"),
        ("lag p95", f"{told['lag_p95_ms']:g} ms"),
        ("times", "kept" if told["honesty"]["trusted"] else told["honesty"]["doubts"]),
        *((f"load {one['profile']}", _load(one)) for one in told["load"]),
        ("faults", told["faults"]),
        ("mocks", told["mocks"]),
        *((f"mocks of {name}", problem.splitlines()) for name, problem in told["mock_problems"].items()),
        ("journal", f"#{kept['first']} to #{kept['last']}" if kept["last"] > 0 else "empty"),
        ("store", f"{told['store']['entries']} entries, {told['store']['bytes']} bytes"),
        ("scenario", f"{playing['name']} {playing['state']}, {playing['phase'] or 'no phase'}" if playing else "none"),
    ]


def _cluster(told: dict[str, Any]) -> str:
    """The part that the replica has which tells this, and who is with it."""
    cluster = told["cluster"]
    state, replica = cluster["redis"], f"replica {cluster['replica']}"
    if state == "lost":
        why = cluster.get("why", "it does not answer")
        return f"redis is lost ({why}): {replica} serves on under its last settings, and counts by itself"
    if state == "leads":
        others = ", ".join(one["replica"] for one in told.get("workers", []) if "replica" in one)
        return f"{replica} leads" + (f" {others}: {cluster['replicas']} replicas" if others else " alone")
    return f"{replica} {state}"


def _load(told: dict[str, Any]) -> str:
    slots = "any number of slots" if told["slots"] is None else f"{told['slots']} slots"
    busy = f"{told['active']} at work of {slots}, {told['queued']} of {told['queue']} in the queue"
    return f"{busy}, {told['refused']} refused, waits ×{told['slowing']:g}"


def settings(client: Client, page: Page, options: Namespace) -> int:
    """The settings, or those that are named; changed where a value is given."""
    names: list[str] = options.names
    shown = [name for name in names if "=" not in name]
    changed = fields([name for name in names if "=" in name])
    if changed:
        headers = {"if-match": f'"{options.revision}"'} if options.revision else {}
        told = client.call("PATCH", "/settings", _nested(changed), headers=headers)
        shown += list(_nested(changed))
    else:
        told = client.get("/settings")
    missing = next((name for name in shown if name not in told["settings"]), None)
    if missing is not None:
        from llmsim.ctl.command import unknown

        raise unknown(missing, list(told["settings"]))
    if not page.told(told):
        page.pairs([("revision", told["revision"])] if not shown else [])
        there = told["settings"]
        page.pairs((name, _shown(there[name])) for name in there if not shown or name in shown)
    return 0


def _nested(changes: dict[str, Any]) -> dict[str, Any]:
    """`model_profiles.gpt-4o` is an entry of a mapping; the server leaves its others as they are."""
    told: dict[str, Any] = {}
    for name, value in changes.items():
        base, dot, entry = name.partition(".")
        if dot and base in _MERGED:
            told.setdefault(base, {})[entry] = value
        else:
            told[name] = value
    return told


def _shown(value: Any) -> Any:
    if value is None:
        return "none"
    return "none" if value in ([], {}) else value


def changes(client: Client, page: Page, options: Namespace) -> int:
    """What was changed, by whom, when."""
    told = client.get("/changes", limit=options.limit)
    if not page.told(told):
        rows = [(clock(one["time"]), one["revision"], one["who"], one["text"]) for one in told]
        page.table(("time", "revision", "who", "change"), rows, "revision")
    return 0


def undo(client: Client, page: Page, options: Namespace) -> int:
    """Takes the last change back."""
    told = client.post("/undo")
    if not page.told(told):
        page.line(plain(f"undone: {told['undone']}"))
    return 0


def redo(client: Client, page: Page, options: Namespace) -> int:
    """Makes the change that was taken back last again."""
    told = client.post("/redo")
    if not page.told(told):
        page.line(plain(f"redone: {told['redone']}"))
    return 0


def reset(client: Client, page: Page, options: Namespace) -> int:
    """Puts parts back."""
    told = client.post("/reset", {"what": options.parts})
    if not page.told(told):
        what = told["reset"]
        page.line(plain(f"reset: {', '.join(what) if isinstance(what, list) else what}"))
    return 0
