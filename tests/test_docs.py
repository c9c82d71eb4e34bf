"""What the documentation says can be done can be done: code is code, commands exist, links lead somewhere."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from running import running

from llmsim import cli

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
FENCE = re.compile(r"^( *)```(\w+)([^\n`]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
RUN_ELSEWHERE = {"rules.md"}
"""Pages whose code has tests of its own where its fence says which."""


def blocks(page: Path, *languages: str) -> Iterator[tuple[str, str]]:
    """The code of a page in these languages, and what else its fence says."""
    for indent, language, more, code in FENCE.findall(page.read_text()):
        if language in languages:
            yield re.sub(f"^{indent}", "", code, flags=re.MULTILINE), more


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_block_of_code_can_be_read(page):
    for code, _ in blocks(page, "python"):
        ast.parse(code)
    for code, more in blocks(page, "yaml"):
        if page.name in RUN_ELSEWHERE and more:
            continue
        list(yaml.safe_load_all(code))
    for code, more in blocks(page, "json"):
        if "…" not in code and not more:
            json.loads(code)
    for code, _ in blocks(page, "toml"):
        tomllib.loads(code)


def commands() -> Iterator[tuple[str, str]]:
    """Each `llmsim` command of a page."""
    for page in PAGES:
        for code, _ in blocks(page, "sh", "bash", "console"):
            for line in code.replace("\\\n", " ").splitlines():
                found = re.match(
                    r"\s*\$? ?llmsim ((?:serve|run|ctl|check|profile|mocks?|record|replay|tape)\b.*)", line
                )
                if found:
                    words = re.split(r" (?:[|<>&]|2>)| #|&$", found[1])[0].strip()
                    yield page.name, words


@pytest.mark.parametrize(("page", "words"), sorted(set(commands())))
def test_every_command_is_one(page, words):
    try:
        with contextlib.redirect_stderr(io.StringIO()) as told:
            cli._parser().parse_args(shlex.split(words))
    except SystemExit:
        pytest.fail(f"{page}: llmsim {words}: {told.getvalue()}")


def anchors(page: Path) -> set[str]:
    """The places of a page that links can name, by the rule that its headings are made places by."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = set(re.findall(r'(?:id|name)="([^"]+)"', text))
    for heading in re.findall(r"^#+ (.+?)\s*#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", plain.lower())).strip("-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_somewhere(page):
    text = re.sub(r"^( *)```.*?^\1```|`[^`\n]+`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)#\s:]*)(?:#([^)\s]*))?\)", text):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{target} is not there"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{target}#{anchor} is not there"


def recipes() -> list[object]:
    pages = [page for page in PAGES if page.parent.name in ("recipes", "quickstart")]
    found = []
    for page in pages:
        for number, (code, _) in enumerate(blocks(page, "python")):
            found.append(pytest.param(code, id=f"{page.name}-{number}"))
    return found


@pytest.mark.parametrize("code", recipes())
async def test_every_recipe_does_what_it_says(code, tmp_path):
    if "pip install" in code:
        pytest.skip("it needs a framework, which make test-frameworks has")
    if "def test_" in code:
        (tmp_path / "test_it.py").write_text(code)
        apart = ["-pno:cacheprovider", "-pno:xdist", "-pno:hypothesispytest", "-pno:schemathesis"]  # they take seconds
        command = [sys.executable, "-m", "pytest", "-q", *apart, str(tmp_path)]
        done = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        return
    async with running(target_tokens=10) as runner:
        code = code.replace("http://127.0.0.1:8080", runner.url)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            await asyncio.to_thread(exec, f"{code}\nclient.close()\n", {})
    assert printed.getvalue().strip()


def test_the_configuration_page_is_what_the_models_say():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "configuration_page.py", "--check"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_the_library_page_has_every_public_name():
    import llmsim

    told = (DOCS / "api.md").read_text()
    for name, home in llmsim._HOMES.items():
        module, _, own = home.partition(":")
        assert f"::: llmsim.{module}.{own or name}\n" in told


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text()
    missing = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if str(page.relative_to(DOCS)) not in text]
    assert missing == []


def test_what_is_said_to_hold_a_promise_is_there():
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## What holds what")[2].partition("\n## ")[0]
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    named = re.findall(r"`(tests/[^`]+|make [^`]+)`|job `([^`]+)`", table)
    assert len(named) > 30
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for held, job in named:
        if held.startswith("make "):
            assert held.removeprefix("make ") in targets
        elif held:
            assert (ROOT / held).exists(), held
        else:
            assert job in workflow
