"""Empty, mislabelled and dripping replies."""

from dataclasses import replace

from support import plan_of

from llmsim.conversation import Stop
from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.faults.drip import Drip
from llmsim.faults.empty import Empty
from llmsim.faults.mislabel import Mislabel
from llmsim.plan import End, Fail, Plan, Usage


def test_nothing_is_said_and_all_seems_well():
    told = Empty().spoil(plan_of("a b c"), Dice(1))
    assert told.pieces == [End(Stop.END)]
    assert list(told.times) == [0.5]
    assert told.usage == Usage(7, 0)


def test_a_refusal_has_something_to_say():
    refused = Plan([Fail(Failure("invalid"))], [0.0])
    assert Empty().spoil(refused, Dice(1)) is refused


def test_a_label_is_on_whatever_is_sent():
    assert Mislabel(content_type="text/plain").spoil(plan_of(), Dice(1)).content_type == "text/plain"


def test_of_two_slow_lines_the_slower_one_holds():
    slow = Drip(bytes_per_s=10).spoil(plan_of(), Dice(1))
    assert slow.drip == 10
    assert Drip(bytes_per_s=50).spoil(slow, Dice(1)) is slow
    assert Drip(bytes_per_s=5).spoil(replace(slow), Dice(1)).drip == 5
