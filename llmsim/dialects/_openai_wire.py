"""What every OpenAI API has in common: headers on each answer and the one shape of its errors.

Source: OpenAI API reference, "Debugging requests" and "Error codes".
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from llmsim.dialects import Answer, Headers
from llmsim.dice import Dice, mix
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.limits import NOMINAL_RPM, Standing

ORGANIZATION = b"llmsim"
ORGANIZATION_ID = "org-LmSim0123456789AbCdEfGhI"
HELP = "You can find your API key at https://platform.openai.com/account/api-keys."

# kind -> type, code, message
_WORDS: dict[str, tuple[str, str | None, str]] = {
    "invalid": ("invalid_request_error", None, "Your request is invalid."),
    "context_length": ("invalid_request_error", "context_length_exceeded", ""),
    "unauthenticated": (
        "invalid_request_error",
        None,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
        f"(i.e. Authorization: Bearer YOUR_KEY). {HELP}",
    ),
    "billing": ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "forbidden": (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    "not_found": ("invalid_request_error", None, "Not found."),
    "method": ("invalid_request_error", "method_not_supported", ""),
    "timeout": ("timeout", None, "Request timed out."),
    "conflict": ("invalid_request_error", None, "The resource was updated by another process."),
    "too_large": ("invalid_request_error", None, "Request entity too large."),
    "unprocessable": ("invalid_request_error", None, "Unable to process the request."),
    "rate_limit": ("requests", "rate_limit_exceeded", ""),
    "quota": (
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    ),
    "internal": (
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "bad_gateway": ("server_error", None, "Bad gateway."),
    "unavailable": ("server_error", None, "The engine is currently overloaded, please try again later"),
    "busy": ("server_error", None, "The engine is currently overloaded, please try again later"),
    "gateway_timeout": ("server_error", None, "The server did not answer in time."),
    "overloaded": ("server_error", None, "The engine is currently overloaded, please try again later"),
}


def error_body(failure: Failure, model: str = "") -> dict[str, Any]:
    """`{"error": …}` with all four of its keys."""
    kind, code, standard = _WORDS[failure.kind]
    message = failure.message or _worded(failure, model) or standard
    param = failure.param if failure.message or failure.kind in ("invalid", "unprocessable") else None
    if failure.kind == "rate_limit" and isinstance(failure.extra, Standing):
        kind = "tokens" if failure.extra.refused.endswith("tokens") else "requests"
    elif failure.code:
        code = failure.code
    if failure.kind == "context_length":
        param = "messages"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _worded(failure: Failure, model: str) -> str:
    """The sentence of a failure that has to name things."""
    if failure.kind == "context_length":
        window, had = failure.extra
        return (
            f"This model's maximum context length is {window} tokens. However, your messages resulted in {had} tokens. "
            "Please reduce the length of the messages."
        )
    if failure.kind == "not_found" and failure.code == "model_not_found":
        return f"The model `{failure.extra}` does not exist or you do not have access to it."
    if failure.kind == "not_found" and failure.param:
        return f"Invalid URL ({failure.param})"
    if failure.kind == "method" and failure.param:
        method, _, path = failure.param.partition(" ")
        return f"Not allowed to {method} on {path} (HINT: Perhaps you meant to make a different request?)"
    if failure.kind == "rate_limit":
        return _limited(failure, model)
    if failure.kind == "too_large":
        return f"The request body is larger than the maximum of {failure.extra} bytes."
    return ""


def _limited(failure: Failure, model: str) -> str:
    standing = failure.extra if isinstance(failure.extra, Standing) else _EMPTY
    about = f"{model or 'this model'} in organization {ORGANIZATION_ID} on {_LIMITS_OF[_sort(standing)]}"
    visit = "Visit https://platform.openai.com/account/rate-limits to learn more."
    if standing.tier == "openai-free":
        visit += (
            " You can increase your rate limit by adding a payment method to your account at "
            "https://platform.openai.com/account/billing."
        )
    if standing.too_large:
        return (
            f"Request too large for {about}: Limit {standing.limit}, Requested {standing.needed}. The input or output "
            f"tokens must be reduced in order to run successfully. {visit}"
        )
    after = failure.retry_after
    wait = f" Please try again in {duration(_millis(after) / 1000)}." if after is not None else ""
    figures = f"Limit {standing.limit}, Used {standing.used}, Requested {standing.needed}"
    return f"Rate limit reached for {about}: {figures}.{wait} {visit}"


def _millis(wait: float) -> int:
    """A wait in whole milliseconds, rounded up: who comes back after it is let in."""
    return max(0, math.ceil(wait * 1000 - 0.001))


def _sort(standing: Standing) -> tuple[str, bool]:
    return ("tokens" if standing.refused.endswith("tokens") else standing.refused), standing.daily


# What a fault's 429 tells, as no bucket is empty.
_EMPTY = Standing(refused="requests", needed=1, limit=NOMINAL_RPM, used=NOMINAL_RPM)
_LIMITS_OF = {
    ("requests", False): "requests per min (RPM)",
    ("requests", True): "requests per day (RPD)",
    ("tokens", False): "tokens per min (TPM)",
    ("tokens", True): "tokens per day (TPD)",
    ("concurrency", False): "concurrent requests",
}


def error_answer(failure: Failure, exchange: Exchange | None, processing_ms: int) -> Answer:
    """A failure as a JSON answer."""
    model = exchange.ask.model if exchange else ""
    extra: Headers = []
    if failure.retry_after is not None:
        extra = [
            (b"retry-after", b"%d" % -(-_millis(failure.retry_after) // 1000)),
            (b"retry-after-ms", b"%d" % _millis(failure.retry_after)),
        ]
    if failure.kind == "method":
        extra.append((b"allow", ", ".join(failure.extra or ()).encode()))
    return Answer.json(error_body(failure, model), failure.status, [*headers(exchange, processing_ms), *extra])


def headers(exchange: Exchange | None, processing_ms: int) -> Headers:
    """The headers of every answer: ids, timing, and where the key stands with its limits."""
    request_id = b"req_%016x%016x" % ids(exchange)
    return [
        (b"x-request-id", request_id),
        (b"openai-processing-ms", b"%d" % processing_ms),
        (b"openai-version", b"2020-10-01"),
        (b"openai-organization", ORGANIZATION),
        *_limit_headers((_NOBODY if exchange is None else exchange.standing)[:6]),
    ]


def ids(exchange: Exchange | None) -> tuple[int, int]:
    """128 bits for ids: an exchange's own, from its seed and number.

    A client's own seed gives many exchanges the same one; their number then makes the upper bits of the second half
    differ too, for ids that are cut short.
    """
    if exchange is None:
        return _stray.bits(), _stray.bits()
    return exchange.seed, ((exchange.seed + exchange.number) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF


def token(exchange: Exchange) -> str:
    """29 characters for the id of what the exchange makes."""
    high, low = ids(exchange)
    return f"{high:016x}{low:016x}"[:29]


def new_id(prefix: str, exchange: Exchange, index: int = 0) -> str:
    """An id for the `index`-th thing that the exchange makes: `prefix` and 32 hexadecimal digits."""
    high, low = ids(exchange)
    return f"{prefix}{high:016x}{low ^ mix(prefix, index):016x}"


@lru_cache(maxsize=1024)
def stable(text: str) -> str:
    """Hexadecimal digits that always stand for this text."""
    return f"{mix(text):016x}"


_NOBODY = Standing()
_stray = Dice(mix("answers without an exchange"))


@lru_cache(maxsize=1024)
def _limit_headers(figures: tuple[int, int, float, int, int, float]) -> Headers:
    """The first six figures of a standing; to look the rest of it up as well would cost more than writing them."""
    standing = Standing(*figures)
    return [
        (b"x-ratelimit-limit-requests", b"%d" % standing.requests_limit),
        (b"x-ratelimit-limit-tokens", b"%d" % standing.tokens_limit),
        (b"x-ratelimit-remaining-requests", b"%d" % standing.requests_left),
        (b"x-ratelimit-remaining-tokens", b"%d" % standing.tokens_left),
        (b"x-ratelimit-reset-requests", duration(standing.requests_reset).encode()),
        (b"x-ratelimit-reset-tokens", duration(standing.tokens_reset).encode()),
    ]


def duration(seconds: float | None) -> str:
    """Seconds as Go prints a duration: 12ms, 8.64s, 6m0s, 1h2m3s."""
    millis = round((seconds or 0.0) * 1000)
    if millis < 1000:
        return f"{millis}ms"
    minutes, rest = divmod(millis, 60_000)
    text = f"{rest / 1000:g}s"
    if not minutes:
        return text
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"
