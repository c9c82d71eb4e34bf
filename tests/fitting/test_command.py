"""`llmsim profile` as its user meets it."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
import pytest
import results_of

from llmsim.cli import main
from llmsim.latency import Profile, Spread
from llmsim.server.config import load

PROFILE = Profile(ttft=Spread(kind="lognormal", mean=300, stddev=90), tbt=Spread(kind="gamma", mean=20, stddev=8))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    path = tmp_path / "run.json"
    path.write_bytes(orjson.dumps(results_of.vllm_bench(PROFILE)))
    return path


def test_a_fit_is_drawn_and_its_file_is_one_to_serve_with(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "fit", "run.json"]) == 0
    told = capsys.readouterr().out
    assert "llama-3: 60 replies" in told
    assert "█ observed  │ fitted" in told
    assert "chosen" in told
    assert "rejected" in told
    assert told.endswith("1 profile in run.profile.yaml: llmsim serve --latency-profile run.profile.yaml\n")
    config = load(flags={"latency_profile": "run.profile.yaml"})
    assert config.latency_profile == "llama-3"
    profile = config.settings().profile("llama-3")
    assert profile.tbt.kind == "gamma"
    assert profile.source == "fitted to run.json: 60 replies of llama-3"


def test_a_fit_can_be_only_printed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "fit", "run.json", "-o", "-", "--name", "mine"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("# Fitted by llmsim ")
    assert "A² = " in told
    assert "model_profiles: {llama-3: mine}" in told
    assert [path.name for path in run.parent.iterdir()] == ["run.json"]


def test_another_file_is_not_written_over(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.profile.yaml").write_text("mine: 1\n")
    assert main(["profile", "fit", "run.json"]) == 2
    assert "--force" in capsys.readouterr().err
    assert Path("run.profile.yaml").read_text() == "mine: 1\n"
    assert main(["profile", "fit", "run.json", "--force"]) == 0
    assert main(["profile", "fit", "run.json"]) == 0, "a fit takes the place of a fit"


def test_only_one_models_replies_are_fitted_where_one_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "fit", "run.json", "--model", "other"]) == 2
    assert "nothing to fit" in capsys.readouterr().err


def test_without_scipy_a_sentence_says_how_to_get_it(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("scipy", "scipy.special", "scipy.stats"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["profile", "fit", "run.json"]) == 2
    assert capsys.readouterr().err == (
        "llmsim: fitting needs scipy, which is not installed: pip install 'llmsim[fit]'\n"
    )
    assert main(["profile", "preview", "gpt4o"]) == 0


def test_presets_are_listed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "list"]) == 0
    told = capsys.readouterr().out
    assert "claude-sonnet" in told
    assert "normal, mean 500 ms, stddev 120 ms" in told


def test_a_profile_is_shown_as_a_file_has_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "show", "gpt4o"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("gpt4o:\n  ttft:\n    mean: 400.0\n    stddev: 100.0\n")
    assert "# ttft: mean 400  p1 " in told


def test_a_profile_is_drawn_before_it_is_served(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "fit", "run.json"]) == 0
    capsys.readouterr()
    assert main(["profile", "preview", "run.profile.yaml#llama-3"]) == 0
    told = capsys.readouterr().out
    assert "between tokens (tbt): gamma, mean 20" in told
    assert "████" in told
    assert "│" not in told


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nope", "there is no 'nope'; there are gpt4"),
        ("nope.yaml", "nope.yaml: cannot be read"),
        ("run.profile.yaml#x", "there is no profile 'x' in run.profile.yaml; there are llama-3"),
    ],
)
def test_a_profile_that_is_not_there_is_told(
    run: Path, capsys: pytest.CaptureFixture[str], name: str, sentence: str
) -> None:
    main(["profile", "fit", "run.json"])
    assert main(["profile", "show", name]) == 2
    assert sentence in capsys.readouterr().err


def test_a_profile_is_drawn_over_what_was_measured(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert main(["profile", "preview", "gpt4o", "--against", "run.json"]) == 0
    told = capsys.readouterr().out
    assert "█ measured  │ profile" in told
    assert "measured: 60 samples, mean 3" in told
    assert "D = 0." in told
