"""Where a request stands with its rate limits: what every answer's headers and the refusals are made of."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmsim.errors import Failure

# What the headers say while no limit is set: a provider always states one (OpenAI's highest usual tiers).
NOMINAL_RPM = 10_000
NOMINAL_TPM = 30_000_000


class Standing(NamedTuple):
    """Where a request's limits stand once it is counted.

    Of several limits of one sort the one with the least left is told; where only one of tokens, input tokens and
    output tokens is limited, the others tell the same. The resets are the seconds until a bucket is full again.

    `refused` is what there was not enough of: "requests", "tokens", "input_tokens", "output_tokens" or "concurrency";
    empty when the request was let in. Then `wait` is the seconds after which it would be, `needed` what it takes,
    `limit` and `used` the figures of that limit, `window` its seconds, `rule` and `tier` the limit's name and preset.
    With `quota` it is spent for good; with `too_large` the prompt alone is more than the limit allows at any time.
    """

    requests_limit: int = NOMINAL_RPM
    requests_left: int = NOMINAL_RPM - 1
    requests_reset: float = 60.0 / NOMINAL_RPM
    tokens_limit: int = NOMINAL_TPM
    tokens_left: int = NOMINAL_TPM - 1
    tokens_reset: float = 0.0
    refused: str = ""
    wait: float = 0.0
    needed: int = 0
    input_limit: int = NOMINAL_TPM
    input_left: int = NOMINAL_TPM - 1
    input_reset: float = 0.0
    output_limit: int = NOMINAL_TPM
    output_left: int = NOMINAL_TPM - 1
    output_reset: float = 0.0
    limit: int = 0
    used: int = 0
    window: int = 60
    quota: bool = False
    too_large: bool = False
    rule: str = ""
    tier: str = ""

    @property
    def what(self) -> str:
        """What there was not enough of, in words: requests, tokens, input tokens."""
        return self.refused.replace("_", " ")

    @property
    def daily(self) -> bool:
        """Whether the limit that refused is one for a day."""
        return self.window == DAY


MINUTE, DAY = 60, 86_400


@lru_cache(maxsize=4096)
def unlimited(tokens_in: int, tokens_out: int) -> Standing:
    """Where a request stands while there are no limits."""
    left = max(0, NOMINAL_TPM - tokens_in - tokens_out)
    reset = (tokens_in + tokens_out) * 60.0 / NOMINAL_TPM
    return Standing(
        tokens_left=left,
        tokens_reset=reset,
        needed=tokens_in + tokens_out,
        input_left=left,
        input_reset=reset,
        output_left=left,
        output_reset=reset,
    )


def failure(standing: Standing) -> Failure | None:
    """The bad news that a standing is, for the client; None where the request was let in.

    A wait is told only where it is known: not for a quota, nor for what is too large, nor for others' replies.
    """
    if not standing.refused:
        return None
    if standing.quota:
        return Failure("quota", extra=standing)
    known = not standing.too_large and standing.refused != "concurrency"
    return Failure("rate_limit", code=standing.refused, retry_after=standing.wait if known else None, extra=standing)
