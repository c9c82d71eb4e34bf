"""Takes for people: all of a tape as a list, or one with its headers, its bodies and the moments of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from llmsim.dialects import kinds
from llmsim.replay.heard import listen
from llmsim.signs import safe
from llmsim.tapes import Take

_COLUMNS = ("#", "time", "request", "model", "status", "end", "first", "took", "frames", "masks")
_RIGHT = ("#", "status", "first", "took", "frames", "masks")


def listed(takes: Iterator[Take], limit: int) -> None:
    """Prints a line for each take, at most `limit`."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in _RIGHT else "left", overflow="fold")
    count = 0
    for count, take in enumerate(takes, 1):
        if count <= limit:
            table.add_row(*_row(count, take))
    # What was recorded is no markup of rich's, nor are its words pictures.
    Console(highlight=False, markup=False, emoji=False).print(table)
    if count > limit:
        print(f"{count - limit} more takes; --limit shows them")


def _row(number: int, take: Take) -> tuple[str, ...]:
    first = f"{1000 * take.frames[0].at:.0f} ms" if take.frames else "-"
    moment = datetime.fromtimestamp(take.at, UTC).strftime("%H:%M:%S.%f")[:-3]
    status, took = str(take.status or "-"), f"{1000 * take.ended:.0f} ms"
    request = safe(f"{take.method} {take.target}")
    counts = str(len(take.frames)), str(take.masked)
    return str(number), moment, request, safe(_model(take)), status, take.end, first, took, *counts


def _model(take: Take) -> str:
    made = kinds().get(take.dialect)
    heard = listen(made().hear, take.body) if made is not None and take.frames else None
    return heard.model if heard is not None else ""


def whole(take: Take) -> str:
    """Everything of one take, its frames with their moments."""
    moment = datetime.fromtimestamp(take.at, UTC).isoformat(timespec="milliseconds")
    api = take.dialect or "no API of llmsim"
    ends = {"done": "whole", "cut": "cut by the upstream", "left": "left by its client"}
    end = ends.get(take.end) or safe(take.error) or "no answer"
    left_out = f"; {take.left_out} bytes left out" if take.left_out else ""
    return "\n".join(
        (
            safe(f"{moment}  {take.id}  to {take.upstream or '-'}, {api}, {take.beside} beside it"),
            "\n> " + safe(f"{take.method} {take.target}"),
            *(f"> {safe(name)}: {safe(value)}" for name, value in take.request_headers),
            f"\n{_shown(take.request_body)}\n",
            f"< {take.status or 'no answer'} after {_ms(take.begun)}",
            *(f"< {safe(name)}: {safe(value)}" for name, value in take.headers),
            "",
            *(f"{_ms(frame.at):>12}  {_shown(frame.data, 2000)}" for frame in take.frames),
            f"{_ms(take.ended):>12}  {end}; {take.masked} masks{left_out}",
        )
    )


def _ms(moment: float | None) -> str:
    return "-" if moment is None else f"{1000 * moment:.1f} ms"


def _shown(data: bytes, limit: int = 20_000) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"{len(data)} bytes that are no text"
    lines = "\n".join(map(safe, text[:limit].rstrip("\n").split("\n")))
    return f"{lines}… {len(text)} in all" if len(text) > limit else lines
