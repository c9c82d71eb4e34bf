"""Lays a reply out as pieces: cut into tokens, ended by stop sequences and by the limit, as a model's would be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from llmsim import tokens
from llmsim.conversation import Block, Reply, Stop, ToolCall
from llmsim.plan import Call, Decline, End, Piece, Say, Script, Think

_CACHE_BYTES = 16 << 20
# The slots that hold a Say and what a dialect keeps beside it, and a share of the tokens that are not shared.
_SAY_BYTES = 60


@dataclass(slots=True, frozen=True)
class Layout:
    """The pieces of one alternative, End last; the tokens in them; how many pieces at its beginning are thoughts.

    `plain` says that every piece but End is one token.
    """

    pieces: Script
    completion: int
    thinking: int
    thoughts: int
    plain: bool


class _Cache:
    """Pieces by text and encoding; bounded in bytes, the one unused for longest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[tuple[object, ...], Layout] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> Layout | None:
        layout = self._kept.get(key)
        if layout is not None:
            self._kept.move_to_end(key)
        return layout

    def put(self, key: tuple[object, ...], layout: Layout) -> None:
        weight = _SAY_BYTES * len(layout.pieces)
        if weight > self._limit // 16 or key in self._kept:
            return
        self._size += weight
        self._kept[key] = layout
        while self._size > self._limit:
            self._size -= _SAY_BYTES * len(self._kept.popitem(last=False)[1].pieces)


_cache = _Cache(_CACHE_BYTES)


def lay(reply: Reply, encoding: str, limit: int | None = None, stop: tuple[str, ...] = (), choice: int = 0) -> Layout:
    """The reply as pieces of the alternative `choice`, at most `limit` tokens and up to the first stop sequence.

    Thinking comes first, then text, then tool calls; a limit that is met anywhere ends the reply there.
    """
    if reply.calls or reply.thought or reply.refusal or reply.blocks or stop or choice:
        return _lay(reply, encoding, limit, stop, choice)
    key = (reply.segments, encoding, limit, reply.stop, reply.finish)
    layout = _cache.get(key)
    if layout is None:
        layout = _lay(reply, encoding, limit, stop, choice)
        _cache.put(key, layout)
    return layout


def _lay(reply: Reply, encoding: str, limit: int | None, stop: tuple[str, ...], choice: int) -> Layout:
    if reply.blocks:
        blocks, sequence = _stopped_blocks(reply.blocks, stop)
        pieces = _block_pieces(blocks, encoding, choice)
    else:
        segments, sequence = _stopped(reply.segments, stop)
        pieces = _words(Think, reply.thought, encoding, choice)
        pieces += _words(Decline if reply.refusal else Say, segments, encoding, choice)
        if sequence is None:
            for index, call in enumerate(reply.calls):
                pieces += _call_pieces(call, index, encoding, choice)
    pieces, cut = _limited(pieces, limit)
    if cut:
        why = Stop.LENGTH
    elif sequence is not None:
        why = Stop.SEQUENCE
    else:
        why = reply.finish or (Stop.CALLS if reply.calls and reply.stop is Stop.END else reply.stop)
    pieces.append(End(why, choice, sequence if why is Stop.SEQUENCE else None))
    thoughts = [piece.tokens for piece in pieces if type(piece) is Think]
    leading = next((at for at, piece in enumerate(pieces) if type(piece) is not Think), 0)
    return Layout(
        Script(pieces),
        sum(piece.tokens for piece in pieces),
        sum(thoughts),
        leading,
        all(piece.tokens == 1 for piece in pieces[:-1]),
    )


def _words(kind: type[Say], segments: tuple[str, ...], encoding: str, choice: int) -> list[Piece]:
    if choice:
        return [kind(text, count, choice) for part in segments for text, count in tokens.pieces(part, encoding)]
    pieces: list[Piece] = []
    for part in segments:
        pieces += _SHORT[kind](part, encoding) if len(part) <= 256 else _made(kind, part, encoding)
    return pieces


def _made(kind: type[Say], text: str, encoding: str) -> tuple[Say, ...]:
    make = _SHARED[kind]
    return tuple([make(token, count) for token, count in tokens.pieces(text, encoding)])


# One object for every occurrence of a token in a first alternative; sentences, too, come again in other orders.
_SHARED = {kind: lru_cache(maxsize=1 << 15)(kind) for kind in (Say, Think, Decline)}
_SHORT = {kind: lru_cache(maxsize=2048)(partial(_made, kind)) for kind in (Say, Think, Decline)}


def _call_pieces(call: ToolCall, index: int, encoding: str, choice: int) -> list[Piece]:
    """The call's name as its opening fragment, then its arguments token by token."""
    name = sum(count for _, count in tokens.pieces(call.name, encoding))
    opening = Call(call, index, "", name, True, choice)
    rest = [Call(call, index, text, count, False, choice) for text, count in tokens.pieces(call.arguments, encoding)]
    return [opening, *rest]


_KINDS: dict[str, type[Say]] = {"text": Say, "thought": Think, "refusal": Decline}


def _block_pieces(blocks: Sequence[Block], encoding: str, choice: int) -> list[Piece]:
    """The blocks in their order, calls numbered among themselves."""
    pieces: list[Piece] = []
    calls = 0
    for block in blocks:
        if block.call is None:
            pieces += _words(_KINDS[block.kind], (block.text,), encoding, choice)
        else:
            pieces += _call_pieces(block.call, calls, encoding, choice)
            calls += 1
    return pieces


def _stopped_blocks(blocks: Sequence[Block], stop: tuple[str, ...]) -> tuple[Sequence[Block], str | None]:
    """The blocks up to the first stop sequence within one of their texts, and which one that is."""
    for place, block in enumerate(blocks):
        if block.kind == "text":
            (text,), sequence = _stopped((block.text,), stop)
            if sequence is not None:
                return [*blocks[:place], Block("text", text)], sequence
    return blocks, None


def _stopped(segments: tuple[str, ...], stop: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """The text up to the stop sequence that comes first in it, and which one that is."""
    if not stop:
        return segments, None
    text = "".join(segments)
    found = min(((at, sequence) for sequence in stop if sequence and (at := text.find(sequence)) >= 0), default=None)
    return ((text[: found[0]],), found[1]) if found else (segments, None)


def _limited(pieces: list[Piece], limit: int | None) -> tuple[list[Piece], bool]:
    """The pieces that fit into the limit, and whether any did not."""
    if limit is None or (len(pieces) <= limit and sum(piece.tokens for piece in pieces) <= limit):
        return pieces, False
    spent = 0
    for at, piece in enumerate(pieces):
        spent += piece.tokens
        if spent > limit:
            return pieces[:at], True
    return pieces, False
