"""Shaping latency: what is in force, what a candidate means, and the change that puts it in force."""

from __future__ import annotations

from llmsim_tui.shaping import EVERY, change, in_force, in_words, spread
from tui.fake import MODELS, FakeBackend, Told

from llmsim.latency import Profile, Spread, presets

SLOW = Profile(ttft=Spread(mean=900, stddev=10), tbt=Spread(mean=24))


async def test_all_models_get_a_custom_profile() -> None:
    backend = FakeBackend(rate=0)
    await backend.change(**change(backend, EVERY, SLOW))
    assert backend.settings().latency_profile == "custom"
    assert in_force(backend, EVERY) == ("custom", SLOW)


async def test_values_of_a_preset_are_applied_under_its_name() -> None:
    backend = FakeBackend(rate=0)
    assert change(backend, EVERY, presets()["fast"]) == {"latency_profile": "fast", "model_profiles": {}}


async def test_one_model_alone_changes_even_while_one_profile_serves_all() -> None:
    backend = FakeBackend(rate=0)
    await backend.change(latency_profile="fast")
    await backend.change(**change(backend, "o3-mini", SLOW))
    settings = backend.settings()
    assert settings.latency_profile is None
    assert settings.model_profiles == {**dict.fromkeys(MODELS, "fast"), "o3-mini": "custom-o3-mini"}
    assert in_force(backend, "o3-mini") == ("custom-o3-mini", SLOW)


def test_without_a_profile_for_all_the_newest_exchange_tells() -> None:
    backend = FakeBackend(Told(), rate=9)
    assert in_force(backend, EVERY)[0] == "gpt5"
    backend.now.now = 5  # type: ignore[attr-defined]
    backend.pulse()
    assert in_force(backend, EVERY)[0] == "gpt4o"
    assert in_force(backend, "gpt-4o")[0] == "gpt4o"


def test_words_say_what_a_client_will_wait() -> None:
    assert in_words(SLOW) == "80-token answer ≈ 2.8 s · 41.7 tok/s"
    assert in_words(presets()["instant"]) == "80-token answer ≈ 0 ms · all tokens at once"


def test_an_impossible_spread_is_a_sentence() -> None:
    assert "allows a stddev of at most" in str(spread("uniform", 10, 100, Spread()))
    assert spread("empirical", 1, 1, SLOW.ttft) is SLOW.ttft
