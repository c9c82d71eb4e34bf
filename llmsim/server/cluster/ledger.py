"""What the leader has counted, as it is written down in Redis, so that whoever leads after it goes on from there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from llmsim.limits.accounts import Account
from llmsim.limits.bucket import Bucket
from llmsim.simulator import Simulator

logger = logging.getLogger("llmsim")

MOST = 2_000
"""Accounts of limits, and as many counts by key or client, that are written down: those used last."""

KEPT = 7 * 86_400
"""Seconds after which Redis forgets what nobody has written to."""

_ACCOUNT = "account"

Entries = dict[tuple[str, ...], Any]


class Ledger:
    """The buckets of limits, strikes of faults, turns and states of mocks of a hub, as entries of a hash in Redis."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._written: Entries = {}
        self.fresh = True
        """Whether nothing has been written down yet."""
        self._touched: dict[tuple[str, ...], Account] = {}
        self._counted = False

    def touch(self, number: int, counted: bool) -> None:
        """Notes what a request that was let in has changed: the accounts it is under, and counts where it has some."""
        opened = self._simulator.limiter.open.get(number)
        for account in opened.accounts if opened is not None else ():
            self._touched[account.name] = account
        self._counted = self._counted or counted

    def news(self) -> dict[bytes, bytes]:
        """The entries of what was touched since the last time, that are not what they were; looks at nothing else."""
        now: Entries = {(_ACCOUNT, *name): _told(account) for name, account in self._touched.items()}
        if self._counted:
            now.update(self._counts())
        self._touched, self._counted = {}, False
        changed = {name: value for name, value in now.items() if value and self._written.get(name) != value}
        self._written.update(changed)
        return self._json(changed)

    def changes(self) -> tuple[dict[bytes, bytes], list[bytes]]:
        """The entries that are new or not what they were when this was asked last, and the names of those gone."""
        now = {name: value for name, value in self._entries() if value}
        before, self._written, self.fresh = self._written, now, False
        self._touched, self._counted = {}, False
        changed = {name: value for name, value in now.items() if before.get(name) != value}
        return self._json(changed), [_json(name) for name in before.keys() - now.keys()]

    def _json(self, entries: Entries) -> dict[bytes, bytes]:
        clock = self._simulator.clock
        ago = clock.wall() - clock.now()
        return {_json(name): _json([value, ago]) for name, value in entries.items()}

    def forget(self) -> None:
        """Told that what was written down is lost: all of it is a change again."""
        self._written, self.fresh = {}, True

    def _entries(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, account in islice(self._simulator.limiter.accounts.newest(), MOST):
            yield (_ACCOUNT, *name), _told(account)
        yield from self._counts()

    def _counts(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        for what, counts in self._simulator.tally.counts().items():
            for key, count in islice(reversed(counts.items()), MOST):
                yield (what, *(key if isinstance(key, tuple) else (key,))), count

    def take(self, told: Mapping[bytes, bytes]) -> None:
        """Goes on from what another has written down, in place of what was counted here."""
        simulator, clock = self._simulator, self._simulator.clock
        now, shift = clock.now(), clock.wall() - clock.now()
        counts, accounts = simulator.tally.counts(), simulator.limiter.accounts
        for one in counts.values():
            one.clear()
        accounts.clear()
        for raw, written in told.items():
            try:
                (what, *name), (value, ago) = json.loads(raw), json.loads(written)
                if what == _ACCOUNT:
                    accounts.put(tuple(name), _account(tuple(name), value, ago - shift, now))
                else:
                    counts[what][name[0] if len(name) == 1 else tuple(name)] = value
            except (ValueError, TypeError, LookupError):
                logger.warning("cluster: what stands in redis of %r cannot be read, and counts from nought", raw[:100])


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _told(account: Account) -> list[Any]:
    """An account's buckets of which something is spent."""
    return [
        [kind, one.limit, one.size, one.rate, one.owed, one.at] for kind, one in account.buckets.items() if one.owed
    ]


def _account(name: tuple[str, ...], told: Any, shift: float, now: float) -> Account:
    """An account, its moments put on this machine's clock."""
    account = Account(name)
    for kind, limit, size, rate, owed, at in told:
        bucket = account.buckets[kind] = Bucket(limit, size, rate, min(now, at + shift))
        bucket.owed = owed
        bucket.reach(now)
    return account
