"""What the README says is true: its code runs, its commands exist, its tables are complete."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from running import running

from llmsim import cli, faults, generators
from llmsim.latency import presets
from llmsim.server.config import Config, load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


async def test_the_first_example_prints_a_streamed_reply(capsys):
    async with running(target_tokens=30) as runner:
        code = next(block for block in BLOCKS if "stream=True" in block)
        code = code.replace("http://127.0.0.1:8080", runner.url) + "client.close()\n"
        await asyncio.to_thread(exec, code, {})
    assert len(capsys.readouterr().out.split()) > 5


def test_the_library_example_runs():
    names: dict[str, object] = {}
    exec(next(block for block in BLOCKS if "count_tokens" in block), names)
    assert names["simulator"].settings.profile("mine").ttft.mean == 300
    assert names["count_tokens"]("tiktoken is great!", "gpt-4") == 6


@pytest.mark.parametrize("name", list(Config.model_fields))
def test_every_setting_is_in_the_table(name):
    assert f"`{name}`" in README


@pytest.mark.parametrize("kind", faults.kinds())
def test_every_fault_and_its_settings_are_in_the_table(kind):
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{kind}` |")]
    for field in faults.kinds()[kind].model_fields:
        assert field == "probability" or field in row


@pytest.mark.parametrize("name", presets())
def test_every_profile_is_in_the_table_with_its_figures(name):
    ttft, tbt = presets()[name].ttft, presets()[name].tbt
    told = [f"{spread.mean:g}/{spread.stddev:g}" if spread.mean else "0" for spread in (ttft, tbt)]
    assert re.search(rf"\| `{name}`[^|]*\| {told[0]} \| {told[1]} \|", README)


@pytest.mark.parametrize("kind", generators.kinds())
def test_every_generator_is_named(kind):
    assert re.search(rf"`{kind}[:`]", README)


def test_the_flags_of_the_headless_example_are_real():
    lines = re.findall(r"^llmsim serve (--[^#\n]*)", README, re.MULTILINE)
    options = [cli._parser().parse_args(["serve", *line.split()]) for line in lines]
    assert ("8080", "7") in [(told.port, told.seed) for told in options]


def test_the_example_configuration_is_valid():
    assert load(ROOT / "examples" / "llmsim.yaml").model_profiles == {"gpt-4o": "snappy"}


def test_the_links_lead_somewhere():
    for text in (README, CONTRIBUTING):
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL))
def test_the_examples_of_contributing_are_whole_files(code):
    exec(code, {"__name__": "example"})
