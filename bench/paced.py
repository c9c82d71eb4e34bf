"""K3 and K4: how many streams of 50 tokens/s a server holds, how far it drifts, and what a paced token costs it."""

from dataclasses import dataclass

from bench.findings import DISTURBED, Finding, against, of_values, unknown
from bench.load import Sample
from bench.process import Process
from bench.servers import Kind
from bench.session import Session

RUNGS = (
    *(100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900),
    *(1000, 1100, 1200, 1300, 1400, 1500, 1600, 1800, 2000),
    *(2200, 2400, 2600, 2800, 3000, 3300, 3600, 4000),
)
WARM = 2.0
SPARE = 2


@dataclass
class Ladder:
    """Finds the highest of the rungs that holds, by halving; `below` and `above` are indexes known to hold and fail."""

    below: int = -1
    above: int = len(RUNGS)

    @property
    def next(self) -> int | None:
        """The rung to try, none when the answer is known."""
        return RUNGS[(self.below + self.above) // 2] if self.above - self.below > 1 else None

    def tell(self, rung: int, held: bool) -> None:
        if held:
            self.below = RUNGS.index(rung)
        else:
            self.above = RUNGS.index(rung)

    @property
    def held(self) -> int:
        """The most streams that held, 0 when not even the lowest rung did."""
        return RUNGS[self.below] if self.below >= 0 else 0


def sample(session: Session, part: str, server: Process, streams: int) -> Sample | None:
    seconds = session.scale.paced_seconds
    return session.take(part, lambda: session.load.run(server, "paced", streams, warm=WARM, seconds=seconds))


def holds(session: Session, server: Process, streams: int) -> bool:
    """Whether enough of the tries hold; a few that fail while others keep the machine busy are not held against it."""
    held = failed = 0
    for _ in range(session.scale.tries + SPARE):
        taken = sample(session, f"K3 at {streams:,}", server, streams)
        if taken and taken.pacing and taken.pacing.held():
            held += 1
        elif not taken or taken.others <= DISTURBED:
            failed += 1
        if held >= session.scale.needed or failed > session.scale.tries - session.scale.needed:
            break
    return held >= session.scale.needed


def held_streams(session: Session) -> list[Finding]:
    with session.running(Kind.PACED, session.subject, "floor") as servers:
        ladders = {server.name: Ladder() for server in servers}
        while any(ladder.next for ladder in ladders.values()):
            for server in servers:
                if rung := ladders[server.name].next:
                    session.tell(f"K3: {server.name}, {rung:,} streams")
                    ladders[server.name].tell(rung, holds(session, server, rung))
        drifts = session.interleave(
            "K3 at 500",
            servers,
            session.scale.paced_rounds,
            lambda server: session.load.run(server, "paced", 500, warm=WARM, seconds=session.scale.paced_seconds),
        )
    held = {name: float(ladder.held) for name, ladder in ladders.items()}
    return [streams_finding(session, held), drift_finding(drifts.get(session.subject, []))]


def streams_finding(session: Session, held: dict[str, float]) -> Finding:
    ours, theirs = held.get(session.subject), held.get("floor")
    if ours is None or not theirs:
        return unknown("K3.streams", "the floor held none" if theirs == 0 else "no run gave a figure")
    others = [sample.others for part, sample in session.samples if part.startswith("K3")]
    return Finding("K3.streams", ours / theirs, ours, theirs, others=sorted(others)[len(others) // 2])


def drift_finding(samples: list[Sample]) -> Finding:
    return of_values("K3.drift", [abs(sample.pacing.drift) for sample in samples if sample.pacing], samples)


def cost(session: Session) -> list[Finding]:
    """Fresh servers each round: a peer plays on streams whose clients have left, and would do so in the next run."""
    names = [session.subject, "floor", *(peer for peer in session.peers if peer == "aimock")]
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(session.scale.paced_rounds):
        for name in names:
            session.tell(f"K4: round {number + 1} of {session.scale.paced_rounds}, {name}")
            with session.running(Kind.PACED, name) as servers:
                taken = sample(session, "K4", servers[0], 1000) if servers else None
            samples[name] += [taken] if taken else []
    ours = samples[session.subject]
    return [
        against(f"K4.{other}", ours, samples.get(other, []), lambda run: run.cpu_each) for other in ("floor", "aimock")
    ]
