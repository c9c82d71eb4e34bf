"""Brings numpy and scipy, which only fitting needs, or says in one sentence how to install them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from llmsim.errors import LlmsimError


class FitError(LlmsimError):
    """A profile cannot be fitted; the message says why, in one sentence."""


def scipy(part: str) -> Any:
    """The module `scipy.PART`; raises FitError where scipy is not installed."""
    try:
        return import_module(f"scipy.{part}")
    except ImportError:
        raise FitError("fitting needs scipy, which is not installed: pip install 'llmsim[fit]'") from None
