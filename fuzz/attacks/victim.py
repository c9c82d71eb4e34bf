"""A server to attack, in a process of its own, and what it looks like from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

_SERVING = re.compile(r"serving on http://([\d.]+):(\d+)")


@dataclass(frozen=True)
class Look:
    """How the server is: memory in MB, open descriptors, requests under way, seconds that /health took."""

    rss: float
    descriptors: int
    active: int
    health: float


class Victim:
    """One server; `log` holds all that it wrote."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, host: str, port: int) -> None:
        self.process, self._log, self.host, self.port = process, log, host, port

    @property
    def log(self) -> str:
        return self._log.read_text(errors="backslashreplace")

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def rss(self) -> float:
        told = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", told)
        return int(found[1]) / 1024 if found else 0.0

    def seconds(self) -> float:
        """Seconds of a core that it has taken."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    async def look(self) -> Look:
        """Raises what the connection raises where it does not answer within 20 seconds."""
        begun = asyncio.get_running_loop().time()
        answer = await asyncio.wait_for(self.talk(b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"), 20)
        took = asyncio.get_running_loop().time() - begun
        active = re.search(rb'"active":(\d+)', answer)
        descriptors = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        return Look(self.rss(), descriptors, int(active[1]) if active else -1, took)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)

    async def talk(self, data: bytes, patience: float = 15.0, after: bytes = b"") -> bytes:
        """What comes until the server closes, or nothing comes any more for so long; `after` is sent after a head."""
        reader, writer = await self.connect()
        told = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            writer.write(data)
            await asyncio.wait_for(writer.drain(), patience)
            if after:
                told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), patience)
                writer.write(after)
            while part := await asyncio.wait_for(reader.read(65536), patience):
                told += part
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return told


@contextlib.asynccontextmanager
async def victim(*flags: str, **environment: str) -> AsyncIterator[Victim]:
    """A server on a free port, ended at the end."""
    with tempfile.TemporaryDirectory(prefix="llmsim-attack-") as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "llmsim", "serve", "--port", "0", "--latency-profile", "instant", *flags]
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=file, stderr=file, env={**os.environ, **environment}, cwd=folder
            )
        try:
            for _ in range(600):
                if found := _SERVING.search(log.read_text()):
                    yield Victim(process, log, found[1], int(found[2]))
                    break
                await asyncio.sleep(0.05)
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 20)
                except TimeoutError:
                    process.kill()
