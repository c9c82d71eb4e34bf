"""Events of a streamed response: numbered from nought, each named twice, in its `event:` line and in its data.

Source: OpenAI API reference, responses streaming.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import orjson

from llmsim.plan import Say, Script

# Padding that hides a token's length from whoever watches the size of the packets; by the length that is missing.
_PAD = 16
_NOISE = "q7Xw2LmZc9RuV4dT"
_TAILS = [b',"logprobs":[],"obfuscation":"%b"}\n\n' % _NOISE[:n].encode() for n in range(_PAD + 1)]
_BARE = b',"logprobs":[]}\n\n'

_TEXT = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":'

# Where all events of a script tell the place of their text; no UTF-8 has this byte.
_PLACE = b"\xff"

_MOST_NUMBERS = 1 << 17
_numbers = [b"%d" % number for number in range(1024)]


class Events:
    """Numbers the events of one stream; one that is not `sent` says nothing.

    `lane` is what every event says of the web socket's lane that it belongs to, from its comma on.
    """

    __slots__ = ("count", "lane", "sent")

    def __init__(self, sent: bool = True, lane: str = "") -> None:
        self.count = 0
        self.sent = sent
        self.lane = b',"stream_id":%b' % orjson.dumps(lane) if lane else b""

    def event(self, kind: bytes, fields: bytes) -> bytes:
        """The next event; `fields` is the rest of its data, without braces."""
        if not self.sent:
            return b""
        number, self.count = self.count, self.count + 1
        return b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b%b}\n\n' % (kind, kind, number, fields, self.lane)

    def texts(self, middle: bytes, bodies: Sequence[bytes]) -> bytes:
        """The next events of plain text, one for each body; `middle` says where the text stands."""
        count, start = len(bodies), self.count
        self.count = start + count
        if count == 1:
            return b"%b%d%b%b" % (_TEXT, start, middle, bodies[0])
        parts = [_TEXT, b"", middle, b""] * count
        parts[1::4] = _counted(start, self.count)
        parts[3::4] = bodies
        return b"".join(parts)

    def all_texts(self, middle: bytes, script: Script, pads: bool) -> bytes:
        """The next events of plain text, one for each token of a script that is told in one go."""
        start, texts = self.count, bodies(script, pads)
        made: bytes | None = script.memo.get((_PLACE, pads, start))
        if made:
            self.count = start + len(texts)
            return made.replace(_PLACE, middle)
        if made is None:
            # Only a script that comes again is worth its room.
            script.memo[_PLACE, pads, start] = b""
            return self.texts(middle, texts)
        made = script.memo[_PLACE, pads, start] = self.texts(_PLACE, texts)
        return made.replace(_PLACE, middle)


def _counted(start: int, end: int) -> Sequence[bytes]:
    """The numbers as text; those that streams reach are made once."""
    if end > len(_numbers):
        if end > _MOST_NUMBERS:
            return [b"%d" % number for number in range(start, end)]
        _numbers.extend([b"%d" % number for number in range(len(_numbers), end + 1024)])
    return _numbers[start:end]


def noise(text: str) -> str:
    """The padding of a delta: letters that hide how long it is."""
    return _NOISE[: max(0, _PAD - len(text))]


def padding(text: str, pads: bool) -> bytes:
    """The obfuscation of a delta, from its comma on."""
    return b',"obfuscation":"%b"' % noise(text).encode() if pads else b""


def bodies(script: Script, pads: bool) -> list[bytes]:
    """All of each text event of a plain script from its delta on, made once for a script."""
    made: list[bytes] | None = script.memo.get((Events, pads))
    if made is None:
        made = [_body(piece.text, pads) for piece in script[:-1] if isinstance(piece, Say)]
        script.memo[Events, pads] = made
    return made


@lru_cache(maxsize=1 << 15)
def _body(text: str, pads: bool) -> bytes:
    return b',"delta":' + orjson.dumps(text) + (_TAILS[max(0, _PAD - len(text))] if pads else _BARE)
