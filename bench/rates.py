"""K1 and K2: how many whole replies and streamed events a second, when nothing waits."""

from bench.findings import Finding, against
from bench.load import Mode, Sample
from bench.process import Process
from bench.servers import Kind
from bench.session import Session


def whole_replies(session: Session) -> list[Finding]:
    samples = rounds(session, "K1", "whole", session.subject, "floor", *session.peers)
    ours = samples.get(session.subject, [])
    peers = [
        against(f"K1.{peer}", ours, samples.get(peer, []), lambda sample: sample.replies_per_second)
        for peer in ("aimock", "llmock")
    ]
    return [*peers, plain_answers(session), many_rules(session)]


def many_rules(session: Session) -> Finding:
    """Thousands of mocks, none of which matches, against ten."""
    many = "llmsim, 2,000 mocks"
    samples = rounds(session, "K1 rules", "whole", "llmsim", many)
    return against(
        "K1.rules", samples.get(many, []), samples.get("llmsim", []), lambda sample: sample.replies_per_second
    )


def plain_answers(session: Session) -> Finding:
    """What needs no model is an exchange too, with faults, limits and a place in the journal: what that costs."""
    whole: list[Sample] = []
    plain: list[Sample] = []
    with session.running(Kind.INSTANT, session.subject) as servers:
        for server in servers:
            session.warm_up("K1 models", [server], lambda one: burst(session, one, "models"))
            for _ in range(session.scale.rounds):
                first = session.take("K1 whole", lambda server=server: burst(session, server, "whole"))  # type: ignore[misc]
                second = session.take("K1 models", lambda server=server: burst(session, server, "models"))  # type: ignore[misc]
                if first and second:
                    whole.append(first)
                    plain.append(second)
    return against("K1.models", plain, whole, lambda sample: sample.replies_per_second)


def events(session: Session) -> list[Finding]:
    peers = [peer for peer in session.peers if peer == "aimock"]
    samples = rounds(session, "K2", "stream", session.subject, "floor", *peers)
    ours = samples.get(session.subject, [])
    return [
        against(f"K2.{other}", ours, samples.get(other, []), lambda sample: sample.tokens_per_second)
        for other in ("aimock", "floor")
    ]


def rounds(session: Session, part: str, mode: Mode, *names: str) -> dict[str, list[Sample]]:
    def run(server: Process) -> Sample:
        return burst(session, server, mode)

    with session.running(Kind.INSTANT, *names) as servers:
        session.warm_up(part, servers, run)
        return session.interleave(part, servers, session.scale.rounds, run)


def burst(session: Session, server: Process, mode: Mode) -> Sample:
    return session.load.run(server, mode, seconds=session.scale.burst_seconds)
