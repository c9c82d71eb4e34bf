"""What a console elsewhere needs: its picture in one cheap call, its filter, and a mock made from a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmsim import __version__
from llmsim.errors import SettingsError
from llmsim.exchange import Exchange
from llmsim.journal.search import TURN, Query, in_turns
from llmsim.match import Match
from llmsim.server.control.call import Call, Operation, Problem, whole
from llmsim.views.frame import DETAILS, FORMAT, ROWS, STREAMS, Wants, frame
from llmsim.views.masked import MaskedView

_SIFTED = 2000
"""Exchanges that one call of the filter looks at."""


async def console(call: Call) -> Any:
    """What has changed of the picture since the frame that the query tells of."""
    control = call.control
    if control.view is None:
        control.view = MaskedView(call.simulator, control)
    told = frame(control.view, _wants(call))
    return {
        "format": FORMAT,
        "version": __version__,
        "address": control.address,
        "read_only": not call.may_change,
        **told,
        **control.cluster(),
        # Left out where nothing can be recorded.
        **({"taping": control.recorder.told()} if control.recorder is not None else {}),
    }


def _wants(call: Call) -> Wants:
    return Wants(
        after=call.number("after", 0),
        newest=call.number("newest", 100, 0, ROWS),
        rows=_numbers(call, "rows", ROWS),
        streams=call.number("streams", 0, 0, STREAMS),
        bucket=call.number("bucket", 0),
        events=call.number("events", 0) - 1,
        revision=call.number("revision", 0) - 1,
        mocks=call.number("mocks", 0) - 1,
        ended=call.number("ended", 0) - 1,
        models=call.number("models", 0) - 1,
        gauges=call.number("gauges", 0, 0, 1) > 0,
        answered=call.number("answered", 0, 0, 1) > 0,
        honesty=call.number("honesty", 0, 0, 1) > 0,
        retries=call.number("retries", 0, 0, 1) > 0,
        details=_numbers(call, "details", DETAILS),
    )


def _numbers(call: Call, name: str, most: int) -> list[int]:
    """Numbers of exchanges and stretches of them, as in 3,7-20; at most so many."""
    found: list[int] = []
    for part in filter(None, call.query.get(name, "").split(",")):
        low, dash, high = part.partition("-")
        first, last = whole(low), whole(high if dash else low)
        if first is None or last is None:
            raise Problem(400, f"{name}: {part[:40]!r} is not allowed: it is a number, or two of them as in 7-20")
        found += range(first, min(last + 1, first + most - len(found)))
        if len(found) >= most:
            break
    return found


async def sift(call: Call) -> Any:
    """Which of these exchanges a match means, and which of them are under way and may yet be others."""
    told = call.fields("match", "after", "before", "numbers")
    try:
        match = await call.aside(lambda: Match(told.get("match", "")))
    except SettingsError as error:
        raise Problem(400, f"match: {error}") from None
    journal = call.simulator.journal
    numbers = told.get("numbers")
    if numbers is None:
        after, before = (_whole(told, name) for name in ("after", "before"))
        numbers = range(max(journal.first, after + 1), min(before, journal.last + 1))[-_SIFTED:]
    elif not isinstance(numbers, list) or not all(type(one) is int for one in numbers):
        raise Problem(400, "numbers: it is a list of whole numbers")
    kept = (journal.get(number) for number in numbers[:_SIFTED])
    found = await in_turns(_judged((one for one in kept if one is not None), Query(match, call.simulator.reread)))
    return {
        "first": journal.first,
        "last": journal.last,
        "judged": [number for number, _, _ in found],
        "meant": [number for number, meant, _ in found if meant],
        "live": [number for number, _, live in found if live],
    }


def _whole(told: dict[str, Any], name: str) -> int:
    value = told.get(name, 0)
    if type(value) is not int or value < 0:
        raise Problem(400, f"{name}: {str(value)[:40]!r} is not allowed: it is a whole number from 0")
    return value


def _judged(exchanges: Iterable[Exchange], query: Query) -> Iterator[tuple[int, bool, bool] | None]:
    for exchange in exchanges:
        if query.work >= TURN:
            query.work = 0
            yield None
        yield exchange.number, query.holds(exchange), exchange.state == "live"


async def draft(call: Call) -> Any:
    """A mock that answers such a request as this one was answered, to be edited and put in force."""
    number = whole(call.params["number"])
    told = MaskedView(call.simulator, call.control).drafted(number) if number is not None else None
    if told is None:
        raise Problem(404, f"there is no exchange {call.params['number'][:40]} in the journal")
    return told


_FRAME = {
    "after": "the newest exchange that is known",
    "newest": f"at most so many newer ones, up to {ROWS}",
    "rows": "others that are looked at, as in 3,7-20",
    "streams": f"at most so many replies under way, up to {STREAMS}",
    "bucket": "the newest half-second that is known, in half-seconds since the epoch",
    "events": "1 + the number of the newest event that is known",
    "revision": "1 + the revision that is known",
    "mocks": "1 + the number of the mocks that are known",
    "ended": "1 + the number of ended exchanges that is known",
    "models": "1 + how many models are known",
    "gauges": "1: with the buckets of the rate limits",
    "answered": "1: with how often each mock has answered",
    "honesty": "1: with whether the times asked for are kept",
    "retries": "1: with how clients took what went wrong",
    "details": "exchanges that are looked into",
}

OPERATIONS = [
    Operation("GET", "/console", console, "What has changed of a console's picture", query=_FRAME, changes=False),
    Operation(
        "POST",
        "/journal/sift",
        sift,
        "Which exchanges a match means",
        body={"match": "model:gpt*", "after": 0, "before": 100},
        changes=False,
    ),
    Operation("GET", "/exchanges/{number}/mock", draft, "A mock made from an exchange", changes=False),
]
