"""What every Anthropic API has in common: the version it is asked for, headers on each answer, the shape of errors.

Source: Anthropic API reference, "Versions", "Errors", "Rate limits", and the types of the SDK anthropic 2.12.
"""

from __future__ import annotations

from binascii import b2a_base64
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil
from typing import Any

import orjson

from llmsim.dialects import Answer, Headers, Request
from llmsim.dice import Dice, mix
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.limits import Standing

OLD, NEW = "2023-06-01", "2026-10-21"
VERSIONS = (OLD, NEW)
ORGANIZATION = b"5f2c9d1e-0a47-4c0b-9d53-6c6c6d73696d"

LIMITS = "https://docs.claude.com/en/api/rate-limits"
_SALES = "https://claude.com/contact-sales"

# kind -> type, message
_WORDS = {
    "invalid": ("invalid_request_error", "Invalid request."),
    "context_length": ("invalid_request_error", "prompt is too long"),
    "unauthenticated": ("authentication_error", "x-api-key header is required"),
    "billing": (
        "billing_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
    ),
    "forbidden": ("permission_error", "Your API key does not have permission to use the specified resource."),
    "not_found": ("not_found_error", "Not Found"),
    "method": ("invalid_request_error", "Method Not Allowed"),
    "timeout": ("timeout_error", "Request timed out. Please try again later."),
    "conflict": ("conflict_error", "The resource was changed by another request. Please try again."),
    "too_large": ("request_too_large", "Request exceeds the maximum size"),
    "unprocessable": ("invalid_request_error", "Unable to process the request."),
    "rate_limit": (
        "rate_limit_error",
        "This request would exceed your account's rate limit. Please try again later.",
    ),
    "quota": ("rate_limit_error", "You have reached your specified API usage limits."),
    "internal": ("api_error", "Internal server error"),
    "bad_gateway": ("api_error", "Bad gateway"),
    "unavailable": ("api_error", "Service unavailable. Please try again later."),
    "gateway_timeout": ("timeout_error", "Request timed out. Please try again later."),
    "overloaded": ("overloaded_error", "Overloaded"),
    "busy": ("overloaded_error", "Overloaded"),
}


# -- requests


def claims(request: Request) -> bool:
    """Whether a request is meant for Anthropic: it names a version of its API, or a path that only Anthropic has."""
    path = request.path
    return b"anthropic-version" in request.headers or path.startswith(("/v1/messages", "/anthropic/"))


def version_of(request: Request) -> str:
    """The version of the API that the request asks for; raises Refused where it names none that there is."""
    told = request.headers.get(b"anthropic-version")
    if not told:
        raise invalid("anthropic-version: header is required")
    version = told.decode("latin-1")
    if version not in VERSIONS:
        raise invalid(f'anthropic-version: "{version[:80]}" is not a valid version')
    return version


def betas_of(request: Request) -> frozenset[str]:
    """The betas that the request takes part in."""
    return _betas(request.headers.get(b"anthropic-beta", b""))


@lru_cache(maxsize=256)
def _betas(told: bytes) -> frozenset[str]:
    return frozenset(name.strip() for name in told.decode("latin-1").split(",") if name.strip())


def invalid(message: str, error_code: str = "", **details: Any) -> Refused:
    """The exception that refuses a request with these words, and a code in the error's details where it has one."""
    extra = {"error_code": error_code, **details} if error_code else None
    return Refused(Failure("invalid", message, extra=extra))


# -- ids


def spelled(high: int, low: int) -> str:
    """128 bits as 22 letters and digits."""
    return b2a_base64((high << 64 | low).to_bytes(16, "big"))[:22].translate(_LETTERS).decode()


_LETTERS = bytes.maketrans(b"+/", b"Zq")


def _bits(exchange: Exchange) -> tuple[int, int]:
    """128 bits of an exchange's own, from its seed and number; what is refused has no seed."""
    high = exchange.seed or Dice(exchange.number).bits()
    return high, (high * 0x9E3779B97F4A7C15 + exchange.number) & 0xFFFFFFFFFFFFFFFF


def new_id(prefix: str, exchange: Exchange, index: int = 0) -> str:
    """An id for the `index`-th thing that the exchange makes: `prefix`, "01", and 22 letters and digits."""
    high, low = _bits(exchange)
    return f"{prefix}01{spelled(high, low ^ mix(prefix, index))}"


def message_id(exchange: Exchange) -> str:
    """The id of the message that the exchange answers with."""
    return f"msg_01{spelled(*_bits(exchange))}"


def request_id(exchange: Exchange | None) -> str:
    """The id of a request, as the header `request-id` and every error tell it."""
    high, low = (_stray.bits(), _stray.bits()) if exchange is None else _bits(exchange)
    return f"req_011C{spelled(low, high)[:20]}"


_stray = Dice(mix("answers of Anthropic's without an exchange"))


# -- answers


def headers(exchange: Exchange | None) -> Headers:
    """The headers of every answer: ids, and where the key stands with its limits."""
    return [
        (b"request-id", request_id(exchange).encode()),
        (b"anthropic-organization-id", ORGANIZATION),
        *(_limits(exchange.standing, exchange.wall) if exchange is not None else ()),
    ]


def _limits(standing: Standing, wall: float) -> Headers:
    """The limits as Anthropic tells them, with moments that are whole seconds: never one that is too early."""
    return _limit_headers(
        standing,
        ceil(wall + standing.requests_reset - 1e-6),
        ceil(wall + standing.input_reset - 1e-6),
        ceil(wall + standing.output_reset - 1e-6),
        ceil(wall + standing.tokens_reset - 1e-6),
    )


@lru_cache(maxsize=256)
def _limit_headers(standing: Standing, requests: int, tokens_in: int, tokens_out: int, tokens: int) -> Headers:
    told = (
        (standing.requests_limit, standing.requests_left, requests),
        (standing.input_limit, standing.input_left, tokens_in),
        (standing.output_limit, standing.output_left, tokens_out),
        (standing.tokens_limit, standing.tokens_left, tokens),
    )
    values = [(b"%d" % limit, b"%d" % left, timestamp(reset).encode()) for limit, left, reset in told]
    return list(zip(_LIMIT_HEADERS, [value for three in values for value in three], strict=True))


_LIMIT_HEADERS = [
    b"anthropic-ratelimit-%b-%b" % (sort, what)
    for sort in (b"requests", b"input-tokens", b"output-tokens", b"tokens")
    for what in (b"limit", b"remaining", b"reset")
]


@lru_cache(maxsize=256)
def timestamp(moment: int) -> str:
    """Seconds since the epoch as Anthropic's APIs tell them: RFC 3339, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def error_body(failure: Failure, exchange: Exchange | None) -> dict[str, Any]:
    """`{"type": "error", …}` with the id of the request; details stand in it where the error has a code."""
    kind, standard = _WORDS[failure.kind]
    error: dict[str, Any] = {"type": kind, "message": failure.message or _worded(failure, exchange) or standard}
    if isinstance(failure.extra, dict):
        error["details"] = failure.extra
    elif failure.kind == "quota":
        error["details"] = {"error_code": "enforced_spend_limit_reached"}
    return {"type": "error", "error": error, "request_id": request_id(exchange)}


def _worded(failure: Failure, exchange: Exchange | None) -> str:
    """The sentence of a failure that has to name things."""
    if failure.kind == "context_length":
        window, had = failure.extra
        return f"prompt is too long: {had} tokens > {window} maximum"
    if failure.kind == "not_found" and failure.code == "model_not_found":
        return f"model: {failure.extra}"
    if failure.kind == "rate_limit" and isinstance(failure.extra, Standing):
        return _limited(failure, exchange.ask.model if exchange else "")
    return ""


def _limited(failure: Failure, model: str) -> str:
    standing: Standing = failure.extra
    if standing.refused == "concurrency":
        return (
            "Number of concurrent connections has exceeded your rate limit. Please try again later or contact sales at "
            f"{_SALES} to discuss your options for a rate limit increase."
        )
    many = standing.refused.endswith("tokens")
    advice = "Please reduce the prompt length or the maximum tokens requested, or try again later. " if many else ""
    return (
        f"This request would exceed your organization's rate limit of {standing.limit:,} {standing.what} per "
        f"{'day' if standing.daily else 'minute'} (org: {ORGANIZATION.decode()}, model: {model}). For details, refer "
        f"to: {LIMITS}. You can see the response headers for current usage. {advice}You may also contact sales at "
        f"{_SALES} to discuss your options for a rate limit increase."
    )


def error_answer(failure: Failure, exchange: Exchange | None) -> Answer:
    """A failure as a JSON answer, which says whether it is worth trying again."""
    again = failure.status in (408, 409, 429) or failure.status >= 500
    extra = [(b"x-should-retry", b"true" if again and failure.kind != "quota" else b"false")]
    if failure.retry_after is not None and failure.kind != "quota":
        extra.append((b"retry-after", b"%d" % max(0, -int(-(failure.retry_after - 1e-6) // 1))))
    if failure.kind == "method":
        extra.append((b"allow", ", ".join(failure.extra or ()).encode()))
    body = error_body(failure, exchange)
    told = headers(exchange)
    # The id in the body and in the header are one, also where there is no exchange to have it from.
    told[0] = (b"request-id", body["request_id"].encode())
    return Answer.json(body, 529 if failure.kind == "busy" else failure.status, [*told, *extra])


def error_event(failure: Failure, exchange: Exchange) -> bytes:
    """A failure told in the middle of a stream."""
    return b"event: error\ndata: %b\n\n" % orjson.dumps(error_body(failure, exchange))
