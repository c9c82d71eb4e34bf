"""llmsim's server for a soak: as `llmsim serve`, and on SIGUSR1 it writes down what it holds at that moment."""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from llmsim import tokens
from llmsim.server.config import load
from llmsim.server.serve import End, Runner, serve


def sockets() -> int:
    """Open sockets of this process."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except OSError:
            continue
    return found


def held(runner: Runner) -> dict[str, object]:
    """What could be left behind by replies that are over."""
    simulator = runner.simulator
    named = Counter(type(thing).__name__ for thing in gc.get_objects())
    return {
        "loaded": tokens.loaded(),
        "tasks": sorted(task.get_name() for task in asyncio.all_tasks()),
        "sockets": sockets(),
        "live": len(simulator.meter.live),
        "players": len(runner.app.desk.players),
        "playbacks": len(simulator.underway),
        "on the wheel": simulator.pacer._waiting,
        "slots taken": sum(len(station.active) for station in simulator.stations),
        "queued": sum(len(station.waiting) for station in simulator.stations),
        "journal": [len(simulator.journal), simulator.journal.size],
        "store": [len(simulator.store), simulator.store.size],
        "begun": simulator.meter.begun,
        "outcomes": dict(simulator.meter.outcomes),
        "changes": simulator.settings.revision,
        "objects": dict(named.most_common(12)),
    }


async def beside(runner: Runner, end: End) -> None:
    """Answers SIGUSR1 until the server ends."""
    place = Path(sys.argv[2])

    def tell() -> None:
        part = place.with_suffix(".part")
        part.write_text(json.dumps(held(runner)))
        part.rename(place)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
    await end.come.wait()


def main() -> None:
    import uvloop

    config = load(Path(sys.argv[1]))
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(config, beside))


if __name__ == "__main__":
    main()
