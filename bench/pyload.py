"""The load client in plain Python, for machines without a C compiler: the options and answers of load.c, at more cost.

It ends a reply at its Content-Length or its last chunk, and takes chunk marks within a stream for blank text: a server
that cuts an event in two in mid-token would be counted one short.
"""

import gc
import json
import re
import resource
import select
import socket
import struct
import sys
from array import array
from time import monotonic
from typing import BinaryIO

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
LAST_CHUNK = b"\r\n0\r\n\r\n"


def token_pattern(key: str) -> re.Pattern[bytes]:
    """What an event that carries a token holds: this JSON key with a text."""
    return re.compile(rb'"%b": ?"(?!")' % key.encode())


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Connection:
    """One keep-alive connection, with one reply under way."""

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.socket = socket.create_connection(("127.0.0.1", client.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask()

    def ask(self) -> None:
        self.unread, self.in_head, self.left = b"", True, 0
        self.moments: list[float] = []
        self.asked = monotonic()
        self.socket.sendall(self.client.request)

    def read(self, data: bytes, moment: float) -> None:
        if self.in_head:
            self.unread += data
            end = self.unread.find(b"\r\n\r\n")
            if end < 0:
                return
            self.client.refused += self.unread[9:12] != b"200"
            length = LENGTH.search(self.unread, 0, end)
            data, self.in_head = self.unread[end + 2 :], False
            self.left, self.unread = int(length[1]) + 2 if length else -1, b""
        if self.left >= 0:
            self.left -= len(data)
            if self.left == 0:
                self.replied()
        else:
            self.read_stream(data, moment)

    def read_stream(self, data: bytes, moment: float) -> None:
        data = self.unread + data
        ended = data.endswith(LAST_CHUNK)
        cut = len(data) if ended else max(data.rfind(b"\n\n"), 0)
        found = len(self.client.token.findall(data, 0, cut))
        self.unread = data[cut:]
        self.client.count(found)
        self.moments += [moment] * found
        if ended:
            self.replied()

    def replied(self) -> None:
        self.client.replies += self.client.counting
        self.write_moments()
        self.ask()

    def write_moments(self) -> None:
        if self.client.moments and self.moments:
            self.client.moments.write(struct.pack("=qd", len(self.moments), self.asked))
            self.client.moments.write(array("d", self.moments).tobytes())


class Client:
    """All connections, and what was counted while the window was open."""

    def __init__(self, options: dict[str, str]) -> None:
        self.port, self.paced = int(options["port"]), options["mode"] == "paced"
        with open(options["request"], "rb") as file:
            self.request = file.read()
        self.connections = int(options["connections"])
        self.warm, self.seconds = float(options["warm"]), float(options["seconds"])
        self.wanted = int(options.get("replies", 0))
        self.moments: BinaryIO | None = open(options["moments"], "wb") if self.paced else None  # noqa: SIM115
        self.token = token_pattern(options.get("token", "content"))
        self.replies = self.tokens = self.refused = self.broken = 0
        self.counting = False
        self.dialled: dict[int, Connection] = {}
        self.epoll = select.epoll()

    def count(self, tokens: int) -> None:
        if self.counting:
            self.tokens += tokens

    def dial(self, started: float) -> None:
        share = (monotonic() - started) / (self.warm * 0.8) if self.paced else 1.0
        while len(self.dialled) < min(self.connections, int(share * self.connections) + 1):
            connection = Connection(self)
            self.dialled[connection.socket.fileno()] = connection
            self.epoll.register(connection.socket.fileno(), select.EPOLLIN)

    def turn(self) -> None:
        for number, _ in self.epoll.poll(0.001 if len(self.dialled) < self.connections else 0.01, 512):
            connection = self.dialled[number]
            data = connection.socket.recv(1 << 18)
            if data:
                connection.read(data, monotonic())
            else:
                self.broken += 1
                self.epoll.unregister(number)
                self.dialled.pop(number).socket.close()

    def run(self) -> dict[str, float]:
        started = monotonic()
        while monotonic() < started + self.warm:
            self.dial(started)
            self.turn()
        print("open", flush=True)
        opened, before, self.counting = monotonic(), cpu(), True
        while monotonic() < opened + self.seconds and not 0 < self.wanted <= self.replies:
            self.dial(started)
            self.turn()
        told = {"opened": opened, "closed": monotonic(), "cpu": cpu() - before, "replies": self.replies}
        return told | {"tokens": self.tokens, "refused": self.refused, "broken": self.broken}


def main() -> None:
    client = Client(dict(word.split("=", 1) for word in sys.argv[1:]))
    gc.disable()
    print(json.dumps(client.run()), flush=True)
    for connection in client.dialled.values():
        connection.write_moments()
    if client.moments:
        client.moments.close()


if __name__ == "__main__":
    main()
