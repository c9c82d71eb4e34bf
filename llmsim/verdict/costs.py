"""What replies cost by the prices of the model catalogue: those that were wanted and those that were left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmsim import catalogue
from llmsim.exchange import Exchange
from llmsim.spent import spent


@dataclass(slots=True)
class Cost:
    """Tokens in and out, and US dollars; `unpriced` replies are of models without a known price, and in no dollars."""

    replies: int = 0
    prompt: int = 0
    completion: int = 0
    dollars: float = 0.0
    unpriced: int = 0

    def add(self, exchange: Exchange) -> None:
        """Adds what the exchange cost; nothing for one that was refused or that tells of another one."""
        prompt, completion = spent(exchange)
        if not prompt and not completion:
            return
        self.replies += 1
        self.prompt += prompt
        self.completion += completion
        price = price_of(exchange, prompt, completion)
        if price is None:
            self.unpriced += 1
        else:
            self.dollars += price

    @property
    def told(self) -> str:
        """The dollars in words; at least as much where some have no price."""
        if self.unpriced and self.unpriced == self.replies:
            return "an unknown price"
        digits = 2 if self.dollars >= 1 else 6 if self.dollars else 0
        return f"{'at least ' if self.unpriced else ''}${self.dollars:.{digits}f}"

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "replies": self.replies,
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "dollars": round(self.dollars, 9),
            "unpriced": self.unpriced,
        }


def price_of(exchange: Exchange, prompt: int, completion: int) -> float | None:
    """US dollars for so many tokens; None where the catalogue has no price, as for fine-tuned models."""
    name = exchange.ask.model
    model = None if name.startswith("ft:") else catalogue.find(name)
    if model is None or model.price_input is None or (completion and model.price_output is None):
        return None
    cached = min(exchange.plan.usage.cached, prompt)
    kept = model.price_input if model.price_cached_input is None else model.price_cached_input
    dollars = (prompt - cached) * model.price_input + cached * kept + completion * (model.price_output or 0.0)
    return dollars / 1e6
