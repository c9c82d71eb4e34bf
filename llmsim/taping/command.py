"""The command `llmsim tape`: shows, checks, masks, converts and merges tapes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmsim.errors import TapeError

if TYPE_CHECKING:
    from llmsim.tapes import Take
    from llmsim.tapes.masking import Masker


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `show`, `check`, `mask`, `convert` and `merge` to the command's parser."""
    commands = parser.add_subparsers(dest="tape_command", required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="list what is on a tape, or show one take")
    show.add_argument("file", metavar="FILE", help="tape, HAR or cassette")
    show.add_argument("take", metavar="N", nargs="?", type=int, help="the take to show whole, counted from 1")
    show.add_argument("--limit", metavar="N", type=int, default=200, help="takes that are listed (default: 200)")
    show.set_defaults(run=_show)
    check = commands.add_parser("check", help="say what is on a tape and what is wrong with it; exit status 1 if so")
    check.add_argument("files", metavar="FILE", nargs="+", help="tape, HAR or cassette")
    check.add_argument("--no-secrets", action="store_true", help="do not look for secrets that are not masked")
    _masked(check)
    check.set_defaults(run=_check)
    mask = commands.add_parser("mask", help="mask secrets and personal data, with patterns of one's own")
    convert = commands.add_parser("convert", help="turn a HAR or a cassette into a tape, or a tape into one of these")
    merge = commands.add_parser("merge", help="make one tape of several, in the order of time")
    for one, count in ((mask, None), (convert, None), (merge, "+")):
        one.add_argument("file" if count is None else "files", metavar="FILE", nargs=count)
        one.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
        one.add_argument("--force", action="store_true", help="write over a file of that name")
        _masked(one)
    convert.add_argument("--to", choices=("tape", "har", "vcr", "aimock"), help="its form, where the ending says none")
    mask.set_defaults(run=_convert, to="tape", files=None)
    convert.set_defaults(run=_convert, files=None)
    merge.set_defaults(run=_convert, to="tape", file=None)


def _masked(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mask-pattern", metavar="REGEX", action="append", help="more to mask; repeatable")
    parser.add_argument("--phone-region", metavar="CC", action="append", help="a country of phones without +")


def _masker(options: argparse.Namespace) -> Masker:
    import os

    from llmsim.tapes.masking import Masker, persons

    regions = options.phone_region or persons.REGIONS
    return Masker(options.mask_pattern or (), regions, os.environ.get("LLMSIM_MASK_KEY", ""))


def _read(name: str, notes: list[str]) -> Iterator[Take]:
    from llmsim.taping import files

    return files.read(Path(name), notes)


def _tell(notes: list[str]) -> None:
    from llmsim.signs import safe

    for note in notes:
        print(f"note: {safe(note)}", file=sys.stderr)


# -- show


def _show(options: argparse.Namespace) -> int:
    from llmsim.taping import showing

    notes: list[str] = []
    takes = _read(options.file, notes)
    if options.take is not None:
        found = next((take for number, take in enumerate(takes, 1) if number == options.take), None)
        if found is None:
            raise TapeError(f"{options.file}: there is no take {options.take}")
        print(showing.whole(found))
        return 0
    showing.listed(takes, options.limit)
    _tell(notes)
    return 0


# -- check


def _check(options: argparse.Namespace) -> int:
    from llmsim.signs import safe
    from llmsim.taping.check import look

    masker = None if options.no_secrets else _masker(options)
    wrong = 0
    for name in options.files:
        notes: list[str] = []
        found = look(_read(name, notes), masker)
        span = found.last - found.first
        print(f"{name}: {found.takes} takes in {span:.0f} s, {found.bytes} bytes of bodies")
        for what, counts in (
            ("APIs", found.apis),
            ("models", found.models),
            ("status", found.statuses),
            ("end", found.ends),
        ):
            told = ", ".join(f"{one} {count}" for one, count in counts.most_common(20))
            print(f"  {what}: {safe(told) or 'none'}")
        for problem in (*notes, *found.problems[:100]):
            print(f"  {safe(problem)}")
        if len(found.problems) > 100:
            print(f"  {len(found.problems) - 100} more")
        wrong += len(found.problems)
    return 1 if wrong else 0


# -- mask, convert, merge


def _convert(options: argparse.Namespace) -> int:
    """Writes what the files hold, masked, in another form; raises TapeError."""
    from llmsim.taping import files

    notes: list[str] = []
    output = Path(options.output)
    form = options.to or files.form_of(output)
    names = options.files or [options.file]
    if any(Path(name).resolve() == output.resolve() for name in names):
        raise TapeError(f"{output}: the file that is read cannot be the one that is written")
    takes: Any = _read(names[0], notes) if len(names) == 1 else files.merged([_read(name, notes) for name in names])
    masks = _Masks(_masker(options))
    count = files.write(output, form, map(masks.take, takes), notes, force=options.force)
    _tell(notes)
    what = {"tape": "takes", "har": "entries", "vcr": "interactions", "aimock": "takes as fixtures"}[form]
    print(f"{output}: {count} {what}" + (f", {masks.made} masks that were not there before" if masks.made else ""))
    return 0


class _Masks:
    """Masks each take: other tools have not, and one's own patterns may be new."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self.made = 0

    def take(self, take: Take) -> Take:
        masked = self._masker.take(replace(take, masked=0))
        self.made += masked.masked
        return replace(masked, masked=take.masked + masked.masked)
