"""Decides who may pass: every limit that a request is under must let it in, and a refused request spends nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from llmsim.clock import Clock
from llmsim.conversation import Ask
from llmsim.limits import tiers
from llmsim.limits.accounts import BUCKETS, Account, Accounts
from llmsim.limits.bucket import Bucket
from llmsim.limits.rule import KINDS, Limit
from llmsim.limits.standing import NOMINAL_RPM, NOMINAL_TPM, Standing, unlimited
from llmsim.match import Subject

__all__ = ["BUCKETS", "BucketState", "Limiter"]


class BucketState(NamedTuple):
    """A bucket as people see it: whose it is, what is in it, and what runs under it at this moment.

    `kind` is the figure's name, such as "rpm"; "concurrency" has as its level what may still come. `per` are the values
    of what the limit goes by, in its order. `level` is below nothing where more was spent than there was. `reset` is
    the seconds until it is full, infinite for a quota.
    """

    name: str
    rule: Limit
    per: tuple[str, ...]
    kind: str
    limit: int
    level: float
    reset: float
    busy: int


class _Rule(NamedTuple):
    """A limit with what admitting needs of it worked out."""

    limit: Limit
    identity: str
    always: bool
    values: Callable[[Ask], tuple[str, ...]]
    model_at: int
    own: Mapping[str, int]


class _Open(NamedTuple):
    """What a request under way has spent by estimate, and the accounts it runs under."""

    at: float
    accounts: tuple[Account, ...]
    spent: tuple[tuple[str, Bucket, int], ...]


class _Refusal(NamedTuple):
    """Why a request is not let in; the greatest one is told: for good before for a while, longer before shorter."""

    rank: int
    wait: float
    what: str
    kind: str
    account: Account
    bucket: Bucket | None


class Limiter:
    """Admits requests under their limits, and settles with them when they end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.accounts = Accounts()
        self.open: dict[int, _Open] = {}
        self._limits: Sequence[Limit] = ()
        self._rules: tuple[_Rule, ...] = ()

    # -- requests

    def admit(
        self,
        subject: Subject,
        limits: Sequence[Limit],
        tokens_in: int,
        tokens_out: int,
        among: Container[int] | None = None,
    ) -> Standing:
        """Spends one request and so many tokens of each limit that is about the request, or refuses it.

        The tokens are an estimate: `settle` with the number of the ask puts it right. `among` are the places of the
        limits that are about it, where somebody else has looked.
        """
        if not limits:
            return unlimited(tokens_in, tokens_out)
        now = self._clock.now()
        accounts = self._under(subject, limits, now, among)
        if not accounts:
            return unlimited(tokens_in, tokens_out)
        wanted = _wanted(tokens_in, tokens_out)
        refusal = _refusal(accounts, wanted, tokens_in)
        if refusal is not None:
            return _standing(accounts, wanted, refusal)
        spent = []
        for account in accounts:
            account.busy += 1
            for _, what, bucket in account.active:
                if what == "requests":
                    bucket.owed += 1.0  # never given back, so nothing needs to be noted
                else:
                    bucket.spend(wanted[what])
                    spent.append((what, bucket, wanted[what]))
        number = subject.ask.number
        self._release(self.open.get(number))
        self.open[number] = _Open(now, tuple(accounts), tuple(spent))
        return _standing(accounts, wanted)

    def look(self, subject: Subject, limits: Sequence[Limit]) -> Standing:
        """Where a request would stand that spends nothing: for answers to what is refused for other reasons."""
        accounts = self._under(subject, limits, self._clock.now()) if limits else []
        return _standing(accounts, _wanted(0, 0)) if accounts else unlimited(0, 0)

    def settle(self, number: int, tokens_in: int, tokens_out: int) -> None:
        """Closes the account of an ask with what it really used; once, however often it is called."""
        done = self.open.pop(number, None)
        if done is None:
            return
        self._release(done)
        now, used = self._clock.now(), _wanted(tokens_in, tokens_out)
        for what, bucket, estimate in done.spent:
            bucket.reach(now)
            if used[what] < estimate:
                bucket.give_back(estimate - used[what], done.at)
            elif used[what] > estimate:
                bucket.spend(used[what] - estimate)

    def _release(self, done: _Open | None) -> None:
        for account in done.accounts if done is not None else ():
            account.busy -= 1

    def about(self, subject: Subject, limits: Sequence[Limit]) -> frozenset[int]:
        """The places of the limits that are about the request."""
        return frozenset(place for place, one in enumerate(limits) if one.when.always or one.when.holds(subject))

    def _under(
        self, subject: Subject, limits: Sequence[Limit], now: float, among: Container[int] | None = None
    ) -> list[Account]:
        """The accounts of every limit that is about the request, brought up to this moment."""
        if limits is not self._limits:
            self._limits, self._rules = limits, _rules(limits)
        found, ask = [], subject.ask
        for place, rule in enumerate(self._rules):
            if (not rule.always and not rule.limit.when.holds(subject)) if among is None else place not in among:
                continue
            values, figures = rule.values(ask), rule.own
            if rule.limit.tier is not None:
                grant = tiers.grant(rule.limit.tier, ask.provider, ask.model)
                if grant is None:
                    continue
                figures = _together(grant.figures, figures)
                if rule.model_at >= 0:
                    values = (*values[: rule.model_at], grant.family, *values[rule.model_at + 1 :])
            account = self.accounts.of((rule.identity, *values), rule.limit, figures, now)
            for _, _, bucket in account.active:
                bucket.reach(now)
            found.append(account)
        return found

    # -- people

    def buckets(self) -> list[BucketState]:
        """Every bucket that somebody has spent from, those unused for longest first."""
        now, found = self._clock.now(), []
        for account in self.accounts:
            limit = account.limit
            if limit is None:
                continue
            for kind, figure in account.figures.items():
                bucket = account.buckets.get(kind)
                level, reset = float(figure - account.busy), 0.0
                if bucket is not None:
                    bucket.reach(now)
                    level, reset = bucket.level, bucket.reset
                found.append(BucketState(str(limit), limit, account.values, kind, figure, level, reset, account.busy))
        return found

    def drain(self, name: str | None = None, share: float = 1.0) -> int:
        """Takes that share (0 to 1) out of what is in the buckets of a limit, or of all; gives how many there are."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share: {share!r} is not allowed: it goes from 0 to 1")
        found = self._of(name)
        for bucket in found:
            bucket.drain(share)
        return len(found)

    def refill(self, name: str | None = None) -> int:
        """Fills the buckets of a limit, or of all, quotas among them; gives how many there are."""
        found = self._of(name)
        for bucket in found:
            bucket.fill()
        return len(found)

    def _of(self, name: str | None) -> list[Bucket]:
        now = self._clock.now()
        found: list[Bucket] = []
        for account in self.accounts:
            if name is None or (account.limit is not None and str(account.limit) == name):
                found += account.buckets.values()
        for bucket in found:
            bucket.reach(now)
        return found

    def renew(self, limits: Sequence[Limit]) -> None:
        """Gives the buckets there are the figures of limits that were edited; a tier's come with the next request."""
        self._limits, self._rules = limits, _rules(limits)
        now, rules = self._clock.now(), {rule.identity: rule for rule in self._rules if rule.limit.tier is None}
        for name, account in self.accounts.items():
            rule = rules.get(name[0])
            if rule is not None and account.limit is not rule.limit:
                account.fit(rule.limit, rule.own, now)

    def clear(self) -> None:
        """Fills every bucket."""
        self.accounts.clear()


def _rules(limits: Sequence[Limit]) -> tuple[_Rule, ...]:
    """The limits ready for use; what has no name is known by what it is about, so that other figures go on with it."""
    made: list[_Rule] = []
    seen: Counter[str] = Counter()
    for limit in limits:
        identity = limit.name or f"{limit.when} by {','.join(limit.per)}"
        seen[identity] += 1
        if seen[identity] > 1:
            identity = f"{identity} ({seen[identity]})"
        model_at = limit.per.index("model") if "model" in limit.per else -1
        made.append(_Rule(limit, identity, limit.when.always, _values(limit.per), model_at, limit.own))
    return tuple(made)


def _values(per: tuple[str, ...]) -> Callable[[Ask], tuple[str, ...]]:
    if not per:
        return lambda ask: ()
    get: Callable[[Ask], Any] = attrgetter(*per)
    return get if len(per) > 1 else lambda ask: (get(ask),)


_made: dict[tuple[int, int], tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]] = {}


def _together(granted: Mapping[str, int], own: Mapping[str, int]) -> Mapping[str, int]:
    """The tier's figures with a rule's own in place of them; the same object for the same two."""
    if not own:
        return granted
    key = (id(granted), id(own))
    found = _made.get(key)
    if found is None or found[0] is not granted or found[1] is not own:
        if len(_made) > 1024:
            _made.clear()
        found = _made[key] = (granted, own, {**granted, **own})
    return found[2]


def _wanted(tokens_in: int, tokens_out: int) -> dict[str, int]:
    return {
        "requests": 1,
        "tokens": tokens_in + tokens_out,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
    }


def _refusal(accounts: Sequence[Account], wanted: Mapping[str, int], tokens_in: int) -> _Refusal | None:
    """The reason that weighs most, if there is any."""
    worst: _Refusal | None = None
    for account in accounts:
        figures = account.figures
        if "concurrency" in figures and account.busy >= figures["concurrency"]:
            worst = _worse(worst, _Refusal(1, 0.0, "concurrency", "concurrency", account, None))
        for kind, what, bucket in account.active:
            wait, rank = bucket.wait(wanted[what]), 0
            if what in ("tokens", "input_tokens") and tokens_in > bucket.limit:
                rank = 2
            elif not wait:
                continue
            if wait == math.inf or (rank and not KINDS[kind].window):
                rank = 3
            worst = _worse(worst, _Refusal(rank, wait, what, kind, account, bucket))
    return worst


def _worse(one: _Refusal | None, other: _Refusal) -> _Refusal:
    return other if one is None or other[:2] > one[:2] else one


def _standing(accounts: Sequence[Account], wanted: Mapping[str, int], refusal: _Refusal | None = None) -> Standing:
    """The tightest bucket of each sort, and the refusal's reason where there is one."""
    tightest: dict[str, Bucket] = {}
    for account in accounts:
        for _, what, bucket in account.active:
            if bucket.rate:
                other = tightest.get(what)
                if other is None or bucket.level < other.level:
                    tightest[what] = bucket
    told = {what: (bucket.limit, bucket.left, bucket.reset) for what, bucket in tightest.items()}
    requests, into, out = told.get("requests", _NOMINAL), told.get("input_tokens"), told.get("output_tokens")
    both = told.get("tokens") or (_summed(into, out) if into and out else into or out)
    needed = wanted["tokens"]
    both = both or (NOMINAL_TPM, max(0, NOMINAL_TPM - needed), needed * 60.0 / NOMINAL_TPM)
    standing = Standing(*requests, *both, "", 0.0, needed, *(into or both), *(out or both))
    return standing if refusal is None else _refused(standing, refusal, wanted)


def _refused(standing: Standing, refusal: _Refusal, wanted: Mapping[str, int]) -> Standing:
    account, bucket, limit = refusal.account, refusal.bucket, refusal.account.limit
    return standing._replace(
        refused=refusal.what,
        wait=refusal.wait if not refusal.rank else 0.0,
        needed=wanted.get(refusal.what, 1),
        limit=account.figures[refusal.kind],
        used=account.busy if bucket is None else bucket.used,
        window=KINDS[refusal.kind].window if bucket is not None else 0,
        quota=refusal.rank == 3,
        too_large=refusal.rank == 2,
        rule=limit.name if limit is not None else "",
        tier=limit.tier or "" if limit is not None else "",
    )


_Figures = tuple[int, int, float]
_NOMINAL = (NOMINAL_RPM, NOMINAL_RPM - 1, 60.0 / NOMINAL_RPM)


def _summed(one: _Figures, other: _Figures) -> _Figures:
    return one[0] + other[0], one[1] + other[1], max(one[2], other[2])
