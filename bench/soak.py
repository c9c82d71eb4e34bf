"""`python -m bench.soak --minutes 30`: streams for long, every setting changed each second, clients that leave.

Reports the growth of memory after its bounds were reached, tasks and sockets that are left, errors in the log, and how
true the pace was at the start and at the end. Exits with 1 where one of these is not as it must be.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from bench.machine import Reading, resident
from bench.pacing import Pacing, pacing
from bench.process import Command, Process, free_port
from bench.servers import python_environment
from bench.soak_changes import STEADY, STEADY_PROFILE, STEADY_TBT, change
from bench.soak_clients import Crowd

JOURNAL_BYTES, STORE_BYTES = 8 << 20, 8 << 20
GROWTH = 16 << 20
"""Bytes by which memory may grow once journal and store are full: the allocator's own breathing."""

STEADY_S = 20.0
"""Seconds for which the pace is measured, before and after."""


@dataclass
class Soak:
    """What was seen."""

    minutes: float
    clients: int
    begun: float = field(default_factory=time.monotonic)
    memory: list[tuple[float, int]] = field(default_factory=list)
    changes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    paces: list[Pacing] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0
    others: float = 0.0

    @property
    def growth(self) -> int | None:
        """Bytes from the end of the first third to the end, medians of samples around; None of too few of them."""
        after = [held for _, held in self.memory]
        if len(after) < 60:  # in the first minutes the caches fill
            return None
        return round(median(after[-5:]) - median(after[len(after) // 3 :][:5]))

    @property
    def wrongs(self) -> list[str]:
        """What is not as it must be."""
        first, last = self.held[0], self.held[-1]
        told = [f"{name}: {last[name]} left" for name in _NOTHING if last[name]]
        if set(last["tasks"]) - set(first["tasks"]):
            told.append(f"tasks left: {sorted(set(last['tasks']) - set(first['tasks']))}")
        if last["sockets"] > first["sockets"]:
            told.append(f"sockets: {first['sockets']} before, {last['sockets']} after")
        if self.growth is not None and self.growth > GROWTH:
            told.append(f"memory grew by {self.growth / 1e6:.1f} MB")
        errors = [line for line in self.log if line.startswith(("ERROR", "CRITICAL", "Traceback"))]
        return [*told, *(f"log: {line[:200]}" for line in errors[:10])]


_NOTHING = ("live", "players", "playbacks", "on the wheel", "slots taken", "queued")


async def settled(pid: int, place: Path) -> dict[str, Any]:
    """What the server holds once it has loaded all that it loads while nobody asks: that would disturb the pace."""
    for _ in range(60):
        told = await asyncio.to_thread(looked, pid, place)
        if told["loaded"]:
            return told
        await asyncio.sleep(1)
    raise SystemExit("the server does not come to rest")


def call(port: int, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call of the control API; raises HTTPError where it refuses."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/llmsim{path}", data, {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


async def asked(soak: Soak, port: int, changes: dict[str, Any]) -> None:
    """Changes settings from a thread, so that the clients go on; a refusal is noted."""
    try:
        await asyncio.to_thread(call, port, "PATCH", "/settings", changes)
        soak.changes += 1
    except urllib.error.HTTPError as error:
        soak.refused[error.read().decode()[:200]] += 1


def looked(pid: int, place: Path) -> dict[str, Any]:
    """What the server says that it holds."""
    place.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    for _ in range(200):
        time.sleep(0.05)
        if place.exists():
            told: dict[str, Any] = json.loads(place.read_text())
            return told
    raise SystemExit("the server does not tell what it holds")


async def steady(soak: Soak, port: int, clients: int) -> None:
    """Measures the pace under settings that stand still."""
    await asked(soak, port, {**STEADY, "profiles": {"steady": STEADY_PROFILE}})
    crowd = Crowd(port, 1)
    crowd.begin(clients, steady=True)
    await asyncio.sleep(5)
    opened = time.monotonic()
    await asyncio.sleep(STEADY_S)
    closed = time.monotonic()
    await crowd.stop()
    # Streams that ended within the window are followed by a wait for the next one's first token: only whole ones count.
    whole = [one for one in crowd.streams if one.moments and one.moments[0] < opened and one.moments[-1] > closed - 0.2]
    soak.paces.append(pacing(whole, opened=opened, closed=closed, tbt=STEADY_TBT, asked=max(1, len(whole))))
    soak.counts.update(crowd.counts)


async def churn(soak: Soak, server: Process, clients: int, seconds: float) -> None:
    """The soak itself."""
    crowd, dice, before = Crowd(server.port, 2), random.Random(3), Reading.take(server.pids)
    crowd.begin(clients, steady=False)
    begun, second = time.monotonic(), 0
    while time.monotonic() < begun + seconds:
        second += 1
        await asyncio.sleep(max(0.0, begun + second - time.monotonic()))
        await asked(soak, server.port, change(dice))
        if second % 10 == 0:
            soak.memory.append((time.monotonic() - begun, resident(server.pids)))
        if second % 60 == 0:
            print(f"{second // 60} min: {soak.memory[-1][1] / 1e6:.1f} MB, {soak.changes} changes", file=sys.stderr)
    await crowd.stop()
    after, spent = Reading.take(server.pids), time.monotonic() - begun
    soak.cpu = (after.server - before.server) / spent
    soak.others = after.others_since(before, 0.0, spent)
    soak.counts.update(crowd.counts)


async def run(minutes: float, clients: int, folder: Path) -> Soak:
    """Starts a server, soaks it, and gives what was seen."""
    soak, port, place = Soak(minutes, clients), free_port(), folder / "held.json"
    config = folder / "soak.yaml"
    limits = {"journal_bytes": JOURNAL_BYTES, "store_bytes": STORE_BYTES, "log_level": "warning", "port": port}
    config.write_text(yaml.safe_dump({**STEADY, "profiles": {"steady": STEADY_PROFILE}, **limits}))
    words = [sys.executable, "-m", "bench.soak_server", str(config), str(place)]
    with Process("soak", Command(words, python_environment()), port, folder) as server:
        server.wait_ready()
        soak.held.append(await settled(server.popen.pid, place))
        await steady(soak, port, clients)
        await churn(soak, server, clients, minutes * 60)
        await steady(soak, port, clients)
        await asyncio.sleep(3)
        soak.held.append(await asyncio.to_thread(looked, server.popen.pid, place))
    soak.log = server.log.read_text(errors="replace").splitlines()
    return soak


def report(soak: Soak) -> str:
    """The report in Markdown."""
    first, last = soak.held[0], soak.held[-1]
    levels = Counter(line.split(" ", 1)[0] for line in soak.log if line[:1].isupper())
    memory = [f"{held / 1e6:.0f}" for _, held in soak.memory[:: max(1, len(soak.memory) // 10)]]
    growth = "too short to tell" if soak.growth is None else f"{soak.growth / 1e6:+.1f} MB, bound {GROWTH / 1e6:.0f}"
    outcomes = ", ".join(f"{count:,} {kind}" for kind, count in sorted(last["outcomes"].items()))
    rows = [
        ("length", f"{soak.minutes:g} min of changes, {2 * STEADY_S:g} s of measuring the pace"),
        ("clients at once", f"{soak.clients}, of which three in ten leave before the end"),
        ("requests", f"{last['begun']:,}: {outcomes}"),
        ("as clients saw them", ", ".join(f"{n:,} {kind}" for kind, n in soak.counts.most_common(8))),
        ("changes of all settings", f"{soak.changes:,}, {sum(soak.refused.values())} refused"),
        ("server's CPU", f"{soak.cpu:.0%} of a core; others on the machine {soak.others:.0%}"),
        ("memory", f"{' · '.join(memory)} MB"),
        ("growth after the first third", growth),
        ("journal, store at the end", f"{last['journal'][1] / 1e6:.1f} of {JOURNAL_BYTES / 1e6:.1f} MB, "
         f"{last['store'][1] / 1e6:.1f} of {STORE_BYTES / 1e6:.1f} MB"),
        ("tasks before · after", f"{len(first['tasks'])} · {len(last['tasks'])}"),
        ("sockets before · after", f"{first['sockets']} · {last['sockets']}"),
        ("left of replies", ", ".join(f"{last[name]} {name}" for name in _NOTHING)),
        ("log", ", ".join(f"{n} {level}" for level, n in levels.items()) or "nothing above info"),
    ]  # fmt: skip
    for when, pace in zip(("start", "end"), soak.paces, strict=False):
        rows.append(
            (f"pace at the {when}", f"jitter p50 {pace.jitter_p50:.2f} ms, p99 {pace.jitter_p99:.1f} ms, drift "
             f"{pace.drift:.4f} ms a token, {pace.share:.1%} of the tokens")
        )  # fmt: skip
    wrongs = soak.wrongs
    rows.append(("not as it must be", "; ".join(wrongs) or "nothing"))
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {told} |" for name, told in rows)])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long settings are changed (default: 30)")
    parser.add_argument("--clients", type=int, default=500, help="clients at once (default: 500)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the server's log and configuration there")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmsim-soak-") as made:
        folder = chosen.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        soak = asyncio.run(run(chosen.minutes, chosen.clients, folder))
    print(report(soak))
    for told, count in soak.refused.most_common(5):
        print(f"refused {count}: {told}", file=sys.stderr)
    return 1 if soak.wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
