"""`python -m bench.instructions`: the processor's instructions that an exchange takes, counted by valgrind.

The same on every machine with the same binaries, whatever else runs: what a change of the hot path costs or saves, to a
hundredth. Two counts of exchanges are run, and their difference is told, so that the start does not count.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from bench.apis import WORDINGS
from bench.servers import python_environment

# From here on all replies that the lorem generator has are laid out, so that every further exchange costs the same.
WARM, COUNTED = 5_000, 500
COLLECTED = re.compile(r"Collected : (\d+)")


def collected(api: str, mode: str, count: int) -> int:
    """All instructions of a process that serves so many exchanges."""
    words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m", "bench.exchanges"]
    words += ["--api", api, "--mode", mode, "--count", str(count)]
    environment = os.environ | python_environment() | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    found = COLLECTED.search(done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"valgrind gave no count: {done.stderr.strip()[-500:]}")
    return int(found[1])


def each(api: str, mode: str) -> float:
    """Instructions of one exchange."""
    with ThreadPoolExecutor(2) as threads:
        fewer, more = threads.map(lambda count: collected(api, mode, count), (WARM, WARM + COUNTED))
    return (more - fewer) / COUNTED


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--api", action="append", choices=list(WORDINGS), help="chat if not told; can be repeated")
    options.add_argument("--mode", action="append", choices=("whole", "stream"), help="both if not told")
    chosen = options.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed; tests/test_cost.py counts Python's own instructions without it")
    for api, mode in product(chosen.api or ["chat"], chosen.mode or ["whole", "stream"]):
        print(f"{api:<10} {mode:<7} {each(api, mode):>10,.0f} instructions an exchange", flush=True)


if __name__ == "__main__":
    main()
