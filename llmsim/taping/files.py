"""Reads what holds exchanges, a tape or another tool's recording, and writes either."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from llmsim.errors import TapeError
from llmsim.tapes import Take, Tape, Writer
from llmsim.taping import aimock, har, vcr

LIMIT = 1 << 30
"""Bytes of another tool's file."""

FORMS = ("tape", "har", "vcr", "aimock")
_BY_ENDING = {".har": "har", ".yaml": "vcr", ".yml": "vcr", ".json": "aimock", ".jsonl": "tape", ".gz": "tape"}


def form_of(path: Path) -> str:
    """What a file of that name is written as."""
    found = _BY_ENDING.get(path.suffix)
    if found is None:
        raise TapeError(f"{path}: its ending says no form; --to names one of {', '.join(FORMS)}")
    return found


def is_tape(path: Path) -> bool:
    """Whether a path is a tape's: by its first bytes, or because nothing of the name is there but parts."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return True
    return start.startswith(b"\x1f\x8b") or (start.startswith(b"{") and b'"v":' in start)


def read(path: Path, notes: list[str]) -> Iterator[Take]:
    """The takes in a file of whatever form; `notes` are told what is missing. Raises TapeError."""
    if is_tape(path):
        tape = Tape(path)
        yield from tape
        if tape.dropped:
            notes.append(tape.dropped)
        return
    raw = document(path)
    if aimock.mine(raw):
        raise TapeError(f"{path}: fixtures of aimock have no requests; `llmsim mocks convert` makes mocks of them")
    tool: Any = next((one for one in (har, vcr) if one.mine(raw)), None)
    if tool is None:
        raise TapeError(f"{path}: this is neither a tape nor a HAR nor a cassette of VCR")
    try:
        yield from tool.takes(raw, notes)
    except TapeError as error:
        raise TapeError(f"{path}: {error}") from None


def document(path: Path) -> Any:
    """The JSON or YAML in a file; raises TapeError."""
    try:
        if path.stat().st_size > LIMIT:
            raise TapeError(f"{path}: the file is larger than {LIMIT >> 30} GB")
        data = path.read_bytes()
    except OSError as error:
        raise TapeError(f"{path}: it cannot be read: {error.strerror or error}") from None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if path.suffix not in (".yaml", ".yml"):
            raise TapeError(f"{path}: this is no JSON: {error}") from None
    import yaml

    try:
        return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise TapeError(f"{path}: this is no YAML: {' '.join(str(error).split())[:200]}") from None


def write(path: Path, form: str, takes: Iterable[Take], notes: list[str], *, force: bool = False) -> int:
    """Writes the takes in a form and gives how many there were; raises TapeError rather than write over a file."""
    if path.exists() and not force:
        raise TapeError(f"{path}: there is another file of that name; --force writes over it")
    counted = _Counted(takes)
    if form == "tape":
        _tape(path, counted)
    else:
        _put(path, _worded(form, counted, notes))
    return counted.count


class _Counted:
    def __init__(self, takes: Iterable[Take]) -> None:
        self._takes = takes
        self.count = 0

    def __iter__(self) -> Iterator[Take]:
        for take in self._takes:
            self.count += 1
            yield take


def _tape(path: Path, takes: Iterable[Take]) -> None:
    """A new tape, in the place of one of that name only once it is whole."""
    fresh = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
    writer = Writer(fresh, rotate_at=1 << 40, limit=1 << 40)
    try:
        for take in takes:
            writer.write(take)
    except BaseException:
        writer.close()
        fresh.unlink(missing_ok=True)
        raise
    empty = not writer.takes
    writer.close()
    if empty:
        raise TapeError(f"{path}: there is nothing to write")
    fresh.replace(path)


def _worded(form: str, takes: Iterable[Take], notes: list[str]) -> bytes:
    if form == "har":
        return orjson.dumps(har.archive(takes), option=orjson.OPT_INDENT_2)
    if form == "aimock":
        return orjson.dumps(aimock.fixtures(takes, notes), option=orjson.OPT_INDENT_2)
    import yaml

    told = yaml.dump(vcr.cassette(takes), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True)
    return str(told).encode()


def _put(path: Path, data: bytes) -> None:
    """Writes a file that only its owner may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise TapeError(f"{path}: it cannot be written: {error.strerror or error}") from None


def merged(sources: Sequence[Iterable[Take]]) -> list[Take]:
    """All takes in the order in which they were asked; of those that are there twice one."""
    found: dict[str, Take] = {}
    for source in sources:
        for take in source:
            found.setdefault(take.id, take)
    return sorted(found.values(), key=lambda take: take.at)
