"""The command `llmsim mocks`: checks files of mocks, and writes other tools' fixtures as mocks of llmsim."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmsim.signs import safe, seen

if TYPE_CHECKING:
    from llmsim.mocks import Mock


def add_commands(subparsers: Any) -> None:
    """Adds `mocks check FILE` and `mocks convert FILE` to the command's parser."""
    parser = subparsers.add_parser(
        "mocks", help="check and convert files of mocks", description="Reads files of mocks."
    )
    commands = parser.add_subparsers(dest="mocks_command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check a file of mocks", description="Checks a file of mocks.")
    check.add_argument("file", metavar="FILE", help="llmsim's own form, or that of aimock, mock-llm, mockllm or llmock")
    check.set_defaults(run=_check)
    convert = commands.add_parser(
        "convert", help="print another tool's fixtures as mocks", description="Prints a file's mocks in llmsim's form."
    )
    convert.add_argument("file", metavar="FILE", help="fixtures of aimock, mock-llm, mockllm or llmock")
    convert.set_defaults(run=_convert)


def _check(options: argparse.Namespace) -> int:
    """Tells how many mocks a file has; raises SettingsError with line and column where it is not valid."""
    from llmsim.server.mock_files import look

    found = look(Path(options.file))
    for note in found.notes:
        print(f"note: {safe(note)}")
    print(f"valid: {len(found.mocks)} {'mock' if len(found.mocks) == 1 else 'mocks'}")
    return 0


def _convert(options: argparse.Namespace) -> int:
    """Prints the mocks as YAML, what was left out in remarks above them; raises what a check raises."""
    from llmsim.server.mock_files import look

    found = look(Path(options.file))
    for note in found.notes:
        print(f"# left out: {safe(' '.join(note.split()))}")
    given = f"{Path(options.file).name}#"  # a name that was made here and not there is none to write down
    own = [one.model_copy(update={"name": ""}) if one.name.startswith(given) else one for one in found.mocks]
    print(written(own), end="")
    return 0


def written(mocks: Sequence[Mock]) -> str:
    """The YAML of a file with these mocks, which reads as the same mocks again."""
    import yaml

    told = []
    for one in mocks:
        fields = {name: value for name, value in one.flat().items() if name != "source"}
        told.append({**fields, "when": one.when.mapping()} if "when" in fields else fields)
    text = str(yaml.safe_dump({"mocks": told}, sort_keys=False, allow_unicode=True, width=100))
    return text if seen(text) else str(yaml.safe_dump({"mocks": told}, sort_keys=False, width=100))
