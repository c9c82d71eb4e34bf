"""`llmsim record`: stands between clients and the real APIs, and writes to a tape what passes."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmsim.errors import SettingsError
from llmsim.server.record.options import Recording, upstream
from llmsim.server.record.upstreams import HOMES
from llmsim.server.serve import End, Runner
from llmsim.tapes import parts

logger = logging.getLogger("llmsim")

EPILOG = """\
examples:
  llmsim record --upstream openai --tape run.jsonl
      then: OPENAI_BASE_URL=http://127.0.0.1:8080/v1 python my_app.py
  llmsim record --upstream openai --upstream anthropic --upstream gemini --tape run.jsonl.gz --inject-keys env
  llmsim record --upstream vllm=http://10.0.0.5:8000 --tape vllm.jsonl --mask-pattern 'ACME-[0-9]+'

Clients use the addresses that they would use with llmsim: http://127.0.0.1:8080/v1 and the like, or below the name of
an upstream, as in http://127.0.0.1:8080/anthropic. Keys are passed on and never written; secrets and personal data are
masked before anything is. docs/tapes.md tells all of it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `record` is given."""
    known = f"an API; {', '.join(HOMES)} need no URL; repeatable"
    add = parser.add_argument
    add("--upstream", metavar="NAME=URL", action="append", required=True, help=known)
    add("--tape", metavar="FILE", required=True, help="where it is written; FILE.jsonl.gz is compressed at the end")
    add(
        "--replay",
        choices=("all", "once", "new_episodes"),
        default="all",
        help="new_episodes: answer from the tape what is on it, record the rest; once: only record a new tape",
    )
    add("--default", metavar="NAME", help="the upstream of requests that say nothing of whose they are")
    add(
        "--inject-keys",
        choices=("never", "env"),
        help="env: OPENAI_API_KEY and its like are put in (default: never)",
    )
    add("--mask-pattern", metavar="REGEX", action="append", dest="mask_patterns", help="more to mask; repeatable")
    add("--phone-region", metavar="CC", action="append", dest="phone_regions", help="a country of phones without +")
    add("--body-limit", metavar="BYTES", type=int, help="of a body that is recorded (default: 32 MiB)")
    add("--rotate-bytes", metavar="BYTES", type=int, help="of a file of the tape (default: 64 MiB)")
    add("--tape-bytes", metavar="BYTES", type=int, help="of all files of the tape (default: 8 GiB)")
    add("--host", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1)")
    add("--port", metavar="PORT", help="port to listen on; 0 takes a free one (default: 8080)")
    add("--log-level", metavar="LEVEL", help="what is logged to stderr (default: info)")
    add("--config", metavar="FILE", help="YAML or TOML file; else ./llmsim.yaml or ./llmsim.toml")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG


def options(told: argparse.Namespace) -> Recording:
    """The recording that the flags ask for; raises SettingsError, in one sentence."""
    given: dict[str, Any] = {
        name: value
        for name in Recording.model_fields
        if name != "upstreams" and (value := getattr(told, name, None)) is not None
    }
    pairs = [upstream(one) for one in told.upstream]
    names = [name for name, _ in pairs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise SettingsError(f"--upstream: {double} is given twice")
    return Recording.of({**given, "upstreams": dict(pairs)})


def tapes(told: argparse.Namespace) -> list[str]:
    """The tape to answer from beside recording: the one that is written, where it is there and the mode says so."""
    there = told.replay != "all" and bool(parts.files(Path(told.tape)))
    return [told.tape] if there else []


@dataclass
class Record:
    """A recording from the command line: it begins before the first request and ends with the server."""

    options: Recording
    runner: Runner | None = None

    async def first(self, runner: Runner) -> None:
        """Starts it, once the port is known; raises SettingsError, TapeError."""
        self.options.elsewhere(runner.url)
        self.runner = runner
        runner.replay_beside_recording()
        await runner.app.recorder.start(self.options, "the command")

    async def beside(self, runner: Runner, end: End) -> None:
        """Tells where what goes."""
        for name, url in self.options.upstreams.items():
            logger.info("%s/%s -> %s", runner.url, name, url)
        logger.info("recording to %s", self.options.tape)
        await end.come.wait()

    def tell(self) -> None:
        """Prints what was recorded, once the server has stopped."""
        told = self.runner.recorded if self.runner is not None else None
        if told is None:
            return
        ends = ", ".join(f"{count} {end}" for end, count in sorted(told["ends"].items()))
        print(f"{told['tape']}: {told['exchanges']} exchanges" + (f" ({ends})" if ends else ""), end="")
        print(f", {told['masked']} masks, {told['bytes']} bytes")
        if told["lost"]:
            print(f"{told['lost']} exchanges are not on it: {told['problem']}")
