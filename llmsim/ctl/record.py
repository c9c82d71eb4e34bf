"""Recordings on a running server: requests passed on to the real APIs and written to a tape, until they are not."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from llmsim.ctl.client import Client
from llmsim.ctl.command import Commands, no_words
from llmsim.ctl.page import Page, plain
from llmsim.errors import SettingsError

_MORE = """\
  record --upstream openai --tape run.jsonl   passes requests on to the real API and records them
  record [status]                             how it is
  record stop                                 ends it; the simulator answers again"""


def add(commands: Commands) -> None:
    """Adds record."""
    example = "record --upstream openai --upstream vllm=http://10.0.0.5:8000 --tape run.jsonl\nrecord stop"
    parser = commands.add("record", record, "record the real APIs to a tape", example, _MORE)
    parser.add_argument("words", nargs="*", metavar="VERB", help="status or stop")
    known = "an API; openai, anthropic, gemini need no URL"
    parser.add_argument("--upstream", metavar="NAME=URL", action="append", default=[], help=known)
    parser.add_argument("--tape", metavar="FILE", help="where it is written, on the server's machine")
    parser.add_argument("--default", metavar="NAME", help="the upstream of requests that say nothing of whose they are")
    parser.add_argument("--inject-keys", choices=("never", "env"), help="env: the server's own keys are put in")
    parser.add_argument("--mask-pattern", metavar="REGEX", action="append", dest="mask_patterns", help="more to mask")


def record(client: Client, page: Page, options: Namespace) -> int:
    """Begins one where an upstream or a tape is named; else what the word says."""
    verb, *words = options.words or ["status"]
    if options.upstream or options.tape:
        no_words(options.words, "record --upstream")
        names = ("tape", "default", "inject_keys", "mask_patterns")
        more = {name: value for name in names if (value := getattr(options, name)) is not None}
        pairs = [one.partition("=") for one in options.upstream]
        return _told(client.post("/record", {"upstreams": {name: url for name, _, url in pairs}, **more}), page)
    if verb not in ("status", "stop"):
        raise SettingsError(f"record: {verb!r} is not allowed; there are status, stop, or --upstream with --tape")
    no_words(words, f"record {verb}")
    return _told(client.get("/record") if verb == "status" else client.delete("/record"), page)


def _told(told: dict[str, Any], page: Page) -> int:
    if not page.told(told):
        ends = ", ".join(f"{count} {end}" for end, count in sorted(told["ends"].items()))
        page.line(plain(f"{told['tape']}: {told['exchanges']} exchanges" + (f" ({ends})" if ends else "")))
        page.line(plain(f"{told['live']} under way, {told['masked']} masks, {told['bytes']} bytes"))
        for name, url in told["upstreams"].items():
            page.line(plain(f"{name} -> {url}"))
        if told["lost"]:
            page.line(plain(f"{told['lost']} are not on it: {told['problem']}"))
    return 0
