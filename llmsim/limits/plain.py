"""A limiter that may also be asked with a key, a model and the plain settings, as its first form was."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from llmsim.conversation import Ask
from llmsim.limits.limiter import Limiter
from llmsim.limits.rule import founding
from llmsim.limits.standing import Standing
from llmsim.match import Subject

_founding = lru_cache(maxsize=16)(founding)


class PlainLimiter(Limiter):
    """A limiter for callers of both forms."""

    def admit(self, *given: Any, **more: Any) -> Standing:
        """As a limiter does; also with key, model, tokens, rpm and tpm, which are then all prompt's and not settled."""
        if len(given) != 5:
            return super().admit(*given, **more)
        key, model, tokens, rpm, tpm = given
        return super().admit(Subject(Ask(model, key=key)), _founding(rpm, tpm), 0, tokens)
