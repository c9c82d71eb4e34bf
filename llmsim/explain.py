"""Says why a reply is as it is: who made it, which rules had their say, how late it came."""

from __future__ import annotations

from llmsim.exchange import Exchange
from llmsim.load import LoadedExchange
from llmsim.mocks.index import Near

LONGEST = 2000
"""Characters that a header tells at most."""


def why(exchange: Exchange, near: Near | None = None) -> list[str]:
    """How the reply came to be, one line a cause; `near` is the mock that came nearest where none took it."""
    ask, plan = exchange.ask, exchange.plan
    lines = [f"made by: {plan.origin}"]
    if near is not None:
        lines.append(near.told())
    if plan.profile:
        lines.append(f"latency profile: {plan.profile}, first token planned at {plan.times[0] * 1000:.0f} ms")
    if isinstance(exchange, LoadedExchange):
        lines.append(_load(exchange))
    lines += [note for note in plan.notes if note]
    if ask.attempt:
        lines.append(f"the client's try number {ask.attempt + 1}")
    lines.append(f"dice: {exchange.seed:016x}")
    if exchange.late > 0.005:
        lines.append(f"latest piece came {exchange.late * 1000:.0f} ms late")
    return lines


def _load(exchange: LoadedExchange) -> str:
    if exchange.waited is None:
        return "load: waits for a slot" if exchange.state == "live" else "load: never had a slot"
    queue = f"waited {exchange.waited * 1000:.0f} ms for a slot" if exchange.waited > 0 else "a slot at once"
    cached = exchange.plan.usage.cached
    known = f", {cached:,} tokens of the prompt were known" if cached else ""
    pace = f"waits {exchange.stretch:.2f} times as long at last"
    return f"load: {queue}, {exchange.company} others at work, {pace}{known}"


def header(lines: list[str]) -> bytes:
    """The lines as the value of one header: printable ASCII, all else as question marks."""
    told = " | ".join(lines)[:LONGEST]
    return "".join(sign if " " <= sign <= "~" else "?" for sign in told).encode("ascii")
