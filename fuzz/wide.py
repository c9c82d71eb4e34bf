"""Bodies of very many small things, at every place of every API: `python -m fuzz.wide` tells the dearest."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson

from fuzz.bodies import Place, Steps, inside, places, seeds, send, spoiled

SIZE = 1 << 18
"""Bytes of a body."""
MOST = 0.125
"""Seconds of a core for a megabyte that are still modest: half a second for 4 MB."""
WAYS = 60
"""Places of a request that are tried."""


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


def cases(place: Place, size: int) -> Iterator[tuple[str, Any]]:
    """Every body for a path, with what it is called."""
    for at, seed in enumerate(seeds(place)):
        yield from ((f"{at}: top, {name}", body) for name, body in fillings(seed, size))
        ways: list[Steps] = list(inside(seed))
        for way in ways[:: max(1, len(ways) // WAYS)]:
            inner = seed
            for step in way:
                inner = inner[step]
            for name, junk in fillings(inner, size):
                yield f"{at}: {'.'.join(map(str, way))}, {name}", spoiled(seed, way, junk)


def measured(place: Place, body: bytes) -> tuple[float, int]:
    """The seconds of a core that it took, and the status. Raises Broken."""
    begun = time.process_time()
    status = send(place, body)
    return time.process_time() - begun, status


def main() -> int:
    """Tries them all; 1 where one is dearer than is modest."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.wide", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="PART", help="paths with this in their names")
    parser.add_argument("--size", type=int, default=SIZE, help=f"bytes of a body (default: {SIZE})")
    parser.add_argument("--show", type=int, default=40, help="how many of the dearest are shown (default: 40)")
    chosen = parser.parse_args()
    found: list[tuple[float, str]] = []
    gc.disable()
    for place in places():
        if place.method != "POST" or (chosen.only and not any(part in place.path for part in chosen.only)):
            continue
        for name, value in cases(place, chosen.size):
            body = orjson.dumps(value)
            took, status = measured(place, body)
            found.append((took / len(body) * 1e6, f"{status} {place.path} {name}"))
    found.sort(reverse=True)
    for rate, what in found[: chosen.show]:
        print(f"{rate:7.3f} s a MB  {what}")
    dear = sum(rate > MOST for rate, _ in found)
    print(f"{len(found)} bodies, {dear} dearer than {MOST} s a MB")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
