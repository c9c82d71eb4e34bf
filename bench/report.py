"""What was found, as tables for people and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.findings import Finding
from bench.goals import GOALS, Better, Goal, Verdict
from bench.load import Sample

STYLES = {Verdict.AIM: "green", Verdict.REACH: "cyan", Verdict.MISSED: "red", Verdict.UNKNOWN: "dim"}
# Columns of a terminal that all figures fit on.
WIDE = 160
SIGNS = {Better.MORE: "≥", Better.LESS: "<"}


def number(value: float | None) -> str:
    """Three figures that matter; whole thousands with a comma; – for nothing."""
    if value is None or value != value:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def rows(findings: Sequence[Finding]) -> list[tuple[Goal, Finding, Verdict]]:
    """The goals that were measured or tried, in the goals' order."""
    found = {finding.key: finding for finding in findings}
    return [(goal, found[goal.key], goal.judge(found[goal.key].value)) for goal in GOALS if goal.key in found]


def cells(goal: Goal, finding: Finding) -> dict[str, str]:
    """The figures of one row by the name of their column; those of a narrow table come first."""
    sign, unit = SIGNS[goal.better], "" if goal.unit == "×" else f" {goal.unit}"
    return {
        "ours": number(finding.ours),
        "against": number(finding.theirs),
        "value": f"{number(finding.value)}{unit or '×'}" if finding.value is not None else "–",
        "reach": f"{sign} {goal.reach:g}{unit}",
        "aim": f"{sign} {goal.aim:g}{unit}",
        "others": percent(finding.others),
        "load": percent(finding.load_share),
        "rounds": f"{number(finding.lowest)}…{number(finding.highest)}",
    }


def goals_table(findings: Sequence[Finding], subject: str, wide: bool = True) -> Table:
    """One row a goal; a narrow table leaves out how the rounds differed and who else was busy."""
    table = Table(title=f"{subject} against what is to be reached", title_justify="left")
    names = ["ours", "against", "value", "reach", "aim", *(["others", "load", "rounds"] if wide else [])]
    table.add_column("")
    table.add_column("figure")
    for name in names:
        table.add_column(subject if name == "ours" else name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for goal, finding, verdict in rows(findings):
        row = cells(goal, finding)
        judged = f"[{STYLES[verdict]}]{verdict.value}[/]" + (f" ({finding.remarks})" if finding.remarks else "")
        table.add_row(goal.part, goal.figure, *(row[name] for name in names), judged)
    return table


def samples_table(samples: Sequence[tuple[str, Sample]]) -> Table:
    """What each server did, medians over its runs of one part."""
    table = Table(title="what each server did (medians)", title_justify="left")
    table.add_column("")
    table.add_column("server")
    figures = ("replies/s", "events/s", "CPU µs", "share", "jitter p99 ms", "drift ms", "MB", "load", "others")
    for name in ("runs", *figures):
        table.add_column(name, justify="right", no_wrap=True)
    for part, server in dict.fromkeys((part, sample.server) for part, sample in samples):
        runs = [sample for name, sample in samples if (name, sample.server) == (part, server)]
        table.add_row(part, server, str(len(runs)), *map(number_or_percent, summary(runs).items()))
    return table


def number_or_percent(item: tuple[str, float | None]) -> str:
    name, value = item
    return percent(value) if name in {"share", "load", "others"} else number(value)


def summary(runs: Sequence[Sample]) -> dict[str, float | None]:
    """Medians over runs of one kind; the CPU is that of a token where tokens came, else of a reply."""

    def median(values: Sequence[float]) -> float | None:
        return statistics.median(values) if values else None

    paces = [run.pacing for run in runs if run.pacing]
    return {
        "replies": median([run.replies_per_second for run in runs if not paces]),
        "events": median([run.tokens_per_second for run in runs if run.tokens]),
        "cpu": median([run.cpu_each for run in runs]),
        "share": median([pace.share for pace in paces]),
        "jitter": median([pace.jitter_p99 for pace in paces]),
        "drift": median([pace.drift for pace in paces]),
        "memory": median([run.memory / 1e6 for run in runs]),
        "load": median([run.load_share for run in runs]),
        "others": median([run.others for run in runs]),
    }


def show(
    findings: Sequence[Finding], samples: Sequence[tuple[str, Sample]], notes: Sequence[str], subject: str
) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    if findings:
        console.print(goals_table(findings, subject, console.width >= WIDE))
    if samples:
        console.print(samples_table(samples))
    console.print(
        "others: all else on the machine, as a share of one core (a run above 15 % is marked as disturbed); "
        "load: the load client's own share of its core, at most. Only ratios within one run count.",
        style="dim",
    )
    for note in notes:
        console.print(f"note: {note}", style="yellow", markup=False)


def as_json(
    findings: Sequence[Finding], samples: Sequence[tuple[str, Sample]], notes: Sequence[str], subject: str
) -> str:
    told: dict[str, Any] = {
        "subject": subject,
        "goals": [
            asdict(finding)
            | {"figure": goal.figure, "unit": goal.unit, "better": goal.better.name.lower()}
            | {"reach": goal.reach, "aim": goal.aim, "verdict": verdict.value, "remarks": finding.remarks}
            for goal, finding, verdict in rows(findings)
        ],
        "samples": [{"part": part} | asdict(sample) for part, sample in samples],
        "notes": list(notes),
    }
    return json.dumps(told, indent=2)
