"""What Linux tells about processes and the whole machine: CPU seconds used, memory held, and what all others took."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def cores() -> tuple[int, int]:
    """The core for servers and the core for load clients; the same one where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def family(pid: int) -> list[int]:
    """The process and all that came of it."""
    parents = {}
    for folder in PROC.glob("[0-9]*"):
        fields = fields_of(int(folder.name))
        if fields:
            parents[int(folder.name)] = int(fields[1])
    members = [pid]
    for member in members:
        members += [child for child, parent in parents.items() if parent == member]
    return members


def fields_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, which may hold blanks; none when the process has gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pids: list[int]) -> float:
    """CPU time of these processes, all threads, user and system."""
    return sum(int(fields[11]) + int(fields[12]) for pid in pids if (fields := fields_of(pid))) / TICKS


def resident(pids: list[int]) -> int:
    """Resident memory of these processes in bytes (from smaps_rollup, which is exact where status is rounded)."""
    total = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Rss:")) * 1024
    return total


def whole_machine() -> tuple[float, float]:
    """CPU seconds that all cores were busy, and that the hypervisor took away, since the machine started."""
    user, nice, system, _, _, irq, softirq, steal = map(int, (PROC / "stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS


@dataclass(frozen=True)
class Reading:
    """The clocks of one moment: the server's CPU time, this process's own, the machine's, what was stolen."""

    server: float
    bench: float
    busy: float
    stolen: float

    @classmethod
    def take(cls, pids: list[int]) -> "Reading":
        return cls(cpu_seconds(pids), cpu_seconds([os.getpid()]), *whole_machine())

    def others_since(self, before: "Reading", load_cpu: float, seconds: float) -> float:
        """Everything else on the machine between two readings, stolen time included, as a share of one core."""
        own = self.server - before.server + self.bench - before.bench + load_cpu
        return max(0.0, self.busy - before.busy + self.stolen - before.stolen - own) / seconds
