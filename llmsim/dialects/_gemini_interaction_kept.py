"""What Gemini keeps of an interaction: how it stands, what was said, and the exchange that its events come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.store import Store

KIND = "gemini.interaction"


@dataclass(slots=True)
class Kept:
    """An interaction: `told` is how the API tells of it, `contents` all that was said up to its end, `size` its bytes.

    The contents of earlier interactions are held as well, and counted, as they may be gone from the store before it.

    `extra` is what the exchange's ask held for the dialect, which it lets go of when it ends.
    """

    told: dict[str, Any]
    contents: list[dict[str, Any]]
    exchange: Exchange
    extra: dict[str, Any]
    shows_thinking: bool
    size: int = 0


def find(store: Store, id: str) -> Kept:
    """The interaction of that id; raises Refused where there is none."""
    kept: Kept | None = store.get(KIND, id)
    if kept is None:
        raise Refused(Failure("not_found", f"Interaction {id[:100]} not found."))
    return kept
