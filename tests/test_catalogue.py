"""The catalogue knows the models people ask for, by every name they have."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from llmsim import catalogue

DATA = Path(catalogue.__file__).parent / "data"

WANTED = [
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-codex",
    "gpt-5.1",
    "gpt-5.1-codex",
    "gpt-5.1-codex-mini",
    "gpt-5.1-codex-max",
    "gpt-5.2",
    "o3",
    "o3-mini",
    "o4-mini",
    "gpt-4",
    "gpt-4-turbo",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "claude-3.5-sonnet",
    "claude-3.7-sonnet",
    "claude-sonnet-4",
    "claude-sonnet-4.5",
    "claude-opus-4",
    "claude-opus-4.5",
    "claude-haiku-4.5",
]

NEWEST = [
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "claude-haiku-4-5",
    "gemini-2.0-flash",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-3-pro-preview",
    "gemini-4-argon",
    "gemini-embedding-001",
    "deepseek-chat",
    "deepseek-reasoner",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
    "omni-moderation-latest",
    "gpt-4o-mini-transcribe",
    "whisper-1",
    "tts-1",
    "gpt-4o-mini-tts",
    "gpt-image-1",
    "dall-e-3",
    "gpt-realtime",
    "o1",
    "gpt-3.5-turbo",
    "gpt-5-pro",
    "gpt-5-nano",
]


@pytest.mark.parametrize("name", WANTED + NEWEST)
def test_every_model_people_ask_for_is_known(name: str) -> None:
    model = catalogue.find(name)
    assert model is not None
    assert catalogue.resolve(name) is model


def test_every_id_and_every_alias_means_one_model() -> None:
    uses = Counter(name.lower() for model in catalogue.known() for name in (model.id, *model.aliases))
    assert [name for name, count in uses.items() if count > 1] == []


def test_every_model_has_a_latency_profile_there_is() -> None:
    profiles = json.loads((DATA / "profiles.json").read_bytes())
    assert {model.profile for model in catalogue.known()} <= set(profiles)


def test_dates_are_dates_and_the_lifecycle_agrees_with_them() -> None:
    for model in catalogue.known():
        assert (model.shutdown_date is None) == (model.lifecycle == "active"), model.id
        if model.shutdown_date:
            assert date.fromtimestamp(model.created) < date.fromisoformat(model.shutdown_date), model.id


def test_figures_are_plausible() -> None:
    for model in catalogue.known():
        assert 2022 <= date.fromtimestamp(model.created).year <= 2026, model.id
        assert (model.price_source is None) == (model.price_input is None), model.id
        if model.kind == "chat":
            assert 1_000 <= model.max_output_tokens <= model.context_window, model.id
            assert model.price_input is None or model.price_input <= (model.price_output or 0), model.id


def test_a_snapshot_is_a_model_of_the_catalogue() -> None:
    for model in catalogue.known():
        assert model.snapshot is None or model.snapshot in catalogue.names(model.provider), model.id


def test_an_alias_of_claude_leads_to_the_dated_id() -> None:
    assert catalogue.resolve("claude-sonnet-4.5").id == "claude-sonnet-4-5-20250929"
    assert catalogue.resolve("claude-3-5-sonnet-latest").id == "claude-3-5-sonnet-20241022"
    assert catalogue.resolve("claude-opus-4-0").id == "claude-opus-4-20250514"


def test_an_undated_id_of_openai_answers_as_its_snapshot() -> None:
    assert catalogue.resolve("gpt-4o").id == "gpt-4o"
    assert catalogue.resolve("gpt-4o").answers_as == "gpt-4o-2024-08-06"
    assert catalogue.resolve("gpt-4o-2024-05-13").answers_as == "gpt-4o-2024-05-13"


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("GPT-4o", "gpt-4o"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("openai/gpt-5", "gpt-5"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "gpt-4o-mini-2024-07-18"),
        ("anthropic.claude-opus-4-20250514-v1:0", "claude-opus-4-20250514"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
        ("publishers/anthropic/models/claude-opus-4-5@20251101", "claude-opus-4-5-20251101"),
        ("gpt-35-turbo", "gpt-3.5-turbo"),
    ],
)
def test_names_are_found_however_they_are_wrapped(name: str, id: str) -> None:
    found = catalogue.find(name)
    assert found is not None
    assert found.id == id


@pytest.mark.parametrize("name", ["", "gpt", "nonsense", "models/", "ft:", "ft:nothing:x", "gpt-4o "[::-1]])
def test_an_unknown_name_is_not_found(name: str) -> None:
    assert catalogue.find(name) is None


@pytest.mark.parametrize(
    ("name", "profile", "provider"),
    [
        ("claude-opus-9", "claude-opus", "anthropic"),
        ("claude-haiku-9", "claude-haiku", "anthropic"),
        ("claude-next", "claude-sonnet", "anthropic"),
        ("gemini-9-pro", "gemini-pro", "google"),
        ("gemini-9-flash", "gemini-flash", "google"),
        ("deepseek-r9", "deepseek-reasoner", "deepseek"),
        ("deepseek-v9", "deepseek", "deepseek"),
        ("o9", "o-series", "openai"),
        ("gpt-4o-special", "gpt4o", "openai"),
        ("gpt-4-special", "gpt4", "openai"),
        ("gpt-9-mini", "gpt5-mini", "openai"),
        ("llama-3.3-70b", "gpt5", "openai"),
        ("", "gpt5", "openai"),
    ],
)
def test_an_unknown_name_is_taken_for_its_family(name: str, profile: str, provider: str) -> None:
    model = catalogue.resolve(name)
    assert (model.id, model.profile, model.provider, model.known) == (name, profile, provider, False)
    assert (model.price_input, model.shutdown_date, model.lifecycle) == (None, None, "active")


def test_names_can_be_of_one_provider() -> None:
    everybody = [catalogue.names(provider) for provider in ("openai", "anthropic", "google", "deepseek")]
    assert all(everybody)
    assert sum(everybody, ()) == catalogue.names()


def test_the_catalogue_is_read_once() -> None:
    assert catalogue.known() is catalogue.known()


def test_an_endless_name_is_resolved_and_not_kept() -> None:
    before = catalogue._stand_in.cache_info().currsize
    assert catalogue.find("claude-opus-" + "x" * 1_000_000) is None
    assert catalogue.resolve("claude-opus-" + "x" * 1_000_000).profile == "claude-opus"
    assert catalogue._stand_in.cache_info().currsize == before


def test_a_name_that_says_nothing_stands_for_a_model_that_does_not_reason() -> None:
    """Else a small limit of tokens would be spent before the first word."""
    assert not catalogue.resolve("my-model").reasoning
    assert catalogue.resolve("gpt-5-of-tomorrow").reasoning
