"""Reads the fixtures of other tools as mocks."""

from __future__ import annotations

from typing import Any


def read(raw: Any) -> list[dict[str, Any]] | None:
    """The mocks that another tool's file of fixtures stands for; None where it is none of theirs."""
    return None
