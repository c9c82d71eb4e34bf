"""A limit is read from plain fields, and what makes no sense is refused with a sentence."""

import pytest

from llmsim.limits import Limit, check_names, founding, tiers
from llmsim.match import Match
from llmsim.settings import explain


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"rpm": 0}, "rpm: 0 is not allowed: input should be greater than or equal to 1"),
        ({"tpm": -5}, "tpm: -5 is not allowed: input should be greater than or equal to 1"),
        ({"tpm": 10**12}, "tpm: 1000000000000 is not allowed: input should be less than or equal to 1000000000"),
        ({"rpm": True}, "rpm: a limit is a number from 1 to 1000000000"),
        ({"rpm": 1.5}, "rpm: 1.5 is not allowed: input should be a valid integer, got a number with a fractional part"),
        ({"rpm": float("inf")}, "rpm: inf is not allowed: input should be a finite number"),
        ({"rpm": 1, "burst": 0}, "burst: 0 is not allowed: input should be greater than 0"),
        ({"rpm": 1, "rpn": 2}, "rpn: there is no such setting"),
        ({"rpm": 1, "per": ["key", "key"]}, "per: each may stand there once, not as in key, key"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(fields, sentence):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        Limit(**fields)
    assert explain(caught.value) == sentence


def test_a_limit_limits_something():
    with pytest.raises(ValueError, match="a limit needs a tier or a figure: rpm, tpm"):
        Limit(when="model:gpt-4o")


def test_an_unknown_tier_is_answered_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"there is no tier 'gold'; there are openai-free, openai-tier-1,"):
        Limit(tier="gold")


def test_what_is_known_only_afterwards_cannot_be_asked():
    with pytest.raises(ValueError, match="only the journal has it"):
        Limit(rpm=1, when="status:200")


def test_a_limit_is_written_and_read_again():
    limit = Limit(name="ours", when="model:gpt-4o* !key:ci", per="key", rpm=5, tpm=1000, burst=10)
    assert limit.when == Match("model:gpt-4o* !key:ci")
    assert limit.per == ("key",)
    assert Limit(**limit.model_dump(exclude_defaults=True)) == limit
    assert str(limit) == "ours"
    assert str(Limit(rpm=3, when="key:a")) == "key:a rpm=3"


def test_a_burst_is_a_share_of_the_minute_and_never_less_than_one():
    limit = Limit(rpm=30, rpd=100, burst=10)
    assert [limit.size("rpm", 30), limit.size("rpm", 1), limit.size("rpd", 100)] == [5.0, 1.0, 100.0]


def test_names_are_for_one_limit_each():
    check_names([Limit(rpm=1), Limit(rpm=2), Limit(name="a", rpm=1)])
    with pytest.raises(ValueError, match="limits: there are two of the name 'a'"):
        check_names([Limit(name="a", rpm=1), Limit(name="a", tpm=1)])


def test_the_plain_settings_are_one_limit_for_each_key_and_model():
    assert founding(None, None) == ()
    assert founding(3, None) == (Limit(rpm=3, per=("key", "model")),)


# -- tiers


@pytest.mark.parametrize(
    ("tier", "provider", "model", "family", "figures"),
    [
        ("openai-tier-1", "openai", "gpt-4o", "gpt-4o*", {"rpm": 500, "tpm": 30_000}),
        ("openai-tier-1", "openai", "gpt-4o-2024-08-06", "gpt-4o*", {"rpm": 500, "tpm": 30_000}),
        ("openai-tier-1", "openai", "gpt-4o-mini", "gpt-4o-mini*", {"rpm": 500, "rpd": 10_000, "tpm": 200_000}),
        ("openai-tier-5", "openai", "gpt-5", "gpt-5", {"rpm": 15_000, "tpm": 40_000_000}),
        ("openai-free", "openai", "gpt-4o-mini", "gpt-4o-mini*", {"rpm": 3, "rpd": 200, "tpm": 40_000}),
        (
            "anthropic-tier-1",
            "anthropic",
            "claude-sonnet-4-5",
            "claude-sonnet-4*",
            {"rpm": 50, "input_tpm": 30_000, "output_tpm": 8_000},
        ),
        (
            "anthropic-tier-4",
            "anthropic",
            "claude-haiku-4-5",
            "claude-haiku-4*",
            {"rpm": 4_000, "input_tpm": 4_000_000, "output_tpm": 800_000},
        ),
        (
            "gemini-free",
            "gemini",
            "models/gemini-2.5-pro",
            "gemini-2.5-pro",
            {"rpm": 5, "input_tpm": 250_000, "rpd": 100},
        ),
        (
            "gemini-tier-1",
            "gemini",
            "gemini-2.5-flash",
            "*flash*",
            {"rpm": 1000, "input_tpm": 1_000_000, "rpd": 10_000},
        ),
    ],
)
def test_a_tier_grants_what_its_provider_documents(tier, provider, model, family, figures):
    assert tiers.grant(tier, provider, model) == (family, figures)


def test_a_tier_has_nothing_to_say_of_other_providers():
    assert tiers.grant("openai-tier-1", "anthropic", "claude-sonnet-4-5") is None
    assert tiers.grant("openai-tier-1", "openai", "") is None


def test_every_tier_says_where_its_figures_are_from():
    assert all(tier.source and tier.year >= 2025 and tier.families for tier in tiers.known().values())
    assert len(tiers.known()) == 14
