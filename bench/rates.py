"""K1 and K2: how many whole replies and streamed events a second, when nothing waits."""

from bench.findings import Finding, against
from bench.load import Mode, Sample
from bench.process import Process
from bench.servers import Kind
from bench.session import Session


def whole_replies(session: Session) -> list[Finding]:
    samples = rounds(session, "K1", "whole", session.subject, "floor", *session.peers)
    ours = samples.get(session.subject, [])
    return [
        against(f"K1.{peer}", ours, samples.get(peer, []), lambda sample: sample.replies_per_second)
        for peer in ("aimock", "llmock")
    ]


def events(session: Session) -> list[Finding]:
    peers = [peer for peer in session.peers if peer == "aimock"]
    samples = rounds(session, "K2", "stream", session.subject, "floor", *peers)
    ours = samples.get(session.subject, [])
    return [
        against(f"K2.{other}", ours, samples.get(other, []), lambda sample: sample.tokens_per_second)
        for other in ("aimock", "floor")
    ]


def rounds(session: Session, part: str, mode: Mode, *names: str) -> dict[str, list[Sample]]:
    scale = session.scale

    def run(server: Process) -> Sample:
        return session.load.run(server, mode, seconds=scale.burst_seconds)

    with session.running(Kind.INSTANT, *names) as servers:
        session.warm_up(part, servers, run)
        return session.interleave(part, servers, scale.rounds, run)
