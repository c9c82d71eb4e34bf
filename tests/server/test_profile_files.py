"""Files of latency profiles, in the place of a profile's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmsim.errors import SettingsError
from llmsim.server.config import load

TWO = """\
profiles:
  quick: {ttft: {mean: 10}, tbt: {mean: 1}}
  slow: {ttft: {kind: gamma, mean: 900, stddev: 300}, tbt: {mean: 90}}
model_profiles: {gpt-4o: slow, gpt-4o-mini: quick}
"""


def file(folder: Path, text: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_of_several_profiles_each_model_gets_its_own(tmp_path: Path) -> None:
    config = load(flags={"latency_profile": file(tmp_path, TWO)})
    assert config.latency_profile is None
    assert config.model_profiles == {"gpt-4o": "slow", "gpt-4o-mini": "quick"}
    assert config.settings().profile("slow").ttft.kind == "gamma"


def test_one_of_several_is_chosen_by_its_name(tmp_path: Path) -> None:
    config = load(flags={"latency_profile": f"{file(tmp_path, TWO)}#quick"})
    assert config.latency_profile == "quick"


def test_a_file_may_be_one_profile_alone(tmp_path: Path) -> None:
    config = load(flags={"latency_profile": file(tmp_path, '{"ttft": {"mean": 7}}', "seven.json")})
    assert config.latency_profile == "seven"
    assert config.settings().profile("seven").ttft.mean == 7


def test_what_the_configuration_says_itself_holds_against_the_file(tmp_path: Path) -> None:
    given = file(tmp_path, TWO)
    config = load(Path(file(tmp_path, f"latency_profile: {given}\nmodel_profiles: {{gpt-4o: fast}}\n", "llmsim.yaml")))
    assert config.model_profiles == {"gpt-4o": "fast", "gpt-4o-mini": "quick"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("profiles: {}", "it has no profiles; a file of profiles has profiles and model_profiles"),
        ("profiles: {a: {}}\nport: 1", "port: there is no such field"),
        ("profiles: {a: {}}\nmodel_profiles: {m: b}", "model_profiles.m: there is no profile 'b' in it; there are a"),
        ("profiles:\n  a:\n    ttft:\n      kind: nope", "line 4: profiles.a: ttft.kind: 'nope' is not allowed"),
        ("ttft:\n  mean: -1", "line 2: profiles.mine: ttft.mean: -1 is not allowed"),
        ("- a", "a configuration is a mapping of settings, not a list"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as told:
        load(flags={"latency_profile": file(tmp_path, text)})
    assert sentence in str(told.value)
    assert str(told.value).startswith("--latency-profile: ")


def test_a_name_is_no_file() -> None:
    with pytest.raises(SettingsError, match="there is no profile 'nope'; there are gpt4"):
        load(flags={"latency_profile": "nope"})
