"""K9: what a streamed event and a whole reply cost in the other APIs, against chat in the same server by turns.

The server is one and the same and its core is full, so its CPU time tells what the rate would, and a busy machine
disturbs it less.
"""

from dataclasses import replace

from bench.apis import Api
from bench.findings import Finding, against, unknown
from bench.load import Mode, Sample
from bench.process import Process
from bench.servers import Kind
from bench.session import Session

OTHERS: tuple[Api, ...] = ("responses", "anthropic", "gemini")
APIS: tuple[Api, ...] = ("chat", *OTHERS)

Samples = dict[Api, list[Sample]]


def dialects(session: Session) -> list[Finding]:
    keys = [f"K9.{api}" for api in OTHERS]
    if session.subject != "llmsim":
        return [unknown(key, f"{session.subject} is not asked in these APIs") for key in (*keys, "K9.whole")]
    with session.running(Kind.INSTANT, session.subject) as servers:
        streams = rounds(session, servers[0], "stream") if servers else {}
        whole = rounds(session, servers[0], "whole") if servers else {}
    chat = streams.get("chat", [])
    told = [against(f"K9.{api}", streams.get(api, []), chat, lambda run: run.each_per_cpu_second) for api in OTHERS]
    return [*told, dearest(whole)]


def dearest(samples: Samples) -> Finding:
    """The API whose whole replies cost most."""
    chat = samples.get("chat", [])
    found = {api: against("K9.whole", samples.get(api, []), chat, lambda run: run.cpu_each) for api in OTHERS}
    known = {api: finding for api, finding in found.items() if finding.value is not None}
    if len(known) < len(OTHERS):
        return next(finding for finding in found.values() if finding.value is None)
    api = max(known, key=lambda api: known[api].value or 0.0)
    return replace(known[api], note=api)


def rounds(session: Session, server: Process, mode: Mode) -> Samples:
    """Chat, then each other API, round by round; an API that fails once is left out of the rest."""
    for api in APIS:
        session.warm_up(f"K9 {api}", [server], lambda one, api=api: burst(session, one, mode, api))  # type: ignore[misc]
    samples: Samples = {api: [] for api in APIS}
    left = list(APIS)
    for number in range(session.scale.rounds):
        session.tell(f"K9 {mode}: round {number + 1} of {session.scale.rounds}")
        for api in list(left):
            taken = session.take(f"K9 {mode}", lambda api=api: burst(session, server, mode, api))  # type: ignore[misc]
            if taken:
                samples[api].append(taken)
            else:
                left.remove(api)
    return samples


def burst(session: Session, server: Process, mode: Mode, api: Api) -> Sample:
    sample = session.load.run(server, mode, seconds=session.scale.burst_seconds, api=api)
    return replace(sample, server=f"{sample.server}, {api}")
