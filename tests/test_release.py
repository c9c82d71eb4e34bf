"""What is released is one version, with notes, from workflows that hold to their own rules."""

import re
import sys
from pathlib import Path

import pytest
import yaml

import llmsim
from llmsim.server.config import PREFIX, Config

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import dockerfile_steps  # noqa: E402
import release_notes  # noqa: E402

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
COMPOSED = [ROOT / "compose.yaml", ROOT / "examples" / "observed" / "compose.yaml"]


def test_the_version_is_written_in_one_place():
    assert release_notes.version() == llmsim.__version__
    assert "dynamic" in (text := (ROOT / "pyproject.toml").read_text())
    assert not re.search(r"^version\s*=", text, re.MULTILINE)


def test_notes_are_the_part_of_the_changelog_that_is_about_the_version():
    told = "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [0.2.0] - 2026-12-01\n\n- this\n\n## [0.1.0]\n\n- that\n"
    assert release_notes.notes(told, "0.2.0") == "- this\n"
    with pytest.raises(SystemExit, match=r"nothing is said of 0\.3\.0"):
        release_notes.notes(told, "0.3.0")


def test_a_tag_of_another_version_makes_no_release(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["release_notes.py", "v99.0.0"])
    with pytest.raises(SystemExit, match=r"the tag 'v99\.0\.0' is not that of version"):
        release_notes.main()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_its_rights_told_and_its_actions_pinned(path):
    told = yaml.safe_load(path.read_text())
    assert told["permissions"] in ({}, {"contents": "read"})
    for job in told["jobs"].values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert re.search(r"@(v\d+|release/v\d+|[0-9a-f]{40})$", step.get("uses", "@v0")), step


def test_no_job_has_a_secret_but_the_platforms_own():
    secrets = {name for path in WORKFLOWS for name in re.findall(r"secrets\.(\w+)", path.read_text())}
    assert secrets <= {"GITHUB_TOKEN"}


def test_all_that_the_image_is_built_of_reaches_the_builder():
    kept = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    build, run = dockerfile_steps.stages()
    copied = {name for word, rest in build if word == "COPY" for name in rest.split()[:-1]}
    assert copied == kept
    assert dict(run)["USER"] == "10001:10001"
    assert "/ready" in dict(run)["HEALTHCHECK"]


@pytest.mark.parametrize("path", COMPOSED, ids=["alone", "observed"])
def test_a_composed_server_can_write_nothing_and_is_for_this_machine(path):
    server = yaml.safe_load(path.read_text())["services"]["llmsim"]
    assert server["read_only"]
    assert server["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert (path.parent / server["build"] / "Dockerfile").resolve() == ROOT / "Dockerfile"
    known = {PREFIX + name.upper() for name in Config.model_fields}
    assert {name for name in server.get("environment", {}) if name.startswith(PREFIX)} <= known
