"""Whether the requests that were expected were seen; the exit status tells."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.command import Commands
from llmsim.ctl.given import document, seconds
from llmsim.ctl.page import Page


def add(commands: Commands) -> None:
    """Adds verify."""
    parser = commands.add(
        "verify",
        verify,
        "tell whether requests were seen as expected; exit status 1 if not",
        'verify model:gpt-4o\nverify status:429 --times "2..4" --within 30s\nverify key:ci --times 0\n'
        "verify -f expectations.yaml",
        "A file holds a list of expectations, or a mapping with `expect`, each as in a scenario:\n"
        '{when: "status:429", times: ">=1", within_s: 30, of_clients: 2}, or a match alone.',
    )
    parser.add_argument("match", nargs="*", metavar="MATCH", help="the requests that are expected (default: any)")
    parser.add_argument("--times", metavar="TIMES", help='how often: 3, 0, ">=1", "<5", 2..4 (default: at least once)')
    parser.add_argument("--within", metavar="TIME", help="look only at the last 30s, 5m, 1h")
    parser.add_argument("--of-clients", metavar="TIMES", help="of how many clients, as with --times")
    parser.add_argument("-f", dest="file", metavar="FILE", help="a file of expectations; - is the standard input")


def verify(client: Client, page: Page, options: Namespace) -> int:
    """Status 0 where all of them are met, else 1."""
    told = client.post("/verify", _wanted(options))
    if not page.told(told):
        for one in told["results"]:
            page.verdict(one["holds"], one["sentence"])
    return 0 if told["holds"] else 1


def _wanted(options: Namespace) -> dict[str, Any]:
    if options.file:
        if options.match or options.times or options.within or options.of_clients:
            raise ControlError("-f: a file tells all that is expected; leave the match and the other flags out")
        raw = document(options.file)
        if isinstance(raw, dict):
            raw = raw.get("expect", [raw])
        if not isinstance(raw, list) or not raw:
            raise ControlError(f"{options.file}: it is a list of expectations, or a mapping with expect")
        return {"expect": raw}
    told: dict[str, Any] = {"when": " ".join(options.match)}
    if options.times:
        told["times"] = options.times
    if options.within:
        told["within_s"] = seconds(options.within)
    if options.of_clients:
        told["of_clients"] = options.of_clients
    return {"expect": [told]}
