"""K10: how long a very long prompt keeps everyone else waiting, and how true a very long reply stays at high speed."""

import random
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from bench.apis import WORDINGS, post
from bench.findings import Finding, of_values
from bench.load import Sample
from bench.machine import cores
from bench.pacing import Stream, errors_ms
from bench.process import Process, exchange, on_core
from bench.servers import LONG_TBT_MS, LONG_TOKENS, SPEED, TBT_MS, Kind
from bench.session import Session

Span = tuple[float, float]

# So many streams, opened evenly: one of them has a token due every half a millisecond.
TICKING = 40
WARM = 2.0
PROMPT_TOKENS = 100_000
# The pause between two prompts: as long is looked at without one, to tell the noise of the machine.
PAUSE = 0.4
# A server at leisure loads what is left of its vocabulary; that is not the prompt's.
SETTLE = 3.0
LONG_STREAMS = 4
# Common English words, each one token with the blank before it.
WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem hand "
    "part place case week company system program question work government number night point home water room mother "
    "area money story fact month lot right study book eye job word business issue side kind head house service friend "
    "father power hour game line end member law car city community name president team minute idea body information"
).split()


def long(session: Session) -> list[Finding]:
    return [blocked(session), long_replies(session)]


def prompt(number: int) -> bytes:
    """A chat request of 100,000 tokens, another one for each number, that is answered with one token."""
    dice, wording = random.Random(number), WORDINGS["chat"]
    text = " ".join(dice.choices(WORDS, k=PROMPT_TOKENS))
    told: dict[str, object] = {"messages": [{"role": "user", "content": text}], "max_tokens": 1}
    return post(wording.path, wording.key, wording.body | told)


@dataclass
class Prompts:
    """Sends long prompts one after the other on the load client's core, and writes down when each was under way."""

    port: int
    spans: list[Span] = field(default_factory=list)
    failed: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with on_core(cores()[1]):
            while not self.ended.wait(PAUSE):
                data = prompt(len(self.spans))
                self.failed += not self.send(data)

    def send(self, data: bytes) -> bool:
        began = monotonic()
        answered = exchange(self.port, data, within=20) == 200
        self.spans.append((began, monotonic()))
        return answered


def blocked(session: Session) -> Finding:
    """How late the latest token of streams that tick all the time is while a long prompt is read and counted."""
    waits: list[float] = []
    quiet: list[float] = []
    samples: list[Sample] = []
    with session.running(Kind.PACED, session.subject) as servers:
        for server in servers:
            session.tell("K10: warming up")
            exchange(server.port, prompt(-1), within=20)
            threading.Event().wait(SETTLE)
            for number in range(session.scale.paced_rounds):
                session.tell(f"K10 prompts: round {number + 1} of {session.scale.paced_rounds}")
                prompts = Prompts(server.port)
                taken = beside_prompts(session, server, prompts)
                if prompts.failed:
                    session.note(f"K10: {prompts.failed} of {len(prompts.spans)} long prompts failed")
                elif taken:
                    samples.append(taken)
                    streams = session.load.streams()
                    told, spans = latenesses(streams, TBT_MS / 1000), ticking(streams, prompts.spans)
                    waits += worst_within(told, spans)
                    quiet += worst_within(told, [(began - PAUSE * 0.75, began - 0.001) for began, _ in spans])
    found = of_values("K10.blocked", waits, samples)
    return (
        replace(found, theirs=statistics.median(quiet), note="against: without a prompt") if waits and quiet else found
    )


def beside_prompts(session: Session, server: Process, prompts: Prompts) -> Sample | None:
    thread = threading.Thread(target=prompts.run, daemon=True)
    thread.start()
    seconds = 2 * session.scale.paced_seconds
    taken = session.take("K10 prompts", lambda: session.load.run(server, "paced", TICKING, warm=WARM, seconds=seconds))
    prompts.ended.set()
    thread.join()
    return taken


def ticking(streams: Sequence[Stream], spans: Sequence[Span]) -> list[Span]:
    """Those of the spans in which all streams tick from beginning to end, and before that for as long as a pause."""
    begun = [stream for stream in streams if stream.moments]
    first = max((stream.moments[0] for stream in begun), default=0.0) + PAUSE
    last = min((stream.moments[-1] for stream in begun), default=0.0)
    return [(began, ended) for began, ended in spans if first <= began and ended <= last]


def latenesses(streams: Sequence[Stream], tbt: float) -> list[tuple[float, float]]:
    """Of each token when it was due and by how many milliseconds it was late, by the usual error of its stream."""
    told = []
    for stream in streams:
        errors = errors_ms(stream, tbt)
        usual = statistics.median(errors) if errors else 0.0
        told += [
            (moment - (error - usual) / 1000, error - usual)
            for moment, error in zip(stream.moments, errors, strict=True)
        ]
    return sorted(told)


def worst_within(told: Sequence[tuple[float, float]], spans: Sequence[Span]) -> list[float]:
    """The greatest lateness of the tokens that were due in each span; spans without any are left out."""
    within = ([late for due, late in told if began <= due < ended] for began, ended in spans)
    return [max(late) for late in within if late]


def long_replies(session: Session) -> Finding:
    """The error at the 99th percentile of replies of 16,000 tokens, several at a time."""
    samples: list[Sample] = []
    seconds = LONG_TOKENS * LONG_TBT_MS / 1000 / SPEED
    with session.running(Kind.LONG, session.subject) as servers:
        for server in servers:
            threading.Event().wait(SETTLE)
            for number in range(session.scale.paced_rounds):
                session.tell(f"K10 replies: round {number + 1} of {session.scale.paced_rounds}")
                taken = session.take(
                    "K10 replies",
                    lambda server=server: session.load.run(server, "long", LONG_STREAMS, warm=1, seconds=seconds),  # type: ignore[misc]
                )
                samples += [taken] if taken else []
    return of_values("K10.long", [sample.pacing.jitter_p99 for sample in samples if sample.pacing], samples)
