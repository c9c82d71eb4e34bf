"""A real simulator on a told clock behind the console, with requests begun by hand: no server, no network."""

from __future__ import annotations

import hashlib
import json

from llmsim_tui.local import LocalBackend

from llmsim.clock import ToldClock
from llmsim.conversation import Ask, Message
from llmsim.exchange import Exchange
from llmsim.settings import Settings
from llmsim.simulator import Simulator

ADDRESS = "127.0.0.1:8080"


def simulated(**settings: object) -> tuple[Simulator, LocalBackend]:
    simulator = Simulator(Settings().changed(**{"latency_profile": "fast", **settings}), clock=ToldClock())
    simulator.reread = lambda exchange: ask_of(json.loads(exchange.request))
    return simulator, LocalBackend(simulator, ADDRESS)


def asked(simulator: Simulator, text: str = "hello", *, live: bool = False, **fields: str) -> Exchange:
    """One request, answered at once unless it is to stay under way."""
    body = {"model": fields.get("model", "gpt-4o"), "text": text}
    ask = ask_of(body)
    ask.key, ask.client = fields.get("key", "sk-test"), fields.get("client", "agent-01")
    exchange = simulator.begin(ask, json.dumps(body).encode())
    failure = exchange.plan.failure
    exchange.status = failure.status if failure else 200
    if not live:
        exchange.first = simulator.clock.now()
        exchange.take(simulator.clock.now() + 1e6)
        simulator.end(exchange, "failed" if failure else "done")
    return exchange


def ask_of(body: dict[str, str]) -> Ask:
    """An ask as the toy API reads it."""
    return Ask(
        model=body["model"],
        messages=(Message("user", body["text"]),),
        dialect="openai_chat",
        provider="openai",
        endpoint="/v1/chat/completions",
        stream=True,
        prompt_tokens=10,
        digest=hashlib.sha256(json.dumps(body).encode()).digest(),
    )
