"""Servers for the tests of frameworks, which run in Pythons of their own: see `make test-frameworks`."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from serving import Served
    from turns import Turns

HERE = Path(__file__).resolve().parent

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
    """Sets the environment before any framework is imported; one who ends the run ends its servers too."""
    if is_ours(config):
        os.environ.update(_ENVIRONMENT)
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves these tests out of every other run: their frameworks are not installed there."""
    return None if is_ours(config) else True


# -- servers


@pytest.fixture(scope="session")
def llmsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llmsim]:
    """Gives the address of a server with the settings; one process for each different settings."""
    from serving import Served

    running: dict[str, Served] = {}

    def serve(**settings: Any) -> str:
        key = json.dumps(settings, sort_keys=True)
        if key not in running:
            running[key] = Served(tmp_path_factory.mktemp("llmsim"), settings)
        return running[key].url

    try:
        yield serve
    finally:
        for served in running.values():
            served.leave()
        logs = [served.stop() for served in running.values()]
    assert not [log for log in logs if "Traceback" in log], "\n".join(logs)


@pytest.fixture(scope="session")
def url(llmsim: Llmsim) -> str:
    """The address of a server as most tests want it."""
    return llmsim()


@pytest.fixture(scope="session")
def refusing(llmsim: Llmsim) -> Callable[[int], str]:
    """Gives the address of a server that answers everything with this status, and tells to ask again at once."""
    return lambda status: llmsim(
        faults=[{"kind": "refuse", "status": status, "message": "Not today.", "retry_after": 0.01}]
    )


@pytest.fixture
def turns(url: str, refusing: Callable[[int], str]) -> Iterator[Callable[[int], Turns]]:
    """Gives a server whose first answer has this status; whoever asks again gets what was asked for."""
    from turns import Turns

    with ExitStack() as open_ones:
        yield lambda status: open_ones.enter_context(Turns(refusing(status), url))


# -- things to ask with


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The vocabulary of embeddings, where tiktoken looks for it before it goes to the network (tiktoken/load.py)."""
    from serving import PYTHON, environment

    folder = tmp_path_factory.mktemp("tiktoken")
    address = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    path = folder / hashlib.sha1(address.encode()).hexdigest()
    subprocess.run([PYTHON, "-c", _WRITE, "cl100k_base", str(path)], check=True, env=environment())
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)


@pytest.fixture(scope="session")
def picture() -> str:
    """A small picture: a PNG in base64."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = part(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    rows = part(b"IDAT", zlib.compress((b"\0" + b"\0\0\0" * 8) * 8))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + rows + part(b"IEND", b"")).decode()
