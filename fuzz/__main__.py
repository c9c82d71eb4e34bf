"""`python -m fuzz`: every target under atheris for a while each, then the served documents under schemathesis."""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Sequence

from fuzz import openapi
from fuzz.targets import TARGETS

SECONDS = 10
WITHIN = 1500
"""Seconds for all of it; a quiet machine of two cores takes half of them."""
_START = 60
"""Seconds that a target should have left to begin with: to load takes ten, on a busy machine half a minute."""


class Budget:
    """The time that all of it may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds; never fewer than none."""
        return max(0.0, self._end - time.monotonic())


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for each target (default: {SECONDS})")
    parser.add_argument(
        "--within", type=int, default=WITHIN, help=f"for all of it; what is left then is not tried (default: {WITHIN})"
    )
    parser.add_argument("--only", nargs="*", default=list(TARGETS), choices=list(TARGETS), metavar="TARGET")
    parser.add_argument("--no-openapi", action="store_true", help="leave schemathesis out")
    return parser.parse_args()


def hunt(name: str, seconds: int, budget: Budget) -> bool | None:
    """Runs one target in a process of its own; whether it stood, None where the time for all was over before."""
    command = [sys.executable, "-m", "fuzz.harness", name, str(seconds)]
    patience = seconds * 3 + 300
    left = budget.left()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=max(1.0, min(patience, left))
        )
    except subprocess.TimeoutExpired:
        print(f"{name:15}  {'FELL: it came to no end' if patience <= left else 'was ended: see below'}", flush=True)
        return False if patience <= left else None
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    print(f"{name:15} {runs[1] if runs else '?':>9} inputs  {'stood' if done.returncode == 0 else 'FELL'}", flush=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO: Instrumenting")]
        print(done.stdout[-4000:] + "\n".join(lines)[-6000:])
    return done.returncode == 0


def targets(names: Sequence[str], seconds: int, budget: Budget) -> tuple[bool, list[str]]:
    """Runs the targets one after the other, also after one that fell: whether none fell, and those left untried."""
    if importlib.util.find_spec("atheris") is None:
        print("*** atheris is not installed here (pip install 'llmsim[fuzz]'; Linux, CPython): NOT fuzzed", flush=True)
        return True, []
    stood, untried = True, list[str]()
    for name in names:
        outcome = hunt(name, seconds, budget) if budget.left() >= seconds + _START else None
        if outcome is None:
            untried.append(name)
        stood = stood and outcome is not False
    return stood, untried


def documents(seconds: int, budget: Budget) -> tuple[bool, list[str]]:
    """Runs schemathesis in the time that is left: whether nothing was found, and what was left untried."""
    part = min(openapi.SECONDS, 12 * seconds, int(budget.left() - _START) // 2)
    if part < 1:
        return True, ["schemathesis"]
    return openapi.main(part), []


def main() -> int:
    """Runs what is asked for; 1 where anything fell."""
    chosen = options()
    # The documents' time is kept for them, or they would never be had where the targets take all of it.
    kept = 0 if chosen.no_openapi else min(2 * openapi.SECONDS, 24 * chosen.seconds, chosen.within // 3) + _START
    budget = Budget(chosen.within)
    stood, untried = targets(chosen.only, chosen.seconds, Budget(chosen.within - kept))
    if not chosen.no_openapi:
        found, left = documents(chosen.seconds, budget)
        stood, untried = stood and found, untried + left
    if untried:
        print(f"*** NOT tried, as {chosen.within} s were over (--within, --only): {' '.join(untried)}", flush=True)
    if len(untried) == len(chosen.only) + (not chosen.no_openapi):
        print("nothing was tried", flush=True)
        return 1
    print("all that was run stood" if stood else "something fell: see above", flush=True)
    return 0 if stood else 1


if __name__ == "__main__":
    sys.exit(main())
