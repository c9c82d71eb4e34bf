"""The command `llmsim profile`: fits profiles to what was measured, shows, lists and draws those there are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmsim.errors import SettingsError
from llmsim.fitting.needs import FitError

if TYPE_CHECKING:
    from llmsim.fitting.seen import Seen
    from llmsim.latency import Profile

AT_ONCE = 0.05
"""Milliseconds below which a token came together with the one before."""

_NAMED = "a preset, a FILE of profiles, or FILE#NAME for one of several in it"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `fit`, `show`, `list` and `preview` to the command's parser."""
    commands = parser.add_subparsers(dest="profile_command", required=True, metavar="COMMAND")
    fit = commands.add_parser("fit", help="fit profiles to a tape or to a load generator's results")
    fit.description = "Fits a latency profile for each model, and draws observed against fitted. Needs llmsim[fit]."
    fit.add_argument(
        "files", metavar="FILE", nargs="+", help="tape, or results of GuideLLM, vllm bench serve or aiperf"
    )
    fit.add_argument("-o", "--output", metavar="FILE", help="profile file to write, - for none but standard output")
    fit.add_argument(
        "--model", metavar="NAME", help="only the replies of this model; the model where no file names one"
    )
    fit.add_argument("--name", metavar="NAME", help="what the profile is called where it is only one")
    fit.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the bootstrap (default: 0)")
    fit.add_argument("--force", action="store_true", help="write over a file that no fit has written")
    fit.set_defaults(run=_fit)
    show = commands.add_parser("show", help="print a profile's fields and quantiles")
    show.add_argument("name", metavar="NAME", help=_NAMED)
    show.set_defaults(run=_show)
    listed = commands.add_parser("list", help="list profiles: the presets, or those in a file")
    listed.add_argument("file", metavar="FILE", nargs="?", help="file of profiles")
    listed.set_defaults(run=_list)
    preview = commands.add_parser("preview", help="draw a profile's waits")
    preview.add_argument("name", metavar="NAME", help=_NAMED)
    preview.add_argument("--against", metavar="FILE", help="a tape or results: what was measured is drawn under it")
    preview.set_defaults(run=_preview)


def _fit(options: argparse.Namespace) -> int:
    """Fits, writes and draws; raises FitError where there is nothing to fit, or no scipy."""
    from llmsim.fitting import needs

    needs.scipy("special")
    from llmsim.fitting import file, picture
    from llmsim.fitting.fit import fit

    paths = [Path(name) for name in options.files]
    replies = [one for path in paths for one in _replies(path, options.model or "")]
    if options.model:
        replies = [one for one in replies if one.model == options.model]
    fits = fit(replies, options.seed)
    told = file.text(fits, ", ".join(path.name for path in paths), options.name or "")
    if options.output == "-":
        print(told, end="")
        return 0
    output = Path(options.output or f"{paths[0].name.partition('.')[0]}.profile.yaml")
    file.write(output, told, force=options.force)
    _print(*map(picture.fitted, fits))
    names = "profile" if len(fits) == 1 else "profiles"
    print(f"{len(fits)} {names} in {output}: llmsim serve --latency-profile {output}")
    return 0


def _replies(path: Path, usual: str) -> Sequence[Seen]:
    """The replies in a file; of `usual` where the file names no model."""
    from dataclasses import replace

    from llmsim.fitting import from_tape, results

    found = None if from_tape.mine(path) else results.read(path)
    replies = from_tape.read(path) if found is None else found[1]
    return [one if one.model or not usual else replace(one, model=usual) for one in replies]


def _show(options: argparse.Namespace) -> int:
    import yaml

    for name, one in _found(options.name).items():
        print(yaml.safe_dump({name: one.model_dump(mode="json", exclude_defaults=True)}, sort_keys=False), end="")
        for part, spread in (("ttft", one.ttft), ("tbt", one.tbt)):
            places = "  ".join(f"p{at} {spread.quantile(at / 100):.4g}" for at in (1, 10, 50, 90, 95, 99))
            print(f"# {part}: mean {spread.middle:.4g}  {places} ms")
    return 0


def _list(options: argparse.Namespace) -> int:
    from rich.table import Table

    from llmsim.fitting.picture import shown
    from llmsim.latency import presets
    from llmsim.signs import safe

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("name", "first token (ttft)", "between tokens (tbt)", "source"):
        table.add_column(column, overflow="fold")
    for name, one in (_found(options.file) if options.file else presets()).items():
        table.add_row(safe(name), shown(one.ttft), shown(one.tbt), safe(one.source))
    _print(table)
    return 0


def _preview(options: argparse.Namespace) -> int:
    from llmsim.fitting.picture import preview

    found = _found(options.name)
    replies = _replies(Path(options.against), "") if options.against else []
    if options.against and len(found) > 1:
        raise FitError(f"{options.name} has several profiles; {options.name}#NAME is one to compare")
    slopes = [one.prefill_ms_per_token for one in found.values()]
    waits = [one.ttft - slopes[0] * (one.prompt or 0) for one in replies if one.ttft is not None]
    gaps = [gap for one in replies for gap in one.gaps if gap >= AT_ONCE]
    _print(*(preview(name, one, waits, gaps) for name, one in found.items()))
    return 0


def _found(told: str) -> dict[str, Profile]:
    """The profiles that a name, a file or a name in a file stands for."""
    from llmsim.latency import preset
    from llmsim.server import profile_files

    place = profile_files.named(told)
    if place is None:
        try:
            return {told: preset(told)}
        except SettingsError as error:
            raise FitError(f"{str(error).removeprefix('latency_profile: ')}; a FILE of profiles is taken too") from None
    path, name = place
    profiles = profile_files.read(path).profiles
    if name and name not in profiles:
        raise FitError(f"there is no profile {name!r} in {path}; there are {', '.join(profiles)}")
    return {name: profiles[name]} if name else profiles


def _print(*shown: object) -> None:
    from rich.console import Console

    Console(highlight=False, markup=False, emoji=False).print(*shown, sep="\n")
