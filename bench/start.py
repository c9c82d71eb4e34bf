"""K7: how long from the command to the first reply, and what `import llmsim` takes."""

import statistics
import subprocess
import sys
import time

from bench.apis import chat_request
from bench.findings import Finding, of_values, unknown
from bench.machine import cores
from bench.process import Process, Unstarted, environment, free_port, on_core
from bench.servers import Kind, command, python_environment
from bench.session import Session

IMPORT = "from time import perf_counter as t; a = t(); import llmsim; print(t() - a)"


def starts(session: Session) -> list[Finding]:
    return [first_reply(session), import_time(session)]


def seconds_to_reply(session: Session, name: str) -> float:
    """From starting the process to the first 200 on a chat request.

    Raises:
        Unstarted: it did not come to that.
    """
    port = free_port()
    words = command(name, Kind.INSTANT, port, session.folder)
    began = time.monotonic()
    with Process(name, words, port, session.folder) as server:
        server.wait_ready(chat_request(), 200)
        return time.monotonic() - began


def first_reply(session: Session) -> Finding:
    """The first start of each is not counted: it writes the byte code."""
    times: dict[str, list[float]] = {}
    for number in range(session.scale.starts + 1):
        session.tell(f"K7: start {number} of {session.scale.starts}")
        for name in (session.subject, "floor", *session.peers):
            try:
                times.setdefault(name, []).append(seconds_to_reply(session, name))
            except Unstarted as error:
                session.note(f"K7: {error}")
    compared = [f"{name} {statistics.median(took[1:]):.2f} s" for name, took in times.items() if len(took) > 1]
    return of_values("K7.start", times.get(session.subject, [])[1:], note=", ".join(compared[1:]))


def import_time(session: Session) -> Finding:
    taken = []
    for _ in range(session.scale.starts + 1):
        with on_core(cores()[0]):
            done = subprocess.run(
                [sys.executable, "-c", IMPORT],
                capture_output=True,
                text=True,
                timeout=30,
                env=environment(python_environment()),
            )
        if done.returncode:
            return unknown("K7.import", done.stderr.strip().splitlines()[-1][:200])
        taken.append(float(done.stdout))
    return of_values("K7.import", taken[1:])
