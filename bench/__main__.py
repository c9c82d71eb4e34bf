"""`python -m bench`: measures what docs/performance.md asks for, on loopback only, and prints the ratios."""

import argparse
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rich.console import Console

from bench import console, dialects, long, memory, paced, peers, rates, report, start, workers
from bench.findings import Finding
from bench.goals import PARTS
from bench.session import FULL, QUICK, Session

MEASURES: dict[str, Callable[[Session], list[Finding]]] = {
    "K1": rates.whole_replies,
    "K2": rates.events,
    "K3": paced.held_streams,
    "K4": paced.cost,
    "K5": memory.memory,
    "K6": console.beside,
    "K7": start.starts,
    "K8": workers.workers,
    "K9": dialects.dialects,
    "K10": long.long,
}
NEEDS_PEERS = {"K1", "K2", "K4", "K7"}


def parts(text: str) -> list[str]:
    chosen = [part.strip().upper() for part in text.split(",") if part.strip()]
    if unknown := [part for part in chosen if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(PARTS)}")
    return chosen


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=parts, default=list(PARTS), metavar="K1,K3", help="some parts, by comma")
    parser.add_argument("--quick", action="store_true", help="about 3 minutes in place of 12")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    parser.add_argument("--no-peers", action="store_true", help="install and measure no peers, only the floor")
    parser.add_argument(
        "--subject", default="llmsim", choices=["llmsim", "floor", "aimock", "llmock"], help="the server to judge"
    )
    return parser.parse_args()


def end_in_order(*_: int | FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    if not sys.platform.startswith("linux"):
        print("the bench reads /proc: it runs on Linux only", file=sys.stderr)
        return 2
    chosen = options()
    scale = QUICK if chosen.quick else FULL
    signal.signal(signal.SIGTERM, end_in_order)
    signal.signal(signal.SIGALRM, end_in_order)
    signal.alarm(scale.at_most)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    told = Console(stderr=True)
    there, reasons = ([], []) if chosen.no_peers or not NEEDS_PEERS & set(chosen.only) else peers.installed()
    findings: list[Finding] = []
    with Session(chosen.subject, there, scale, lambda line: told.print(line, style="dim", markup=False)) as session:
        for reason in reasons:
            session.note(reason)
        try:
            for part in (part for part in PARTS if part in chosen.only):
                findings += MEASURES[part](session)
        except KeyboardInterrupt:
            session.note("ended before it was done")
        report.show(findings, session.samples, session.notes, chosen.subject)
        if chosen.json:
            chosen.json.write_text(report.as_json(findings, session.samples, session.notes, chosen.subject))
    return 1 if "ended before it was done" in session.notes else 0


if __name__ == "__main__":
    sys.exit(main())
