"""Waits have the distribution that was asked for, and times only go forward."""

from itertools import pairwise
from statistics import fmean, pstdev, quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llmsim import catalogue
from llmsim.dice import Dice, mix
from llmsim.errors import SettingsError
from llmsim.latency import TABLE, Profile, Spread, preset, presets

# The project's founding figures, in ms: TTFT mean and stddev, then between tokens.
FOUNDING = {
    "gpt4": (800, 200, 50, 15),
    "gpt4o": (400, 100, 25, 8),
    "gpt5": (600, 150, 40, 12),
    "gpt5-mini": (300, 80, 20, 6),
    "o-series": (2000, 500, 30, 10),
    "claude-opus": (1000, 250, 60, 20),
    "claude-sonnet": (500, 120, 30, 10),
    "claude-haiku": (200, 50, 15, 5),
    "gemini-pro": (600, 150, 35, 10),
    "gemini-flash": (200, 50, 15, 5),
    "deepseek": (500, 120, 30, 10),
    "deepseek-reasoner": (1500, 400, 25, 8),
    "instant": (0, 0, 0, 0),
    "fast": (10, 2, 1, 0),
}


def draws(profile: Profile, many: int = 6000) -> tuple[list[float], list[float]]:
    """First waits and waits between tokens, in ms, of so many replies of two tokens."""
    replies = [profile.times(2, Dice(mix(i))) for i in range(many)]
    return [1000 * first for first, _ in replies], [1000 * (second - first) for first, second in replies]


@pytest.mark.parametrize("kind", ["normal", "lognormal", "gamma", "uniform"])
@pytest.mark.parametrize(("mean", "stddev"), [(400, 100), (25, 8), (1000, 10)])
def test_draws_have_the_mean_and_the_stddev_asked_for(kind: str, mean: float, stddev: float):
    spread = Spread(kind=kind, mean=mean, stddev=stddev)
    for waits in draws(Profile(ttft=spread, tbt=spread)):
        assert fmean(waits) == pytest.approx(mean, rel=0.03)
        assert pstdev(waits) == pytest.approx(stddev, rel=0.06)
        assert min(waits) >= -1e-9


@pytest.mark.parametrize("kind", ["lognormal", "gamma"])
def test_skewed_waits_keep_their_moments_where_the_stddev_is_as_wide_as_the_mean(kind: str):
    ttfts, gaps = draws(
        Profile(ttft=Spread(kind=kind, mean=300, stddev=300), tbt=Spread(kind=kind, mean=20, stddev=20))
    )
    assert fmean(ttfts) == pytest.approx(300, rel=0.05)
    assert pstdev(ttfts) == pytest.approx(300, rel=0.1)
    assert fmean(gaps) == pytest.approx(20, rel=0.05)
    assert pstdev(gaps) == pytest.approx(20, rel=0.1)


def test_each_distribution_has_its_own_shape():
    def quartiles(kind: str) -> list[float]:
        return quantiles(draws(Profile(ttft=Spread(kind=kind, mean=100, stddev=50)), 4000)[0], n=4)

    assert quartiles("normal") == pytest.approx([66.3, 100, 133.7], rel=0.06)
    assert quartiles("uniform") == pytest.approx([56.7, 100, 143.3], rel=0.06)
    assert quartiles("lognormal") == pytest.approx([65.0, 89.4, 123.1], rel=0.06)
    assert quartiles("gamma") == pytest.approx([63.4, 91.8, 127.7], rel=0.06)


def test_fixed_waits_are_all_the_same():
    profile = Profile(ttft=Spread(kind="fixed", mean=250, stddev=99), tbt=Spread(kind="fixed", mean=50))
    assert list(profile.times(4, Dice(1))) == pytest.approx([0.25, 0.30, 0.35, 0.40])


def test_empirical_waits_are_the_samples_and_nothing_else():
    waits, _ = draws(Profile(ttft=Spread(kind="empirical", samples=(10, 20, 90))))
    assert {round(wait, 6) for wait in waits} == {10, 20, 90}
    assert fmean(waits) == pytest.approx(40, rel=0.05)
    assert Spread(kind="empirical", samples=(10, 20, 90)).middle == 40


def test_a_normal_spread_wider_than_its_mean_is_cut_at_zero():
    waits, _ = draws(Profile(ttft=Spread(mean=10, stddev=100)))
    assert min(waits) == 0.0
    assert sum(wait == 0 for wait in waits) == pytest.approx(0.46 * len(waits), rel=0.06)


def test_quantiles_and_the_middle_are_told_in_milliseconds():
    spread = Spread(mean=400, stddev=100)
    assert spread.middle == 400
    assert spread.quantile(0.5) == pytest.approx(400, rel=0.01)
    assert spread.quantile(0.99) == pytest.approx(633, rel=0.02)
    assert spread.quantile(0.999999) >= spread.quantile(0.99)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "uniform", "mean": 10, "stddev": 6}, "allows a stddev of at most 5.774 ms"),
        ({"kind": "empirical"}, "needs samples"),
        ({"kind": "normal", "samples": [1]}, "samples belong to an empirical spread"),
        ({"mean": -1}, "greater than or equal to 0"),
        ({"mean": float("nan")}, "finite number"),
        ({"mean": float("inf")}, "finite number"),
        ({"kind": "pareto"}, "'normal', 'lognormal', 'gamma', 'uniform', 'fixed' or 'empirical'"),
        ({"median": 5}, "Extra inputs"),
    ],
)
def test_an_impossible_spread_is_refused_with_the_reason(fields: dict[str, object], reason: str):
    with pytest.raises(ValidationError, match=reason):
        Spread.model_validate(fields)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"slots": 0}, "greater than or equal to 1"),
        ({"slots": 2, "queue": -1}, "greater than or equal to 0"),
        ({"slowing": 1}, "slowing: 1 is not allowed without slots"),
        ({"slots": 2, "slowing": float("inf")}, "finite number"),
        ({"prefill_ms_per_token": -1}, "greater than or equal to 0"),
        ({"cache_tokens": 4_000_001}, "less than or equal to 4000000"),
    ],
)
def test_an_impossible_load_is_refused_with_the_reason(fields: dict[str, object], reason: str):
    with pytest.raises(ValidationError, match=reason):
        Profile.model_validate(fields)


def test_the_widest_possible_uniform_spread_is_allowed():
    waits, _ = draws(Profile(ttft=Spread(kind="uniform", mean=100, stddev=100 / 3**0.5)))
    assert min(waits) >= 0
    assert max(waits) == pytest.approx(200, rel=0.01)


@pytest.mark.parametrize("name", FOUNDING)
def test_the_presets_are_the_founding_ones(name: str):
    profile = preset(name)
    assert (profile.ttft.mean, profile.ttft.stddev, profile.tbt.mean, profile.tbt.stddev) == FOUNDING[name]
    assert profile.source


UNDER_LOAD = {name for name in presets() if name.endswith("-load") or name.startswith("llama-")}


def test_the_other_presets_say_where_they_come_from():
    assert set(presets()) - set(FOUNDING) - UNDER_LOAD == {"gpt35-turbo"}
    assert all(len(preset(name).source) > 40 for name in presets() - FOUNDING.keys())


def test_load_has_a_say_only_where_a_preset_is_chosen_for_it():
    assert {name for name, profile in presets().items() if profile.loaded} == UNDER_LOAD


def test_waits_between_tokens_grow_with_the_slots_that_are_taken():
    profile = Profile(slots=5, slowing=2.0)
    assert [profile.stretch(active) for active in (0, 1, 2, 3, 4, 5, 9)] == [1, 1, 1.5, 2, 2.5, 3, 3]
    assert Profile(slots=1, slowing=2.0).stretch(1) == 1
    assert Profile(slots=5).stretch(5) == 1


@pytest.mark.parametrize(("active", "measured"), [(1, 18.58), (5, 21.83), (25, 38.75), (50, 59.73), (100, 92.91)])
def test_the_preset_of_a_measured_server_slows_as_that_one_did(active: int, measured: float):
    """NVIDIA NIM 1.8.0, Llama 3.3 70B on two H100, 5,000 tokens in and 500 out: the time between tokens in ms."""
    profile = preset("llama-70b-2xh100")
    assert profile.tbt.mean * profile.stretch(active) == pytest.approx(measured, rel=0.03)


@pytest.mark.parametrize("name", [name for name, figures in FOUNDING.items() if any(figures)])
def test_presets_are_drawn_as_they_are_written(name: str):
    ttft_mean, ttft_stddev, tbt_mean, tbt_stddev = FOUNDING[name]
    ttfts, gaps = draws(preset(name), 3000)
    assert fmean(ttfts) == pytest.approx(ttft_mean, rel=0.03)
    assert pstdev(ttfts) == pytest.approx(ttft_stddev, rel=0.06)
    assert fmean(gaps) == pytest.approx(tbt_mean, rel=0.03)
    assert pstdev(gaps) == pytest.approx(tbt_stddev, rel=0.06, abs=1e-9)


def test_every_model_of_the_catalogue_has_a_preset_and_unknown_ones_have_that_of_gpt_5():
    assert {model.profile for model in catalogue.known()} <= set(presets())
    assert catalogue.resolve("acme-7b").profile == "gpt5"


def test_an_unknown_preset_is_an_error_that_lists_those_there_are():
    with pytest.raises(SettingsError, match=r"latency_profile: there is no 'gpt9'; there are gpt4, .*fast"):
        preset("gpt9")


def test_an_instant_profile_never_waits():
    assert preset("instant").instant
    assert list(preset("instant").times(3, Dice(1))) == [0.0, 0.0, 0.0]
    assert not preset("fast").instant
    assert not Profile(tbt=Spread(kind="empirical", samples=(1,))).instant


@pytest.mark.parametrize("count", [-1, 0, 1, 2, 100, TABLE - 1, TABLE, TABLE + 1, 3 * TABLE, 50_000])
def test_there_is_a_moment_for_each_token_and_they_only_go_forward(count: int):
    for seed in range(5):
        times = preset("gpt4o").times(count, Dice(mix(seed)))
        assert len(times) == max(0, count)
        assert all(before <= after for before, after in pairwise(times))


def test_a_reply_longer_than_the_table_keeps_its_pace():
    times = preset("gpt4o").times(40_000, Dice(5))
    gaps = [after - before for before, after in pairwise(times)]
    assert fmean(gaps) == pytest.approx(0.025, rel=0.02)
    assert pstdev(gaps) == pytest.approx(0.008, rel=0.05)


def test_the_same_dice_and_seed_give_the_same_times_and_others_do_not():
    profile = preset("gpt4o")
    assert profile.times(50, Dice(1), 3) == profile.times(50, Dice(1), 3)
    assert profile.times(50, Dice(1), 3) != profile.times(50, Dice(2), 3)
    assert profile.times(50, Dice(1), 3) != profile.times(50, Dice(1), 4)


def test_a_profile_that_was_drawn_from_is_still_equal_to_its_like():
    used, fresh = (Profile(ttft=Spread(mean=100, stddev=10)) for _ in range(2))
    used.times(5, Dice(1))
    assert used == fresh
    assert hash(used) == hash(fresh)


def test_a_changed_copy_of_a_profile_has_its_own_pace():
    slow = preset("instant").model_copy(update={"ttft": Spread(kind="fixed", mean=100)})
    assert list(slow.times(1, Dice(1))) == [0.1]
    slower = slow.model_copy(update={"ttft": Spread(kind="fixed", mean=200)})
    assert list(slower.times(1, Dice(1))) == [0.2]


waits = st.floats(0, 3_600_000)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(["normal", "lognormal", "gamma", "fixed"]),
    mean=st.just(0.0) | st.floats(0.001, 3_600_000),
    stddev=waits,
    count=st.integers(1, 50),
    seed=st.integers(0, 9),
)
def test_no_spread_ever_waits_a_negative_or_an_endless_time(
    kind: str, mean: float, stddev: float, count: int, seed: int
):
    spread = Spread(kind=kind, mean=mean, stddev=stddev)
    times = Profile(ttft=spread, tbt=spread).times(count, Dice(seed))
    assert len(times) == count
    assert all(0 <= before <= after < float("inf") for before, after in pairwise([0.0, *times]))
