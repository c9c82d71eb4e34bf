"""The report of a session: what was asked, what was done to whom, how the clients took it; Markdown and a picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

from llmsim import __version__
from llmsim.errors import SettingsError
from llmsim.signs import seen
from llmsim_tui.backend import Backend, Happening
from llmsim_tui.text import amount, moment, uptime
from llmsim_tui.trust import Frames, rows, verdict

_BUCKETS: Final = 1200
"""Half-seconds that the table of outcomes looks back on: all that are kept, ten minutes."""
_EVENTS: Final = 500
"""Changes that are told, the newest."""
_LINES: Final = 200
"""Lines of the verdict that are told."""
_LONGEST: Final = 500
"""Characters of one text in the report."""
_AGAIN: Final = 64_000
"""Characters of a scenario that stands in the report; half of one would do something else, or nothing."""
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_CELLS: Final = 60


def usual() -> Path:
    """A file in the working directory that is not there yet."""
    stem = f"llmsim-report-{datetime.now():%Y%m%d-%H%M%S}"
    names = (f"{stem}.md", *(f"{stem}-{number}.md" for number in range(2, 100)))
    return next((path for name in names if not (path := Path(name)).exists()), Path(f"{stem}.md"))


def checked(path: str) -> Path:
    """The file that a report is to be written to; raises SettingsError where it cannot be."""
    file = Path(path).expanduser()
    if file.suffix not in (".md", ".svg"):
        raise SettingsError(f"--report: {path!r} is not allowed: it ends in .md, with a picture beside it, or in .svg")
    if not file.parent.is_dir():
        raise SettingsError(f"--report: there is no directory {str(file.parent)!r}")
    return file


async def write(backend: Backend, file: Path, picture: str) -> list[Path]:
    """Writes the report, and the picture beside it where there is one; gives the files."""
    text = "" if file.suffix == ".svg" else await markdown(backend, file.with_suffix(".svg").name if picture else "")
    return _save({file: text, file.with_suffix(".svg"): picture})


def _save(texts: Mapping[Path, str]) -> list[Path]:
    """Writes the files that there is a text for."""
    there = {path: text for path, text in texts.items() if text}
    for path, text in there.items():
        path.write_text(text, "utf-8")
    return list(there)


async def markdown(backend: Backend, picture: str = "") -> str:
    """The report as Markdown; `picture` is the name of an SVG file beside it."""
    kept = backend.happenings(-1)
    happenings = [one for one in kept if one.kind != "log"][-_EVENTS:]
    parts = [
        _head(backend),
        f"![The console at the end]({picture})\n" if picture else "",
        _traffic(backend),
        _honesty(backend),
        _changes(happenings, len(kept) >= _EVENTS),
        _clients(await backend.verdict()),
        _again(await backend.recorded()),
    ]
    return "\n".join(part for part in parts if part)


def _head(backend: Backend) -> str:
    pulse = backend.pulse()
    begun = datetime.fromtimestamp(pulse.wall - pulse.up)
    return (
        f"# A session of llmsim\n\n`{backend.address}`, from {begun:%Y-%m-%d %H:%M:%S}, {uptime(pulse.up)} long, seed"
        f" {pulse.seed}, llmsim {__version__}.\n"
    )


def _traffic(backend: Backend) -> str:
    pulse, buckets = backend.pulse(), backend.buckets(_BUCKETS)
    counts: Counter[str] = Counter()
    for bucket in buckets:
        counts.update(bucket.counts)
    ended = sum(counts.values())
    lines = [
        "## Traffic\n",
        f"{pulse.requests} requests, {pulse.live} of them still under way. Of the last ten minutes:\n",
    ]
    lines += ["| outcome | requests | share |", "|---|---|---|"]
    lines += [f"| {name} | {count} | {count / ended:.1%} |" for name, count in counts.most_common() if count]
    lines += ["" if ended else "| none | 0 | |", f"`{_spark([sum(one.counts.values()) for one in buckets])}`", ""]
    return "\n".join(line for line in lines if line or ended) + "\n"


def _spark(counts: Sequence[int]) -> str:
    """Requests over time, the quiet beginning left out."""
    first = next((place for place, count in enumerate(counts) if count), len(counts))
    busy = list(counts[first:]) or [0]
    step = max(1, -(-len(busy) // _CELLS))
    sums = [sum(busy[at : at + step]) for at in range(0, len(busy), step)]
    most = max(sums) or 1
    return "".join(_LEVELS[min(7, one * 8 // (most + 1))] if one else " " for one in sums)


def _honesty(backend: Backend) -> str:
    honesty = backend.honesty()
    lines = ["## Asked against achieved\n", verdict(honesty), "", "| what | asked | achieved | |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows(honesty, Frames())[:-1]]
    return "\n".join(lines) + "\n"


def _changes(happenings: Sequence[Happening], full: bool) -> str:
    lines = ["## What was done\n", "| time | who | what |", "|---|---|---|"]
    lines += [f"| … | | what was before is no longer kept: the newest {_EVENTS} events are |"] * full
    lines += [f"| {moment(one.wall)} | {_cell(one.who) or 'llmsim'} | {_cell(one.text)} |" for one in happenings]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text in a cell of a table: nothing in it is markup."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … and {amount(len(text) - _LONGEST)} characters more"
    plain = "".join(sign if sign.isprintable() else " " for sign in shown)
    for sign in "\\`*_<>|[]":
        plain = plain.replace(sign, "\\" + sign)
    return plain


def _clients(lines: Sequence[str]) -> str:
    if len(lines) <= 1:
        return "## The clients\n\nNo client asked for anything.\n"
    told = ["## The clients\n", f"{_cell(lines[0])}.\n"]
    told += [("  - " if line.startswith(" ") else "- ") + _cell(line.strip()) for line in lines[1:_LINES]]
    told += [f"- … and {amount(len(lines) - _LINES)} lines more"] * (len(lines) > _LINES)
    return "\n".join(told) + "\n"


def _again(recorded: Mapping[str, Any]) -> str:
    fields = dict(recorded)
    if not fields.get("steps"):
        return ""
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    text = text if seen(text) else yaml.safe_dump(fields, sort_keys=False)
    if len(text) > _AGAIN:
        what, size = f"{len(fields['steps'])} changes", amount(len(text))
        return (
            f"## Once more\n\nWhat was changed by hand is too long to stand here: {what} in {size} characters, of which"
            f" at most {amount(_AGAIN)} would. `S` in the console writes all of it to a file, which `llmsim run FILE`"
            " does again.\n"
        )
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))  # which nothing in the text can close
    return f"## Once more\n\nSaved to a file, `llmsim run FILE` does the same again:\n\n{fence}yaml\n{text}{fence}\n"
