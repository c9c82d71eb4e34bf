"""What the APIs of Amazon Bedrock have in common: headers on each answer, names and words of errors.

Source: Amazon Bedrock API reference, "Common errors" and the operations Converse, ConverseStream and InvokeModel.
"""

from __future__ import annotations

from typing import Any

import orjson

from llmsim.dialects import Answer, Headers
from llmsim.dialects._aws_events import exception
from llmsim.dice import Dice, mix
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.limits import Standing

# Kind of failure -> name of the error, what it says by itself.
_WORDS = {
    "invalid": ("ValidationException", "The provided request is not valid."),
    "context_length": ("ValidationException", "Input is too long for requested model."),
    "unprocessable": ("ValidationException", "The provided request is not valid."),
    "too_large": ("ValidationException", "The request body is too large."),
    "unauthenticated": ("UnrecognizedClientException", "The security token included in the request is invalid."),
    "billing": ("AccessDeniedException", "Your account is not authorized to invoke this API operation."),
    "forbidden": ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    "not_found": ("ResourceNotFoundException", "Could not resolve the foundation model from the provided model ID."),
    "method": ("UnknownOperationException", "The requested operation is not recognized by the service."),
    "timeout": ("ModelTimeoutException", "The model timed out. Try your request again."),
    "conflict": ("ConflictException", "Error occurred because of a conflict while performing an operation."),
    "rate_limit": ("ThrottlingException", "Too many requests, please wait before trying again."),
    "quota": ("ServiceQuotaExceededException", "Your request exceeds the service quota for your account."),
    "internal": ("InternalServerException", "An internal server error occurred. Retry your request."),
    "bad_gateway": ("InternalServerException", "An internal server error occurred. Retry your request."),
    "unavailable": ("ServiceUnavailableException", "The service isn't currently available. Try again later."),
    "gateway_timeout": ("ModelTimeoutException", "The model timed out. Try your request again."),
    "busy": ("ServiceUnavailableException", "Bedrock is unable to process your request."),
    "overloaded": ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}

# Errors that a stream knows by a name of its own; any other is the service's fault.
_IN_STREAM = {
    "ThrottlingException": "throttlingException",
    "ValidationException": "validationException",
    "ServiceUnavailableException": "serviceUnavailableException",
    "ModelTimeoutException": "modelStreamErrorException",
}

_stray = Dice(mix("bedrock answers without an exchange"))


def headers(exchange: Exchange | None) -> Headers:
    """The headers of every answer."""
    high, low = (exchange.seed, exchange.number) if exchange is not None else (_stray.bits(), _stray.bits())
    digits = f"{high:016x}{low:016x}"
    name = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
    return [(b"x-amzn-requestid", name.encode())]


def words(failure: Failure) -> tuple[str, dict[str, Any]]:
    """The name of the error and its body."""
    name, standard = _WORDS[failure.kind]
    if failure.kind == "rate_limit" and isinstance(failure.extra, Standing):
        what = "tokens" if failure.extra.refused.endswith("tokens") else "requests"
        standard = f"Too many {what}{' per day' if failure.extra.daily else ''}, please wait before trying again."
    return name, {"message": failure.message or standard}


def error_answer(failure: Failure, exchange: Exchange | None) -> Answer:
    """A failure as a JSON answer, its name in a header as botocore looks for it."""
    if exchange is None and failure.kind == "not_found" and not failure.message:
        failure = Failure("method", status=404)
    name, body = words(failure)
    told = [(b"x-amzn-errortype", name.encode()), *headers(exchange)]
    return Answer.json(body, failure.status, told)


def error_event(failure: Failure) -> bytes:
    """A failure in the middle of a stream."""
    name, body = words(failure)
    return exception(_IN_STREAM.get(name, "internalServerException"), orjson.dumps(body))
