"""The journal and the exchanges over HTTP: looked through, judged, exported, and acted on while they run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.exports import entry, har_chunks, jsonl
from llmsim.journal.search import turn
from llmsim.journal.verify import Expectation
from llmsim.match import Allowance
from llmsim.server.control.call import Call, Operation, Problem, near_told, shown, whole
from llmsim.server.replay import replay
from llmsim.settings import MOST_PARTS
from llmsim.underway import ACTIONS
from llmsim.verdict import judging
from llmsim.verdict.tries import Linker, tries_of
from llmsim.views.exchanges import held
from llmsim.views.inspect import inspected

_PAGE = 100
_MOST_EXPECTED = 1_000
"""Expectations of one call."""


async def _steps(steps: Iterable[Any]) -> AsyncIterator[Any]:
    """What a search finds, with a turn for all others at each of its pauses."""
    for step in steps:
        if step is None:
            await turn()
        else:
            yield step


async def _one(steps: Iterable[Any]) -> Any:
    """The one result of a search."""
    async for found in _steps(steps):
        return found
    return None


def _search(call: Call, newest_first: bool = False) -> Iterator[Exchange | None]:
    before = call.number("before", 0)
    found: Iterator[Exchange | None] = call.simulator.journal.search(
        call.match(),
        reread=call.simulator.reread,
        after=call.number("after", 0),
        before=before or None,
        newest_first=newest_first,
    )
    return found


async def journal(call: Call) -> Any:
    """The exchanges that a match means, newest first if not `order=asc`; `bodies=true` with requests and replies."""
    limit = call.number("limit", _PAGE, 1, 1000)
    found = []
    newest_first, bodies = call.word("order", "desc", "asc") == "desc", call.word("bodies", "false", "true") == "true"
    async for exchange in _steps(_search(call, newest_first)):
        found.append(exchange)
        if len(found) == limit:
            break
    earlier = await _tries(call) if found else {}
    told = [entry(one, earlier=earlier.get(one.number), bodies=bodies) for one in found]
    kept = call.simulator.journal
    return {"exchanges": told, "first": kept.first, "last": kept.last}


async def _tries(call: Call) -> dict[int, int]:
    """The number of each exchange that is a retry, with that of the try before it."""
    linker = Linker()
    async for _ in _steps(linker.link(call.simulator.journal.between())):
        pass
    return {number: earlier.number for number, earlier in linker.earlier.items()}


async def clear(call: Call) -> Any:
    """Forgets all exchanges; their numbers go on."""
    count = len(call.simulator.journal)
    call.simulator.reset("journal", who=call.who)
    return {"cleared": count}


async def export(call: Call) -> Any:
    """The exchanges that a match means as JSON Lines or HAR, secrets masked; `replies` of streams are reconstructed."""
    form = call.word("format", "jsonl", "har")
    found = [exchange async for exchange in _steps(_search(call))]
    if form == "jsonl":
        chunks = jsonl(found)
    else:
        again = partial(replay, reread=call.simulator.reread)
        chunks = har_chunks(found, base=call.control.address, replay=again)
    kind = "application/x-ndjson" if form == "jsonl" else "application/json"
    name = f'attachment; filename="llmsim.{form}"'
    return StreamingResponse(_paused(chunks), media_type=kind, headers={"content-disposition": name})


async def _paused(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await turn()


async def verify(call: Call) -> Any:
    """Whether requests were seen as expected: one expectation, or a list in `expect`; 200 either way, `holds` tells."""
    told = call.json()
    raw = call.fields("expect")["expect"] if isinstance(told, dict) and "expect" in told else told
    raw = [raw] if isinstance(raw, dict) else raw
    if not isinstance(raw, list) or not raw:
        raise Problem(400, 'the body is an expectation such as {"when": "model:gpt*", "times": 3}, or a list of them')
    if len(raw) > _MOST_EXPECTED:
        raise Problem(400, f"expect: there are {len(raw):,} of them; at most {_MOST_EXPECTED:,} are allowed")
    wanted = await call.aside(lambda: _expectations(call, raw))
    simulator, found = call.simulator, []
    for one in wanted:
        exchanges = simulator.journal.between()
        found.append(await _one(one.verifying(exchanges, reread=simulator.reread, now=simulator.clock.now())))
    return {"holds": all(one.holds for one in found), "results": [one.json() for one in found]}


def _expectations(call: Call, raw: list[Any]) -> list[Expectation]:
    allowance = Allowance(MOST_PARTS)
    return [call.model(Expectation, one if isinstance(one, dict) else {"when": one}, allowance) for one in raw]


async def verdict(call: Call) -> Any:
    """What the clients made of errors, waits and broken replies, and what it cost.

    A match by client, key or model looks at all tries of a call; one by status or outcome would leave some out.
    """
    found = [exchange async for exchange in _steps(_search(call))]
    told = await _one(judging(found, call.simulator.clock.now()))
    return {**told.json(), "lines": told.lines()}


def _exchange(call: Call) -> Exchange:
    number, kept = whole(call.params["number"]), call.simulator.journal
    found = None if number is None else kept.get(number) or call.simulator.meter.live.get(number)
    if found is None:
        there = f"has {kept.first} to {kept.last}" if len(kept) else "is empty"
        raise Problem(404, f"there is no exchange {call.params['number'][:40]}; the journal {there}")
    return found


async def live(call: Call) -> Any:
    """The exchanges under way, oldest first."""
    found = islice(call.simulator.meter.live.values(), call.number("limit", _PAGE, 1, 1000))
    now = call.simulator.clock.now()
    return [{**entry(one, bodies=False), "held": held(one, now)} for one in found]


async def one(call: Call) -> Any:
    """One exchange: request, reply, why it is as it is, and the plan with its times."""
    exchange = _exchange(call)
    near = call.simulator.near(exchange)
    told = entry(exchange, earlier=(await _tries(call)).get(exchange.number))
    if near is not None:
        told["why"].append(masks.text(near.told(), exchange.ask.key))
    told["near"] = near_told(near, exchange)
    times = [round(moment * 1000, 3) for moment in islice(exchange.plan.times, 2000)]
    told["plan"] = {"pieces": len(exchange.plan.pieces), "played": exchange.cursor, "times_ms": times}
    return told


async def inspect(call: Call) -> Any:
    """One exchange with all that people look for in it: headers, bodies as they went over the wire, every piece."""
    exchange = _exchange(call)
    return inspected(exchange, call.simulator.near(exchange), call.simulator.reword)


async def tries(call: Call) -> Any:
    """The numbers of all tries of the call that an exchange is one of, oldest first."""
    return {"tries": await tries_of(call.simulator.journal, _exchange(call).number)}


async def resend(call: Call) -> Any:
    """Asks the same once more, in the name of the client `resent`; gives the new exchange's number."""
    exchange = _exchange(call)
    again = call.control.resend(exchange)
    if again is None:
        raise Problem(409, f"exchange {exchange.number} cannot be asked again: no API has its path")
    call.simulator.events.add("act", f"resent #{exchange.number} as #{again.number}", call.who)
    return {"number": again.number}


async def act(call: Call) -> Any:
    """Acts on one reply under way; `speed` takes a `value`, `fail` a `status`, `retry_after` and `message`."""
    exchange, action = _exchange(call), call.params["action"]
    if action not in ACTIONS:
        raise Problem(404, f"there is no action {action[:40]!r}; there are {', '.join(ACTIONS)}")
    told = call.fields("value", "status", "retry_after", "message")
    value, error = told.pop("value", 1.0), told
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Problem(400, f"value: {shown(value)} is not allowed: it is a number")
    if not call.simulator.act(exchange.number, action, value=float(value), error=error, who=call.who):
        raise Problem(409, f"exchange {exchange.number} has ended")
    return entry(exchange, bodies=False)


_WAIT = 15.0
"""Seconds without an event after which a line says that the connection lives."""


async def events(call: Call) -> Response:
    """What happens, as server-sent events; `Last-Event-ID` or `after` says from where on, as far as it is kept."""
    after = whole(call.headers.get("last-event-id", ""))
    if after is None:
        after = call.number("after", call.simulator.events.newest)
    if after > call.simulator.events.newest:
        after = 0  # a number of a server that ran before this one: all that there is is new to the client
    return StreamingResponse(
        _events(call, after), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def _events(call: Call, after: int) -> AsyncIterator[bytes]:
    log = call.simulator.events
    woken = asyncio.Event()
    log.listeners.add(woken.set)
    try:
        yield b": llmsim\n\n"
        while not call.control.stopping():
            woken.clear()
            for event in log.after(after, 1000):
                after = event.number
                told = {"time": event.wall, "kind": event.kind, "text": event.text, "who": event.who}
                yield b"id: %d\nevent: %b\ndata: %b\n\n" % (event.number, event.kind.encode(), orjson.dumps(told))
            try:
                await asyncio.wait_for(woken.wait(), _WAIT)
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        log.listeners.discard(woken.set)


_QUERY = {"match": "in the one-line form", "after": "numbers above", "before": "numbers below"}
_EXPECT = {"expect": [Expectation]}

OPERATIONS = [
    Operation(
        "GET",
        "/journal",
        journal,
        "The exchanges that a match means",
        query={
            **_QUERY,
            "limit": "at most so many",
            "order": "desc or asc",
            "bodies": "true: with requests and replies",
        },
        changes=False,
    ),
    Operation("DELETE", "/journal", clear, "Forget all exchanges"),
    Operation(
        "GET", "/journal/export", export, "JSON Lines or HAR", query={**_QUERY, "format": "jsonl or har"}, changes=False
    ),
    Operation("GET", "/journal/verdict", verdict, "The verdict on the clients", query=_QUERY, changes=False),
    Operation("POST", "/verify", verify, "Whether requests were seen as expected", body=_EXPECT, changes=False),
    Operation("GET", "/exchanges", live, "The exchanges under way", query={"limit": "at most so many"}, changes=False),
    Operation("GET", "/exchanges/{number}", one, "One exchange, and why it is as it is", changes=False),
    Operation("GET", "/exchanges/{number}/inspect", inspect, "All that is known of one exchange", changes=False),
    Operation("GET", "/exchanges/{number}/tries", tries, "The tries of the same call", changes=False),
    Operation("POST", "/exchanges/{number}/resend", resend, "Ask the same once more"),
    Operation(
        "POST",
        "/exchanges/{number}/{action}",
        act,
        f"Act on a reply: {', '.join(ACTIONS)}",
        body={"value": 2.0, "status": 429},
    ),
    Operation(
        "GET", "/events", events, "What happens, as server-sent events", query={"after": "numbers above"}, changes=False
    ),
]
