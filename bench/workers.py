"""K8: what a second worker brings, with servers and client all on the same two cores."""

from bench.findings import Finding, against
from bench.load import Sample
from bench.process import Process
from bench.servers import Kind
from bench.session import Session

ONE, TWO = "llmsim", "llmsim, two workers"


def workers(session: Session) -> list[Finding]:
    def run(server: Process) -> Sample:
        return session.load.run(server, "stream", seconds=session.scale.burst_seconds, spread=True)

    with session.running(Kind.INSTANT, ONE, TWO, spread=True) as servers:
        session.warm_up("K8", servers, run)
        samples = session.interleave("K8", servers, session.scale.rounds, run)
    one, two = samples.get(ONE, []), samples.get(TWO, [])
    return [
        against("K8.events", two, one, lambda sample: sample.tokens_per_second),
        against("K8.cpu", two, one, lambda sample: sample.cpu_each),
    ]
