"""One run of load against one server: a client on its own core, and all clocks read at both ends of the window."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bench.apis import MODELS, WORDINGS, Api, request
from bench.machine import Reading, cores, resident
from bench.pacing import Pacing, Stream, pacing, read_moments
from bench.process import Process, on_core
from bench.servers import LONG_TBT_MS, LONG_TOKENS, PACED_TOKENS, SPEED, TBT_MS

SOURCE = Path(__file__).with_name("load.c")
Mode = Literal["whole", "stream", "paced", "long", "models"]
CLIENT_MODES = {"models": "whole", "long": "paced"}
# Seconds between two tokens in the modes that take the moment of each.
GAPS = {"paced": TBT_MS / 1000, "long": LONG_TBT_MS / 1000 / SPEED}


class LoadFailed(Exception):
    """A run of load gave no figure; the message says why."""


@dataclass(frozen=True)
class Sample:
    """What one run measured. Shares are of one core; `memory` is the server's, in bytes, when the window closed."""

    server: str
    seconds: float
    replies: int
    tokens: int
    failures: int
    server_cpu: float
    load_share: float
    others: float
    memory: int
    pacing: Pacing | None = None

    @property
    def replies_per_second(self) -> float:
        return self.replies / self.seconds

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds

    @property
    def cpu_each(self) -> float:
        """Microseconds of the server's CPU time for one token, or for one reply where replies came whole."""
        each = self.tokens or self.replies
        return self.server_cpu / each * 1e6 if each else float("nan")

    @property
    def each_per_cpu_second(self) -> float:
        """Tokens, or whole replies, for one second of the server's CPU time: what a core does if it is left alone."""
        return (self.tokens or self.replies) / self.server_cpu if self.server_cpu else float("nan")


def client_words(folder: Path) -> list[str]:
    """The compiled client where there is a C compiler, else the one in Python."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler:
        done = subprocess.run([compiler, "-O2", "-o", folder / "load", SOURCE], capture_output=True, timeout=60)
        if done.returncode == 0:
            return [str(folder / "load")]
    return [sys.executable, str(SOURCE.with_name("pyload.py"))]


class Load:
    """The load client, made ready once; `words` start it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.words = folder, client_words(folder)
        for api in WORDINGS:
            (folder / f"{api}-whole").write_bytes(request(api))
            (folder / f"{api}-stream").write_bytes(request(api, stream=True))
        (folder / "chat-paced").write_bytes(request("chat", stream=True, max_tokens=PACED_TOKENS))
        (folder / "chat-long").write_bytes(request("chat", stream=True, max_tokens=LONG_TOKENS))
        (folder / "chat-models").write_bytes(MODELS)

    @property
    def compiled(self) -> bool:
        return len(self.words) == 1

    def streams(self) -> list[Stream]:
        """The streams of the last paced run, token by token."""
        return read_moments(self.folder / "moments")

    def run(
        self,
        server: Process,
        mode: Mode,
        connections: int = 64,
        *,
        warm: float = 0.3,
        seconds: float,
        replies: int = 0,
        api: Api = "chat",
        spread: bool = False,
    ) -> Sample:
        """Loads the server for `warm + seconds`, or until so many replies were counted.

        `spread` lets the client run on the server's core, too.

        Raises:
            LoadFailed: the client ended without a figure, or nothing but failures came back.
        """
        moments = self.folder / "moments"
        options: dict[str, object] = {
            "mode": CLIENT_MODES.get(mode, mode),
            "port": server.port,
            "request": self.folder / f"{api}-{mode}",
            "token": WORDINGS[api].token,
            "connections": connections,
        }
        options |= {"warm": warm, "seconds": seconds, "replies": replies, "moments": moments}
        with on_core(*cores()[1 - spread :]):
            client = subprocess.Popen(
                [*self.words, *(f"{name}={value}" for name, value in options.items())],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        try:
            told, ends = self._watch(client, server)
        finally:
            if client.poll() is None:
                client.kill()
            client.communicate()
        sample = measured(server, told, *ends)
        if mode not in GAPS:
            return sample
        opened, closed = told["opened"], told["closed"]
        paced = pacing(self.streams(), opened=opened, closed=closed, tbt=GAPS[mode], asked=connections)
        return replace(sample, pacing=paced)

    def _watch(self, client: "subprocess.Popen[str]", server: Process) -> tuple[dict[str, Any], tuple[Any, ...]]:
        """What the client told at its end, and the clocks and the server's memory at the ends of the window."""
        pids = server.pids
        assert client.stdout
        assert client.stderr
        if client.stdout.readline() != "open\n":
            raise LoadFailed(client.stderr.read().strip() or "the load client did not begin")
        before = Reading.take(pids)
        counted = client.stdout.readline()
        after, memory = Reading.take(pids), resident(pids)
        if not counted or client.wait(30):
            raise LoadFailed(client.stderr.read().strip() or "the load client gave up")
        return json.loads(counted), (before, after, memory)


def measured(server: Process, told: dict[str, Any], before: Reading, after: Reading, memory: int) -> Sample:
    """The sample of a run.

    Raises:
        LoadFailed: more failed than came back.
    """
    seconds, failures = told["closed"] - told["opened"], told["refused"] + told["broken"]
    if failures > told["replies"] + told["tokens"]:
        raise LoadFailed(f"{server.name}: {failures} replies failed")
    return Sample(
        server=server.name,
        seconds=seconds,
        replies=told["replies"],
        tokens=told["tokens"],
        failures=failures,
        server_cpu=after.server - before.server,
        load_share=told["cpu"] / seconds,
        others=after.others_since(before, told["cpu"], seconds),
        memory=memory,
    )
