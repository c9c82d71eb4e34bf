"""Validators that take long to build, and routes that are read in a thread until theirs is there.

The types of all items and tools of the Responses API are 50 ms of work: in the event loop every other reply would wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pydantic import TypeAdapter

from llmsim.dialects import Route


class Validator:
    """A validator that is built when it is first needed, once, whoever needs it at the same time."""

    def __init__(self, make: Callable[[], TypeAdapter[Any]]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: TypeAdapter[Any] | None = None

    @property
    def built(self) -> bool:
        """Whether it is at hand."""
        return self._made is not None

    def get(self) -> TypeAdapter[Any]:
        """The validator; the first call takes its time."""
        if self._made is None:
            with self._lock:
                self._made = self._made or self._make()
        return self._made


def _always() -> bool:
    return True


@dataclass(frozen=True)  # slots would take the property away
class SlowStart(Route):
    """A route that is heavy until `ready` says that reading takes no time any more."""

    ready: Callable[[], bool] = _always

    # A field of the base class that is looked up anew for each request.
    @property  # type: ignore[misc]
    def heavy(self) -> bool:
        """Whether a body is read in a thread."""
        return not self.ready()

    @heavy.setter
    def heavy(self, told: bool) -> None:
        """Takes what the base class sets, for nothing."""
