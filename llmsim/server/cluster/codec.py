"""Puts values of ours into bytes and back; what comes back is of our own classes or of Python's plain ones alone."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any

from llmsim import faults
from llmsim.buckets import Histogram
from llmsim.conversation import Ask
from llmsim.errors import LlmsimError
from llmsim.exchange import Exchange
from llmsim.load import LoadedExchange
from llmsim.match import Match, mapping
from llmsim.plan import End, Piece, Say, Script

_PLAIN = {
    ("array", "_array_reconstructor"),
    ("array", "array"),
    ("builtins", "complex"),
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("collections", "Counter"),
    ("collections", "OrderedDict"),
    ("collections", "deque"),
    ("copyreg", "_reconstructor"),
    ("builtins", "object"),
}


class Unreadable(LlmsimError):
    """Bytes that are none of ours."""


def dumps(value: Any) -> bytes:
    """The bytes of a value; raises Unreadable where a part of it cannot be sent."""
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"cannot be sent: {error}") from None
    return buffer.getvalue()


def loads(data: bytes | memoryview) -> Any:
    """The value that the bytes are of; raises Unreadable for all that is not made of what we send."""
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError) as error:
        raise Unreadable(f"cannot be read: {error}") from None


# -- how what does not pickle by itself is made again


def match_again(told: Any) -> Match:
    """A match from the mapping it is written as."""
    return Match(told)


def script_again(texts: tuple[str, ...], tokens: tuple[int, ...], end: End) -> Script:
    """A script of plain text."""
    pieces: list[Piece] = [Say(text, count) for text, count in zip(texts, tokens, strict=True)]
    return Script([*pieces, end])


def pieces_again(pieces: tuple[Piece, ...]) -> Script:
    """Any other script."""
    return Script(pieces)


def histogram_again(bounds: tuple[float, ...], counts: list[int], total: float) -> Histogram:
    """A histogram that goes on counting."""
    made = Histogram(bounds)
    made._counts, made._sum = counts, total
    return made


def exchange_again(told: Mapping[str, Any]) -> Exchange:
    """An exchange as it was at that moment."""
    made = Exchange(told["number"], told["ask"], told["plan"], told["started"], told["wall"])
    for name, value in told.items():
        setattr(made, name, value)
    return made


def _script(script: Script) -> tuple[Any, ...]:
    if not script.plain:
        return pieces_again, (tuple(script),)
    said = [piece for piece in script if isinstance(piece, Say)]
    return script_again, (tuple(one.text for one in said), tuple(one.tokens for one in said), script[-1])


def _exchange(exchange: Exchange) -> tuple[Any, ...]:
    """Without what it follows, of which the number is told, and with its dialect and route by their names."""
    told = {name: getattr(exchange, name) for name in Exchange.__slots__}
    ask: Ask = exchange.ask.again()
    ask.follows = getattr(ask.follows, "number", ask.follows)  # a number already where it is passed on
    told["ask"] = ask
    if exchange.asked is not None and not isinstance(exchange.asked[0], str):
        dialect, route, request = exchange.asked
        told["asked"] = (dialect.kind, route and (route.method, route.path), request)
    return exchange_again, (told,)


class _Pickler(pickle.Pickler):
    dispatch_table: Mapping[type, Callable[[Any], Any]] = {
        Match: lambda one: (match_again, (mapping.written(one.tree),)),
        Script: _script,
        Histogram: lambda one: (histogram_again, (tuple(one.bounds), one.counts, one.sum)),
        Exchange: _exchange,
        LoadedExchange: _exchange,
    }


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        ours = module.partition(".")[0] == "llmsim"
        if ours or module in {kind.__module__ for kind in faults.kinds().values()}:
            found = super().find_class(module, name)
            if isinstance(found, type) or (module == __name__ and name.endswith("_again")):
                return found
        raise Unreadable(f"{module}.{name} is nothing that is sent")
