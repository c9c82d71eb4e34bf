"""Draws waits in the terminal: observed bars with the fitted curve over them, and what speaks for each family."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from llmsim.fitting.fit import Fitted
from llmsim.fitting.spread import NEAR, REJECTED, Chosen
from llmsim.fitting.terms import Term
from llmsim.latency import Profile, Spread
from llmsim.signs import safe

ROWS = 14
WIDTH = 56
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def shown(spread: Spread) -> str:
    """A spread in a few words."""
    if spread.kind == "fixed":
        return f"fixed {spread.mean:g} ms"
    if spread.kind == "empirical":
        return f"empirical, {len(spread.samples)} samples, mean {spread.middle:.4g} ms"
    return f"{spread.kind}, mean {spread.mean:g} ms, stddev {spread.stddev:g} ms"


def histogram(spread: Spread, observed: Sequence[float] = ()) -> Text:
    """Bars of what was observed, `│` where the spread has as many; bars of the spread where nothing was observed."""
    draws = spread.draws
    ordered = sorted(observed) if len(observed) else draws
    low, high = min(_at(ordered, 0.002), draws[0]), max(_at(ordered, 0.995), _at(draws, 0.995))
    if high - low < 1e-9:
        low, high = 0.0, max(1.0, high * 2)
    edges = [low + (high - low) * at / ROWS for at in range(ROWS + 1)]
    bars, curve = _shares(ordered, edges), _shares(draws, edges)
    most = max(*bars, *curve, 1e-9)
    told = Text()
    digits = 0 if high >= 100 else 1 if high >= 10 else 2
    for at in range(ROWS):
        span = f"{edges[at]:>8.{digits}f} – {edges[at + 1]:<8.{digits}f}"
        told.append(f"{span} ms  ", style="dim")
        told.append_text(_bar(bars[at] / most, curve[at] / most if len(observed) else None))
        told.append(f" {bars[at]:.1%}\n", style="dim")
    return told


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _shares(ordered: Sequence[float], edges: Sequence[float]) -> list[float]:
    places = [bisect_left(ordered, edge) for edge in edges]
    places[0], places[-1] = 0, len(ordered)  # what is beyond the picture is in its first and last row
    return [(high - low) / len(ordered) for low, high in pairwise(places)]


def _bar(share: float, mark: float | None) -> Text:
    eighths = round(share * WIDTH * 8)
    filled = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    bar = Text(filled.ljust(WIDTH + 1), style="cyan")
    if mark is not None:
        place = min(WIDTH, round(mark * WIDTH))
        bar = bar[:place] + Text("│", style="bold yellow") + bar[place + 1 :]
    return bar


def families(chosen: Chosen) -> Table:
    """Each family with its numbers, the nearest first."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("family", "mean ms", "stddev ms", "D", "A²", "p", ""):
        table.add_column(column, justify="left" if column in ("family", "") else "right")
    for one in chosen.candidates:
        verdict = one.why_not or ("rejected" if one.p < REJECTED and one.ks > NEAR else "")
        if one.family == chosen.spread.kind:
            verdict = "chosen"
        elif not verdict and one.p < REJECTED:
            verdict = "rejected, but near"
        numbers = (f"{one.mean:.4g}", f"{one.stddev:.4g}", f"{one.ks:.3f}", f"{one.ad:.4g}", f"{one.p:.3f}")
        table.add_row(one.family, *numbers, verdict)
    return table


def fitted(one: Fitted) -> RenderableType:
    """All of a fit: what the waits depend on, both spreads, and their pictures."""
    parts: list[RenderableType] = [Text(safe(f"{one.model or 'no model'}: {one.replies} replies"), style="bold")]
    terms = (
        ("the first token waits", one.per_token, "ms longer for each token of the prompt"),
        ("the first token waits", one.per_active, "ms longer for each further reply under way"),
        ("the next token waits", one.slower, "ms longer for each further reply under way"),
    )
    parts += [_term(*term) for term in terms]
    parts += [Text(safe(f"  {note}"), style="yellow") for note in one.notes]
    for name, chosen in (("first token (ttft)", one.ttft), ("between tokens (tbt)", one.tbt)):
        if chosen is not None:
            parts += [
                Text(f"\n{name}: {shown(chosen.spread)} - {chosen.why}", style="bold"),
                Text("█ observed  │ fitted", style="dim"),
                histogram(chosen.spread, [float(wait) for wait in chosen.samples]),
            ]
            if chosen.candidates:
                parts.append(families(chosen))
    return Group(*parts, Text())


def _term(before: str, term: Term, after: str) -> Text:
    if term.believed:
        return Text(f"  {before} {term.slope:.4g} ± {2 * term.error:.2g} {after} (p {_small(term.p)})")
    reason = term.why or "not seen"
    return Text(f"  {before} no longer with each {term.unit}: {reason}", style="dim")


def _small(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"


def preview(name: str, profile: Profile, waits: Sequence[float] = (), gaps: Sequence[float] = ()) -> RenderableType:
    """A profile as it will be served; over what was measured, where something was."""
    parts: list[RenderableType] = [Text(safe(f"{name}: {profile.source}" if profile.source else name), style="bold")]
    if waits or gaps:
        parts.append(Text("█ measured  │ profile", style="dim"))
    both = (("first token (ttft)", profile.ttft, waits), ("between tokens (tbt)", profile.tbt, gaps))
    for title, spread, measured in both:
        places = ", ".join(f"p{at:g} {spread.quantile(at / 100):.4g}" for at in (50, 90, 95, 99))
        parts.append(Text(f"\n{title}: {shown(spread)}; {places} ms"))
        if measured:
            ordered = sorted(measured)
            own = ", ".join(f"p{at:g} {_at(ordered, at / 100):.4g}" for at in (50, 90, 95, 99))
            mean = sum(ordered) / len(ordered)
            far = _apart(ordered, spread.draws)
            parts.append(Text(f"measured: {len(ordered)} samples, mean {mean:.4g} ms; {own} ms; D = {far:.3f}"))
        parts.append(histogram(spread, measured))
    return Group(*parts)


def _apart(measured: Sequence[float], draws: Sequence[float]) -> float:
    """The widest gap between the two cumulative curves, both sorted (Kolmogorov and Smirnov's D)."""
    told = [abs(bisect_right(measured, at) / len(measured) - bisect_right(draws, at) / len(draws)) for at in draws]
    return max(told)
