"""What was found for one goal: the value to judge, what it was made of, and how quiet the machine was meanwhile."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.load import Sample

Figure = Callable[[Sample], float]

# Above this share of a core taken by others, or used by the load client, a figure is marked.
DISTURBED, LIMITING = 0.15, 0.95


@dataclass(frozen=True)
class Finding:
    """`ours` and `theirs` are medians; `lowest` and `highest` are the ends of the value over the rounds."""

    key: str
    value: float | None
    ours: float | None = None
    theirs: float | None = None
    lowest: float | None = None
    highest: float | None = None
    others: float | None = None
    load_share: float | None = None
    note: str = ""

    @property
    def remarks(self) -> str:
        """The note, and what makes the figure doubtful."""
        told = [self.note] if self.note else []
        if self.others is not None and self.others > DISTURBED:
            told.append("disturbed")
        if self.load_share is not None and self.load_share > LIMITING:
            told.append("the load client was at its limit")
        return "; ".join(told)


def unknown(key: str, why: str) -> Finding:
    return Finding(key, None, note=why)


def beside(finding: Finding, samples: Sequence[Sample]) -> Finding:
    """The finding with how the machine was: what others took in the median, the load client at most."""
    others = statistics.median(sample.others for sample in samples)
    return replace(finding, others=others, load_share=max(sample.load_share for sample in samples))


def of_values(key: str, values: Sequence[float], samples: Sequence[Sample] = (), note: str = "") -> Finding:
    """A goal that is a figure of llmsim's own: the median of its rounds."""
    if not values:
        return unknown(key, note or "no run gave a figure")
    median = statistics.median(values)
    found = Finding(key, median, median, None, min(values), max(values), note=note)
    return beside(found, samples) if samples else found


def against(key: str, ours: Sequence[Sample], theirs: Sequence[Sample], figure: Figure) -> Finding:
    """A goal that is a ratio: the median of the ratios of each round's two runs, which stand next to each other."""
    pairs = list(zip(ours, theirs, strict=False))
    if not pairs:
        return unknown(key, "no run gave a figure" if not ours else "nothing to compare with")
    ratios = [figure(mine) / figure(other) for mine, other in pairs if figure(other)]
    if not ratios:
        return unknown(key, "nothing to compare with")
    found = Finding(
        key,
        statistics.median(ratios),
        statistics.median(figure(mine) for mine, _ in pairs),
        statistics.median(figure(other) for _, other in pairs),
        min(ratios),
        max(ratios),
    )
    return beside(found, [sample for pair in pairs for sample in pair])
