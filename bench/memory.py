"""K5: what an open stream and a journalled exchange hold in memory, as growth of the process from a warmed-up start."""

import time
from collections.abc import Callable

from bench.findings import Finding, of_values
from bench.load import Sample
from bench.machine import resident
from bench.process import Process
from bench.servers import Kind
from bench.session import Session

STREAMS = 1000
# Together fewer than the journal keeps by default (10,000), so that every one of them is still held at the end.
WARM_UP_REPLIES, REPLIES = 1000, 8000
# An idle server loads what is left of its vocabulary, which is not to be taken for the streams' or the replies'.
SETTLE = 3.0


def memory(session: Session) -> list[Finding]:
    return [
        growth(session, "K5.stream", Kind.PACED, open_streams),
        growth(session, "K5.exchange", Kind.INSTANT, exchanges),
    ]


def growth(
    session: Session, key: str, kind: Kind, measure: Callable[[Session, Process], tuple[Sample, float] | None]
) -> Finding:
    """The median over fresh processes; a process is used once, as memory given back seldom leaves it."""
    taken = []
    for number in range(session.scale.memory_rounds):
        session.tell(f"{key}: round {number + 1} of {session.scale.memory_rounds}")
        with session.running(kind, session.subject) as servers:
            taken += [found for server in servers if (found := measure(session, server))]
    return of_values(key, [kilobytes for _, kilobytes in taken], [sample for sample, _ in taken])


def open_streams(session: Session, server: Process) -> tuple[Sample, float] | None:
    """kB a stream, of a thousand held open."""
    session.load.run(server, "paced", 50, warm=0.5, seconds=0.5)
    time.sleep(SETTLE)
    idle = resident(server.pids)
    sample = session.take("K5 streams", lambda: session.load.run(server, "paced", STREAMS, warm=3, seconds=2))
    return (sample, (sample.memory - idle) / STREAMS / 1000) if sample else None


def exchanges(session: Session, server: Process) -> tuple[Sample, float] | None:
    """kB a whole reply that has been journalled."""
    session.load.run(server, "whole", seconds=10, replies=WARM_UP_REPLIES)
    time.sleep(SETTLE)
    idle = resident(server.pids)

    def run() -> Sample:
        return session.load.run(server, "whole", warm=0, seconds=60, replies=REPLIES)

    sample = session.take("K5 exchanges", run)
    return (sample, (sample.memory - idle) / sample.replies / 1000) if sample and sample.replies else None
