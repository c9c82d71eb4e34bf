"""The answer to a request to make a conversation short: what the user said, and a summary that is sealed.

Source: OpenAI's OpenAPI document, schema CompactResource.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from llmsim.dialects._openai_responses_body import spent
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_input import Item, sealed
from llmsim.dialects._openai_responses_listing import listed
from llmsim.exchange import Exchange
from llmsim.plan import Garbled, Say


def compaction(exchange: Exchange, kept: Sequence[Item]) -> bytes:
    """The conversation in short; the summary is what the exchange's plan says."""
    ids = Ids(exchange)
    pieces = (piece.piece if isinstance(piece, Garbled) else piece for piece in exchange.plan.pieces)
    text = "".join(piece.text for piece in pieces if type(piece) is Say)
    summary = {"id": ids.item("cmp_", 0), "type": "compaction", "encrypted_content": sealed(text)}
    told = {
        "id": ids.response,
        "object": "response.compaction",
        "created_at": int(exchange.wall),
        "output": [*(listed(item, ids, index) for index, item in enumerate(kept)), summary],
    }
    return b'%b,"usage":%b}' % (orjson.dumps(told)[:-1], spent(exchange.plan.usage))
