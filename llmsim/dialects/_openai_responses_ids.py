"""The ids of responses and of their items: whoever knows an item's id can tell which response it belongs to.

All ids of one response begin alike behind their prefixes, as the live API's do (resp_07aae5…, msg_07aae5…).
"""

from __future__ import annotations

from functools import lru_cache

from llmsim.dialects import _openai_wire as wire
from llmsim.dice import mix
from llmsim.exchange import Exchange

_SHARED = 32


class Ids:
    """The ids of what one exchange makes."""

    __slots__ = ("_low", "_shared", "response")

    def __init__(self, exchange: Exchange) -> None:
        high, self._low = wire.ids(exchange)
        self._shared = f"{high:016x}{self._low:016x}"
        self.response = self.item("resp_", 0)

    def item(self, prefix: str, index: int) -> str:
        """The id of the item at `index` of the output; `prefix` says what it is."""
        return f"{prefix}{self._shared}{self._low ^ _mark(prefix, index):016x}{index & 0xFF:02x}"


def response_of(item: str) -> str | None:
    """The id of the response that an item was made by or for; None for an id that is none of these."""
    _, _, rest = item.rpartition("_")
    shared = rest[:_SHARED]
    try:
        low = int(shared[16:], 16)
    except ValueError:
        return None
    return f"resp_{shared}{low ^ _mark('resp_', 0):016x}00" if len(rest) == 50 else None


@lru_cache(maxsize=4096)
def _mark(prefix: str, index: int) -> int:
    return mix(prefix, index)
