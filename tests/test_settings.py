"""Settings are changed all or nothing, and an error names the field, the value and what is allowed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llmsim.errors import SettingsError
from llmsim.faults.cut import Cut
from llmsim.latency import preset
from llmsim.settings import Armed, Settings, explain

SLOW = {"ttft": {"mean": 9000}, "tbt": {"mean": 900}}


def test_a_change_makes_new_settings_and_leaves_the_old_ones():
    before = Settings()
    after = before.changed(seed=5, generator="echo")
    assert (after.seed, after.generator) == (5, "echo")
    assert (before.seed, before.generator) == (0, "lorem")
    with pytest.raises(ValidationError, match="frozen"):
        before.seed = 5


def test_settings_of_the_same_values_are_equal():
    assert Settings(profiles={"slow": SLOW}) == Settings().changed(profiles={"slow": SLOW})
    assert Settings().changed() == Settings()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target_tokens": 0}, ["target_tokens", "0", "greater than or equal to 1"]),
        ({"target_tokens": "many"}, ["target_tokens", "'many'", "valid integer"]),
        ({"seed": -1}, ["seed", "-1", "greater than or equal to 0"]),
        ({"speed": float("nan")}, ["speed", "nan"]),
        ({"speed": 1e9}, ["speed", "1000000000.0", "less than or equal to 1000"]),
        ({"strict": "perhaps"}, ["strict", "'perhaps'", "boolean"]),
        ({"rate_limit_rate": 1.5}, ["rate_limit_rate", "1.5", "less than or equal to 1"]),
        ({"timeout_after_ms": -5}, ["timeout_after_ms", "-5", "greater than or equal to 0"]),
        ({"rpm": 0}, ["rpm", "0", "greater than or equal to 1"]),
        ({"generator": "nobody"}, ["generator", "'nobody'", "echo, fixed, lorem"]),
        ({"latency_profile": "warp"}, ["latency_profile", "'warp'", "gpt4o"]),
        ({"model_profiles": {"gpt-4o": "warp"}}, ["model_profiles.gpt-4o", "'warp'", "gpt4o"]),
        ({"profiles": {"x": {"ttft": {"mean": -1}}}}, ["profiles.x.ttft.mean", "-1", "greater than or equal to 0"]),
        (
            {"profiles": {"x": {"ttft": {"kind": "uniform", "mean": 1, "stddev": 9}}}},
            ["profiles.x.ttft", "9", "0.5774"],
        ),
        ({"profiles": {"x": {"latency": 3}}}, ["profiles.x.latency", "no such setting"]),
        ({"faults": [{"kind": "boom"}]}, ["faults[0]", "'boom'", "cut, disorder, drip"]),
        ({"faults": [{"kind": ["cut"]}]}, ["faults[0]", "['cut']", "cut, disorder, drip"]),
        (
            {"faults": [{"kind": "cut"}, {"kind": "cut", "probability": 3}]},
            ["faults[1].probability", "3", "equal to 1"],
        ),
        ({"faults": [{"kind": "cut", "for_s": -1}]}, ["faults[0].for_s", "-1", "greater than 0"]),
        ({"faults": [{"kind": "cut", "after": 3}]}, ["faults[0].after", "no such setting"]),
        ({"faults": ["cut"]}, ["faults[0]", "'cut'"]),
        ({"faults": [{"fault": {}}]}, ["faults[0]"]),
        ({"faults": 5}, ["faults", "5"]),
        ({"velocity": 3}, ["velocity", "there are seed, strict, generator"]),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence_and_changes_nothing(changes, words):
    before = Settings()
    with pytest.raises(SettingsError) as told:
        before.changed(**{"strict": True, **changes})
    for word in words:
        assert word in str(told.value)
    assert before == Settings()


def test_two_problems_are_two_sentences():
    with pytest.raises(SettingsError) as told:
        Settings().changed(target_tokens=0, speed=-1)
    assert "target_tokens" in str(told.value)
    assert "; speed" in str(told.value)


def test_an_own_profile_comes_before_a_preset_of_its_name():
    own = Settings(profiles={"gpt4o": SLOW, "mine": SLOW})
    assert own.profile("gpt4o").ttft.mean == 9000
    assert own.profile("mine").tbt.mean == 900
    assert Settings().profile("gpt4o") == preset("gpt4o")


def test_own_profiles_can_be_chosen_for_all_models_or_for_one():
    assert Settings(profiles={"mine": SLOW}, latency_profile="mine").latency_profile == "mine"
    assert Settings(profiles={"mine": SLOW}, model_profiles={"gpt-4o": "mine"}).model_profiles == {"gpt-4o": "mine"}


def test_a_profile_in_use_cannot_be_taken_away():
    used = Settings(profiles={"mine": SLOW}, latency_profile="mine")
    with pytest.raises(SettingsError, match="there is no profile 'mine'"):
        used.changed(profiles={})


def test_a_fault_is_written_flat_and_comes_back_so():
    flat = {"kind": "cut", "after_tokens": 9, "probability": 0.5, "id": "a", "label": "snip", "for_s": 5.0}
    armed = Armed.model_validate(flat)
    assert armed.fault == Cut(after_tokens=9, probability=0.5)
    assert armed.flat() == flat
    assert Armed.model_validate(armed.flat()) == armed
    assert Armed.model_validate({"kind": "cut"}).flat() == {"kind": "cut"}


def test_settings_survive_being_dumped_and_read_again():
    settings = Settings(
        profiles={"mine": SLOW}, faults=[{"kind": "stall", "for_ms": 10, "id": "s"}], rpm=5, latency_profile="mine"
    )
    assert Settings.model_validate(settings.model_dump()) == settings


def test_founding_rates_strike_before_armed_faults_and_in_their_order():
    own = Settings(
        rate_limit_rate=0.1,
        server_error_rate=0.2,
        timeout_rate=0.3,
        faults=[{"kind": "cut", "id": "c", "label": "snip"}],
    )
    assert [(id, name) for id, name, _, _ in own.spoilers] == [
        ("rate_limit_rate", "rate_limit_rate"),
        ("server_error_rate", "server_error_rate"),
        ("timeout_rate", "timeout_rate"),
        ("c", "snip"),
    ]
    assert [fault.probability for *_, fault in own.spoilers] == [0.1, 0.2, 0.3, 1.0]


def test_what_can_never_strike_is_left_out():
    assert Settings(faults=[{"kind": "cut", "probability": 0}]).spoilers == ()


def test_a_fault_without_a_label_is_named_by_its_kind():
    assert Settings(faults=[{"kind": "cut"}]).spoilers[0][1] == "cut"


def test_a_validation_error_is_explained_field_by_field():
    with pytest.raises(ValidationError) as told:
        Settings(target_tokens=0, seed="x")
    assert explain(told.value) == (
        "seed: 'x' is not allowed: input should be a valid integer, unable to parse string as an integer; "
        "target_tokens: 0 is not allowed: input should be greater than or equal to 1"
    )


CHANGES = {
    "seed": st.integers(-3, 3),
    "target_tokens": st.integers(-2, 10) | st.just("x"),
    "speed": st.floats(-1, 5),
    "generator": st.sampled_from(["lorem", "echo", "nope"]),
    "latency_profile": st.sampled_from([None, "gpt4o", "mine", "nope"]),
    "profiles": st.sampled_from([{}, {"mine": SLOW}, {"mine": {"ttft": {"mean": -1}}}]),
    "rpm": st.sampled_from([None, 0, 5]),
    "faults": st.sampled_from([[], [{"kind": "cut"}], [{"kind": "cut", "probability": 2}], [{"kind": "nope"}]]),
    "nonsense": st.just(1),
}


@settings(derandomize=True, deadline=None, max_examples=70)
@given(st.lists(st.fixed_dictionaries({}, optional=CHANGES), max_size=8))
def test_any_sequence_of_changes_leaves_valid_settings(sequence):
    current = Settings()
    for changes in sequence:
        before = current.model_dump()
        try:
            after = current.changed(**changes)
        except SettingsError:
            assert current.model_dump() == before
        else:
            assert Settings(**dict(after)) == after
            for name in Settings.model_fields.keys() - changes.keys():
                assert getattr(after, name) == getattr(current, name)
            current = after


def test_of_very_many_problems_some_are_told_and_the_rest_counted() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({f"unknown {at}": 1 for at in range(5_000)})
    told = explain(raised.value)
    assert told.startswith("unknown 0: there is no such setting; unknown 1: ")
    assert told.endswith("(and 4,950 more)")
    assert len(told) < 3_000
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({f"unknown {at}": 1 for at in range(100_000)})
    assert explain(raised.value) == "100,000 things in it cannot be; that is more than are told apart"


@pytest.mark.parametrize(("field", "most"), [("mocks", "20,000"), ("faults", "1,000"), ("limits", "1,000")])
def test_of_too_many_rules_none_is_looked_at(field: str, most: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings().changed(**{field: [{}] * 300_000})
    assert str(raised.value) == f"{field}: there are 300,000 of them; at most {most} are allowed"


def test_of_too_many_names_none_is_looked_at() -> None:
    with pytest.raises(SettingsError, match=r"^served_models: there are 101 of them; at most 100 are allowed$"):
        Settings().changed(served_models=[1] * 101)
    with pytest.raises(SettingsError, match=r"^profiles: there are 1,001 of them; at most 1,000 are allowed$"):
        Settings().changed(profiles={str(at): 1 for at in range(1_001)})


def test_a_name_in_a_sentence_is_one_line_and_short() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({"\x1b[2J\nok: \u202e" + "x" * 1_000_000: 1, "speed": "y" * 1_000_000})
    first, second = explain(raised.value).split("; ", 1)
    assert second.startswith("\\x1b[2J\\nok: \\u202exxx") or first.startswith("\\x1b[2J\\nok: \\u202exxx")
    assert explain(raised.value).isprintable()
    assert len(explain(raised.value)) < 1_000


@pytest.mark.parametrize(
    "change",
    [
        {"faults": [{"kind": "slow", "label": "\ud800"}]},
        {"profiles": {"\ud800": {"ttft": {"kind": "fixed", "mean": 1}}}},
        {"generator": "fixed:\udcff"},
    ],
)
def test_what_no_reply_could_hold_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="half a surrogate pair is no text"):
        Settings().changed(**change)
