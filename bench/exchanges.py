"""Serves requests within one process, with no socket: what an exchange costs, to be counted in instructions.

`python -m bench.exchanges --api chat --mode stream --count 500` is what bench/instructions.py runs below valgrind.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from bench.apis import WORDINGS, Api, request
from bench.servers import Kind, llmsim_words
from llmsim import tokens
from llmsim.clock import Clock
from llmsim.server import garbage
from llmsim.server.config import add_options, from_options
from llmsim.server.lane import Lanes
from llmsim.server.serve import Runner
from llmsim.server.wire import WireProtocol
from llmsim.simulator import Simulator


class Wire(asyncio.Transport):
    """A connection whose other end takes everything and says nothing."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = 0
        self.last = b""

    def write(self, data: Any) -> None:
        self.written += 1
        self.last = data

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None: ...


def served_by(wire: Wire, folder: Path, kind: Kind = Kind.INSTANT, clock: Clock | None = None) -> WireProtocol:
    """The server's end of a connection, with the rules that all servers of the bench have; by that clock, if any."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    config, _ = from_options(parser.parse_args(llmsim_words(kind, 0, folder)))
    app = Runner(config, Simulator(config.settings(), clock=clock) if clock else None).app
    tokens.preload()
    app.routes.complete()
    app.routes.prepare()
    told = uvicorn.Config(app, log_config=None, lifespan="off")
    told.load()
    lanes = Lanes(app.desk, config.body_limit)
    protocol = WireProtocol(lanes=lanes, config=told, server_state=ServerState(), app_state={})
    protocol.connection_made(wire)
    return protocol


async def served(asked: bytes, count: int, folder: Path) -> Wire:
    """Serves the request so often on one connection; gives what was written to it."""
    wire = Wire()
    protocol = served_by(wire, folder)
    garbage.settle()
    for _ in range(count):
        protocol.data_received(asked)
    protocol.connection_lost(None)
    return wire


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--api", choices=list(WORDINGS), default="chat")
    options.add_argument("--mode", choices=("whole", "stream"), default="stream")
    options.add_argument("--count", type=int, default=1000)
    chosen = options.parse_args()
    api: Api = chosen.api
    with tempfile.TemporaryDirectory() as folder:
        wire = asyncio.run(served(request(api, stream=chosen.mode == "stream"), chosen.count, Path(folder)))
    assert wire.written == chosen.count, f"{wire.written} answers to {chosen.count} requests"
    assert wire.last.startswith(b"HTTP/1.1 200 "), wire.last[:200]


if __name__ == "__main__":
    main()
