"""Fits one profile for each model: what its waits depend on, then the spreads of what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from llmsim.fitting.families import Array
from llmsim.fitting.needs import FitError
from llmsim.fitting.seen import Seen, together
from llmsim.fitting.spread import Chosen, choose
from llmsim.fitting.terms import Term, dependences, unseen

MOST_GAPS = 1_000_000
"""Waits between tokens of one model that are looked at; of more, every so many-th reply's are left out."""

BUNCHED = 0.05
"""Share of tokens that came together with the one before, from which on it is told."""

TOGETHER = 0.01
"""Share of the mean wait below which a token came together with the one before: its own was late, or held up."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The profile that was fitted for a model, and all that speaks for it; waits in milliseconds.

    `per_token` is how much longer the first token takes for each token of the prompt that is not cached, `per_active`
    for each further reply under way, `slower` the share by which the pace falls for each further one; `slots` the most
    replies that were written at once, where others had to wait, and `most` the most that were under way. `ttft` is what
    is left without prompt, queue and load, `tbt` the pace of a reply that is alone; None where nothing was to be seen.
    """

    model: str
    replies: int
    ttft: Chosen | None
    tbt: Chosen | None
    per_token: Term
    per_active: Term
    slower: Term
    slots: int | None
    most: int
    notes: tuple[str, ...]

    def load(self) -> dict[str, float]:
        """The fields of a profile that say what the prompt and the load do to it; none for what was not seen."""
        told: dict[str, float] = {}
        if self.per_token.used > 0:
            told["prefill_ms_per_token"] = round(self.per_token.used, 6)
        slots = self.slots or (self.most if self.slower.used > 0 else 0)
        if slots > 0:
            told["slots"] = slots
        if slots > 1 and self.slower.used > 0 and self.tbt is not None:
            told["slowing"] = round(self.slower.used / max(self.tbt.spread.middle, 1e-9) * (slots - 1), 4)
        return told


def fit(replies: Iterable[Seen], seed: int = 0) -> list[Fitted]:
    """A profile for each model, the one with most replies first; raises FitError where there is nothing to fit."""
    models: dict[str, list[Seen]] = {}
    for one in together(replies):
        if one.ttft is not None or one.gaps:
            models.setdefault(one.model, []).append(one)
    if not models:
        raise FitError("there is no reply in it with a first token: nothing to fit a profile to")
    return [_fit(model, seen, seed) for model, seen in sorted(models.items(), key=lambda item: -len(item[1]))]


def _fit(model: str, seen: Sequence[Seen], seed: int) -> Fitted:
    notes: list[str] = []
    slots = _slots(seen)
    firsts = [one for one in seen if one.ttft is not None]
    if slots is not None:
        calm = [one for one in firsts if one.active is not None and one.active <= slots]
        notes.append(
            f"at most {slots} replies were written at once; {len(firsts) - len(calm)} that waited for one of them to "
            "end are not in the first token's wait"
        )
        firsts = calm or firsts
    ttft, per_token, per_active = _first(firsts, seed)
    tbt, slower = _pace(seen, seed, notes)
    most = max((one.active or 1 for one in seen), default=1)
    if slower.believed and slots is None:
        notes.append(f"nothing says how many replies fit at once; slots are the {most} that were seen, at the least")
    if per_active.believed:
        notes.append("that the first token waits longer the more replies are under way is in no profile but by slots")
    return Fitted(model, len(seen), ttft, tbt, per_token, per_active, slower, slots, most, tuple(notes))


def _slots(seen: Sequence[Seen]) -> int | None:
    """How many replies a model writes at once, where more of them were asked for: those beyond wait for their turn.

    Looked for as the number below which waits are the usual ones and above which they are at least twice as long.
    """
    known = [(one.active, one.ttft) for one in seen if one.active is not None and one.ttft is not None]
    if len(known) < 40:
        return None
    active, waits = np.array([one for one, _ in known]), np.array([one for _, one in known])
    best: tuple[float, int] | None = None
    for at in range(1, int(active.max())):
        below, above = waits[active <= at], waits[active > at]
        if min(len(below), len(above)) < 10:
            continue
        left = float(((below - below.mean()) ** 2).sum() + ((above - above.mean()) ** 2).sum())
        if np.median(above) >= 2 * np.median(below) and (best is None or left < best[0]):
            best = left, at
    return best[1] if best else None


def _first(firsts: Sequence[Seen], seed: int) -> tuple[Chosen | None, Term, Term]:
    """The wait for the first token: what is left of it once the prompt's length and the load are taken out."""
    if not firsts:
        return None, unseen("prompt token", "no first token"), unseen("reply under way", "no first token")
    waits = np.array([one.ttft for one in firsts], float)
    causes = [("prompt token", _known(firsts, "prompt")), ("reply under way", _known(firsts, "active", less=1))]
    per_token, per_active = dependences(waits, causes)
    left = waits
    for term, (_, values) in zip((per_token, per_active), causes, strict=True):
        if values is not None and term.believed:
            left = left - term.slope * values
    return choose(np.maximum(left, 0.0), seed), per_token, per_active


def _pace(seen: Sequence[Seen], seed: int, notes: list[str]) -> tuple[Chosen | None, Term]:
    """The waits between tokens, as they would be if each reply were alone."""
    spoken = [one for one in seen if len(one.gaps)]
    if not spoken:
        notes.append("no reply has a second token: nothing is known of the pace")
        return None, unseen("reply under way", "no second token")
    every = max(1, sum(len(one.gaps) for one in spoken) // MOST_GAPS)
    spoken = spoken[::every]
    if any(one.means for one in spoken):
        notes.append("of the pace only each reply's mean was told: how it varies within a reply is not known")
    means = np.array([float(np.mean(one.gaps)) for one in spoken])
    (slower,) = dependences(means, [("reply under way", _known(spoken, "beside", less=1))])
    parts = []
    for one in spoken:
        gaps = np.asarray(one.gaps, float)
        if slower.believed and one.beside is not None:
            alone = max(1e-9, means.mean() - slower.slope * float(np.mean([two.beside or 1 for two in spoken]) - 1))
            gaps = gaps / (1 + slower.slope / alone * (one.beside - 1))
        parts.append(gaps)
    return choose(_spaced(np.concatenate(parts), notes), seed), slower


def _spaced(gaps: Array, notes: list[str]) -> Array:
    """The waits, and where tokens came in bunches, the wait before a bunch shared among its tokens."""
    at_once = gaps < max(0.05, TOGETHER * float(gaps.mean()))
    share = float(at_once.mean())
    if not share:
        return gaps
    if share >= BUNCHED:
        notes.append(f"{share:.0%} of the tokens came together with the one before: their wait is shared among them")
    places = np.flatnonzero(~at_once)
    if not len(places):
        return gaps
    sizes = np.diff(np.append(places, len(gaps)))
    return np.concatenate([gaps[: places[0]], np.repeat(gaps[places] / sizes, sizes)])


def _known(seen: Sequence[Seen], name: str, less: int = 0) -> Array | None:
    """One value for each reply; None where it is not known of all."""
    values = [getattr(one, name) for one in seen]
    return None if any(value is None for value in values) else np.array(values, float) - less
