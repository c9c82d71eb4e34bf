"""Tells what the changelog says of a version, after a look whether the tag is that of the version.

python scripts/release_notes.py v0.1.0
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version() -> str:
    """The version, from the one place where it is written."""
    found = re.search(r'^__version__ = "([^"]+)"$', (ROOT / "llmsim" / "__init__.py").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("llmsim/__init__.py: there is no __version__")
    return found[1]


def notes(told: str, of: str) -> str:
    """The part of a changelog that is about a version."""
    found = re.search(rf"^## \[{re.escape(of)}\].*?\n(.*?)(?=^## |\Z)", told, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md: nothing is said of {of}: give the part Unreleased its number and date")
    return found[1].strip() + "\n"


def main() -> None:
    """Prints the notes of the version that the tag names."""
    tag = sys.argv[1] if len(sys.argv) > 1 else ""
    if tag != f"v{version()}":
        raise SystemExit(f"the tag {tag!r} is not that of version {version()}: v{version()}")
    sys.stdout.write(notes((ROOT / "CHANGELOG.md").read_text(), version()))


if __name__ == "__main__":
    main()
