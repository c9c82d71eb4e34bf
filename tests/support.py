"""What the tests of the core share: an ask, a small plan, and playing an exchange by hand."""

from collections.abc import Sequence
from typing import Any

from llmsim.clock import ToldClock, keep
from llmsim.conversation import Ask, Message, Stop
from llmsim.dice import mix
from llmsim.exchange import Exchange
from llmsim.plan import End, Piece, Plan, Say, Usage
from llmsim.simulator import Simulator


def ask_for(text: str = "Tell me a story.", *, model: str = "gpt-4o", **fields: Any) -> Ask:
    """An ask whose digest stands for its model and text; gpt-4o does not think."""
    digest = mix(model, text).to_bytes(8, "little")
    return Ask(model, **{"messages": (Message("user", text),), "digest": digest, **fields})


def plan_of(text: str = "a b c d e f", *, ttft: float = 0.5, gap: float = 0.1) -> Plan:
    """Words as one token each, the first after `ttft` seconds, each next one a `gap` later, then the end."""
    words = text.split()
    pieces: list[Piece] = [*(Say(word) for word in words), End(Stop.END)]
    times = [ttft + gap * i for i in range(len(words))]
    return Plan(pieces, [*times, times[-1]], Usage(7, len(words)))


def said(pieces: Sequence[Piece]) -> str:
    """The text of the pieces that say something."""
    return "".join(piece.text for piece in pieces if type(piece) is Say)


class Listener:
    """Plays an exchange as a library user does, and notes each batch with its moment."""

    def __init__(self, simulator: Simulator, exchange: Exchange, leave_after: int | None = None) -> None:
        self.batches: list[tuple[float, Sequence[Piece]]] = []
        self._simulator, self._exchange, self._leave_after = simulator, exchange, leave_after
        self.task = keep(self._listen(), "listener")

    async def _listen(self) -> None:
        batches = self._simulator.play(self._exchange)
        async for batch in batches:
            self.batches.append((self._simulator.clock.now(), batch))
            if len(self.batches) == self._leave_after:
                break
        await batches.aclose()  # type: ignore[attr-defined]

    @property
    def pieces(self) -> list[Piece]:
        return [piece for _, batch in self.batches for piece in batch]

    @property
    def text(self) -> str:
        return said(self.pieces)


async def played(simulator: Simulator, exchange: Exchange, seconds: float = 3600.0) -> Listener:
    """The exchange after it was listened to for so long on the told clock."""
    listener = Listener(simulator, exchange)
    assert isinstance(simulator.clock, ToldClock)
    await simulator.clock.advance(seconds)
    return listener
