"""The errors of Gemini's interactions: a code that programs can read, and a message.

Source: Google's page "API errors" (ai.google.dev/gemini-api/docs/api-errors).
"""

from __future__ import annotations

from typing import Any

from llmsim.dialects import Answer
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_errors import says
from llmsim.errors import Failure
from llmsim.exchange import Exchange

_CODES = {
    "invalid": "invalid_request",
    "context_length": "invalid_request",
    "unauthenticated": "authentication",
    "billing": "payment_required",
    "forbidden": "permission_denied",
    "not_found": "not_found",
    "method": "not_found",
    "timeout": "deadline_exceeded",
    "conflict": "aborted",
    "too_large": "invalid_request",
    "unprocessable": "invalid_request",
    "rate_limit": "rate_limit_exceeded",
    "quota": "quota_exceeded",
    "internal": "api_error",
    "bad_gateway": "service_unavailable",
    "unavailable": "service_unavailable",
    "gateway_timeout": "deadline_exceeded",
    "busy": "service_unavailable",
    "overloaded": "service_unavailable",
}
_OWN = ("parameter_unknown", "failed_precondition", "model_not_found")


def error_body(failure: Failure, exchange: Exchange | None = None) -> dict[str, Any]:
    """`{"error": {"message", "code"}}`."""
    code = failure.code if failure.code in _OWN else _CODES[failure.kind]
    return {"error": {"message": says(failure, exchange).message, "code": code}}


def error_answer(failure: Failure, exchange: Exchange | None) -> Answer:
    """A failure as the whole answer."""
    status = 404 if failure.kind == "method" else failure.status
    return wire.answer(error_body(failure, exchange), exchange, status)
