"""For tests: a server in this process, a transport without sockets, and what a test says to either and asks of it."""

from __future__ import annotations

from llmsim.testing.asgi import Transport, transport
from llmsim.testing.controls import Controls, Rule
from llmsim.testing.seen import Requests, Seen
from llmsim.testing.server import Running, running

__all__ = ["Controls", "Requests", "Rule", "Running", "Seen", "Transport", "running", "transport"]
