"""What MkDocs does not do by itself: takes pages and examples from outside of docs/, and forgives what is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md", "security.md": "SECURITY.md"}
"""Pages by their place on the site, and where they are kept."""

FOLDERS = ("examples", "themes")
"""What pages may lead to as files to read."""

PLACES = {
    "README.md": "index.md",
    **{kept: page for page, kept in OUTSIDE.items()},
}
_FENCE = re.compile(r"^( *```\w+) [^`\n]+$", re.MULTILINE)
"""A fence whose first line says more than its language, which is for the tests of the page."""

_LINK = re.compile(r"(\]\()((?:\.\./)*)([^)#\s:]+)(#[^)]*)?(\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leaves pages out of the navigation that are not written yet."""
    config.nav = _there(config.nav or [], Path(config.docs_dir))
    return config


def _there(nav: list[Any], docs: Path) -> list[Any]:
    kept: list[Any] = []
    for one in nav:
        if isinstance(one, dict):
            ((title, inner),) = one.items()
            kept.append({title: _there(inner, docs)})
        elif (docs / one).exists() or (ROOT / OUTSIDE.get(one, "")).is_file():
            kept.append(one)
    return kept


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Takes in what is kept elsewhere: pages, and the examples as files to read."""
    for page, kept in OUTSIDE.items():
        if (ROOT / kept).exists():
            files.append(File.generated(config, page, content=_rehomed((ROOT / kept).read_text())))
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            files.append(File.generated(config, f"{path.relative_to(ROOT)}{_suffix(path)}", content=content))
    return files


def _suffix(path: Path) -> str:
    """Examples are to be read: a page of Markdown among them would be made one of the site."""
    return ".txt" if path.suffix == ".md" else ""


def _rehomed(text: str) -> str:
    """A page from the root, with its links as they are from the site's root."""
    return re.sub(r"\]\(docs/", "](", text)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Points links that leave docs/ to what was taken in; what was not is told by its path alone."""
    depth = page.file.src_uri.count("/")

    def moved(found: re.Match[str]) -> str:
        start, up, target, anchor, end = found.groups()
        if page.file.src_uri in OUTSIDE:
            target, leaves = target, True
        else:
            leaves = up.count("../") > depth
        if not leaves:
            return found[0]
        home = "../" * depth
        if target in PLACES:
            return f"{start}{home}{PLACES[target]}{'' if target == 'README.md' else anchor or ''}{end}"
        if (ROOT / target).is_file() and target.startswith(tuple(f"{folder}/" for folder in FOLDERS)):
            return f"{start}{home}{target}{_suffix(ROOT / target)}{end}"
        return found[0]

    return _LINK.sub(moved, _FENCE.sub(r"\1", markdown))
