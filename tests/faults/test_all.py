"""What holds for every fault: a probability, validated fields, a summary, and an error that lists those there are."""

from math import sqrt

import pytest
from pydantic import ValidationError
from support import ask_for, plan_of

from llmsim import faults
from llmsim.dice import Dice, mix
from llmsim.errors import SettingsError
from llmsim.settings import Settings
from llmsim.simulator import Simulator


def struck(settings: Settings, clock, many: int = 1000) -> list:
    """The plans of so many different requests."""
    simulator = Simulator(settings.changed(latency_profile="instant", generator="fixed:one two three"), clock=clock)
    return [simulator.begin(ask_for(str(i))).plan for i in range(many)]


@pytest.mark.parametrize("kind", faults.kinds())
def test_a_fault_of_a_config_file_is_made_with_its_defaults(kind):
    fault = faults.make({"kind": kind})
    assert fault.kind == kind
    assert fault.probability == 1.0
    assert fault.summary()


@pytest.mark.parametrize("kind", faults.kinds())
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "often"])
def test_a_probability_is_a_share(kind, share):
    with pytest.raises(ValidationError, match="probability"):
        faults.make({"kind": kind, "probability": share})


@pytest.mark.parametrize("kind", ["explode", None, 5, ["cut"], {}])
def test_an_unknown_kind_is_an_error_that_lists_those_there_are(kind):
    with pytest.raises(
        SettingsError,
        match="there are cut, disorder, drip, empty, garble, hold, miscall, mislabel, refuse, slow, stall, timeout",
    ):
        faults.make({"kind": kind})


def test_a_field_of_another_fault_is_refused():
    with pytest.raises(ValidationError, match="for_ms"):
        faults.make({"kind": "cut", "for_ms": 5})


def test_a_fault_without_words_of_its_own_is_summed_up_by_its_fields():
    class Shout(faults.Fault):
        kind = ""
        volume: int = 11

        def spoil(self, plan, dice):
            return plan

    assert Shout().summary() == "volume=11"


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("fault", ["cut", "stall", "refuse"])
def test_a_fault_strikes_its_share_of_requests(clock, fault, rate):
    settings = Settings(faults=[{"kind": fault, "after_tokens": 1, "probability": rate}])
    plans = struck(settings, clock)
    hit = sum(bool(plan.faults) for plan in plans)
    # Four standard deviations of the binomial distribution; nothing at all at 0 and 1.
    assert abs(hit - rate * len(plans)) <= 4 * sqrt(len(plans) * rate * (1 - rate))


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize(
    ("name", "status"), [("rate_limit_rate", 429), ("server_error_rate", 500), ("timeout_rate", 504)]
)
def test_a_founding_rate_strikes_its_share_of_requests(clock, name, status, rate):
    plans = struck(Settings(**{name: rate}), clock)
    failed = [plan.failure for plan in plans if plan.failure]
    assert {failure.status for failure in failed} <= {status}
    assert abs(len(failed) - rate * len(plans)) <= 4 * sqrt(len(plans) * rate * (1 - rate))


def test_founding_rates_roll_apart_from_each_other(clock):
    plans = struck(Settings(rate_limit_rate=0.5, server_error_rate=0.5), clock, 2000)
    statuses = [plan.failure.status if plan.failure else 200 for plan in plans]
    assert statuses.count(429) == pytest.approx(1000, abs=90)
    assert statuses.count(500) == pytest.approx(500, abs=80)
    assert statuses.count(200) == pytest.approx(500, abs=80)


def test_two_armed_faults_of_one_kind_roll_apart_from_each_other(clock):
    stall = {"kind": "stall", "after_tokens": 1, "probability": 0.5}
    plans = struck(Settings(faults=[stall, stall]), clock)
    both = sum(len(plan.faults) == 2 for plan in plans)
    assert both == pytest.approx(0.25 * len(plans), abs=70)


def test_a_timed_out_request_hangs_as_long_as_the_settings_say(clock):
    (plan,) = struck(Settings(timeout_rate=1, timeout_after_ms=1500), clock, 1)
    assert list(plan.times) == [1.5]


def test_a_refused_request_of_the_founding_rate_is_told_when_to_come_again(clock):
    (plan,) = struck(Settings(rate_limit_rate=1), clock, 1)
    assert plan.failure.retry_after == 1


def test_the_plan_tells_which_faults_struck_and_what_they_did(clock):
    settings = Settings(faults=[{"kind": "cut", "after_tokens": 1, "label": "the storm", "id": "a"}])
    (plan,) = struck(settings, clock, 1)
    assert plan.faults == ("the storm",)
    assert plan.struck == ("a",)
    assert plan.notes == ("fault the storm: cut after 1 tokens",)


@pytest.mark.parametrize("kind", faults.kinds())
def test_a_fault_does_the_same_with_the_same_dice(kind):
    fault = faults.make({"kind": kind})
    one, other = (fault.spoil(plan_of(), Dice(mix("x"))) for _ in range(2))
    assert list(one.pieces) == list(other.pieces)
    assert list(one.times) == list(other.times)
