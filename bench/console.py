"""K6: what the console costs the traffic it shows, drawn on a terminal of 120 by 40 that nobody looks at."""

import fcntl
import os
import pty
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.findings import Finding, against, of_values, unknown
from bench.load import Sample
from bench.process import Process, Unstarted, free_port
from bench.servers import Kind, console
from bench.session import Session

COLUMNS, LINES = 120, 40
STREAMS = 500
# The console tidies its memory two seconds after its start; the measured time begins after that.
SETTLE = 3.0
KEPT = 20_000


def drain(terminal: int, log: Path) -> None:
    """Reads what is drawn until the terminal is closed; its beginning goes to the log, in case it is bad news."""
    kept = 0
    with log.open("ab") as file, suppress(OSError):
        while drawn := os.read(terminal, 65536):
            if kept < KEPT:
                kept += file.write(drawn)
                file.flush()


@contextmanager
def drawn(session: Session) -> Iterator[Process]:
    """The console with its server in it, on a terminal of its own."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    port = free_port()
    try:
        with Process("console", console(Kind.PACED, port, session.folder), port, session.folder, inside) as server:
            os.close(inside)
            threading.Thread(target=drain, args=(terminal, server.log), daemon=True).start()
            server.wait_ready()
            time.sleep(SETTLE)
            yield server
    finally:
        os.close(terminal)


def one(session: Session, server: Process) -> Sample | None:
    seconds = session.scale.paced_seconds
    return session.take("K6", lambda: session.load.run(server, "paced", STREAMS, warm=2, seconds=seconds))


def beside(session: Session) -> list[Finding]:
    """Headless and console by turns; only one of them is up at a time, as an idle console draws too."""
    keys = ("K6.tokens", "K6.jitter", "K6.cpu")
    if session.subject != "llmsim":
        return [unknown(key, f"{session.subject} has no console") for key in keys]
    plain: list[Sample] = []
    shown: list[Sample] = []
    for number in range(session.scale.console_rounds):
        session.tell(f"K6: round {number + 1} of {session.scale.console_rounds}")
        with session.running(Kind.PACED, "llmsim") as servers:
            headless = one(session, servers[0]) if servers else None
        try:
            with drawn(session) as server:
                console_on = one(session, server)
        except Unstarted as error:
            return [unknown(key, str(error)) for key in keys]
        if headless and console_on:
            plain.append(headless)
            shown.append(console_on)
    jitters = [sample.pacing.jitter_p99 for sample in shown if sample.pacing]
    return [
        against(keys[0], shown, plain, lambda sample: sample.tokens_per_second),
        of_values(keys[1], jitters, shown),
        against(keys[2], shown, plain, lambda sample: sample.cpu_each),
    ]
