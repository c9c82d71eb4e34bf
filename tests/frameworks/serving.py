"""Runs `llmsim serve` as people run it: in a process of its own, with the project's own Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PYTHON = os.environ.get("LLMSIM_PYTHON") or sys.executable
WORKERS = os.environ.get("TEST_WORKERS") or "1"
"""Processes that each server is made of."""

_ADDRESS = re.compile(r"serving on (http://\S+)")


class Served:
    """`llmsim serve` with these settings; `url` waits until it serves."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        config = folder / "llmsim.yaml"
        config.write_text(json.dumps({"latency_profile": "instant", "target_tokens": 20, "grace_s": 0, **settings}))
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [PYTHON, "-m", "llmsim", "serve", "--port", "0", "--config", str(config), "--workers", WORKERS],
                stderr=subprocess.STDOUT,
                stdout=log,
                cwd=folder,
                env=environment(),
            )
        self._url = ""

    @property
    def url(self) -> str:
        """Where it serves, as soon as it says so; raises RuntimeError with its log when it does not start."""
        while not self._url:
            match = _ADDRESS.search(self._log.read_text())
            if match is not None:
                self._url = match[1]
            elif self._process.poll() is not None:
                raise RuntimeError(f"llmsim did not start:\n{self._log.read_text()}")
            else:
                time.sleep(0.01)
        return self._url

    def leave(self) -> None:
        """Asks it to end in good order; `stop` waits for it."""
        self._process.terminate()

    def stop(self) -> str:
        """Ends it; gives what it logged, with a Traceback where it did not end in time."""
        self.leave()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return f"Traceback: it did not end in 20 seconds\n{self._log.read_text()}"
        return self._log.read_text()


def environment() -> dict[str, str]:
    """This process's, without what would change the server's settings, and with the checkout's own llmsim."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLMSIM_")}
    return {**kept, "PYTHONPATH": str(HERE.parents[1])}
