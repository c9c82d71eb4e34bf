"""A request of the journal as a row of a table."""

from __future__ import annotations

from typing import Any

from llmsim.ctl.page import clock, ms, short

HEADS = ("#", "time", "api", "model", "status", "outcome", "ttft", "took", "tokens", "by", "client")
RIGHT = "# status ttft took tokens"
LEAST = (5, 12, 16, 24, 6, 9, 8, 8, 9, 20, 0)
"""Widths that most requests keep to, for tables that go on."""


def row(one: dict[str, Any]) -> tuple[Any, ...]:
    """The cells below the heads; `by` is the mock, the faults or the generator that made the reply."""
    by = one["mock"] or " ".join(one["faults"]) or one["origin"]
    sent, planned = one["tokens"]["sent"], one["tokens"]["planned"]
    return (
        one["number"],
        clock(one["time"]),
        one["api"],
        one["model"],
        one["status"],
        one["outcome"],
        ms(one["ttft_ms"]["achieved"]),
        ms(one["duration_ms"]),
        f"{sent}/{planned}",
        short(by, 30),
        short(one["client"], 30),
    )
