"""K8: what a second worker brings, with servers and client all on the same two cores; and what it brings a floor.

The floor is slowed down to llmsim's pace by an empty loop, else the client would be the limit. Its two processes share
nothing, so that it shows what this machine gives at all.
"""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from bench.findings import Finding, against
from bench.load import Sample
from bench.process import Process
from bench.servers import Kind
from bench.session import Session

ONE, TWO = "llmsim", "llmsim, two workers"
FLOOR_ONE, FLOOR_TWO = "busy floor", "busy floor, two workers"


def workers(session: Session) -> list[Finding]:
    def run(server: Process) -> Sample:
        return session.load.run(server, "stream", seconds=session.scale.burst_seconds, spread=True)

    with session.running(Kind.INSTANT, ONE, TWO, FLOOR_ONE, FLOOR_TWO, spread=True) as servers:
        session.warm_up("K8", servers, run)
        samples = session.interleave("K8", servers, session.scale.rounds, run)
    one, two = samples.get(ONE, []), samples.get(TWO, [])
    floor_one, floor_two = samples.get(FLOOR_ONE, []), samples.get(FLOOR_TWO, [])
    return [
        noted(against("K8.events", two, one, rate), against("", floor_two, floor_one, rate), most(one)),
        noted(against("K8.cpu", two, one, cost), against("", floor_two, floor_one, cost)),
    ]


def rate(sample: Sample) -> float:
    return sample.tokens_per_second


def cost(sample: Sample) -> float:
    return sample.cpu_each


def most(one: Sequence[Sample]) -> str:
    """What two cores allow where a second worker costs nothing: they are then the server's and the client's."""
    shares = [sample.server_cpu / (sample.server_cpu + sample.load_share * sample.seconds) for sample in one]
    return f"at most {2 * statistics.median(shares):.2f}, as the client takes its part" if shares else ""


def noted(finding: Finding, floor: Finding, more: str = "") -> Finding:
    """The finding, with what a second worker brings the floor in the same run."""
    told = [] if floor.value is None else [f"a floor of the same cost, its second worker: {floor.value:.2f}"]
    return replace(finding, note="; ".join([*told, more] if more else told))
