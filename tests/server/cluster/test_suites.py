"""What holds for one process holds for several: a suite of an official SDK, run against workers.

`make test-workers` runs all of them so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from processes import ROOT


def test_the_suite_of_openai_s_chat_passes_against_workers_as_against_one_process() -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/sdks/test_openai_chat.py"]
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "TEST_WORKERS": "2", "PYTHONPATH": paths}
    told = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    passed = re.search(r"(\d+) passed", told.stdout)
    assert told.returncode == 0, told.stdout[-4000:]
    assert passed is not None
    assert int(passed[1]) > 20
