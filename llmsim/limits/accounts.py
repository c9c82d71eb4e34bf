"""The buckets of those who share a limit, kept for a bounded number of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from llmsim.limits.bucket import Bucket
from llmsim.limits.rule import KINDS, Limit

BUCKETS = 10_000
"""Accounts kept; beyond it one that is full and unused goes, else the one unused for longest."""

_LOOKED_AT = 32


class Account:
    """All buckets of one limit for one key and model, or whatever else the limit is by; `busy` counts what runs now.

    A bucket whose figure is taken out of the limit stays, so that nothing is forgiven when it comes back.
    """

    __slots__ = ("active", "buckets", "busy", "figures", "limit", "name", "values")

    def __init__(self, name: tuple[str, ...]) -> None:
        self.name, self.values = name, name[1:]
        self.buckets: dict[str, Bucket] = {}
        self.active: tuple[tuple[str, str, Bucket], ...] = ()
        self.busy = 0
        self.limit: Limit | None = None
        self.figures: Mapping[str, int] = {}

    def fit(self, limit: Limit, figures: Mapping[str, int], now: float) -> None:
        """Takes on the figures of a limit that is new or was changed."""
        self.limit, self.figures = limit, figures
        for kind, figure in figures.items():
            if kind in KINDS:
                self._fit(kind, figure, limit.size(kind, figure), now)
        self.active = tuple((kind, KINDS[kind].what, self.buckets[kind]) for kind in figures if kind in KINDS)

    def _fit(self, kind: str, figure: int, size: float, now: float) -> None:
        window = KINDS[kind].window
        rate = figure / window if window else 0.0
        bucket = self.buckets.get(kind)
        if bucket is None:
            self.buckets[kind] = Bucket(figure, size, rate, now)
        else:
            bucket.reach(now)
            bucket.resize(figure, size, rate)

    def idle(self, now: float) -> bool:
        """Whether nothing would be lost with it."""
        if self.busy:
            return False
        for bucket in self.buckets.values():
            bucket.reach(now)
        return all(not bucket.owed for bucket in self.buckets.values())


Name = tuple[str, ...]


class Accounts:
    """Accounts by the identity of their limit and by the values that it goes by."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._kept: OrderedDict[Name, Account] = OrderedDict()

    def items(self) -> Iterable[tuple[Name, Account]]:
        """Every account with its name, those unused for longest first."""
        return self._kept.items()

    def newest(self) -> Iterable[tuple[Name, Account]]:
        """Those used last first."""
        return reversed(self._kept.items())

    def put(self, name: Name, account: Account) -> None:
        """Takes an account on that was kept elsewhere."""
        self._kept[name] = account

    def of(self, name: Name, limit: Limit, figures: Mapping[str, int], now: float) -> Account:
        """The account, opened where it is new and fitted where its limit has changed."""
        account = self._kept.get(name)
        if account is None:
            account = self._kept[name] = Account(name)
            if len(self._kept) > (self._most or BUCKETS):
                self._let_go(now)
        self._kept.move_to_end(name)
        if account.limit is not limit or account.figures is not figures:
            account.fit(limit, figures, now)
        return account

    def _let_go(self, now: float) -> None:
        # The newest one is the one that room is made for.
        oldest = list(islice(self._kept.items(), min(_LOOKED_AT, len(self._kept) - 1)))
        found = next((name for name, account in oldest if account.idle(now)), None)
        if found is None:
            found = next((name for name, account in oldest if not account.busy), oldest[0][0])
        del self._kept[found]

    def __iter__(self) -> Iterator[Account]:
        """Those unused for longest first."""
        return iter(self._kept.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def clear(self) -> None:
        """Forgets all but those that something runs under, whose buckets are filled."""
        for name in [name for name, account in self._kept.items() if not account.busy]:
            del self._kept[name]
        for account in self._kept.values():
            for bucket in account.buckets.values():
                bucket.fill()
