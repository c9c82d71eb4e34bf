"""The floor: the least a Python server can do, canned bytes from hand-written HTTP, as the yardstick for llmsim.

It checks nothing and ignores flow control. Whole replies, streams in one write, and (`--tbt`) paced streams that all
hang on one timer and wait for moments (start + k gaps), never for gaps. `python -m bench.floor --port 9000 --tbt 20`
"""

import argparse
import asyncio
import gc
import math
import os
import re
import time
from collections import defaultdict
from contextlib import suppress
from functools import cache

TOKENS = 100
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
MAX_TOKENS = re.compile(rb'"max_tokens": *(\d+)')
STREAMED = re.compile(rb'"stream": *true')

CHUNK_HEAD = (
    b'data: {"id":"chatcmpl-floor","object":"chat.completion.chunk","created":1,"model":"gpt-4o",'
    b'"choices":[{"index":0,"delta":'
)
OPENING = CHUNK_HEAD + b'{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
EVENT = CHUNK_HEAD + b'{"content":"lorem "},"finish_reason":null}]}\n\n'
CLOSING = CHUNK_HEAD + b'{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(payload: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(payload), payload)


def whole(tokens: int = TOKENS) -> bytes:
    body = (
        b'{"id":"chatcmpl-floor","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":%d,'
        b'"total_tokens":%d}}' % (b"lorem " * tokens, tokens, tokens + 1)
    )
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@cache
def stream(tokens: int) -> bytes:
    return STREAM_HEAD + framed(OPENING + EVENT * tokens + CLOSING) + framed(b"")


WHOLE = whole()
FRAMED_OPENING, FRAMED_EVENT, FRAMED_END = framed(OPENING), framed(EVENT), framed(CLOSING) + framed(b"")


class Paced:
    """One stream on the wheel: `sent` of `tokens`, the next one due at `first + sent * tbt`."""

    __slots__ = ("first", "sent", "tokens", "transport")

    def __init__(self, transport: asyncio.Transport, first: float, tokens: int) -> None:
        self.transport, self.first, self.tokens, self.sent = transport, first, tokens, 0


class Pacer:
    """One timer for all streams, turning a wheel of milliseconds; a stream that is due is written all that is due."""

    def __init__(self, ttft: float, tbt: float) -> None:
        self.ttft, self.tbt = ttft, tbt
        self.wheel: dict[int, list[Paced]] = defaultdict(list)
        self.turned = 0

    def add(self, transport: asyncio.Transport, tokens: int) -> None:
        transport.write(STREAM_HEAD + FRAMED_OPENING)
        now = time.monotonic()
        if not self.wheel:
            self.turned = int(now * 1000)
            asyncio.get_running_loop().call_later(0.001, self.turn)
        self.hang(Paced(transport, now + self.ttft, tokens))

    def hang(self, paced: Paced) -> None:
        due = paced.first + paced.sent * self.tbt
        self.wheel[max(math.ceil(due * 1000), self.turned + 1)].append(paced)

    def turn(self) -> None:
        now = time.monotonic()
        while self.turned < int(now * 1000):
            self.turned += 1
            for paced in self.wheel.pop(self.turned, ()):
                self.fire(paced, now)
        if self.wheel:
            asyncio.get_running_loop().call_later(0.001, self.turn)

    def fire(self, paced: Paced, now: float) -> None:
        if paced.transport.is_closing():
            return
        due = min(int((now - paced.first) / self.tbt) + 1, paced.tokens) - paced.sent
        paced.sent += due
        if paced.sent < paced.tokens:
            paced.transport.write(FRAMED_EVENT * due)
            self.hang(paced)
        else:
            paced.transport.write(FRAMED_EVENT * due + FRAMED_END)


class Floor(asyncio.Protocol):
    def __init__(self, pacer: Pacer | None, loops: int = 0) -> None:
        self.pacer, self.loops, self.unread = pacer, loops, b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = self.unread + data if self.unread else data
        while (head := data.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(data, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(data) < end:
                break
            self.answer(data[head + 4 : end])
            data = data[end:]
        self.unread = data

    def answer(self, body: bytes) -> None:
        for _ in range(self.loops):
            pass
        if not STREAMED.search(body):
            self.transport.write(WHOLE)
            return
        asked = MAX_TOKENS.search(body)
        tokens = int(asked[1]) if asked else TOKENS
        if self.pacer:
            self.pacer.add(self.transport, tokens)
        else:
            self.transport.write(stream(tokens))


def forked(workers: int) -> int:
    """Makes so many processes of this one; gives what ends with the first of them to all the others, 0 to that."""
    ends, kept = os.pipe()
    for _ in range(workers - 1):
        if os.fork() == 0:
            os.close(kept)
            return ends
    return 0


async def serve(port: int, pacer: Pacer | None, loops: int, parent: int) -> None:
    if parent:
        asyncio.get_running_loop().add_reader(parent, os._exit, 0)
    server = await asyncio.get_running_loop().create_server(
        lambda: Floor(pacer, loops), "127.0.0.1", port, backlog=4096, reuse_port=True
    )
    gc.freeze()
    await server.serve_forever()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--ttft", type=float, default=100, help="ms before the first token of a paced stream")
    options.add_argument("--tbt", type=float, default=0, help="ms between tokens; 0: streams in one write")
    options.add_argument("--workers", type=int, default=1, help="processes on the same port (SO_REUSEPORT)")
    options.add_argument("--loops", type=int, default=0, help="empty rounds of a loop before each answer")
    chosen = options.parse_args()
    parent = forked(chosen.workers)
    pacer = Pacer(chosen.ttft / 1000, chosen.tbt / 1000) if chosen.tbt else None
    with suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(chosen.port, pacer, chosen.loops, parent))


if __name__ == "__main__":
    main()
