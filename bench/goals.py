"""What speed is to be reached: one row a figure, each with what must be reached and what is aimed at."""

import math
from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which way a figure is better."""

    MORE = "≥"
    LESS = "<"


class Verdict(Enum):
    AIM = "aim"
    REACH = "reached"
    MISSED = "missed"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Goal:
    """One figure: `reach` is asked for, `aim` is better than that; `unit` is × for a ratio."""

    key: str
    figure: str
    unit: str
    better: Better
    reach: float
    aim: float

    @property
    def part(self) -> str:
        """K1 of K1.aimock."""
        return self.key.partition(".")[0]

    def judge(self, value: float | None) -> Verdict:
        """Where a value stands, after rounding it to three decimals (a share of 0.9999 is all of it)."""
        if value is None or math.isnan(value):
            return Verdict.UNKNOWN
        if self._holds(round(value, 3), self.aim):
            return Verdict.AIM
        return Verdict.REACH if self._holds(round(value, 3), self.reach) else Verdict.MISSED

    def _holds(self, value: float, limit: float) -> bool:
        return value >= limit if self.better is Better.MORE else value < limit


MORE, LESS = Better.MORE, Better.LESS

GOALS = (
    Goal("K1.aimock", "whole replies/s, no latency, against aimock", "×", MORE, 1.0, 1.5),
    Goal("K1.llmock", "whole replies/s, no latency, against llmock", "×", MORE, 8, 12),
    Goal("K1.models", "GET /v1/models, an exchange too: answers/s against whole replies", "×", MORE, 0.3, 0.8),
    Goal("K1.rules", "whole replies/s with 2,000 mocks, against ten", "×", MORE, 0.5, 0.9),
    Goal("K2.aimock", "SSE events/s, no latency, against aimock", "×", MORE, 2.0, 4.0),
    Goal("K2.floor", "SSE events/s, no latency, against the floor", "×", MORE, 0.12, 0.25),
    Goal("K3.streams", "paced streams held, against the floor", "×", MORE, 0.5, 0.9),
    Goal("K3.drift", "drift a token at 500 paced streams", "ms", LESS, 0.05, 0.01),
    Goal("K4.floor", "CPU a paced token at 1,000 streams, against the floor", "×", LESS, 2.0, 1.4),
    Goal("K4.aimock", "CPU a paced token at 1,000 streams, against aimock", "×", LESS, 1.0, 0.7),
    Goal("K5.stream", "memory an open stream", "kB", LESS, 40, 16),
    Goal("K5.exchange", "memory a journalled exchange", "kB", LESS, 4, 2),
    Goal("K6.tokens", "console on, 500 paced streams: tokens/s against headless", "×", MORE, 0.99, 1.0),
    Goal("K6.jitter", "console on, 500 paced streams: jitter p99", "ms", LESS, 15, 7),
    Goal("K6.cpu", "console on, 500 paced streams: CPU a token against headless", "×", LESS, 1.4, 1.2),
    Goal("K7.start", "start to first reply", "s", LESS, 0.8, 0.4),
    Goal("K7.import", "import llmsim", "s", LESS, 0.35, 0.2),
    Goal("K8.events", "two workers against one, the client on the same two cores: SSE events/s", "×", MORE, 1.5, 1.7),
    Goal("K8.cpu", "two workers against one, the client on the same two cores: CPU a token", "×", LESS, 1.2, 1.05),
    Goal("K9.responses", "SSE events a second of CPU, no latency, Responses against chat", "×", MORE, 0.6, 0.8),
    Goal("K9.anthropic", "SSE events a second of CPU, no latency, Anthropic against chat", "×", MORE, 0.6, 0.8),
    Goal("K9.gemini", "SSE events a second of CPU, no latency, Gemini against chat", "×", MORE, 0.6, 0.8),
    Goal("K9.whole", "CPU a whole reply, the dearest of these three against chat", "×", LESS, 2.0, 1.5),
    Goal("K10.blocked", "longest wait of others during a prompt of 100,000 tokens", "ms", LESS, 5, 2),
    Goal("K10.long", "error p99 of replies of 16,000 tokens at ten times the speed", "ms", LESS, 10, 5),
)

PARTS = tuple(dict.fromkeys(goal.part for goal in GOALS))
