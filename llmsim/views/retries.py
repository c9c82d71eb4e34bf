"""How the clients of the newest requests took what went wrong: tries of each call, waits between them, who gave up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.verdict.calls import Call, Wait
from llmsim.verdict.tries import Client, Linker, client_of
from llmsim.verdict.words import many
from llmsim.views import Retries

LOOKED_AT: Final = 400
"""Requests that are looked at, the newest; linking them takes a millisecond."""
_WORST: Final = 12
"""Clients that are told of in words."""
_APART: Final = 4
"""Machines of one client that are told apart."""
_NAME: Final = 40
"""Characters of a client's name in these words."""

_GONE: Final = frozenset(("refused", "broken", "left"))
_AGAIN: Final = frozenset(("refused", "broken"))
"""Endings of a call that a client might have mended by asking again."""


def retried(exchanges: Sequence[Exchange], now: float) -> Retries:
    """The tries of these exchanges, oldest first; those of which the first one is not among them count as they say."""
    linker = Linker()
    for _ in linker.link(exchanges):
        pass
    earlier = linker.earlier
    calls = _calls(exchanges, earlier, now)
    depths = Counter(min(3, depth) for call in calls for depth in _depths(call))
    endings = [call.ending for call in calls]  # once for each call: it takes the most of the time
    waits = [wait for call in calls if len(call.tries) > 1 for wait in call.waits]
    return Retries(
        requests=sum(depths.values()),
        firsts=depths[0],
        second=depths[1],
        third=depths[2],
        more=depths[3],
        gave_up=sum(ending in _AGAIN for ending in endings),
        left=endings.count("left"),
        wait=median(wait.seconds for wait in waits) if waits else None,
        told=sum(wait.told is not None for wait in waits),
        early=sum(_hasty(wait) for wait in waits),
        worst=_worst([one for one in zip(calls, endings, strict=True) if one[1] in _GONE or len(one[0].tries) > 1]),
        links={str(new): one.number for new, one in earlier.items()},
    )


def _calls(exchanges: Iterable[Exchange], earlier: dict[int, Exchange], now: float) -> list[Call]:
    """The exchanges by calls; what goes on by itself beside another one is no request of a client's."""
    tries: dict[int, list[Exchange]] = {}
    for exchange in exchanges:
        if exchange.ask.follows is None:
            before = earlier.get(exchange.number)
            found = tries.pop(before.number, []) if before is not None else []
            tries[exchange.number] = [*found, exchange]
    return [Call(found, now) for found in tries.values()]


def _depths(call: Call) -> list[int]:
    """Of each try, which retry it is: 0 the first try; by the client's own count where it began before the others."""
    began = call.tries[0].ask.attempt
    return [began + place for place in range(len(call.tries))]


def _hasty(wait: Wait) -> bool:
    return wait.kept in ("early", "ignored")


def _worst(calls: Sequence[tuple[Call, str]]) -> tuple[str, ...]:
    """A line for each client that something is to be said of, those with the most of it first."""
    by: dict[Client, list[tuple[Call, str]]] = defaultdict(list)
    for call, ending in calls:
        by[client_of(call.tries[0])].append((call, ending))
    names, found = Counter(_name(client) for client in by), list[tuple[int, str]]()
    for client, own in by.items():
        for where, some in _parted(own):
            score, said = _said(some)
            if score:
                found.append((score, f"{_called(client, where, names[_name(client)] > 1)}: {said}"))
    return tuple(line for _, line in sorted(found, key=lambda one: -one[0])[:_WORST])


def _parted(own: Sequence[tuple[Call, str]]) -> list[tuple[str, list[tuple[Call, str]]]]:
    """A client's calls by the machines they come from; one that has given itself a name is one wherever it is."""
    parts: dict[str, list[tuple[Call, str]]] = defaultdict(list)
    for one in own:
        parts[_machine(one[0].tries[-1])].append(one)
    if 1 < len(parts) <= _APART:
        return [(f"at {where}" if where else "", some) for where, some in parts.items()]
    return [(f"at {len(parts)} addresses" if len(parts) > 1 else "", list(own))]


def _machine(exchange: Exchange) -> str:
    """The address that a request came from. Ports tell nothing: the SDKs begin a connection with nearly each stream."""
    request = exchange.asked[2] if exchange.asked is not None else None
    return "" if request is None or b"x-llmsim-client" in request.headers else str(request.client)


def _name(client: Client) -> str:
    return masks.text(client.name, client.key)[:_NAME] or masks.key(client.key) or "without a name"


def _called(client: Client, where: str, shared: bool) -> str:
    """Its name; with its key where others have the same name, and where it comes from if that tells it apart."""
    name, key = _name(client), masks.key(client.key)
    return " ".join([name] + [key] * (shared and bool(key) and key != name) + [where] * bool(where))


def _said(told: Sequence[tuple[Call, str]]) -> tuple[int, str]:
    calls = [call for call, _ in told]
    waits = [wait for call in calls for wait in call.waits if wait.told is not None]
    hasty = sum(_hasty(wait) for wait in waits)
    hopeless = sum(len(call.hopeless) for call in calls)
    gone = Counter(ending for _, ending in told if ending in _GONE)
    again = sum(len(call.tries) - 1 for call in calls)
    parts = [
        f"too early {hasty} of {len(waits)}" if hasty else "",
        f"{hopeless} asked again in vain" if hopeless else "",
        f"gave up {gone['refused'] + gone['broken']}" if gone["refused"] + gone["broken"] else "",
        f"left {gone['left']}" if gone["left"] else "",
        many(again, "retry", "retries") if again else "",
    ]
    return 4 * hasty + 4 * hopeless + 2 * gone.total() + again, ", ".join(part for part in parts if part)
