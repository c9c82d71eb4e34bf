"""One server process: started on the servers' core, waited for until it answers, ended by its own pid."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import cores, family

READY_WITHIN = 20.0


class Unstarted(Exception):
    """A server could not be started; the message says why."""


@dataclass(frozen=True)
class Command:
    """How to start one server: its words, additions to the environment, and what to do once it answers."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[int], None] | None = None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def on_core(*core: int) -> Any:
    """What is started in here runs on this core, or on these, and stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(core))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment(additions: dict[str, str]) -> dict[str, str]:
    """The child's environment: as this one, but with byte code kept and output buffered, as people run servers."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONASYNCIODEBUG", "PYTHONDEVMODE"}
    return {name: value for name, value in os.environ.items() if name not in unwanted} | additions


def exchange(port: int, request: bytes, within: float = 5.0) -> int:
    """Sends a request and returns the status of the reply, 0 when nothing answers; the connection is closed after."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=within) as connection:
            connection.sendall(request)
            head = connection.recv(4096)
    except OSError:
        return 0
    return int(head[9:12]) if head[:5] == b"HTTP/" else 0


class Process:
    """A running server; `name` for people, `port` on loopback, `log` where its output went."""

    def __init__(
        self, name: str, command: Command, port: int, folder: Path, stdio: int | None = None, spread: bool = False
    ) -> None:
        self.name, self.command, self.port = name, command, port
        self.log = folder / f"{name}-{port}.log"
        with self.log.open("wb") as log, on_core(*cores()[: 1 + spread]):
            self.popen = subprocess.Popen(
                command.words,
                stdin=subprocess.DEVNULL if stdio is None else stdio,
                stdout=log if stdio is None else stdio,
                stderr=log if stdio is None else stdio,
                env=environment(command.environment),
                start_new_session=True,
            )

    @property
    def pids(self) -> list[int]:
        return family(self.popen.pid)

    def wait_ready(self, request: bytes = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", status: int = 0) -> None:
        """Returns once the request is answered, with this status if one is given.

        Raises:
            Unstarted: the process ended, or it does not answer in time.
        """
        give_up = time.monotonic() + READY_WITHIN
        while (answered := exchange(self.port, request)) != status if status else not exchange(self.port, request):
            if self.popen.poll() is not None:
                raise Unstarted(f"{self.name} ended with {self.popen.returncode}: {self.last_words()}")
            if time.monotonic() > give_up:
                raise Unstarted(f"{self.name} does not answer as it should ({answered if status else 0})")
            time.sleep(0.005)
        if self.command.prepare:
            self.command.prepare(self.port)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "no output"

    def stop(self) -> None:
        """Asks it to end, and makes it end when it has not after three seconds."""
        for how, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
            if self.popen.poll() is None:
                self.popen.send_signal(how)
                try:
                    self.popen.wait(patience)
                except subprocess.TimeoutExpired:
                    continue
        self.popen.poll()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
