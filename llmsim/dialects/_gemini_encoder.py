"""Words a reply of Gemini: whole, as server-sent events, or as one JSON array that comes bit by bit.

Source: Google's API reference, GenerateContentResponse; the stream as google-genai 3.4 reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_candidates import FINISH, Candidates
from llmsim.dialects._gemini_errors import error_body
from llmsim.dialects._gemini_usage import MIDDLE, UsageMetadata, numbers
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import End, Garbled, Part, Piece, Say, Script, Think

# Stand for what is not the same in all replies with a script: the usage between a token's text and its count, and what
# is between two events. No UTF-8 has these bytes.
_USAGE, _NEXT = b"\xfe", b"\xff"


@dataclass(slots=True)
class _Plain:
    """A script of words: how many unseen thoughts come first; each token as JSON, and how many there are by then.

    `counts` is None where each text is one token. `whole` is the form of all events but the last, its numbers those of
    all tokens so far; it is made when the script comes again, as others are not worth its room: None says that the
    script has not come before.
    """

    thoughts: int
    texts: list[bytes]
    counts: list[int] | None
    whole: bytes | None = None

    def form(self) -> bytes:
        """The form of all events, empty the first time."""
        if self.whole is None:
            self.whole = b""
        elif not self.whole:
            numbered = zip(self.texts[:-1], numbers(1, len(self.texts)), strict=True)
            told = [b"%b%b%b%b%%d" % (text.replace(b"%", b"%%"), _USAGE, count, MIDDLE) for text, count in numbered]
            self.whole = _NEXT.join(told)
        return self.whole


class GeminiEncoder(Encoder):
    """Words one GenerateContentResponse; each event is one with what is new, and what it all cost so far."""

    media_type = b"text/event-stream"
    whole_type = wire.JSON

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        ask, plan = exchange.ask, exchange.plan
        self._array = bool(ask.extra.get("array"))
        self._before, self._after = (b",\r\n", b"") if self._array else (b"data: ", b"\r\n\r\n")
        if self._array:
            self.media_type = wire.JSON
        self._first = self._array
        self._usage = UsageMetadata(exchange)
        self._candidates = Candidates(exchange)
        self._said = 0
        # What is no words costs tokens that the plan does not count.
        self._made = sum(ask.extra.get("made", {}).values())
        self._thought = 0 if ask.shows_thinking else plan.usage.thinking
        self._about = self._candidates.about() + self._after
        self._plain: _Plain | None = None
        script = plan.pieces
        if ask.stream and self._candidates.plain and type(script) is Script:
            self._plain = _plain(script, ask.shows_thinking)

    def headers(self) -> Headers:
        """Google's headers, the time to the first token among them."""
        tier: str = self.exchange.ask.extra.get("tier", "standard")
        return [*wire.headers(self.exchange), (b"x-gemini-service-tier", tier.encode())]

    # -- streamed

    def open(self) -> bytes:
        """The bracket of an array."""
        return b"[" if self._array else b""

    def close(self) -> bytes:
        """The bracket of an array."""
        return b"]" if self._array else b""

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due; the end goes with the last token where both are due."""
        told = self._many(self._plain, pieces) if self._plain is not None else None
        if told is None:
            told = b"".join([self._one(pieces, at) for at in range(len(pieces))])
        return self._begun(told) if self._first else told

    def _begun(self, told: bytes) -> bytes:
        """Without the comma before the first element of an array."""
        if self._first and told:
            self._first = False
            return told.removeprefix(b",\r\n")
        return told

    def _many(self, plain: _Plain, pieces: Sequence[Piece]) -> bytes | None:
        """Tokens of plain text, one event each; None where a fault has put other pieces in place of the script."""
        script, end = self.exchange.plan.pieces, self.exchange.cursor
        if type(script) is not Script:
            return None
        start, stop = max(0, end - len(pieces) - plain.thoughts), end - plain.thoughts
        if end < len(script):
            return self._texts(plain, start, stop)
        # The last token has the finish reason with it.
        told, final = self._texts(plain, start, stop - 2), script[-1]
        if len(pieces) > 1 and isinstance(final, End) and final.stop is not Stop.FILTER:
            return told + self._last(plain, script[-2].tokens, final)
        return told + b"".join([self._one(pieces, at) for at in range(max(0, len(pieces) - 2), len(pieces))])

    def _texts(self, plain: _Plain, start: int, stop: int) -> bytes:
        """The events of these tokens: what is the same in all of them, with texts and counts put in between."""
        many = stop - start
        if many <= 0:
            return b""
        usage, about = self._usage, self._about
        base = usage.prompt + self._thought
        counts = range(start + 1, stop + 1) if plain.counts is None else plain.counts[start:stop]
        self._said = counts[-1]
        head = b'%b{"candidates":[{"content":{"parts":[{"text":' % self._before
        middle = b'}],"role":"model"},"index":0}],%b' % usage.head
        tail = b"%b%b" % (usage.tail(self._thought), about)
        if many < 4 or plain.counts is not None:
            return b"".join(
                [
                    b"%b%b%b%d%b%d%b" % (head, text, middle, count, MIDDLE, base + count, tail)
                    for text, count in zip(plain.texts[start:stop], counts, strict=True)
                ]
            )
        if not start and stop == len(plain.texts) - 1 and (form := plain.form()):
            told_at_once = form % tuple(range(base + 1, base + stop + 1))
            told_at_once = told_at_once.replace(_USAGE, middle).replace(_NEXT, tail + head)
            return b"%b%b%b" % (head, told_at_once, tail)
        told = [middle] * (6 * many)
        told[0::6] = plain.texts[start:stop]
        told[2::6] = numbers(start + 1, stop + 1)
        told[3::6] = [MIDDLE] * many
        told[4::6] = numbers(base + start + 1, base + stop + 1)
        told[5::6] = [tail + head] * many
        told[-1] = tail
        return head + b"".join(told)

    def _last(self, plain: _Plain, tokens: int, end: End) -> bytes:
        """The last token of plain text, with the end."""
        self._said += tokens
        return b"%b{%b%b%b" % (self._before, self._ended(plain.texts[-1], end), self._spent(end), self._about)

    def _ended(self, text: bytes, end: End) -> bytes:
        """`"candidates":[…],` with a text, as JSON, and the end."""
        signed = self._candidates.signed(end)
        return b'"candidates":[{"content":{"parts":[{"text":%b%b}],"role":"model"},"finishReason":"%b","index":0}],' % (
            text,
            b',"thoughtSignature":"%b"' % signed.encode() if signed else b"",
            FINISH[end.stop].encode(),
        )

    def _spent(self, last: Piece) -> bytes:
        """The usage so far; with the reply's last piece that of the whole reply."""
        if last is not self.exchange.plan.pieces[-1]:
            return self._usage.worded(self._said, self._thought)
        return self._spent_in_all()

    def _spent_in_all(self) -> bytes:
        spent = self.exchange.plan.usage
        return self._usage.worded(spent.completion - spent.thinking + self._made, spent.thinking)

    def _one(self, pieces: Sequence[Piece], at: int) -> bytes:
        """One piece's event; an end that follows at once is told with it."""
        piece = pieces[at]
        if isinstance(piece, Garbled):
            return self.wording(piece)
        if isinstance(piece, End):
            told = at > 0 and _ends_with(pieces[at - 1], piece)
            return b"" if told else self._event(piece, None)
        after = pieces[at + 1] if at + 1 < len(pieces) else None
        return self._event(piece, after if isinstance(after, End) and _ends_with(piece, after) else None)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event by itself."""
        return self._event(piece, None)

    def _event(self, piece: Piece, end: End | None) -> bytes:
        if isinstance(piece, Part):
            self._said += self._made
        elif not isinstance(piece, Think):
            self._said += piece.tokens
        elif self.exchange.ask.shows_thinking:
            self._thought += piece.tokens
        candidate = self._candidates.streamed(piece, end)
        if candidate is None:
            return b""
        return b"%b{%b%b%b" % (self._before, candidate, self._spent(end or piece), self._about)

    def fail(self, failure: Failure) -> bytes:
        """An error object as an event, or as the last element of the array."""
        error = orjson.dumps(error_body(failure, self.exchange))
        return self._begun(b"%b%b%b" % (self._before, error, self._after)) + self.close()

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The response as one object."""
        usage, candidates = self._spent_in_all(), self._candidates
        text = _whole_text(pieces, self.exchange.ask.shows_thinking) if candidates.plain else None
        end = pieces[-1]
        if text is None or not isinstance(end, End) or end.stop is Stop.FILTER:
            told = candidates.whole(pieces)
        else:
            told = self._ended(text, end)
        return b"{%b%b%b" % (told, usage, self._about.removesuffix(self._after))


def _ends_with(piece: Piece, end: End) -> bool:
    """Whether the end of a candidate is told with the piece before it."""
    return isinstance(piece, Say) and piece.choice == end.choice


def _plain(script: Script, shows_thinking: bool) -> _Plain | None:
    """What is made once of a script of words and their end, after thoughts that nobody sees; None for any other."""
    key = (_Plain, shows_thinking)
    if key in script.memo:
        return script.memo[key]  # type: ignore[no-any-return]
    made, found = None, _words(script, shows_thinking)
    if found is not None:
        thoughts, words = found
        texts = [_text(piece.text) for piece in words]
        counts = [piece.tokens for piece in words]
        made = _Plain(thoughts, texts, None if set(counts) == {1} else list(accumulate(counts)))
    script.memo[key] = made
    return made


def _words(script: Script, shows_thinking: bool) -> tuple[int, Sequence[Say]] | None:
    """The words that a script is but for its end and for so many unseen thoughts before them; None for any other."""
    thoughts = 0
    while type(script[thoughts]) is Think and not shows_thinking:
        thoughts += 1
    words = script[thoughts:-1]
    plain = words and type(script[-1]) is End and set(map(type, words)) == {Say}
    return (thoughts, words) if plain and not any(one.choice for one in words) else None  # type: ignore[return-value]


def _whole_text(pieces: Sequence[Piece], shows_thinking: bool) -> bytes | None:
    """All words of a script as one JSON string, made once; None where there is more to it, or a fault was at it."""
    if type(pieces) is not Script:
        return None
    key = (_whole_text, shows_thinking)
    if key not in pieces.memo:
        found = _words(pieces, shows_thinking)
        pieces.memo[key] = None if found is None else b"%b" % orjson.dumps("".join([one.text for one in found[1]]))
    return pieces.memo[key]  # type: ignore[no-any-return]


@lru_cache(maxsize=1 << 15)
def _text(text: str) -> bytes:
    """A token's JSON; one object for every occurrence of it."""
    return b"%b" % orjson.dumps(text)
