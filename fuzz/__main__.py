"""`python -m fuzz`: every target under atheris for a while each, then the served documents under schemathesis."""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence

from fuzz import openapi
from fuzz.targets import TARGETS

SECONDS = 10


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for each target (default: {SECONDS})")
    parser.add_argument("--only", nargs="*", default=list(TARGETS), choices=list(TARGETS), metavar="TARGET")
    parser.add_argument("--no-openapi", action="store_true", help="leave schemathesis out")
    return parser.parse_args()


def hunt(name: str, seconds: int) -> bool:
    """Runs one target in a process of its own; whether it stood."""
    command = [sys.executable, "-m", "fuzz.harness", name, str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds * 3 + 300)
    except subprocess.TimeoutExpired:
        print(f"{name:15}  FELL: it came to no end", flush=True)
        return False
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    print(f"{name:15} {runs[1] if runs else '?':>9} inputs  {'stood' if done.returncode == 0 else 'FELL'}", flush=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO: Instrumenting")]
        print(done.stdout[-4000:] + "\n".join(lines)[-6000:])
    return done.returncode == 0


def targets(names: Sequence[str], seconds: int) -> bool:
    """Runs the targets one after the other; whether all of them stood."""
    if importlib.util.find_spec("atheris") is None:
        print("*** atheris is not installed here (pip install 'llmsim[fuzz]'; Linux, CPython): NOT fuzzed", flush=True)
        return True
    stood = [hunt(name, seconds) for name in names]  # all of them, also after one that fell
    return all(stood)


def main() -> int:
    """Runs what is asked for; 1 where anything fell."""
    chosen = options()
    stood = targets(chosen.only, chosen.seconds)
    if not chosen.no_openapi:
        stood = openapi.main(min(openapi.SECONDS, 12 * chosen.seconds)) and stood
    print("all that was run stood" if stood else "something fell: see above", flush=True)
    return 0 if stood else 1


if __name__ == "__main__":
    sys.exit(main())
