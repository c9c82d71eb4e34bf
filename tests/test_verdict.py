"""Clients are judged by the journal alone: what they did when they were told of errors, and what it cost."""

import pytest
from histories import History

from llmsim.plan import Usage
from llmsim.verdict import judge, judging, retries, sentence


def only(history: History, now: float | None = None):
    """The verdict on the only client."""
    (client,) = judge(history.exchanges, now).clients
    return client


def call(history: History, now: float | None = None):
    """The only call that did not succeed at once."""
    (one,) = only(history, now).calls
    return one


# -- which tries belong together


def test_an_sdk_that_counts_its_tries_is_linked_by_its_count():
    history = History()
    history.refused(0.0)
    history.refused(1.0, attempt=1)
    history.ok(2.0, attempt=2)
    assert retries(history.exchanges) == {2: 1, 3: 2}


def test_the_same_request_that_comes_again_after_an_error_is_a_retry():
    history = History()
    history.refused(0.0, 500)
    history.ok(1.0)
    assert retries(history.exchanges) == {2: 1}


def test_the_order_in_which_they_are_given_makes_no_difference():
    history = History()
    history.refused(0.0)
    history.refused(1.0, attempt=1)
    history.ok(2.0, attempt=2)
    assert retries(history.exchanges[::-1]) == {2: 1, 3: 2}
    assert judge(history.exchanges[::-1]).json() == judge(history.exchanges).json()


@pytest.mark.parametrize("other", [{"text": "else"}, {"key": "sk-other"}, {"client": "other"}, {"endpoint": "/v1/x"}])
def test_another_request_or_client_is_no_retry(other):
    history = History()
    history.refused(0.0, 500)
    history.ok(1.0, **other)
    assert retries(history.exchanges) == {}


def test_the_same_request_after_a_reply_that_went_well_is_a_new_call():
    history = History()
    history.ok(0.0)
    history.ok(1.0)
    assert retries(history.exchanges) == {}
    assert only(history).endings == {"succeeded": 2}


def test_an_sdk_that_counts_may_ask_again_although_the_server_sent_all():
    history = History()
    history.ok(0.0)
    history.ok(1.0, attempt=1)
    assert retries(history.exchanges) == {2: 1}


def test_the_same_request_much_later_is_a_new_call():
    history = History()
    history.refused(0.0, 500)
    history.ok(700.0)
    assert retries(history.exchanges) == {}


def test_two_calls_at_once_with_the_same_request_are_told_apart_by_their_counts():
    history = History()
    history.refused(0.0)
    history.refused(0.1)
    history.ok(1.0, attempt=1)
    history.refused(1.1, attempt=1)
    history.ok(3.0, attempt=2)
    assert retries(history.exchanges) == {3: 1, 4: 2, 5: 4}
    assert sorted(one.count for one in only(history).calls) == [2, 3]


def test_a_new_call_does_not_take_the_place_of_a_try_that_is_counted():
    history = History()
    history.refused(0.0)
    history.ok(0.5)
    history.ok(1.0, attempt=1)
    assert retries(history.exchanges) == {3: 1}


def test_a_request_that_began_before_the_error_is_no_retry_of_it():
    history = History()
    history.cut(0.0, lasts=2.0)
    history.ok(1.0)
    assert retries(history.exchanges) == {}


def test_a_reply_that_follows_another_is_no_request_of_its_own():
    history = History()
    first = history.ok(0.0)
    history.ok(0.0, follows=first)
    client = only(history)
    assert (client.requests, client.again, client.cost.replies) == (1, 0, 1)


def test_earlier_tries_that_are_no_longer_kept_are_counted():
    history = History()
    history.ok(2.0, attempt=2)
    client = only(history)
    assert client.again == 1
    assert retries(history.exchanges) == {}


# -- waits


def test_waiting_as_told_is_said_and_counted():
    history = History()
    history.refused(0.0, told=1.0)
    history.ok(1.0, attempt=1)
    assert sentence(call(history)) == "waited 1.0 s as told, then succeeded on try 2"
    assert only(history).findings[0] == "waited as told 1 time of 1"


def test_two_waits_as_told():
    history = History()
    history.refused(0.0, told=1.0)
    history.refused(1.02, told=1.0, attempt=1)
    history.ok(2.1, attempt=2)
    assert sentence(call(history)) == "waited 1.0 s and 1.1 s as told, then succeeded on try 3"


@pytest.mark.parametrize(
    ("waited", "kept", "early"),
    [
        (0.0, "ignored", 2.0),
        (0.9, "ignored", 1.1),
        (1.0, "early", 1.0),
        (1.9, "early", 0.1),
        (1.96, "kept", 0.0),
        (9, "kept", 0),
    ],
)
def test_a_wait_is_kept_early_or_ignored(waited, kept, early):
    history = History()
    history.refused(0.0, told=2.0)
    history.ok(waited, attempt=1)
    (wait,) = call(history).waits
    assert (wait.kept, wait.early) == (kept, pytest.approx(early))


def test_coming_too_early_is_said_with_the_seconds():
    history = History()
    history.refused(0.0, told=2.0)
    history.ok(1.5)
    assert sentence(call(history)) == "came 0.5 s too early (told 2.0 s, waited 1.5 s), then succeeded on try 2"
    assert only(history).findings[0] == "came back too early 1 time of 1: #2, by up to 0.5 s"


def test_ignoring_what_was_told_is_said():
    history = History()
    history.refused(0.0, told=2.0)
    history.refused(0.05, told=2.0)
    history.ok(2.2)
    told = sentence(call(history))
    assert told == "ignored Retry-After (told 2.0 s, waited 50 ms), then waited 2.2 s as told, then succeeded on try 3"
    assert only(history).findings[0] == "ignored Retry-After 1 time of 2: #2, by up to 1.9 s"


@pytest.mark.parametrize(
    ("moments", "backoff"),
    [((0.5, 1.5, 3.5), "growing"), ((0.5, 1.0, 1.5), "steady"), ((2.0, 2.5, 4.5), "uneven"), ((0.5,), "")],
)
def test_waits_that_nobody_told_grow_or_do_not(moments, backoff):
    history = History()
    history.refused(0.0, 500)
    for attempt, moment in enumerate(moments, 1):
        history.refused(moment, 500, attempt=attempt)
    assert call(history).backoff == backoff


def test_waits_of_its_own_accord_are_said():
    history = History()
    history.refused(0.0, 529)
    history.refused(0.5, 529, attempt=1)
    history.refused(1.5, 529, attempt=2)
    assert sentence(call(history)) == (
        "waited 0.5 s and 1.0 s of its own accord (growing), then gave up after 3 tries (last 529)"
    )
    assert only(history).endings == {"refused": 1}


# -- how a call comes out


@pytest.mark.parametrize(
    ("make", "ending", "words"),
    [
        (lambda history: history.refused(0.0, 400), "refused", "did not ask again (400)"),
        (lambda history: history.cut(0.0), "broken", "did not ask again after the connection was cut"),
        (lambda history: history.failed_midway(0.0), "broken", "did not ask again after an error came in mid-reply"),
        (lambda history: history.left(0.0), "left", "left before the reply was whole"),
        (lambda history: history.live(0.0), "open", "is under way on try 1"),
    ],
)
def test_each_way_a_call_comes_out_has_its_words(make, ending, words):
    history = History()
    make(history)
    assert (call(history).ending, sentence(call(history))) == (ending, words)


def test_a_call_that_went_wrong_a_moment_ago_may_still_be_tried_again():
    history = History()
    history.refused(0.0, told=20.0)
    assert call(history, now=25.0).ending == "open"
    assert sentence(call(history, now=25.0)) == "may still ask again after try 1"
    assert call(history, now=31.0).ending == "refused"


def test_asking_again_where_no_wait_helps_is_said():
    history = History()
    history.refused(0.0, 401)
    history.refused(1.0, 401)
    assert sentence(call(history)).endswith(
        "gave up after 2 tries (last 401); asked again after 401, which no wait mends"
    )
    assert "asked again where no wait mends it: 401 (1 time)" in only(history).findings


# -- storms


def hasty(history: History, count: int, gap: float, told: float | None = None, start: float = 0.0) -> None:
    for number in range(count):
        history.refused(start + number * gap, 503, told)


def test_many_hasty_retries_are_a_storm():
    history = History()
    hasty(history, 31, 0.1, told=5.0)
    (storm,) = only(history).storms
    assert (storm.first, storm.last, storm.retries) == (2, 31, 30)
    assert 10 <= storm.peak <= 11
    assert only(history).findings[0].startswith("retry storm from #2 to #31: 30 hasty retries, up to ")


def test_waiting_as_told_is_no_storm_however_many_there_are():
    history = History()
    for second in range(3):
        for worker in range(100):
            history.refused(second * 1.0, told=1.0, text=f"worker {worker}", attempt=second)
    assert only(history).again == 200
    assert only(history).storms == []


def test_a_few_retries_or_slow_ones_are_no_storm():
    few, slow = History(), History()
    hasty(few, 9, 0.1)
    hasty(slow, 40, 2.0)
    assert only(few).storms == only(slow).storms == []


def test_retries_among_many_other_requests_are_no_storm():
    history = History()
    for number in range(20):
        history.refused(number * 0.1, 503)
        history.ok(number * 0.1, text=f"a {number}")
        history.ok(number * 0.1, text=f"b {number}")
    assert only(history).storms == []


def test_two_storms_with_a_calm_between_are_two():
    history = History()
    hasty(history, 20, 0.1)
    hasty(history, 20, 0.1, start=1000.0)
    assert len(only(history).storms) == 2


# -- broken replies

SAID = "Once upon a time there was a fox"


def partials(history: History):
    return [(one.number, one.how, one.then, one.seen) for one in judge(history.exchanges).clients[0].partials]


def test_a_broken_reply_that_is_asked_for_again():
    history = History()
    history.cut(0.0, SAID)
    history.ok(1.0)
    assert partials(history) == [(1, "cut", "asked again", 2)]
    assert "asked again after 1 broken reply" in only(history).findings


def test_a_broken_reply_whose_words_the_client_goes_on_with():
    history = History()
    history.cut(0.0, f'{SAID} "é"')
    history.ok(1.0, body=b'{"messages":[{"role":"assistant","content":"%b \\"\\u00e9\\""}]}' % SAID.encode())
    assert partials(history) == [(1, "cut", "went on", 2)]
    assert "took 1 broken reply for whole: went on with the words of #1 in #2" in only(history).findings


def test_of_a_broken_reply_alone_nobody_can_tell():
    history = History()
    history.cut(0.0, SAID)
    history.ok(1.0, text="Something else")
    assert partials(history) == [(1, "cut", "unknown", None)]
    (line,) = [line for line in only(history).findings if "broken" in line]
    assert line == (
        "did not ask again after 1 broken reply (#1 cut after 8 of 50 tokens): "
        "it took the part for the whole or gave the error on; a server cannot see which"
    )


def test_short_words_prove_nothing():
    history = History()
    history.cut(0.0, "Yes")
    history.ok(1.0, text="Yes indeed")
    assert partials(history) == [(1, "cut", "unknown", None)]


def test_errors_in_mid_reply_and_garbled_events_are_broken_replies_too():
    history = History()
    history.failed_midway(0.0)
    history.garbled(1.0, text="other")
    history.refused(2.0, text="whole answer")
    history.cut(3.0, "", text="before the first byte")
    assert [one[:2] for one in partials(history)] == [(1, "failed"), (2, "garbled")]


# -- costs


def test_replies_cost_what_the_catalogue_says():
    history = History()
    history.ok(0.0, usage=Usage(1_000_000, 100_000), model="gpt-4o")
    cost = judge(history.exchanges).cost
    assert (cost.replies, cost.prompt, cost.completion, cost.unpriced) == (1, 1_000_000, 100_000, 0)
    assert cost.dollars == pytest.approx(2.5 + 1.0)
    assert cost.told == "$3.50"


def test_cached_tokens_cost_less():
    history = History()
    history.ok(0.0, usage=Usage(1_000_000, 0, cached=1_000_000), model="gpt-4o")
    assert judge(history.exchanges).cost.dollars == pytest.approx(1.25)


def test_a_reply_that_is_left_costs_what_was_written_until_then():
    history = History()
    history.left(0.0, after=5.0, words=100, usage=Usage(1000, 100))
    verdict = judge(history.exchanges)
    assert verdict.left.completion == 51
    assert verdict.left.prompt == 1000
    assert verdict.left.dollars == verdict.cost.dollars == pytest.approx((1000 * 2.5 + 51 * 10) / 1e6)
    assert verdict.clients[0].findings[0] == "left 1 reply before the end: 51 tokens written for nobody, $0.003010"


def test_a_whole_reply_that_is_left_had_been_written_all_the_same():
    history = History()
    history.left(0.0, after=5.0, sent=0, stream=False)
    assert judge(history.exchanges).left.completion == 51


def test_what_is_refused_costs_nothing():
    history = History()
    history.refused(0.0, usage=Usage(1000, 0))
    assert judge(history.exchanges).cost.replies == 0


def test_a_model_without_a_price_is_said_to_have_none():
    history = History()
    history.ok(0.0, model="my-model")
    assert judge(history.exchanges).cost.told == "an unknown price"
    history.ok(1.0)
    history.ok(2.0, model="ft:gpt-4o-2024-08-06:acme::id")
    cost = judge(history.exchanges).cost
    assert cost.unpriced == 2
    assert cost.told.startswith("at least $0.0000")


# -- all of it


def test_clients_are_told_apart_by_key_and_name_and_keys_are_masked():
    history = History()
    history.ok(0.0, client="web")
    history.ok(1.0, client="web", text="more")
    history.ok(2.0, client="batch")
    history.ok(3.0, client="web", key="sk-other5678901234")
    verdict = judge(history.exchanges)
    assert [(one.name, one.key, one.requests) for one in verdict.clients] == [
        ("web", "sk-…abcd", 2),
        ("batch", "sk-…abcd", 1),
        ("web", "sk-…1234", 1),
    ]
    assert verdict.client("batch").requests == 1
    with pytest.raises(KeyError):
        verdict.client("nobody")


def test_the_whole_verdict_reads_well():
    history = History()
    history.refused(0.0, told=1.0)
    history.ok(1.0, attempt=1)
    assert judge(history.exchanges).lines() == [
        "1 client, 2 requests, 1 retry, 0 retry storms, cost $0.000055",
        "app (sk-…abcd): 1 call in 2 requests, 1 retry, 1 succeeded",
        "  waited as told 1 time of 1",
        "  all in all 10 tokens in, 3 out, $0.000055",
        "  #1: waited 1.0 s as told, then succeeded on try 2",
    ]


def test_the_json_form_has_the_calls_and_their_words():
    history = History()
    history.refused(0.0, told=1.0)
    history.ok(1.0, attempt=1)
    told = judge(history.exchanges).json()
    (client,) = told["clients"]
    assert client["calls"] == {"total": 1, "succeeded": 1}
    assert client["told"] == [
        {
            "numbers": [1, 2],
            "model": "gpt-4o",
            "endpoint": "/v1/chat/completions",
            "tries": 2,
            "statuses": [429, 200],
            "outcomes": ["limited", "ok"],
            "waits": [{"after": 1, "number": 2, "waited_s": 1.0, "told_s": 1.0, "kept": "kept", "early_by_s": 0.0}],
            "backoff": "",
            "ending": "succeeded",
            "sentence": "waited 1.0 s as told, then succeeded on try 2",
        }
    ]
    assert "1234567890" not in str(told)


def test_nothing_at_all_has_a_verdict_too():
    assert judge([]).lines() == ["0 clients, 0 requests, 0 retries, 0 retry storms, cost $0"]


def test_a_long_history_is_judged_with_pauses():
    history = History()
    for number in range(2000):
        history.refused(number * 1.0, 500)
    steps = list(judging(history.exchanges))
    assert steps.count(None) >= 10
    assert steps[-1].again == 1999
