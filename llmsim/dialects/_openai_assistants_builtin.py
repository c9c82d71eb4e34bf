"""Calls of the tools that OpenAI runs itself: code that computes something, searches in the client's files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmsim.dialects import Desk
from llmsim.dialects._openai_vector_stores import KIND, search
from llmsim.dice import Dice
from llmsim.exchange import Exchange

Json = dict[str, Any]

_QUESTION = 80
_MOST = 20
"""Finds of a file search where its tool does not say how many (OpenAI's guide, file search)."""


def forced_call(tool: Json, question: str, stores: Iterable[str], exchange: Exchange, desk: Desk) -> Json:
    """A call of `code_interpreter` or `file_search` for the question, as its step shows it once it is done."""
    dice, kind = Dice(exchange.seed).fork("built-in tool"), tool["type"]
    id = f"call_{dice.text(24)}"
    made = _computed(question, dice) if kind == "code_interpreter" else _searched(tool, question, stores, desk)
    return {"id": id, "type": kind, kind: made}


def _computed(question: str, dice: Dice) -> Json:
    """A short program, and what it prints."""
    most = dice.between(10, 100)
    about = " ".join(question.split())[:_QUESTION]
    program = f"# {about}\nnumbers = range(1, {most + 1})\nprint(sum(numbers))"
    return {"input": program, "outputs": [{"type": "logs", "logs": str(most * (most + 1) // 2)}]}


def _searched(tool: Json, question: str, stores: Iterable[str], desk: Desk) -> Json:
    """A search in the vector stores that there are."""
    told = tool.get("file_search") or {}
    ranking = told.get("ranking_options") or {}
    threshold = ranking.get("score_threshold") or 0.0
    there = [found for id in stores if (found := desk.store.get(KIND, id)) is not None]
    finds = search(there, desk, [question], told.get("max_num_results") or _MOST, threshold)
    return {
        "ranking_options": {"ranker": ranking.get("ranker") or "default_2024_08_21", "score_threshold": threshold},
        "results": [
            {
                "file_id": find["file_id"],
                "file_name": find["filename"],
                "score": find["score"],
                "content": find["content"],
            }
            for find in finds
        ],
    }
