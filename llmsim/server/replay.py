"""Words the reply of an exchange of the journal once more, byte by byte as it was sent: for archives."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from llmsim.dialects import Answer, Encoder, Headers, garbled
from llmsim.exchange import Exchange
from llmsim.journal.search import Reread, with_texts
from llmsim.plan import Drop, Fail, Garbled, Piece, Raw, Verbatim


def replay(exchange: Exchange, reread: Reread) -> tuple[bytes, Headers] | None:
    """The bytes of the reply, as far as it was sent, and its headers; None for a plain answer, which is not kept."""
    plan, sent = exchange.plan, exchange.plan.pieces[: exchange.cursor]
    if exchange.asked is None or not sent or isinstance(sent[0], Drop):
        return None
    if isinstance(sent[0], Raw):
        return sent[0].body, sent[0].headers
    if plan.head is not None and isinstance(sent[0], Verbatim):
        return b"".join(piece.data for piece in sent if isinstance(piece, Verbatim)), plan.head.headers
    dialect, route, _ = exchange.asked
    if plan.failure is not None:
        return _told(dialect.failure(plan.failure, exchange))
    if route is None or route.answer is not None:
        return None
    whole = copy.copy(exchange)
    whole.ask = with_texts(exchange, reread)
    encoder = dialect.encoder(whole)
    if exchange.ask.stream:
        return _stream(encoder, whole), [(b"content-type", encoder.media_type), *encoder.headers()]
    if isinstance(sent[-1], Fail):
        return _told(dialect.failure(sent[-1].failure, exchange))
    return _whole(encoder, sent), [(b"content-type", encoder.whole_type), *encoder.headers()]


def _whole(encoder: Encoder, sent: Sequence[Piece]) -> bytes:
    """The body as it was sent: half of it where it was cut, spoiled where it was garbled."""
    if isinstance(sent[-1], Drop):
        body = encoder.whole(sent[:-1])
        return body[: len(body) // 2]
    spoiled = next((piece for piece in sent if isinstance(piece, Garbled)), None)
    body = encoder.whole(sent)
    return body if spoiled is None else garbled(body, spoiled.how)


def _told(answer: Answer) -> tuple[bytes, Headers]:
    return answer.body, answer.headers


def _stream(encoder: Encoder, exchange: Exchange) -> bytes:
    """The events that were sent, as one body."""
    pieces = exchange.plan.pieces[: exchange.cursor]
    last = pieces[-1]
    opening = encoder.open()
    if isinstance(last, Fail):
        return opening + encoder.frames(pieces[:-1]) + (encoder.fail(last.failure) or b"")
    if isinstance(last, Drop):
        return opening + encoder.frames(pieces[:-1])
    return opening + encoder.frames(pieces) + (encoder.close() if exchange.state == "done" else b"")
