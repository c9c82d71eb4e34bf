"""A reply laid out as pieces joins to its text, and its tokens add up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim import layout, tokens
from llmsim.conversation import Reply, Stop, ToolCall
from llmsim.layout import lay
from llmsim.plan import Call, Decline, End, Piece, Say, Think

O200K = "o200k_base"
TEXT = "The quick brown fox jumps over the lazy dog."


def words(pieces: list[Piece] | tuple[Piece, ...], kind: type[Piece] = Say) -> str:
    return "".join(piece.text for piece in pieces if type(piece) is kind)


def end(pieces: tuple[Piece, ...]) -> End:
    last = pieces[-1]
    assert isinstance(last, End)
    return last


def test_a_text_becomes_one_piece_a_token_and_an_end():
    laid = lay(Reply((TEXT,)), O200K)
    assert words(laid.pieces) == TEXT
    assert end(laid.pieces) == End(Stop.END)
    assert laid.completion == tokens.count(TEXT) == len(laid.pieces) - 1
    assert laid.plain


def test_a_character_of_several_tokens_is_one_piece():
    laid = lay(Reply(("🫨",)), O200K)
    assert [piece.tokens for piece in laid.pieces] == [tokens.count("🫨"), 0]
    assert not laid.plain


def test_the_limit_ends_the_reply_after_exactly_so_many_tokens():
    laid = lay(Reply((TEXT,)), O200K, limit=4)
    assert words(laid.pieces) == "The quick brown fox"
    assert end(laid.pieces) == End(Stop.LENGTH)
    assert laid.completion == 4


def test_a_reply_that_just_fits_is_not_cut():
    assert end(lay(Reply((TEXT,)), O200K, limit=tokens.count(TEXT)).pieces).stop is Stop.END


def test_a_stop_sequence_ends_the_text_before_it():
    laid = lay(Reply((TEXT,)), O200K, stop=("fox",))
    assert words(laid.pieces) == "The quick brown "
    assert end(laid.pieces) == End(Stop.SEQUENCE, sequence="fox")


def test_a_stop_sequence_is_found_across_the_borders_of_segments():
    laid = lay(Reply(("Hello wor", "ld, ", "bye")), O200K, stop=("world, b",))
    assert words(laid.pieces) == "Hello "


def test_the_stop_sequence_that_comes_first_in_the_text_wins():
    laid = lay(Reply((TEXT,)), O200K, stop=("dog", "quick", "brown", ""))
    assert end(laid.pieces).sequence == "quick"
    assert words(laid.pieces) == "The "


def test_a_stop_sequence_at_the_very_start_leaves_no_text():
    laid = lay(Reply((TEXT,)), O200K, stop=("The",))
    assert laid.pieces == (End(Stop.SEQUENCE, sequence="The"),)
    assert laid.completion == 0


def test_a_stop_sequence_that_is_not_there_changes_nothing():
    assert lay(Reply((TEXT,)), O200K, stop=("cat",)).pieces == lay(Reply((TEXT,)), O200K).pieces


def test_a_limit_before_the_stop_sequence_wins():
    assert end(lay(Reply((TEXT,)), O200K, limit=2, stop=("dog",)).pieces) == End(Stop.LENGTH)


def test_thinking_comes_first_and_counts():
    laid = lay(Reply(("Yes.",), thought=("Let me see.",)), O200K)
    assert [type(piece) for piece in laid.pieces[: laid.thoughts]] == [Think] * laid.thoughts
    assert words(laid.pieces, Think) == "Let me see."
    assert laid.thinking == tokens.count("Let me see.")
    assert laid.completion == laid.thinking + tokens.count("Yes.")


def test_thinking_alone_can_meet_the_limit():
    laid = lay(Reply(("Yes.",), thought=("Let me see what I can do.",)), O200K, limit=3)
    assert (laid.thinking, laid.completion, words(laid.pieces)) == (3, 3, "")
    assert end(laid.pieces).stop is Stop.LENGTH


def test_calls_follow_the_text_and_are_the_reason_of_the_end():
    calls = (ToolCall("c1", "get_weather", '{"city":"Rome"}'), ToolCall("c2", "now", "{}"))
    laid = lay(Reply(("On it.",), calls=calls), O200K)
    fragments = [piece for piece in laid.pieces if isinstance(piece, Call)]
    assert [piece.call.id for piece in fragments if piece.opens] == ["c1", "c2"]
    for index, call in enumerate(calls):
        assert "".join(piece.text for piece in fragments if piece.index == index) == call.arguments
    assert end(laid.pieces).stop is Stop.CALLS
    assert laid.completion == sum(tokens.count(text) for call in calls for text in (call.name, call.arguments)) + 3


def test_a_call_that_is_cut_ends_by_its_length():
    laid = lay(Reply(calls=(ToolCall("c1", "look", '{"a":1,"b":2}'),)), O200K, limit=3)
    assert end(laid.pieces).stop is Stop.LENGTH
    assert laid.completion == 3


def test_no_call_comes_after_a_stop_sequence():
    laid = lay(Reply(("a STOP b",), calls=(ToolCall("c1", "look", "{}"),)), O200K, stop=("STOP",))
    assert end(laid.pieces).stop is Stop.SEQUENCE
    assert not any(isinstance(piece, Call) for piece in laid.pieces)


def test_a_refusal_is_told_in_pieces_of_its_own_kind():
    laid = lay(Reply(("I cannot help.",), refusal=True, stop=Stop.FILTER), O200K)
    assert words(laid.pieces, Decline) == "I cannot help."
    assert end(laid.pieces).stop is Stop.FILTER


def test_the_pieces_of_another_alternative_bear_its_number():
    assert {piece.choice for piece in lay(Reply((TEXT,)), O200K, choice=2).pieces} == {2}


def test_the_same_reply_is_laid_out_once_and_shared():
    assert lay(Reply((TEXT,)), O200K).pieces is lay(Reply((TEXT,)), O200K).pieces
    assert lay(Reply((TEXT,)), O200K).pieces is not lay(Reply((TEXT,)), "cl100k_base").pieces
    assert lay(Reply((TEXT,), stop=Stop.FILTER), O200K).pieces is not lay(Reply((TEXT,)), O200K).pieces


def test_what_is_kept_is_bounded_in_bytes_and_the_newest_stay():
    cache = layout._Cache(100 * layout._SAY_BYTES)
    laid = lay(Reply(("one two three four",)), O200K)
    for i in range(100):
        cache.put((i,), laid)
    assert cache.get((0,)) is None
    assert cache.get((99,)) is laid
    assert len(cache._kept) * len(laid.pieces) <= 100
    cache.put((99,), laid)
    assert cache._size == len(cache._kept) * len(laid.pieces) * layout._SAY_BYTES


def test_a_reply_too_long_to_be_kept_is_laid_out_all_the_same():
    cache = layout._Cache(layout._SAY_BYTES)
    cache.put(("long",), lay(Reply((TEXT,)), O200K))
    assert cache.get(("long",)) is None


texts = st.text(max_size=40)
calls = st.builds(ToolCall, st.just("c"), st.text("abc_", min_size=1, max_size=8), st.text(min_size=1, max_size=20))
replies = st.builds(
    Reply,
    segments=st.lists(texts, max_size=4).map(tuple),
    thought=st.lists(texts, max_size=2).map(tuple),
    calls=st.lists(calls, max_size=2).map(tuple),
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(reply=replies, encoding=st.sampled_from(["o200k_base", "cl100k_base"]))
def test_without_limits_all_of_the_reply_is_laid_out(reply, encoding):
    laid = lay(reply, encoding)
    clean = reply.text.encode("utf-8", "replace").decode()
    assert words(laid.pieces) == clean
    assert words(laid.pieces, Think) == "".join(reply.thought).encode("utf-8", "replace").decode()
    assert laid.completion == sum(piece.tokens for piece in laid.pieces)
    assert laid.thinking == sum(tokens.count(part, encoding) for part in reply.thought)
    assert laid.plain == all(piece.tokens == 1 for piece in laid.pieces[:-1])


@settings(derandomize=True, deadline=None, max_examples=150)
@given(reply=replies, limit=st.integers(0, 30), stop=st.lists(st.text(max_size=3), max_size=2).map(tuple))
def test_under_limits_a_beginning_of_the_reply_is_laid_out(reply, limit, stop):
    laid = lay(reply, "o200k_base", limit, stop)
    said = words(laid.pieces)
    assert reply.text.startswith(said)
    assert laid.completion == sum(piece.tokens for piece in laid.pieces) <= limit
    assert [type(piece) for piece in laid.pieces].count(End) == 1
    last = end(laid.pieces)
    if last.stop is Stop.LENGTH:
        whole = lay(reply, "o200k_base", None, stop)
        cut_at = len(laid.pieces) - 1
        assert list(whole.pieces[:cut_at]) == list(laid.pieces[:-1])
        assert laid.completion + whole.pieces[cut_at].tokens > limit
    if last.sequence is not None:
        assert reply.text.startswith(said + last.sequence)
        assert not any(sequence in said for sequence in stop if sequence)


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_lone_surrogates_do_no_harm(encoding):
    assert lay(Reply(("a\ud800b",)), encoding).completion > 0
