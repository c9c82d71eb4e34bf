"""Chat completions as Google words them for OpenAI's clients: with thoughts in the text, and calls that are signed.

Source: Google's guides "OpenAI compatibility" and "Thought signatures"; replies of the live API as users quote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_checks import invalid
from llmsim.dialects._gemini_models import ability, thinking_tokens
from llmsim.dialects.openai_chat import ChatEncoder
from llmsim.exchange import Exchange
from llmsim.plan import Call, Garbled, Piece, Think

Json = Mapping[str, Any]

_OPEN, _CLOSE = "<thought>", "</thought>"
_THOUGHT = {"google": {"thought": True}}

_EFFORTS = ("none", "minimal", "low", "medium", "high")
_KNOWN = {"thinking_budget", "thinking_level", "include_thoughts", "thinkingBudget", "thinkingLevel", "includeThoughts"}


def with_thinking(ask: Ask, told: Json) -> Ask:
    """The ask with as much thinking as `reasoning_effort` or Google's own settings want; raises Refused."""
    config, effort, able = _config(told), told.get("reasoning_effort"), ability(ask.model)
    if config.keys() & {"thinkingBudget", "thinkingLevel"} and effort is not None:
        raise invalid("Expected one of either `reasoning_effort` or custom `thinking_config`; found both.")
    if effort is not None and effort not in _EFFORTS:
        raise invalid(f"Invalid reasoning_effort: {str(effort)[:100]}")
    if effort == "none" and able.thinks and not able.can_stop_thinking:
        raise invalid("Budget 0 is invalid. This model only works in thinking mode.")
    if effort is not None:
        config = {**config, **({"thinkingBudget": 0} if effort == "none" else {"thinkingLevel": effort.upper()})}
    ask.thinking = thinking_tokens(config, able)
    ask.shows_thinking = bool(config.get("includeThoughts")) and able.thinks
    return ask


def _config(told: Json) -> dict[str, Any]:
    """Google's settings of thinking, in the spelling of its own API."""
    found: Any = told
    for place in (("extra_body",) if "extra_body" in told else ()) + ("google", "thinking_config"):
        found = found.get(place) or {}
        if not isinstance(found, dict):
            raise invalid(f"Invalid value at '{place}': an object is expected.")
    unknown = next((name for name in found if name not in _KNOWN), None)
    if unknown is not None:
        raise invalid(f"Invalid JSON payload received. Unknown name \"{unknown[:100]}\" at 'thinking_config'.")
    config = {_camel(name): value for name, value in found.items() if value is not None}
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and (type(budget) is not int or not -1 <= budget < 1 << 31):
        raise invalid("Invalid value at 'thinking_config.thinking_budget' (TYPE_INT32)")
    if level is not None and (not isinstance(level, str) or level.lower() not in _EFFORTS[1:]):
        raise invalid("Invalid value at 'thinking_config.thinking_level' (ThinkingLevel)")
    return config if level is None else {**config, "thinkingLevel": level.upper()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


class GoogleChatEncoder(ChatEncoder):
    """Words one chat completion for Google: its thoughts too, where the client wants to see them."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        able, plan = ability(exchange.ask.model), exchange.plan
        self._signs = able.thinks and bool(plan.usage.thinking or able.generation >= 3)
        self._shows = exchange.ask.shows_thinking
        self._in_thought: set[int] = set()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Google's headers."""
        return wire.headers(self.exchange)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event; of a thought, flagged as one."""
        choice = piece.choice
        if isinstance(piece, Think) and self._shows:
            opening = "" if choice in self._in_thought else _OPEN
            self._in_thought.add(choice)
            return self._open(choice, b'""') + self._thought(choice, opening + piece.text)
        if choice in self._in_thought and not isinstance(piece, Think):
            self._in_thought.discard(choice)
            return self._thought(choice, _CLOSE) + super().frame(piece)
        return super().frame(piece)

    def _thought(self, choice: int, text: str) -> bytes:
        delta = orjson.dumps({"content": text, "extra_content": _THOUGHT})
        return self._chunk(choice, delta, b"null", b"null")

    def _call_delta(self, piece: Call) -> dict[str, Any]:
        told = super()._call_delta(piece)
        if piece.opens and "tool_calls" in told:
            self._sign(told["tool_calls"][0], piece)
        return told

    def _calls(self, calls: list[list[Call]]) -> dict[str, Any]:
        told = super()._calls(calls)
        for fragments, worded in zip(calls, told.get("tool_calls", ()), strict=False):
            self._sign(worded, fragments[0])
        return told

    def _sign(self, worded: dict[str, Any], piece: Call) -> None:
        """Signs the first of the calls that are made together."""
        if self._signs and not piece.index:
            signature = wire.signature(self.exchange.seed, 3 * piece.choice + 2)
            worded["extra_content"] = {"google": {"thought_signature": signature}}

    def _choice(self, pieces: Sequence[Piece], index: int) -> dict[str, Any]:
        told = super()._choice(pieces, index)
        plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces if piece.choice == index]
        thought = "".join(piece.text for piece in plain if isinstance(piece, Think)) if self._shows else ""
        if thought:
            message = told["message"]
            message["content"] = f"{_OPEN}{thought}{_CLOSE}{message['content'] or ''}"
            message["extra_content"] = _THOUGHT
        return told
