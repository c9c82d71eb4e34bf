"""Whoever writes a tape may be killed at any moment: the tape opens, and at most the last exchange is missing."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
from upstream import upstream

from llmsim.tapes import Tape

ROOT = Path(__file__).parents[2]
WRITER = """
import itertools, os, sys
from llmsim.tapes import Frame, Take, Writer
writer = Writer(sys.argv[1], rotate_at=1 << 20)
frames = tuple(Frame(at / 100, os.urandom(300)) for at in range(200))
for number in itertools.count(int(sys.argv[2])):
    writer.write(Take(id=str(number), at=0.0, method="POST", path="/", frames=frames))
    os.write(1, b"%d\\n" % number)
"""


def test_a_writer_that_is_killed_loses_nothing_that_it_has_written(tmp_path):
    tape, number = tmp_path / "run.jsonl", 0
    for kill in range(6):
        command = [sys.executable, "-c", WRITER, str(tape), str(number)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment()) as writer:
            told = [writer.stdout.readline() for _ in range(3 + 11 * kill)]
            os.kill(writer.pid, signal.SIGKILL)
            last = int([*told, *writer.stdout.read().splitlines()][-1])
        ids = [int(take.id) for take in Tape(tape)]
        assert ids == list(range(len(ids))), "something is missing or doubled"
        assert last <= ids[-1] <= last + 1
        number = len(ids)
    assert number > 100
    assert len(Tape(tape).files) > 2


def environment():
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


async def recording(tape, url):
    """`llmsim record` in a process of its own, and its address."""
    command = ["-m", "llmsim", "record", "--upstream", f"openai={url}", "--tape", str(tape), "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    while line := await process.stderr.readline():
        if found := re.search(rb"serving on (http://\S+)", line):
            return process, found[1].decode()
    raise AssertionError("it did not start")


async def test_a_recorder_that_is_killed_under_load_loses_at_most_the_last_exchange_of_a_connection(tmp_path):
    tape, connections = tmp_path / "run.jsonl", 6
    before = 0

    async def serve(call):
        call.stream("content-type: text/event-stream")
        for _ in range(20):
            call.chunk(b"data: " + call.body + b"\n\n")
        call.close()

    async with upstream(serve) as url:
        for _ in range(2):
            process, address = await recording(tape, url)
            answered = [0] * connections
            enough = asyncio.Event()

            async def client(number, address, answered=answered, enough=enough):
                async with httpx2.AsyncClient(timeout=60) as http:
                    while True:
                        told = {"messages": [{"content": f"{number} says jane@example.com"}]}
                        try:
                            await http.post(f"{address}/v1/chat/completions", json=told)
                        except httpx2.TransportError:
                            return
                        answered[number] += 1
                        if sum(answered) > 60:
                            enough.set()

            clients = asyncio.gather(*(client(number, address) for number in range(connections)))
            await enough.wait()
            process.kill()
            await clients
            await process.communicate()
            kept = list(Tape(tape))
            assert sum(answered) - connections <= len(kept) - before <= sum(answered) + connections
            assert all(take.end == "done" and len(take.frames) > 0 for take in kept)
            before = len(kept)
    assert b"jane@" not in tape.read_bytes()


async def test_a_recorder_that_is_told_to_end_closes_its_tape_and_says_what_is_on_it(tmp_path):
    tape = tmp_path / "run.jsonl.gz"

    async def serve(call):
        call.whole(b'{"mail":"jane@example.com"}', "content-type: application/json")

    async with upstream(serve) as url, httpx2.AsyncClient() as http:
        process, address = await recording(tape, url)
        await http.get(f"{address}/v1/models")
        process.terminate()
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode() == f"{tape}: 1 exchanges (1 done), 1 masks, {tape.stat().st_size} bytes\n"
    assert [one.name for one in tmp_path.iterdir()] == [tape.name]
    assert [take.path for take in Tape(tape)] == ["/v1/models"]
