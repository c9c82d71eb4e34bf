"""The result files of GuideLLM, `vllm bench serve` and aiperf are read as they write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import results_of

from llmsim.fitting import results
from llmsim.fitting.fit import fit
from llmsim.fitting.needs import FitError
from llmsim.latency import Profile, Spread

PROFILE = Profile(ttft=Spread(kind="lognormal", mean=300, stddev=90), tbt=Spread(kind="gamma", mean=20, stddev=8))


def written(folder: Path, raw: Any, name: str = "run.json") -> Path:
    path = folder / name
    if isinstance(raw, list):
        path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in raw))
    else:
        path.write_bytes(orjson.dumps(raw, option=orjson.OPT_INDENT_2))
    return path


@pytest.mark.parametrize(
    ("tool", "raw", "each"),
    [
        ("GuideLLM", results_of.guidellm(PROFILE), False),
        ("vllm bench serve", results_of.vllm_bench(PROFILE), True),
        ("aiperf", results_of.aiperf(PROFILE), True),
        ("aiperf", results_of.aiperf(PROFILE, chunks=False), False),
    ],
    ids=["guidellm", "vllm", "aiperf", "aiperf without chunks"],
)
def test_a_profile_is_found_again_in_a_load_generators_results(tmp_path: Path, tool: str, raw: Any, each: bool) -> None:
    found = results.read(written(tmp_path, raw))
    assert found is not None
    assert (found[0], len(found[1])) == (tool, 60)
    (fitted,) = fit(found[1])
    assert fitted.ttft is not None
    assert fitted.ttft.spread.middle == pytest.approx(300, rel=0.12)
    assert fitted.tbt is not None
    assert fitted.tbt.spread.middle == pytest.approx(20, rel=0.05)
    if each:
        assert fitted.tbt.spread.kind == "gamma"
        assert fitted.tbt.spread.stddev == pytest.approx(8, rel=0.1)
    else:
        assert any("only each reply's mean" in note for note in fitted.notes)


def test_the_model_is_the_one_that_the_results_name(tmp_path: Path) -> None:
    (tmp_path / "profile_export_aiperf.json").write_bytes(
        orjson.dumps({"aiperf_version": "0.13.0", "input_config": {"endpoint": {"model_names": ["llama-3"]}}})
    )
    for raw in (results_of.guidellm(PROFILE), results_of.vllm_bench(PROFILE), results_of.aiperf(PROFILE)):
        found = results.read(written(tmp_path, raw))
        assert found is not None
        assert {one.model for one in found[1]} == {"llama-3"}


def test_a_summary_says_what_to_give_instead(tmp_path: Path) -> None:
    raw = results_of.vllm_bench(PROFILE)
    del raw["ttfts"], raw["itls"]
    with pytest.raises(FitError, match="--save-detailed"):
        results.read(written(tmp_path, raw))
    with pytest.raises(FitError, match=r"profile_export\.jsonl"):
        results.read(written(tmp_path, {"aiperf_version": "0.13.0", "time_to_first_token": {"avg": 1}}))
    report = results_of.guidellm(PROFILE)
    report["benchmarks"][0]["requests"]["successful"] = []
    with pytest.raises(FitError, match="holds no requests"):
        results.read(written(tmp_path, report))


def test_a_file_that_is_cut_says_so(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(orjson.dumps(results_of.vllm_bench(PROFILE))[:-50])
    with pytest.raises(FitError, match="this is not JSON"):
        results.read(path)


def test_a_field_of_another_kind_says_which(tmp_path: Path) -> None:
    raw = results_of.vllm_bench(PROFILE)
    raw["ttfts"][0] = {"seconds": 1}
    with pytest.raises(FitError, match="looks like results of vllm bench serve, but cannot be read"):
        results.read(written(tmp_path, raw))


def test_another_file_is_nobodys_results(tmp_path: Path) -> None:
    assert results.read(written(tmp_path, {"hello": "world"})) is None
