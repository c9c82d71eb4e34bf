"""The steps of an interaction, from the pieces of its reply: thoughts, words, calls of functions.

Source: google-genai 3.4, the types of its interactions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_candidates import call_id
from llmsim.exchange import Exchange
from llmsim.plan import Call, End, Garbled, Part, Piece, Say, Think

STATUS = {
    Stop.END: "completed",
    Stop.SEQUENCE: "completed",
    Stop.LENGTH: "incomplete",
    Stop.CALLS: "requires_action",
    Stop.FILTER: "failed",
}
BLOCKED = {"code": "safety", "message": "Safety violations (harmful content) blocked the request."}

LOST = {"code": "api_error", "message": "The connection was lost."}


def steps(
    pieces: Sequence[Piece], signature: str, shows_thinking: bool, made: Callable[[], dict[str, Any]]
) -> list[dict[str, Any]]:
    """All steps of a whole reply; `made` gives the picture or the sound that it may hold."""
    plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
    thoughts = [piece.text for piece in plain if isinstance(piece, Think)]
    said = [piece.text for piece in plain if isinstance(piece, Say) and not isinstance(piece, Think | Call)]
    calls: dict[int, list[Call]] = {}
    for piece in plain:
        if isinstance(piece, Call):
            calls.setdefault(piece.index, []).append(piece)
    found: list[dict[str, Any]] = []
    if thoughts:
        summary = {"summary": [{"text": "".join(thoughts), "type": "text"}]} if shows_thinking else {}
        found.append({"signature": signature, **summary, "type": "thought"})
    if any(isinstance(piece, Part) for piece in plain):
        found.append({"content": [made()], "type": "model_output"})
    if said:
        found.append({"content": [{"text": "".join(said), "type": "text"}], "type": "model_output"})
    found += [call_step(fragments[0], _arguments(fragments)) for fragments in calls.values()]
    return found


def call_step(piece: Call, arguments: Any) -> dict[str, Any]:
    """The step that calls a function."""
    call = piece.call
    return {"id": call_id(call.id), "name": call.name, "arguments": arguments, "type": "function_call"}


def _arguments(fragments: Sequence[Call]) -> Any:
    """The arguments of a call; none where it was cut off."""
    try:
        told = orjson.loads("".join(piece.text for piece in fragments) or "{}")
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def end_of(pieces: Sequence[Piece]) -> End | None:
    """The end of a reply, if it came to one."""
    last = pieces[-1] if pieces else None
    return last if isinstance(last, End) else None


def usage(
    exchange: Exchange, spent: Counter[str], cached: Counter[str], made: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """What an interaction cost; `spent` and `cached` are tokens that went in, by modality, `made` what was no words."""
    told = exchange.plan.usage
    cached = cached or Counter({"TEXT": told.cached} if told.cached else {})
    made = made or (("text", told.completion - told.thinking),)
    output = sum(tokens for _, tokens in made)
    return {
        "total_tokens": told.prompt + output + told.thinking,
        "total_input_tokens": told.prompt,
        "input_tokens_by_modality": _by_modality(spent),
        "total_cached_tokens": sum(cached.values()),
        **({"cached_tokens_by_modality": _by_modality(cached)} if cached else {}),
        "total_output_tokens": output,
        "output_tokens_by_modality": [{"modality": kind, "tokens": tokens} for kind, tokens in made],
        "total_tool_use_tokens": 0,
        "total_thought_tokens": told.thinking,
    }


def _by_modality(spent: Counter[str]) -> list[dict[str, Any]]:
    return [{"modality": kind.lower(), "tokens": count} for kind, count in spent.items()]


def resource(exchange: Exchange, about: dict[str, Any], status: str, **more: Any) -> dict[str, Any]:
    """How the API tells of an interaction; `exchange` is the one that it is made by."""
    at = wire.timestamp(exchange.wall, whole=True)
    told = {name: value for name, value in about.items() if name not in ("store", "background")}
    return {"id": wire.interaction_id(exchange), "status": status, **more, "created": at, "updated": at, **told} | {
        "object": "interaction"
    }
