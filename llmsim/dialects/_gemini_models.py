"""What Gemini's models can do that the catalogue does not tell: generations, and how long each may think.

Source: Google's guides "Thinking" and "Thought signatures".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from llmsim import catalogue

LEVEL_TOKENS = {"MINIMAL": 16, "LOW": 64, "HIGH": 512, "XHIGH": 1024}
"""How long a model thinks, in tokens, by `thinkingLevel`; at MEDIUM as long as it does by itself."""

MOST_THINKING = 1024
"""A budget is an upper limit, not an order: nobody waits for 24,576 tokens of filler."""


class Ability(NamedTuple):
    """What sets a model apart: `generation` is 2.5 or 3.1, 0 for what is no Gemini; budgets are in tokens."""

    name: str
    generation: float
    thinks: bool
    least_budget: int = 0
    most_budget: int = 1 << 30
    can_stop_thinking: bool = True
    thinks_by_itself: bool = True


@lru_cache(maxsize=1024)
def ability(name: str) -> Ability:
    """What the model of that name can do."""
    model = catalogue.resolve(name)
    shown = model.answers_as if model.known else name
    found = re.search(r"gemini-(?:nano-banana-)?(\d+(?:\.\d+)?)", shown[:100])
    generation = float(found[1]) if found else 0.0
    told = Ability(shown, generation, model.reasoning)
    if generation == 2.5 and model.reasoning:
        if "lite" in shown:
            return told._replace(least_budget=512, most_budget=24_576, thinks_by_itself=False)
        if "pro" in shown:
            return told._replace(least_budget=128, most_budget=32_768, can_stop_thinking=False)
        return told._replace(most_budget=24_576)
    return told._replace(can_stop_thinking=not (generation >= 3 and "pro" in shown))


def thinking_tokens(config: dict[str, Any], able: Ability) -> int | None:
    """How long the model is to think; None for as long as it does by itself."""
    if not able.thinks:
        return 0
    level, budget = config.get("thinkingLevel"), config.get("thinkingBudget")
    if level in LEVEL_TOKENS:
        return LEVEL_TOKENS[level]
    if budget is not None:
        return None if budget < 0 else min(budget, MOST_THINKING)
    return None if able.thinks_by_itself or config.get("includeThoughts") else 0
