"""One run of the bench: how long to measure, which servers there are, and every sample taken."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.load import Load, LoadFailed, Sample
from bench.process import Process, Unstarted, free_port
from bench.servers import Kind, command

# A server is warm when a run costs it more than this share of what the run before did; at most so many runs.
SETTLED, WARM_UPS = 0.95, 8


@dataclass(frozen=True)
class Scale:
    """How much is measured. Seconds are those of one run; `tries` and `needed` are for a rung of K3's ladder."""

    rounds: int
    burst_seconds: float
    paced_rounds: int
    paced_seconds: float
    tries: int
    needed: int
    memory_rounds: int
    console_rounds: int
    starts: int
    at_most: int


QUICK = Scale(
    rounds=3,
    burst_seconds=1.2,
    paced_rounds=1,
    paced_seconds=3.0,
    tries=2,
    needed=1,
    memory_rounds=1,
    console_rounds=1,
    starts=3,
    at_most=400,
)
FULL = Scale(
    rounds=7,
    burst_seconds=2.5,
    paced_rounds=3,
    paced_seconds=5.0,
    tries=3,
    needed=2,
    memory_rounds=3,
    console_rounds=3,
    starts=7,
    at_most=1800,
)


class Session:
    """Everything the measures share; `subject` is the server that is judged."""

    def __init__(self, subject: str, peers: Sequence[str], scale: Scale, tell: Callable[[str], None]) -> None:
        self.subject, self.peers, self.scale, self.tell = subject, list(peers), scale, tell
        self.samples: list[tuple[str, Sample]] = []
        self.notes: list[str] = []

    def __enter__(self) -> "Session":
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="llmsim-bench-")))
        self.load = Load(self.folder)
        if not self.load.compiled:
            self.note("no C compiler: the load client is the one in Python, which may be the limit")
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)
            self.tell(line)

    @contextmanager
    def running(self, kind: Kind, *names: str, spread: bool = False) -> Iterator[list[Process]]:
        """The servers of these names that could be started; `spread` over two cores, else on one."""
        with ExitStack() as stack:
            servers = []
            for name in dict.fromkeys(names):
                try:
                    port = free_port()
                    start = command(name, kind, port, self.folder)
                    server = stack.enter_context(Process(name, start, port, self.folder, spread=spread))
                    server.wait_ready()
                    servers.append(server)
                except Unstarted as error:
                    self.note(str(error))
            yield servers

    def take(self, part: str, run: Callable[[], Sample]) -> Sample | None:
        """One sample, kept for the report; none, and a note, when the run failed."""
        try:
            sample = run()
        except LoadFailed as error:
            self.note(f"{part}: {error}")
            return None
        if sample.failures:
            self.note(f"{part}: {sample.server} failed {sample.failures} of {sample.replies or sample.tokens}")
        self.samples.append((part, sample))
        return sample

    def warm_up(self, part: str, servers: Sequence[Process], run: Callable[[Process], Sample]) -> None:
        """Runs that are not counted, until the CPU time of a reply falls no more: Node compiles for some seconds."""
        self.tell(f"{part}: warming up")
        for server in servers:
            self._warm_up(server, run)

    def _warm_up(self, server: Process, run: Callable[[Process], Sample]) -> None:
        before = float("inf")
        with suppress(LoadFailed):
            for _ in range(WARM_UPS):
                cost = run(server).cpu_each
                if not cost < SETTLED * before:
                    break
                before = cost

    def interleave(
        self, part: str, servers: Sequence[Process], rounds: int, run: Callable[[Process], Sample]
    ) -> dict[str, list[Sample]]:
        """Rounds over all servers, A B A B; a server that fails once is left out of the rest."""
        samples: dict[str, list[Sample]] = {server.name: [] for server in servers}
        left = list(servers)
        for number in range(rounds):
            self.tell(f"{part}: round {number + 1} of {rounds}")
            for server in list(left):
                sample = self.take(part, lambda server=server: run(server))  # type: ignore[misc]
                if sample:
                    samples[server.name].append(sample)
                else:
                    left.remove(server)
        return samples
