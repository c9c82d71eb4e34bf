"""Bodies of very many small things, at every place of every API: `python -m fuzz.wide` tells the dearest."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fuzz.bodies import CONTROL, Steps, control, inside, operations, places, seeds, send, spoiled, undo

SIZE = 1 << 18
"""Bytes of a body."""
MOST = 0.125
"""Seconds of a core for a megabyte that are still modest: half a second for 4 MB."""
WAYS = 60
"""Places of a request that are tried, if nobody says otherwise."""

_TRIM: Callable[[int], object] = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)


class Read(NamedTuple):
    """Something that reads bodies: what it is called, valid ones, and how it is asked; that gives the status."""

    name: str
    seeds: Sequence[Any]
    ask: Callable[[bytes], int]


def readers() -> Iterator[Read]:
    """Every path of every API that takes a body, then the control API's."""
    for place in places():
        if place.method == "POST":
            yield Read(place.path, seeds(place), partial(send, place))
    for method, path in operations():
        if method in ("POST", "PUT", "PATCH"):
            yield Read(f"{method} /llmsim{path}", (CONTROL.get(path, {}),), partial(control, method, path))


class Found(NamedTuple):
    """What a body has cost: seconds of a core and MB of memory at most, both for each of its megabytes."""

    seconds: float
    memory: float
    what: str


def _filled(unit: Any, size: int) -> list[Any]:
    return [unit] * (size // (len(orjson.dumps(unit)) + 1))


def fillings(value: Any, size: int) -> Iterator[tuple[str, Any]]:
    """What a value is replaced by: as many of the smallest things as fit into so many bytes."""
    keys = {f"{at:x}": 1 for at in range(size // 8)}
    yield "keys", {**value, **keys} if isinstance(value, dict) else keys
    if isinstance(value, list) and value:
        yield "more of its own", _filled(value[0], size)
    yield "numbers", _filled(1, size)
    yield "texts", _filled("", size)
    yield "objects", _filled({}, size)
    yield "lists", _filled([], size)


def cases(known: Sequence[Any], size: int, most: int = WAYS) -> Iterator[tuple[str, Any]]:
    """Every body that the valid ones make, with what it is called."""
    for at, seed in enumerate(known):
        yield from ((f"{at}: top, {name}", body) for name, body in fillings(seed, size))
        ways: list[Steps] = list(inside(seed))
        for way in ways[:: max(1, len(ways) // most)]:
            inner = seed
            for step in way:
                inner = inner[step]
            for name, junk in fillings(inner, size):
                yield f"{at}: {'.'.join(map(str, way))}, {name}", spoiled(seed, way, junk)


def _memory(name: str) -> float:
    """MB, as Linux tells them of this process; 0 elsewhere."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{name}:\s+(\d+) kB", told)
    return int(found[1]) / 1024 if found else 0.0


def measured(reader: Read, body: bytes) -> Found:
    """What a body costs. Raises Broken."""
    gc.collect()
    _TRIM(0)  # or what others have left would be used again, and not be seen
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # begins the peak anew
    before = _memory("VmRSS")
    begun = time.process_time()
    status = reader.ask(body)
    took = time.process_time() - begun
    if "/llmsim/" in reader.name:
        undo()
    return Found(took / len(body) * 1e6, (_memory("VmHWM") - before) / len(body) * 1e6, f"{status} {reader.name}")


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.wide", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="PART", help="paths with this in their names")
    parser.add_argument("--size", type=int, default=SIZE, help=f"bytes of a body (default: {SIZE})")
    parser.add_argument("--ways", type=int, default=WAYS, help=f"places of a request that are tried (default: {WAYS})")
    parser.add_argument("--show", type=int, default=40, help="how many of the dearest are shown (default: 40)")
    return parser.parse_args()


def main() -> int:
    """Tries them all; 1 where one is dearer than is modest."""
    chosen = options()
    found: list[Found] = []
    gc.freeze()
    gc.disable()
    for reader in readers():
        if chosen.only and not any(part in reader.name for part in chosen.only):
            continue
        for seed in reader.seeds:
            reader.ask(orjson.dumps(seed))  # what the first use loads is no body's doing
        of_path = [
            one._replace(what=f"{one.what} {name}")
            for name, value in cases(reader.seeds, chosen.size, chosen.ways)
            for one in (measured(reader, orjson.dumps(value)),)
        ]
        seconds, memory = max(one.seconds for one in of_path), max(one.memory for one in of_path)
        print(f"{seconds:7.3f} s and {memory:4.0f} MB a MB at most, {len(of_path)} bodies  {reader.name}", flush=True)
        found += of_path
    found.sort(reverse=True)
    for one in found[: chosen.show]:
        print(f"{one.seconds:7.3f} s, {one.memory:4.0f} MB a MB  {one.what}")
    dear = sum(one.seconds > MOST for one in found)
    print(f"{len(found)} bodies, {dear} dearer than {MOST} s a MB")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
