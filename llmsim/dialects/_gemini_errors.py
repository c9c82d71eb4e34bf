"""Google's errors: the google.rpc status of a failure, its words and its details.

Source: Google's guide "Troubleshooting", google/rpc/error_details.proto, and errors of the live API as users quote
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from llmsim.dialects import Answer
from llmsim.dialects._gemini_cloud_errors import on_cloud
from llmsim.dialects._gemini_wire import answer, duration
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.limits import NOMINAL_RPM, Standing

SERVICE = "generativelanguage.googleapis.com"
_TYPES = "type.googleapis.com/google.rpc."
_LIMITS = "https://ai.google.dev/gemini-api/docs/rate-limits"
_BAD_KEY = ("API key not valid", "API key expired", "API Key not found")

# kind -> google.rpc.Code, message
_WORDS: dict[str, tuple[str, str]] = {
    "invalid": ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    "context_length": ("INVALID_ARGUMENT", ""),
    "unauthenticated": (
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    ),
    "billing": (
        "FAILED_PRECONDITION",
        "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your "
        "project and billing.",
    ),
    "forbidden": ("PERMISSION_DENIED", "The caller does not have permission"),
    "not_found": ("NOT_FOUND", "Requested entity was not found."),
    "method": ("NOT_FOUND", ""),
    "timeout": ("DEADLINE_EXCEEDED", "The request timed out. Please try again."),
    "conflict": ("ABORTED", "The operation was aborted."),
    "too_large": ("INVALID_ARGUMENT", "Request payload size exceeds the limit."),
    "unprocessable": ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    "rate_limit": ("RESOURCE_EXHAUSTED", ""),
    "quota": ("RESOURCE_EXHAUSTED", ""),
    "internal": (
        "INTERNAL",
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    ),
    "bad_gateway": ("UNAVAILABLE", "The service is currently unavailable."),
    "unavailable": ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    "gateway_timeout": ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    "busy": ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    "overloaded": ("UNAVAILABLE", "The model is overloaded. Please try again later."),
}
NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
    "form of API consumer identity to call this API."
)


class Says(NamedTuple):
    """What a failure comes to: the HTTP status, the code by name, the message, the details."""

    status: int
    code: str
    message: str
    details: Sequence[Mapping[str, Any]] = ()


def says(failure: Failure, exchange: Exchange | None = None) -> Says:
    """A failure in Google's words."""
    model = exchange.ask.model if exchange is not None else ""
    if exchange is not None and exchange.ask.dialect == "vertex":
        cloud = on_cloud(failure, exchange)
        if cloud is not None:
            return Says(failure.status, *cloud)
    code, standard = _WORDS[failure.kind]
    if failure.code is not None and failure.code.isupper():
        code = failure.code
    message = failure.message or standard
    if failure.kind == "unauthenticated" and not failure.message and exchange is not None and not exchange.ask.key:
        return Says(403, "PERMISSION_DENIED", NO_KEY)
    if failure.kind == "method":
        return Says(404, code, "Requested entity was not found.")
    if failure.kind == "too_large" and failure.extra is not None:
        return Says(400, code, f"Request payload size exceeds the limit: {failure.extra} bytes.")
    if failure.kind == "context_length":
        window, had = failure.extra
        message = f"The input token count ({had}) exceeds the maximum number of tokens allowed ({window})."
    elif failure.kind in ("rate_limit", "quota"):
        message = failure.message or _limited(failure, model)
    elif failure.code == "model_not_found":
        message = _no_model(failure, exchange)
    return Says(failure.status, code, message, _details(failure, message, model))


def _no_model(failure: Failure, exchange: Exchange | None) -> str:
    """A model that is unknown, in the words for the method that was asked of it."""
    path = exchange.ask.endpoint if exchange is not None else ""
    version = next((one for one in ("v1beta", "v1alpha") if f"/{one}" in path), "v1" if path else "v1beta")
    name = str(failure.extra or "").removeprefix("models/")
    method = path.rpartition(":")[2] if ":" in path else "generateContent"
    return (
        f"models/{name} is not found for API version {version}, or is not supported for {method}. Call ListModels to "
        "see the list of available models and their supported methods."
    )


# -- limits


class _Quota(NamedTuple):
    metric: str
    id: str
    value: int


# What is limited, for how long, whether in the free tier -> metric, id
_QUOTAS = {
    ("requests", False, True): (
        "generate_content_free_tier_requests",
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    ),
    ("requests", True, True): (
        "generate_content_free_tier_requests",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    ),
    ("tokens", False, True): (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    ),
    ("tokens", True, True): (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerDay-FreeTier",
    ),
    ("requests", False, False): ("generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel"),
    ("requests", True, False): ("generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel"),
    ("tokens", False, False): (
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerMinute",
    ),
    ("tokens", True, False): (
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerDay",
    ),
}


def _quota(failure: Failure) -> _Quota:
    """Which quota a failure is about: requests or tokens, a minute or a day; without a tier it is the free one's."""
    standing = failure.extra if isinstance(failure.extra, Standing) else _EMPTY
    sort = "tokens" if standing.refused.endswith("tokens") else "requests"
    metric, id = _QUOTAS[sort, standing.daily or standing.quota, standing.tier in ("", "gemini-free")]
    return _Quota(f"{SERVICE}/{metric}", id, standing.limit)


# What a fault's 429 tells, as no bucket is empty.
_EMPTY = Standing(limit=NOMINAL_RPM)


def _limited(failure: Failure, model: str) -> str:
    quota = _quota(failure)
    wait = f"\nPlease retry in {failure.retry_after:.10g}s." if failure.retry_after is not None else ""
    about = f", model: {model}" if model else ""
    return (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        f"error, head to: {_LIMITS}. To monitor your current usage, head to: https://ai.dev/rate-limit. \n"
        f"* Quota exceeded for metric: {quota.metric}, limit: {quota.value}{about}{wait}"
    )


def _details(failure: Failure, message: str, model: str) -> list[dict[str, Any]]:
    """What google.rpc has for a failure besides its message."""
    if failure.kind in ("rate_limit", "quota"):
        return _quota_details(failure, model)
    if message.startswith(_BAD_KEY):
        localized = {"@type": f"{_TYPES}LocalizedMessage", "locale": "en-US", "message": message}
        return [error_info("API_KEY_INVALID"), localized]
    if failure.kind == "unauthenticated" and not failure.message:
        return [error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED")]
    if failure.kind == "invalid" and isinstance(failure.extra, tuple) and failure.extra:
        violations = [{**({"field": field} if field else {}), "description": text} for field, text in failure.extra]
        return [{"@type": f"{_TYPES}BadRequest", "fieldViolations": violations}]
    return []


def _quota_details(failure: Failure, model: str) -> list[dict[str, Any]]:
    quota = _quota(failure)
    dimensions = {"location": "global", **({"model": model} if model else {})}
    violation = {
        "quotaMetric": quota.metric,
        "quotaId": quota.id,
        "quotaDimensions": dimensions,
        "quotaValue": str(quota.value),
    }
    link = {"description": "Learn more about Gemini API quotas", "url": _LIMITS}
    details: list[dict[str, Any]] = [
        {"@type": f"{_TYPES}Help", "links": [link]},
        {"@type": f"{_TYPES}QuotaFailure", "violations": [violation]},
    ]
    if failure.retry_after is not None:
        after = -(-(failure.retry_after * 1000 - 0.001) // 1) / 1000  # rounded up: who waits as long is let in
        details.append({"@type": f"{_TYPES}RetryInfo", "retryDelay": duration(after)})
    return details


def error_info(reason: str) -> dict[str, Any]:
    """google.rpc.ErrorInfo with a reason that programs can read."""
    return {
        "@type": f"{_TYPES}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE},
    }


# -- answers


def error_body(failure: Failure, exchange: Exchange | None = None) -> dict[str, Any]:
    """`{"error": …}` with the status as number and as name."""
    return _worded(says(failure, exchange))


def _worded(told: Says) -> dict[str, Any]:
    error: dict[str, Any] = {"code": told.status, "message": told.message, "status": told.code}
    if told.details:
        error["details"] = told.details
    return {"error": error}


def error_answer(failure: Failure, exchange: Exchange | None, in_list: bool = False) -> Answer:
    """A failure as the whole answer; `in_list` where the answer would have been a JSON array."""
    told = says(failure, exchange)
    body = _worded(told)
    return answer([body] if in_list else body, exchange, told.status)
