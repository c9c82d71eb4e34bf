"""Attacks by bytes on the wire: slow, huge, malformed, ambiguous."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import struct
from typing import Any

import orjson

from fuzz.attacks.victim import Victim

CHAT = orjson.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]})
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer k\r\n"


def post(body: bytes, *more: bytes, path: bytes = b"/v1/chat/completions") -> bytes:
    head = HEAD.replace(b"/v1/chat/completions", path)
    return head + b"".join(one + b"\r\n" for one in more) + b"content-length: %d\r\n\r\n" % len(body) + body


def statuses(told: bytes) -> str:
    """The statuses of the answers, in their order."""
    found = [part[:3].decode("latin-1") for part in told.split(b"HTTP/1.1 ")[1:]]
    return ", ".join(found) if found else ("closed without a word" if not told else repr(told[:60]))


async def idle(victim: Victim, count: int) -> str:
    """Connections that say nothing at all, beside which a client is served."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    for _ in range(count):
        plug = socket.socket()
        plug.setblocking(False)
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_connect(plug, (victim.host, victim.port))
            held.append(plug)
    told = await victim.talk(post(CHAT, b"connection: close"))
    look = await victim.look()
    for plug in held:
        plug.close()
    return f"{len(held)} held; a client beside them got {statuses(told)}; {look.rss:.0f} MB"


async def no_descriptors(victim: Victim, count: int, seconds: float) -> str:
    """More connections than the server may have descriptors, with the time of a core that it takes meanwhile."""
    usual = resource.prlimit(victim.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(victim.process.pid, resource.RLIMIT_NOFILE, (64, usual[1]))
    held = []
    for _ in range(count):
        plug = socket.socket()
        plug.setblocking(False)
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_connect(plug, (victim.host, victim.port))
        held.append(plug)
    before = victim.seconds()
    await asyncio.sleep(seconds)
    spent = victim.seconds() - before
    for plug in held:
        plug.close()
    await asyncio.sleep(2)
    told = await victim.talk(post(CHAT, b"connection: close"))
    resource.prlimit(victim.process.pid, resource.RLIMIT_NOFILE, usual)
    served = f"a client after them got {statuses(told)}"
    return f"{count} to a server with 64: {spent:.1f} s of a core in {seconds:g} s; {served}"


async def drip(victim: Victim, count: int, seconds: float) -> str:
    """Slowloris: heads that come byte by byte and never end."""
    closed = 0

    async def one() -> None:
        nonlocal closed
        reader, writer = await victim.connect()
        with contextlib.suppress(ConnectionError):
            writer.write(HEAD)
            for at in range(int(seconds)):
                writer.write(b"x-%d: a\r\n" % at)
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    if await asyncio.wait_for(reader.read(500), 1) == b"" or reader.at_eof():
                        closed += 1
                        break
        writer.close()

    work = asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)
    await asyncio.sleep(min(2, seconds / 2))
    told = await victim.talk(post(CHAT, b"connection: close"))
    await work
    return f"{closed} of {count} were closed within {seconds:g} s; a client beside them got {statuses(told)}"


async def half_open(victim: Victim, count: int) -> str:
    """Clients that ask for a stream, and vanish without a word or by a reset."""
    ask = post(orjson.dumps({**orjson.loads(CHAT), "stream": True}))
    for at in range(count):
        plug = socket.socket()
        plug.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plug, (victim.host, victim.port))
        await asyncio.get_running_loop().sock_sendall(plug, ask[: -(at % 3) or None])
        if at % 2:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plug.close()
    await asyncio.sleep(1)
    look = await victim.look()
    return f"{look.active} requests and {look.descriptors} descriptors were left"


async def large(victim: Victim, size: int, chunked: bool) -> str:
    """A body of so many bytes, announced or in chunks, with the memory that the server had meanwhile."""
    reader, writer = await victim.connect()
    head = b"transfer-encoding: chunked\r\n\r\n" if chunked else b"content-length: %d\r\n\r\n" % size
    writer.write(HEAD + head)
    block = bytes(1 << 20)
    part = b"%x\r\n%b\r\n" % (len(block), block) if chunked else block
    most, told, sent = 0.0, b"", 0
    with contextlib.suppress(ConnectionError, TimeoutError):
        while sent < size:
            writer.write(part)
            await asyncio.wait_for(writer.drain(), 20)
            sent += len(block)
            most = max(most, victim.rss())
        if chunked:
            writer.write(b"0\r\n\r\n")
    with contextlib.suppress(ConnectionError, TimeoutError):
        told = await asyncio.wait_for(reader.read(2000), 10)
    writer.close()
    return f"{statuses(told)} after {sent >> 20} MB; at most {most:.0f} MB of memory meanwhile"


async def flood_of_headers(victim: Victim, size: int) -> str:
    """One head of so many bytes: many headers, then one endless line."""
    outcomes = []
    for line in (b"x-a: b\r\n" * 10_000, b"x" * 80_000):
        reader, writer = await victim.connect()
        writer.write(HEAD)
        sent, most, told = 0, 0.0, b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while sent < size:
                writer.write(line)
                await asyncio.wait_for(writer.drain(), 10)
                sent += len(line)
                most = max(most, victim.rss())
        with contextlib.suppress(ConnectionError, TimeoutError):
            told = await asyncio.wait_for(reader.read(2000), 2)
        writer.close()
        outcomes.append(f"{statuses(told)} after {sent / 2**20:.1f} MB ({most:.0f} MB of memory)")
    return "; ".join(outcomes)


MALFORMED: tuple[tuple[str, bytes], ...] = (
    ("no request at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9),
    ("a bad method", b"FROB /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("a bad version", b"GET / HTTP/9.9\r\nhost: a\r\n\r\n"),
    ("HTTP/0.9", b"GET /\r\n\r\n"),
    ("a bare CR", b"GET / HTTP/1.1\rhost: a\r\r"),
    ("a blank before a colon", HEAD + b"content-length : 2\r\n\r\n{}"),
    ("a folded header", HEAD + b"x-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}"),
    ("a NUL in a header", HEAD + b"x-a: b\0c\r\ncontent-length: 2\r\n\r\n{}"),
    ("a chunk without a size", HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"),
    ("a chunk of 2^70", HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 18 + b"\r\n{}\r\n"),
    ("a negative chunk", HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\n{}\r\n"),
    ("a chunk with an endless extension", HEAD + b"transfer-encoding: chunked\r\n\r\n2;" + b"a" * 300_000),
    ("a chunk shorter than told", HEAD + b"transfer-encoding: chunked\r\n\r\n9\r\n{}\r\n0\r\n\r\n"),
    ("a length that is no number", HEAD + b"content-length: two\r\n\r\n{}"),
    ("a length below nothing", HEAD + b"content-length: -1\r\n\r\n{}"),
    ("a length of 2^80", HEAD + b"content-length: 1208925819614629174706176\r\n\r\n{}"),
    ("a path that is no path", b"GET http://[::1 HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("a path with bytes", b"GET /\xff\xfe%ff%00%0d%0a HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("a path of 100 kB", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("an unknown upgrade", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
    ("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(40)),
    ("CONNECT", b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("TRACE", b"TRACE / HTTP/1.1\r\nhost: a\r\ncookie: a=b\r\n\r\n"),
)


async def malformed(victim: Victim) -> str:
    """What no client sends; each of them gets an error or a closed connection."""
    told: dict[str, list[str]] = {}
    for name, raw in MALFORMED:
        told.setdefault(statuses(await victim.talk(raw, 2)), []).append(name)
    return "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in told.items())


_HIDDEN = b"GET /llmsim/state HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
SMUGGLED: tuple[tuple[str, bytes], ...] = (
    ("CL and TE", HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + _HIDDEN),
    ("TE and CL", HEAD + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n" + _HIDDEN),
    ("two lengths", HEAD + b"content-length: 2\r\ncontent-length: %d\r\n\r\n{}" % (2 + len(_HIDDEN)) + _HIDDEN),
    ("two equal lengths", HEAD + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}" + _HIDDEN),
    ("a list of lengths", HEAD + b"content-length: 2, 2\r\n\r\n{}" + _HIDDEN),
    ("TE of another name", HEAD + b"transfer-encoding: xchunked\r\ncontent-length: 2\r\n\r\n{}" + _HIDDEN),
    ("TE behind a tab", HEAD + b"transfer-encoding:\tchunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n" + _HIDDEN),
    ("TE chunked twice", HEAD + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + _HIDDEN),
    (
        "TE with identity",
        HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n" + _HIDDEN,
    ),
    ("a length with a sign", HEAD + b"content-length: +2\r\n\r\n{}" + _HIDDEN),
    ("a bare line feed", HEAD.replace(b"\r\n", b"\n") + b"content-length: 2\n\n{}" + _HIDDEN),
    ("a head within a head", HEAD + b"x-a: b\r\n\rcontent-length: 2\r\n\r\n{}" + _HIDDEN),
)


async def smuggled(victim: Victim) -> str:
    """Requests whose end is told in two ways, with another one behind; one status: the second was not seen."""
    told: dict[str, list[str]] = {}
    for name, raw in SMUGGLED:
        told.setdefault(statuses(await victim.talk(raw, 2)), []).append(name)
    return "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in told.items())


async def pipelined(victim: Victim, count: int) -> str:
    """So many requests in one write, on one connection."""
    told = await victim.talk(post(CHAT) * count + post(CHAT, b"connection: close"), 20)
    return f"{told.count(b'HTTP/1.1 200')} of {count + 1} answered"


async def sockets(victim: Victim) -> str:
    """Web sockets: bad frames, a frame of 2^62 bytes, a flood of frames, control frames that are large."""
    shake = (
        b"GET /v1/responses HTTP/1.1\r\nhost: a\r\nauthorization: Bearer k\r\nupgrade: websocket\r\n"
        b"connection: upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    mask = b"\0\0\0\0"
    frames = {
        "unmasked": b"\x81\x02hi",
        "reserved bits": b"\xf1\x82" + mask + b"hi",
        "unknown opcode": b"\x83\x82" + mask + b"hi",
        "2^62 bytes": b"\x81\xff" + b"\x40" + bytes(7) + mask,
        "large ping": b"\x89\xfe\x01\x00" + mask + bytes(256),
        "continued without a beginning": b"\x80\x82" + mask + b"hi",
        "no UTF-8": b"\x81\x82" + mask + b"\xff\xfe",
        "1,000 frames": (b"\x81\x82" + mask + b"{}") * 1000,
        "deep JSON": b"\x81\xfe\x40\x00" + mask + b"[" * 16384,
    }
    told: dict[str, list[str]] = {}
    for name, raw in frames.items():
        answer = await victim.talk(shake, 2, after=raw)
        first, _, rest = answer.partition(b"\r\n\r\n")
        closed = rest.find(b"\x88")
        code = int.from_bytes(rest[closed + 2 : closed + 4], "big") if closed >= 0 else "an answer"
        told.setdefault(f"{statuses(first)}, then {code}", []).append(name)
    return "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in told.items())


async def asked(victim: Victim, *cases: tuple[str, Any]) -> str:
    """Bodies to paths; the status of each, with the seconds of the slowest."""
    slowest, told = 0.0, {}
    for name, raw in cases:
        begun = asyncio.get_running_loop().time()
        answer = statuses(await victim.talk(raw, 120))
        slowest = max(slowest, asyncio.get_running_loop().time() - begun)
        told.setdefault(answer, []).append(name)
    return (
        "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in told.items()) + f" (slowest {slowest:.1f} s)"
    )
