"""Everything that docs/rules.md shows is so: each example runs, and what comes of it is in the golden file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from rules_page import KINDS, PAGE, Group, blocks, groups
from rules_play import Play

from llmsim import faults, overrides
from llmsim.limits import Limit
from llmsim.match import FIELDS
from llmsim.mocks import Answer, Mock
from llmsim.scenarios import ClientExpectation, Phase, Scenario, Step
from llmsim.server.control import Control
from llmsim.settings import Armed, Settings
from llmsim.simulator import Simulator

GOLDEN = Path(__file__).parent / "golden" / "rules.json"
TEXT = PAGE.read_text(encoding="utf-8")
README = (PAGE.parent.parent / "README.md").read_text(encoding="utf-8")
HEADINGS = [line for line in TEXT.splitlines() if line.startswith("#")]
GROUPS = groups(TEXT)


def golden() -> dict[str, Any]:
    """What came of each example when it was last looked at, by its group."""
    found: dict[str, Any] = orjson.loads(GOLDEN.read_bytes()) if GOLDEN.exists() else {}
    return found


@pytest.mark.parametrize("group", GROUPS, ids=[group.name for group in GROUPS])
async def test_an_example_does_what_the_page_says(group: Group, tmp_path: Path) -> None:
    play = Play(group, tmp_path)
    await play.run()
    assert not play.wrong, "\n".join(play.wrong)
    if os.environ.get("LLMSIM_UPDATE_GOLDEN"):
        kept = {one.name: golden().get(one.name) for one in GROUPS} | {group.name: play.outcomes}
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2) + b"\n")
    came = orjson.loads(orjson.dumps(play.outcomes))
    assert came == golden().get(group.name), "the outcome differs; LLMSIM_UPDATE_GOLDEN=1 rewrites it"


def test_every_example_has_a_test_and_stands_in_the_golden_file() -> None:
    unknown = [f"line {block.line}: {block.kind}" for block in blocks(TEXT) if block.kind not in KINDS]
    assert not unknown
    assert list(golden()) == [group.name for group in GROUPS]
    held = [one["text"] for outcomes in golden().values() for one in outcomes]
    assert held == [block.text for block in blocks(TEXT)]


def test_the_rules_of_the_readme_are_rules() -> None:
    (told,) = [block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "mocks:" in block]
    now = Settings.model_validate(yaml.safe_load(told))
    assert (len(now.mocks), len(now.faults), len(now.limits)) == (1, 1, 1)


def test_the_links_lead_to_headings() -> None:
    there = {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in HEADINGS}
    wanted = [*re.findall(r"\]\(#([^)]+)\)", TEXT), *re.findall(r"\]\(docs/rules\.md#([^)]+)\)", README)]
    assert wanted
    assert not [name for name in wanted if name not in there]


def test_nothing_is_set_up_without_being_asked() -> None:
    alone = [
        group.name for group in GROUPS if [one.kind for one in group.blocks] in (["yaml mocks"], ["yaml settings"])
    ]
    assert not alone


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Conditions", [f"{name}.NAME" if name == "header" else name for name in FIELDS if name != "json"]),
        ("Mocks", [name for name in Mock.model_fields if name not in ("source", "reply", "replies")]),
        ("Answers", [name.removesuffix("_") for name in Answer.model_fields]),
        ("Faults", [name for name in Armed.model_fields if name not in ("fault", "since", "until", "every_s", "on_s")]),
        ("Rate limits", ["name", "when", "per", "concurrency", "tier", "burst"]),
        ("Headers of one request", [f"x-llmsim-{name}" for name in overrides.NAMES if name not in ("ttft", "tbt")]),
        ("Scenarios", ["settings", "phases", "steps", "expect", "clients", "change", "arm", "lift", "ramp", "mark"]),
    ],
)
def test_the_tables_leave_nothing_out(heading: str, names: list[str]) -> None:
    (part,) = re.findall(rf"^##+ {heading}$(.*?)(?=^##+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    rows = [line for line in part.splitlines() if line.startswith("|")]
    assert not [name for name in names if not any(line.startswith(f"| `{name}`") for line in rows)]


@pytest.mark.parametrize("model", [Limit, Scenario, Phase, Step, ClientExpectation])
def test_every_field_is_named(model: Any) -> None:
    names = [field.alias or name for name, field in model.model_fields.items()]
    assert not [name for name in names if f"`{name}`" not in TEXT]


@pytest.mark.parametrize("kind", faults.kinds())
def test_every_fault_has_an_example(kind: str) -> None:
    assert f"kind: {kind}" in TEXT


def test_the_tables_of_the_control_api_are_whole() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| `") and "/" in line]
    for one in Control(Simulator()).operations:
        path = re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), one.path)
        told = [row for row in rows if re.search(rf"`[A-Z`, ]*{re.escape(path)}`", row)]
        assert any(f"`{one.method}" in row or f"`{one.method}`" in row for row in told), f"{one.method} {path}"
