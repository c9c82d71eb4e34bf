"""An outlet sends at once, waits where the client does not read, and keeps the order."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any

import pytest
from running import until

from llmsim.server.outlet import WIRE, Outlet


class Client:
    """A client whose socket is full while `gate` is closed."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.drains = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, message: Any) -> None:
        await self.gate.wait()
        self.got.append(message.get("body", message["type"]))

    def drained(self) -> None:
        self.drains += 1

    def outlet(self) -> Outlet:
        outlet = Outlet(self.send, {"extensions": {WIRE: None}})
        outlet.drained = self.drained
        return outlet


async def test_messages_go_out_at_once() -> None:
    client = Client()
    outlet = client.outlet()
    outlet.start(200, [])
    outlet.body(b"one", True)
    assert client.got == ["http.response.start", b"one"]
    assert (outlet.started, outlet.blocked, client.drains) == (True, False, 0)


async def test_messages_wait_in_order_for_a_client_that_does_not_read() -> None:
    client = Client()
    outlet = client.outlet()
    outlet.start(200, [])
    client.gate.clear()
    for part in (b"one", b"two", b"three"):
        outlet.body(part, True)
    assert outlet.blocked
    assert client.got == ["http.response.start"]
    client.gate.set()
    await until(lambda: client.drains)
    assert client.got == ["http.response.start", b"one", b"two", b"three"]
    assert (outlet.blocked, client.drains) == (False, 1)


async def test_a_client_that_stops_reading_again_is_waited_for_again() -> None:
    client = Client()
    outlet = client.outlet()
    client.gate.clear()
    outlet.body(b"one", True)
    outlet.body(b"two", True)
    send = client.send

    async def once(message: Any) -> None:
        await send(message)
        client.gate.clear()

    client.send = once  # type: ignore[method-assign]
    outlet._send = once
    client.gate.set()
    await until(lambda: client.got == [b"one", b"two"])
    assert client.drains == 1


async def test_a_send_that_only_gives_way_is_resumed() -> None:
    got = []

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        got.append(message["body"])

    outlet = Outlet(send, {"extensions": {WIRE: None}})
    outlet.body(b"one", True)
    await until(lambda: got == [b"one"])


async def test_what_waits_is_let_go_at_the_end() -> None:
    client = Client()
    outlet = client.outlet()
    client.gate.clear()
    outlet.body(b"one", True)
    outlet.body(b"two", True)
    outlet.shut()
    client.gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (client.got, client.drains) == ([], 0)
    gc.collect()  # a coroutine that was never ended would warn here


async def test_without_a_transport_the_task_itself_is_cancelled() -> None:
    async def work() -> str:
        outlet = Outlet(Client().send, {})
        outlet.sever(reset=True)
        assert outlet.cancels
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            outlet.shut()
            task = asyncio.current_task()
            return f"cancelled, {task.cancelling() if task else None} cancellations left"
        return "not cancelled"

    assert await asyncio.ensure_future(work()) == "cancelled, 0 cancellations left"


class Wire:
    """A transport that notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def get_extra_info(self, name: str) -> None:
        return None


@pytest.mark.parametrize(("reset", "done"), [(True, "abort"), (False, "close")])
async def test_with_a_transport_the_connection_ends(reset: bool, done: str) -> None:
    wire = Wire()
    Outlet(Client().send, {"extensions": {WIRE: wire}}).sever(reset)
    assert wire.done == [done]


class Gone:
    """The socket of a client that has left, as uvloop has it: without a number, and refusing every call."""

    family = socket.AF_INET

    def fileno(self) -> int:
        return -1

    def setsockopt(self, *_: object) -> None:
        raise ValueError("negative file descriptor")


async def test_a_reset_of_a_connection_whose_client_has_left_already_is_no_error() -> None:
    wire = Wire()
    wire.get_extra_info = lambda name: Gone()  # type: ignore[method-assign,assignment,return-value]
    Outlet(Client().send, {"extensions": {WIRE: wire}}).sever(reset=True)
    assert wire.done == ["abort"]
