"""The simulator of the hub: the settings and the counts of all workers, and no traffic of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmsim.clock import RealClock
from llmsim.pacer import Lag
from llmsim.server.cluster.journal import SparseJournal
from llmsim.server.cluster.report import HubMeter
from llmsim.server.config import Config
from llmsim.settings import Settings
from llmsim.simulator import Simulator
from llmsim.store import Store

Spread = Callable[[Mapping[str, Any], int], None]
"""Told of changes of the settings, and of the revision that they come to."""


class HubStore(Store):
    """What is known of the store of the workers."""

    def __init__(self, clock: RealClock, config: Config, meter: HubMeter, tell_all: Callable[..., None]) -> None:
        super().__init__(clock, config.store_count, config.store_bytes, config.store_age_s)
        self._meter, self._tell_all = meter, tell_all

    def __len__(self) -> int:
        """How many entries are kept."""
        return self._meter.store[0]

    def clear(self) -> int:
        """Forgets everything; gives how many entries there were."""
        self._tell_all("reset", ("store",))
        return len(self)


class HubSimulator(Simulator):
    """The settings and counts of all workers; whatever changes here is told to them."""

    meter: HubMeter

    def __init__(self, config: Config, tell_all: Callable[..., None], spread: Spread) -> None:
        clock = RealClock()
        journal = SparseJournal(config.journal_count, config.journal_bytes)
        self._tell_all: Callable[..., None] = lambda *_: None
        self._spread: Spread = lambda *_: None
        super().__init__(config.settings(), clock=clock, journal=journal)
        self.meter = HubMeter(clock)
        self.pacer.lag = _Lag(self.meter)
        self.stations = _Stations(self.meter)  # type: ignore[assignment]
        self.store = HubStore(clock, config, self.meter, tell_all)
        self.revision = 0
        self._tell_all, self._spread = tell_all, spread

    def _take(self, after: Settings) -> None:
        before = self.settings
        super()._take(after)
        names = [name for name in Settings.model_fields if getattr(after, name) is not getattr(before, name)]
        changes = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
        self.revision += 1
        self._spread(changes, self.revision)

    def adopt(self, changes: Mapping[str, Any], revision: int) -> None:
        """Takes on what another hub has decided, and passes it on to the workers."""
        before = self.settings
        fields = {name: getattr(before, name) for name in Settings.model_fields}
        super()._take(Settings.model_construct(**{**fields, **changes}))
        self._recount(before)
        self.revision = revision
        self._spread(changes, revision)

    def reset(self, *what: str, who: str = "") -> None:
        """Puts parts back to where they began, here and in all workers."""
        super().reset(*what, who=who)
        self._tell_all("reset", what or ("journal", "counts", "limits", "store"))


class _Lag(Lag):
    """How late the workers' pacers are, in the place of the hub's own, which has nothing to do."""

    def __init__(self, meter: HubMeter) -> None:
        super().__init__(1)
        self._meter = meter

    def quantile(self, p: float) -> float:
        return self._meter.lag(p)


class _Stations:
    """What the workers' stations tell."""

    def __init__(self, meter: HubMeter) -> None:
        self._meter = meter

    def __iter__(self) -> Iterator[_Station]:
        return map(_Station, self._meter.load)

    def __len__(self) -> int:
        """None of them is here."""
        return 0

    def forget(self) -> None:
        """Done by the workers, with their stores."""


class _Station:
    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def json(self) -> dict[str, Any]:
        return self._told
