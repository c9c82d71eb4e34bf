"""Flags come before the environment, the environment before the file, and every problem is told with its place."""

import argparse
import os

import pytest

from llmsim.errors import SettingsError
from llmsim.server.config import Config, add_options, from_options, load, strangers
from llmsim.settings import Settings


@pytest.fixture(autouse=True)
def _clean(tmp_path, monkeypatch):
    for name in os.environ:
        if name.upper().startswith("LLMSIM_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


@pytest.fixture
def write(tmp_path):
    def write(text, name="c.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def options(*arguments):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(arguments)


def told(path=None, flags=None):
    with pytest.raises(SettingsError) as error:
        load(path, flags)
    return str(error.value)


def test_without_anything_there_are_defaults():
    config = load()
    assert (config.host, config.port, config.log_level) == ("127.0.0.1", 8080, "info")
    assert config.settings() == Settings()
    assert type(config.settings()) is Settings


def test_the_file_is_under_the_environment_and_that_under_the_flags(write, monkeypatch):
    path = write("port: 1\nseed: 1\ntarget_tokens: 1\n")
    monkeypatch.setenv("LLMSIM_SEED", "2")
    monkeypatch.setenv("LLMSIM_TARGET_TOKENS", "2")
    config = load(path, {"target_tokens": "3"})
    assert (config.port, config.seed, config.target_tokens) == (1, 2, 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "c.yaml",
            "latency_profile: mine\nprofiles: {mine: {ttft: {mean: 5}}}\nfaults: [{kind: cut, after_tokens: 2}]",
        ),
        (
            "c.toml",
            'latency_profile = "mine"\nprofiles.mine.ttft = {mean = 5}\n[[faults]]\nkind = "cut"\nafter_tokens = 2\n',
        ),
    ],
)
def test_a_file_may_be_yaml_or_toml(write, name, text):
    settings = load(write(text, name)).settings()
    assert settings.profile("mine").ttft.mean == 5
    assert [one.flat() for one in settings.faults] == [{"kind": "cut", "after_tokens": 2}]


def test_nested_fields_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("LLMSIM_PROFILES__mine__TTFT__MEAN", "5")
    monkeypatch.setenv("LLMSIM_LATENCY_PROFILE", "mine")
    monkeypatch.setenv("LLMSIM_MODEL_PROFILES", '{"gpt-4o": "fast"}')
    monkeypatch.setenv("LLMSIM_FAULTS", '[{"kind": "cut", "probability": 0.5}]')
    config = load()
    assert config.profile("mine").ttft.mean == 5
    assert config.model_profiles == {"gpt-4o": "fast"}
    assert config.faults[0].fault.probability == 0.5


def test_a_nested_field_of_the_environment_leaves_the_files_others(write, monkeypatch):
    path = write("profiles: {mine: {ttft: {mean: 5}}, other: {ttft: {mean: 6}}}\nlatency_profile: other\n")
    monkeypatch.setenv("LLMSIM_PROFILES__mine__TTFT__MEAN", "7")
    config = load(path)
    assert config.profile("mine").ttft.mean == 7
    assert config.profile("other").ttft.mean == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\ntarget_tokens: many\n", ["line 2", "target_tokens", "'many'", "valid integer"]),
        ("target_tokens: 0\n", ["line 1", "target_tokens", "0", "greater than or equal to 1"]),
        ("seed: 1\ngenerator: nobody\n", ["line 2", "generator", "'nobody'", "echo, fixed"]),
        ("seed: 1\nlatency_profile: warp\n", ["line 2", "latency_profile", "'warp'", "gpt4o"]),
        ("model_profiles:\n  gpt-4o: warp\n", ["line 2", "model_profiles.gpt-4o", "'warp'", "gpt4o"]),
        ("log_level: loud\n", ["line 1", "log_level", "'loud'", "'debug', 'info', 'warning' or 'error'"]),
        ("port: 70000\n", ["line 1", "port", "70000", "less than or equal to 65535"]),
        ("faults:\n  - kind: cut\n  - kind: boom\n", ["line 3", "faults[1]", "'boom'", "cut, disorder"]),
        ("faults:\n  - kind: cut\n    after_tokens: -1\n", ["line 3", "faults[0].after_tokens", "-1", "equal to 0"]),
        ("profiles:\n  x:\n    ttft: {mean: soon}\n", ["line 3", "profiles.x.ttft.mean", "'soon'", "valid number"]),
        ("seed: 1\nvelocity: 3\n", ["line 2", "velocity", "no such setting", "latency_profile"]),
        ("seed: 1\n5: 3\n", ["line 2", "5"]),
        ("faults:\n  - fault: {}\n", ["line 2", "faults[0]"]),
    ],
)
def test_a_problem_is_told_with_file_line_field_value_and_what_is_allowed(write, text, words):
    path = write(text)
    message = told(path)
    for word in [f"{path} ", *words]:
        assert word in message


def test_every_problem_has_a_line_of_its_own(write):
    assert len(told(write("target_tokens: 0\nport: -1\n")).splitlines()) == 2


def test_a_problem_of_the_environment_names_the_variable(monkeypatch):
    monkeypatch.setenv("LLMSIM_SEED", "x")
    assert told().startswith("LLMSIM_SEED: seed: 'x' is not allowed")


@pytest.mark.parametrize("name", ["LLMSIM_FAULTS", "LLMSIM_PROFILES"])
def test_a_variable_that_is_not_json_is_named_too(monkeypatch, name):
    monkeypatch.setenv(name, "oops[")
    assert name in told()


def test_a_problem_of_a_flag_names_the_flag():
    assert told(flags={"target_tokens": "x"}).startswith("--target-tokens: target_tokens: 'x' is not allowed")
    assert told(flags={"latency_profile": "warp"}).startswith("--latency-profile: latency_profile: there is no")


def test_an_unknown_profile_of_the_environment_names_the_variable(monkeypatch):
    monkeypatch.setenv("LLMSIM_LATENCY_PROFILE", "warp")
    assert told().startswith("LLMSIM_LATENCY_PROFILE: latency_profile: there is no")


def test_every_flag_sets_its_field():
    arguments = (
        "--host 0.0.0.0 --port 9 --latency-profile fast --generator echo --target-tokens 7 --seed 3 --rpm 5 --tpm 50"
        " --rate-limit-rate 0.1 --server-error-rate 0.2 --timeout-rate 0.3"
        " --timeout-after-ms 10 --log-level debug --strict"
    )
    config, path = from_options(options(*arguments.split()))
    assert path is None
    assert (config.host, config.port, config.log_level, config.strict) == ("0.0.0.0", 9, "debug", True)
    assert (config.latency_profile, config.generator, config.target_tokens) == ("fast", "echo", 7)
    assert (config.seed, config.rpm, config.tpm) == (3, 5, 50)
    assert (config.rate_limit_rate, config.server_error_rate, config.timeout_rate) == (0.1, 0.2, 0.3)
    assert config.timeout_after_ms == 10


def test_the_named_file_is_read_else_the_usual_one(write, tmp_path):
    write("seed: 5", "llmsim.yaml")
    named = write("seed: 6", "other.yaml")
    config, path = from_options(options())
    assert (config.seed, str(path)) == (5, "llmsim.yaml")
    config, path = from_options(options("--config", str(named)))
    assert (config.seed, path) == (6, named)
    with pytest.raises(SettingsError, match=r"nothing\.yaml: cannot be read"):
        from_options(options("--config", str(tmp_path / "nothing.yaml")))


def test_the_configuration_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1


def test_variables_that_look_like_settings_and_are_none_are_told(monkeypatch):
    monkeypatch.setenv("LLMSIM_SEED", "1")
    monkeypatch.setenv("LLMSIM_PROFILES__X__TTFT__MEAN", "1")
    monkeypatch.setenv("LLMSIM_SEEED", "1")
    assert strangers() == ["LLMSIM_SEEED"]


def test_every_field_is_described():
    undescribed = [name for name, field in Config.model_fields.items() if not field.description]
    assert undescribed == []
