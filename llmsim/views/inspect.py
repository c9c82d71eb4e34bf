"""All that is known of one exchange, as plain data for people to look into: what came, what went out, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final

from llmsim import explain, masks
from llmsim.exchange import Exchange
from llmsim.mocks.index import Near
from llmsim.plan import Call, Decline, Drop, End, Fail, Garbled, Part, Piece, Raw, Say, Think

Reword = Callable[[Exchange], tuple[bytes, Iterable[tuple[bytes, bytes]]] | None]
"""Words a reply once more as its API did, as far as it was sent: body and headers; None where it cannot."""

LIMIT: Final = 256 << 10
"""Characters of a request's and of a reply's body that are told."""

PIECES: Final = 2000
"""Pieces of a plan that are told one by one."""

_KINDS: Final = {
    Say: "text", Think: "thinking", Decline: "refusal", Call: "call", Part: "part", End: "end", Fail: "error",
    Drop: "cut", Raw: "raw", Garbled: "garbled",
}  # fmt: skip


def inspected(exchange: Exchange, near: Near | None, reword: Reword) -> dict[str, Any]:
    """The exchange as JSON has it, secrets masked; times in milliseconds from its start.

    `request` has the body as it came, `response` as its API words it, made once more from the plan as far as it was
    sent; `pieces` are moment, kind and text of each piece as planned, `played` how many of them have gone out. `asked`
    and `achieved` stand beside each other where the client was sent anything; `steady` says whether the pace was never
    changed by hand, as then alone the two can be compared, and `speed` how many times as fast as planned it is played.
    """
    ask, plan = exchange.ask, exchange.plan
    hidden = _secret(exchange)
    return {
        "why": [masks.text(line, ask.key) for line in explain.why(exchange, near)],
        "mock": plan.mock,
        "request": _request(exchange),
        "response": _response(exchange, reword),
        "reply": masks.text(exchange.text(), ask.key),
        "pieces": [
            _piece(moment, piece, hidden)
            for moment, piece in islice(zip(plan.times, plan.pieces, strict=False), PIECES)
        ],
        "planned": len(plan.pieces),
        "played": exchange.cursor,
        "asked": _asked(exchange),
        "achieved": _achieved(exchange),
        "late": _ms(exchange.late),
        "steady": exchange.steady,
        "speed": exchange.rate,
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    ask, asked = exchange.ask, exchange.asked
    body, cut = masks.body(exchange.request, ask.key, LIMIT)
    told: dict[str, Any] = {"method": "POST", "path": ask.endpoint, "headers": [], "body": body, "cut": cut}
    if asked is not None:
        request = asked[2]
        told["method"] = request.method
        told["path"] = masks.target(request.path + (f"?{request.query}" if request.query else ""))
        told["headers"] = [list(pair) for pair in masks.headers(request.headers)]
    return told


def _response(exchange: Exchange, reword: Reword) -> dict[str, Any]:
    made = reword(exchange) if exchange.first is not None else None
    if made is None:
        return {"status": exchange.status, "headers": [], "body": "", "cut": False, "kept": False}
    raw, headers = made
    body, cut = masks.body(raw, exchange.ask.key, LIMIT)
    told = [list(pair) for pair in masks.headers(headers)]
    return {"status": exchange.status, "headers": told, "body": body, "cut": cut, "kept": True}


def _secret(exchange: Exchange) -> bool:
    """Whether the reply holds a secret, which cannot be masked token by token."""
    said = "".join([piece.text for piece in islice(exchange.plan.pieces, PIECES) if isinstance(piece, Say)])
    return masks.text(said, exchange.ask.key) != said


def _piece(moment: float, piece: Piece, hidden: bool) -> list[Any]:
    inner = piece.piece if isinstance(piece, Garbled) else piece
    text = inner.text if isinstance(inner, Say) and not hidden else ""
    return [round(moment * 1000, 2), _KINDS.get(type(piece), type(piece).__name__.lower()), text]


def _asked(exchange: Exchange) -> Mapping[str, float | None]:
    """What the plan and the pace say: first piece, last piece, tokens a second between; of a whole reply its end."""
    plan, rate = exchange.plan, exchange.rate or 1.0
    first, last = plan.times[0] / rate, plan.times[-1] / rate
    due, end = exchange.first_due, exchange.moment(len(plan.pieces) - 1)
    if due is not None and end is not None:  # what the load has made of the plan is in it
        first, last = due - exchange.started, end - exchange.started
    if not exchange.ask.stream:
        return _whole(last)
    return {"first": _ms(first), "last": _ms(last), "pace": _pace(plan.usage.completion, last - first)}


def _whole(last: float | None) -> Mapping[str, float | None]:
    """Of a reply that is sent whole there is its end alone."""
    return {"first": None, "last": None if last is None else _ms(last), "pace": None}


def _achieved(exchange: Exchange) -> Mapping[str, float | None]:
    """What came of it; None as long as it has not."""
    if exchange.first is None:
        return _whole(None)
    first = exchange.first - exchange.started
    last = None if exchange.ended is None else exchange.ended - exchange.started
    if not exchange.ask.stream:
        return _whole(last)
    if last is None:
        return {"first": _ms(first), "last": None, "pace": None}
    return {"first": _ms(first), "last": _ms(last), "pace": _pace(exchange.tokens, last - first)}


def _pace(tokens: int, seconds: float) -> float | None:
    return round((tokens - 1) / seconds, 2) if tokens > 1 and seconds > 0 else None


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
