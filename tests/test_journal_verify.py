"""What was expected is compared with what was seen, in one sentence that says what to look at."""

import pytest
from histories import History

from llmsim.errors import SettingsError
from llmsim.journal.verify import Expectation, Times


def history() -> History:
    made = History()
    made.ok(0.0, client="web", text="Refund my order")
    made.ok(10.0, client="web", key="sk-other5678901234", text="Hello")
    made.ok(20.0, client="web", model="claude-opus-4-5", text="Refund it")
    made.refused(30.0, client="batch")
    return made


def verified(now: float | None = None, **fields):
    return Expectation.of(fields).verify(history().exchanges, now=now)


# -- how often


@pytest.mark.parametrize(
    ("told", "yes", "no", "short", "words"),
    [
        (3, [3], [2, 4], "3", "exactly 3 requests"),
        ("1", [1], [0, 2], "1", "exactly 1 request"),
        ("=2", [2], [1, 3], "2", "exactly 2 requests"),
        ("0", [0], [1], "0", "no request"),
        (">=1", [1, 9], [0], ">=1", "at least 1 request"),
        (">1", [2, 9], [1], ">=2", "at least 2 requests"),
        ("<= 2", [0, 2], [3], "0..2", "at most 2 requests"),
        ("<2", [0, 1], [2], "0..1", "at most 1 request"),
        ("2..4", [2, 3, 4], [1, 5], "2..4", "2 to 4 requests"),
    ],
)
def test_times_are_a_number_or_a_range(told, yes, no, short, words):
    times = Times(told)
    assert all(count in times for count in yes)
    assert not any(count in times for count in no)
    assert (str(times), times.of("request")) == (short, words)
    assert Times(str(times)) == times


@pytest.mark.parametrize("told", ["", "three", "-1", "4..2", "<0", 1.5, True, None, "1...2", []])
def test_times_that_cannot_be_are_refused_in_one_sentence(told):
    with pytest.raises(SettingsError, match=r"^times: .* is not allowed"):
        Expectation.of({"times": told})


def test_unknown_fields_and_conditions_are_refused():
    with pytest.raises(SettingsError, match="when_not: there is no such setting"):
        Expectation.of({"when_not": ""})
    with pytest.raises(SettingsError, match="modle: there is no such condition"):
        Expectation.of({"when": {"modle": "gpt"}})


# -- seen or not


def test_what_was_seen_as_expected_is_told_with_its_numbers():
    told = verified(when="client:web", times=3)
    assert told.holds
    assert told.sentence == "expected exactly 3 requests with client:web, saw 3 (#1, #2, #3)"
    assert told.nearest is None


def test_without_a_match_every_request_counts():
    assert verified().sentence == "expected at least 1 request, saw 4 (#1, #2, #3, #4)"


def test_too_many_are_told_with_their_numbers():
    told = verified(when="client:web", times=0)
    assert not told.holds
    assert told.sentence == "expected no request with client:web, saw 3 (#1, #2, #3)"
    assert told.nearest is None


def test_too_few_name_the_nearest_exchange_and_what_it_failed():
    told = verified(when="client:web text:refund model:gpt-4*", times=2)
    assert not told.holds
    assert told.nearest.number == 3
    assert told.sentence == (
        "expected exactly 2 requests with client:web text:refund model:gpt-4*, saw 1 (#1); "
        "the nearest was #3: model:gpt-4* does not hold (it is 'claude-opus-4-5')"
    )


def test_the_text_that_was_there_instead_is_told():
    told = verified(when="client:batch any:story text:/^never/")
    assert told.nearest.number == 4
    assert "text:/^never/ does not hold (it is" in told.sentence


def test_of_several_that_are_as_near_the_newest_is_told():
    assert verified(when="client:nobody").nearest.number == 4


def test_a_key_is_masked_in_what_is_told():
    told = verified(when="key:sk-mine").sentence
    assert "(it is 'sk-…abcd')" in told
    assert "1234567890" not in told


def test_in_an_empty_journal_nothing_is_near():
    told = Expectation().verify([])
    assert (told.holds, told.sentence) == (False, "expected at least 1 request, saw none")


def test_only_the_last_seconds_count_where_it_is_asked():
    told = verified(now=31.0, when="client:web", within_s=12, times=1)
    assert told.holds
    assert told.sentence == "expected exactly 1 request with client:web in the last 12 s, saw 1 (#3)"
    with pytest.raises(SettingsError, match="within_s: it needs the present moment"):
        verified(within_s=5)


def test_different_clients_are_counted_by_key_and_name():
    told = verified(when="client:web", of_clients=2)
    assert told.holds
    assert told.sentence == (
        "expected at least 1 request with client:web of exactly 2 clients, saw 3 (#1, #2, #3) of 2 clients"
    )
    assert not verified(when="client:web", of_clients=">=3").holds


def test_many_numbers_are_told_in_part_and_given_whole():
    made = History()
    for number in range(30):
        made.ok(float(number))
    told = Expectation().verify(made.exchanges)
    assert told.sentence.endswith("#20 and 10 more)")
    assert len(told.numbers) == 30


def test_the_json_form_says_all_of_it():
    assert verified(when="client:none").json() == {
        "holds": False,
        "sentence": "expected at least 1 request with client:none, saw none; "
        "the nearest was #4: client:none does not hold (it is 'batch')",
        "seen": 0,
        "clients": 0,
        "numbers": [],
        "nearest": {"number": 4, "failed": ["client:none does not hold (it is 'batch')"]},
    }


def test_a_long_history_is_looked_through_with_pauses():
    made = History()
    for number in range(2000):
        made.ok(float(number))
    steps = list(Expectation.of({"when": "client:none"}).verifying(made.exchanges))
    assert steps.count(None) >= 3
    assert not steps[-1].holds


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_an_expectation_has_a_schema_for_those_who_write_one(mode):
    fields = Expectation.model_json_schema(mode=mode)["properties"]
    assert [one["type"] for one in fields["times"]["anyOf"]] == ["integer", "string"]


def test_an_expectation_is_written_as_it_is_read():
    told = Expectation.of({"when": {"model": "gpt*"}, "times": "2..4", "of_clients": 2}).model_dump(mode="json")
    assert told == {"when": "model:gpt*", "times": "2..4", "within_s": None, "of_clients": "2"}
    assert Expectation.of(told).model_dump(mode="json") == told
