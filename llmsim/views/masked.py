"""A simulator as it is shown elsewhere, or kept in a file: with every key masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmsim import masks
from llmsim.views import Row, Stream
from llmsim.views.view import View


class MaskedView(View):
    """The view that leaves the machine."""

    def row(self, number: int) -> Row | None:
        """One exchange as a line."""
        row = super().row(number)
        if row is None:
            return None
        key = self._key(number)
        return replace(
            row,
            client=masks.text(row.client, key),
            model=masks.text(row.model, key),
            endpoint=masks.target(row.endpoint),
        )

    def _key(self, number: int) -> str:
        exchange = self._simulator.journal.get(number)
        return exchange.ask.key if exchange is not None else ""

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """One exchange with its request, its reply and why it is as it is."""
        told = super().detail(number)  # masked as it is
        return None if told is None else {**told, "row": self.row(number)}

    def streams(self, limit: int) -> Sequence[Stream]:
        """Replies under way, oldest first."""
        return [
            replace(
                one,
                client=masks.text(one.client, key),
                model=masks.text(one.model, key),
                text=masks.text(one.text, key),
            )
            for one in super().streams(limit)
            for key in (self._key(one.number),)
        ]
