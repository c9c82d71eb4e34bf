"""Servers for the tests of frameworks, which run in Pythons of their own: see `make test-frameworks`."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
PYTHON = os.environ.get("LLMSIM_PYTHON") or sys.executable

Llmsim = Callable[..., str]

# No framework may look for a key, a collector of traces or a list of prices anywhere else.
_ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-test",
    "ANTHROPIC_API_KEY": "sk-ant-test",
    "GOOGLE_API_KEY": "test",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

_ADDRESS = re.compile(r"serving on (http://\S+)")

# Writes a vocabulary as tiktoken downloads it.
_WRITE = """
import base64, sys
from llmsim.tokens import unpack
with open(sys.argv[2], "wb") as file:
    for rank, token in enumerate(unpack(sys.argv[1])):
        file.write(b"%b %d\\n" % (base64.b64encode(token), rank))
"""


# -- what is run


def is_ours(config: pytest.Config) -> bool:
    """Whether this is a run of `make test-frameworks`, which has a pytest.ini of its own."""
    return config.inipath is not None and config.inipath.parent == HERE


def pytest_configure(config: pytest.Config) -> None:
    """Sets the environment before any framework is imported."""
    if is_ours(config):
        os.environ.update(_ENVIRONMENT)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves these tests out of every other run: their frameworks are not installed there."""
    return None if is_ours(config) else True


# -- servers


class Served:
    """`llmsim serve` in a process of the project's own Python, with these settings."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        config = folder / "llmsim.yaml"
        config.write_text(json.dumps({"latency_profile": "instant", "target_tokens": 20, "grace_s": 0, **settings}))
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [PYTHON, "-m", "llmsim", "serve", "--port", "0", "--config", str(config)],
                stderr=subprocess.STDOUT,
                stdout=log,
                cwd=folder,
                env=_environment(),
            )
        self.url = self._address()

    def _address(self) -> str:
        """Where it serves, as soon as it says so."""
        while self._process.poll() is None:
            match = _ADDRESS.search(self._log.read_text())
            if match is not None:
                return match[1]
            time.sleep(0.01)
        raise RuntimeError(f"llmsim did not start:\n{self._log.read_text()}")

    def stop(self) -> str:
        """Ends it in good order; gives what it logged."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return self._log.read_text()


def _environment() -> dict[str, str]:
    """This process's, without what would change the server's settings, and with the checkout's own llmsim."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLMSIM_")}
    return {**kept, "PYTHONPATH": str(HERE.parents[1])}


@pytest.fixture(scope="session")
def llmsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llmsim]:
    """Gives the address of a server with the settings; one process for each different settings."""
    running: dict[str, Served] = {}

    def serve(**settings: Any) -> str:
        key = json.dumps(settings, sort_keys=True)
        if key not in running:
            running[key] = Served(tmp_path_factory.mktemp("llmsim"), settings)
        return running[key].url

    yield serve
    logs = [served.stop() for served in running.values()]
    assert not [log for log in logs if "Traceback" in log], "\n".join(logs)


@pytest.fixture(scope="session")
def url(llmsim: Llmsim) -> str:
    """The address of a server as most tests want it."""
    return llmsim()


@pytest.fixture(scope="session")
def refusing(llmsim: Llmsim) -> Callable[[int], str]:
    """Gives the address of a server that answers everything with this status."""
    return lambda status: llmsim(faults=[{"kind": "refuse", "status": status, "message": "Not today."}])


# -- things to ask with


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The vocabulary of embeddings, where tiktoken looks for it before it goes to the network (tiktoken/load.py)."""
    folder = tmp_path_factory.mktemp("tiktoken")
    address = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    path = folder / hashlib.sha1(address.encode()).hexdigest()
    subprocess.run([PYTHON, "-c", _WRITE, "cl100k_base", str(path)], check=True, env=_environment())
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)


@pytest.fixture(scope="session")
def picture() -> str:
    """A small picture: a PNG in base64."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = part(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    rows = part(b"IDAT", zlib.compress((b"\0" + b"\0\0\0" * 8) * 8))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + rows + part(b"IEND", b"")).decode()
