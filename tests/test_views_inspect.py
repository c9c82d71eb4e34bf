"""What is told of one exchange for people to look into: secrets masked, and only what can be compared compared."""

from __future__ import annotations

from support import ask_for

from llmsim.exchange import Exchange
from llmsim.plan import End, Plan, Say, Usage
from llmsim.views.inspect import inspected


def played(stream: bool, text: str = "a") -> Exchange:
    ask = ask_for()
    ask.stream, ask.key = stream, "sk-test-1234567890"
    times = [0.1 + 0.01 * at for at in range(11)]
    one = Exchange(1, ask, Plan([*[Say(text)] * 10, End("end")], times, Usage(5, 10)), 0.0, 0.0)
    one.take(0.1)
    one.take(0.25)
    one.ended, one.state = 0.25, "done"
    return one


def test_of_a_stream_first_piece_last_piece_and_pace_are_compared():
    told = inspected(played(True), None, lambda _: None)
    assert told["asked"] == {"first": 100.0, "last": 200.0, "pace": 90.0}
    assert told["achieved"] == {"first": 100.0, "last": 250.0, "pace": 60.0}
    assert told["response"]["kept"] is False
    assert told["pieces"][1] == [110.0, "text", "a"]


def test_of_a_whole_reply_its_end_alone():
    told = inspected(played(False), None, lambda _: None)
    assert told["asked"] == {"first": None, "last": 200.0, "pace": None}
    assert told["achieved"] == {"first": None, "last": 250.0, "pace": None}


def test_a_secret_in_a_reply_is_masked_and_its_tokens_are_not_told():
    told = inspected(played(True, "sk-test-1234567890"), None, lambda _: None)
    assert "1234567890" not in told["reply"]
    assert {text for _, _, text in told["pieces"]} == {""}
