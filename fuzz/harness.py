"""Runs one target under atheris, which looks at what the code does to find inputs: `python -m fuzz.harness NAME …`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

# Before anything of it is imported, so that its branches are seen.
with atheris.instrument_imports(include=["llmsim"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """`NAME SECONDS`: ends with status 0 when the time is over, and with an input on stderr where one was found."""
    name, seconds = sys.argv[1], sys.argv[2]
    target = TARGETS[name]
    corpus = Path(tempfile.mkdtemp(prefix=f"llmsim-fuzz-{name}-"))
    for at, seed in enumerate(target.seeds):
        (corpus / str(at)).write_bytes(seed)
    for seed in target.seeds:
        target.run(seed)  # what the first use loads would count as an input that takes too long
    flags = [f"-max_total_time={seconds}", "-rss_limit_mb=3000", "-timeout=60", "-max_len=2000", "-verbosity=1"]
    flags += [f"-artifact_prefix={corpus}{os.sep}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
