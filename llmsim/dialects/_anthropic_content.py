"""The content blocks of Claude's reply, made of the pieces of its plan: the same whole as streamed.

Source: Anthropic API reference, Messages, and the types of the SDK anthropic 2.12 (`ContentBlock`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from llmsim.conversation import ToolCall
from llmsim.dialects import _anthropic_server_tools as server_tools
from llmsim.dialects._anthropic_signatures import signature
from llmsim.exchange import Exchange
from llmsim.plan import Call, Garbled, Piece, Say, Think

Json = dict[str, Any]


class Content:
    """Words the blocks of one reply.

    `run` is the call of a tool that the server runs before the model answers, `citation` what the reply's text cites;
    None where there is none.
    """

    def __init__(self, exchange: Exchange, extra: Json) -> None:
        self._exchange = exchange
        self._extra = extra
        self.display: str = extra["display"]
        self.run: server_tools.Run | None = None
        self.citation: Json | None = extra["citation"]
        if extra["server"] is not None:
            self.run = server_tools.run(extra["server"], exchange.ask.last_user_text, exchange)
            self.citation = self.run.citation or self.citation

    def thinking(self, text: str) -> Json:
        """A block of thinking, as much of it as the client is shown."""
        if self.display == "redacted":
            return {"type": "redacted_thinking", "data": self._opaque()}
        shown = "" if self.display == "omitted" else text
        return {"type": "thinking", "thinking": shown, "signature": signature(shown, self._exchange.seed)}

    def _opaque(self) -> str:
        parts = (blake2b(b"%d redacted %d" % (self._exchange.seed, at), digest_size=64).digest() for at in range(3))
        return base64.b64encode(b"".join(parts)).decode()

    def tool_use(self, call: ToolCall) -> Json:
        """The beginning of a call's block, its input still empty."""
        start: Json = {"type": "tool_use", "id": f"toolu_01{call.id.removeprefix('call_')[:22]}", "name": call.name}
        start["input"] = {}
        start["caller"] = {"type": "direct"}
        if call.name in self._extra["toolsets"]:
            start |= {"name": "screenshot", "toolset_name": call.name}
        return start

    def before(self, call: ToolCall) -> list[Json]:
        """The blocks of the search that finds a tool which is not loaded yet."""
        search = self._extra["search"]
        if search is None or call.name not in self._extra["deferred"]:
            return []
        return server_tools.found(search, call.name, self._exchange)

    def compaction(self, text: str) -> Json:
        """The block that takes the place of a conversation."""
        return {"type": "compaction", "content": text, "signature": signature(text, self._exchange.seed)}

    def whole(self, pieces: Sequence[Piece]) -> list[Json]:
        """All blocks of a reply."""
        plain = [piece.piece if type(piece) is Garbled else piece for piece in pieces]
        thought = _joined(plain, Think)
        said = "".join(
            [piece.text for piece in plain if isinstance(piece, Say) and not isinstance(piece, Think | Call)]
        )
        calls: dict[int, list[Call]] = {}
        for piece in plain:
            if isinstance(piece, Call):
                calls.setdefault(piece.index, []).append(piece)
        if self._extra["compacts"]:
            return [self.compaction(said)]
        blocks = [self.thinking(thought)] if any(type(piece) is Think for piece in plain) else []
        if self.run is not None and (said or calls):
            blocks += self.run.blocks
        if said:
            blocks.append(self._text(said))
        for fragments in calls.values():
            blocks += self._call(fragments, first=fragments[0].index == 0)
        return blocks

    def _text(self, text: str) -> Json:
        cited = {"citations": [self.citation]} if self.citation is not None else {}
        return {**cited, "type": "text", "text": text}

    def _call(self, fragments: Sequence[Call], first: bool) -> list[Json]:
        call = fragments[0].call
        text = "".join(fragment.text for fragment in fragments)
        found = self.before(call) if first else []
        return [*found, {**self.tool_use(call), "input": read_input(text)}]


def _joined(pieces: Iterable[Piece], kind: type[Say]) -> str:
    return "".join([piece.text for piece in pieces if type(piece) is kind])


def read_input(text: str) -> Any:
    """A call's input from its JSON; that of a call which was cut short is as much of it as was whole."""
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
