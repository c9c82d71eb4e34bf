"""What every answer of Azure OpenAI has: its headers, and the errors of the gateway before OpenAI's models.

Source: Azure OpenAI REST API reference; headers and errors as users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from llmsim.dialects import Headers
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._azure_filters import REFUSED_PROMPT
from llmsim.dialects._azure_paths import Call
from llmsim.dice import mix
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.limits import Standing

_REGION = b"East US"
_DAY = 86_400
_SUPPORT = "https://go.microsoft.com/fwlink/?linkid=2213926"

# Deployments' names come from the path, where anything can stand.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")

# OpenAI's own headers that do not come through.
_INNER = (b"x-request-id", b"openai-", b"x-ratelimit-reset-")

# kind -> code, message: what the gateway answers in its own short form.
_GATEWAY = {
    "unauthenticated": (
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource.",
    ),
    "forbidden": ("403", "Access denied due to Virtual Network/Firewall rules."),
    "method": ("404", "Resource not found"),
    "timeout": ("Timeout", "The operation was timeout."),
    "rate_limit": ("429", ""),
    "bad_gateway": ("502", "Bad gateway"),
    "unavailable": (
        "ServiceUnavailable",
        "The service is temporarily unable to process your request. Please try again later.",
    ),
    "busy": (
        "ServiceUnavailable",
        "The service is temporarily unable to process your request. Please try again later.",
    ),
    "gateway_timeout": ("504", "The gateway did not receive a response in time."),
}

_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again."
)
_FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
    "your prompt and retry. To learn more about our content filtering policies please read our documentation: "
    "https://go.microsoft.com/fwlink/?linkid=2198766"
)

_SHORT = ("404", "BadRequest", "OperationNotSupported")
"""Codes that this dialect gives itself, which come without a type and a param."""


def headers(inner: Iterable[tuple[bytes, bytes]], exchange: Exchange | None, call: Call | None) -> Headers:
    """The headers of an answer, from those that OpenAI would give."""
    request_id, answer_id = _ids(exchange)
    deployment = _NOT_PLAIN.sub("?", call.deployment).encode() if call else b""
    return [
        *(header for header in inner if not header[0].startswith(_INNER)),
        (b"apim-request-id", request_id),
        (b"x-request-id", answer_id),
        (b"x-ms-client-request-id", call.client_id.encode("latin-1") if call and call.client_id else request_id),
        (b"x-ms-region", _REGION),
        *([(b"x-ms-deployment-name", deployment)] if deployment else ()),
        (b"azureml-model-session", b"d%03d-20260915204513" % (int(wire.stable(deployment.decode())[:4], 16) % 1000)),
        (b"x-ms-rai-invoked", b"true" if deployment else b"false"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
        (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
        *(_policy(exchange.standing) if exchange is not None and exchange.standing.refused else ()),
    ]


def _policy(standing: Standing) -> Headers:
    """Which policy of the gateway refused the request, and the whole seconds until its limit is there again."""
    tokens = standing.refused.endswith("tokens")
    reset = -int(-((standing.tokens_reset if tokens else standing.requests_reset) - 1e-6) // 1)
    return [
        (b"policy-id", b"DeploymentRatelimit-Token" if tokens else b"DeploymentRatelimit-Call"),
        (b"x-ratelimit-reset-tokens" if tokens else b"x-ratelimit-reset-requests", b"%d" % reset),
    ]


def _ids(exchange: Exchange | None) -> tuple[bytes, bytes]:
    """The gateway's and the model's id of a request, as UUIDs."""
    ids = wire.ids(exchange)
    high, low = mix("gateway", *ids), mix("model", *ids)
    return _uuid(high, low), _uuid(low, high)


def _uuid(high: int, low: int) -> bytes:
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}".encode()


def error_body(failure: Failure, exchange: Exchange | None, version: str) -> dict[str, Any] | None:
    """`{"error": …}` where it is Azure's own; None where OpenAI's words come through."""
    endpoint = exchange.ask.endpoint if exchange else ""
    if failure.code == "content_filter":
        return _filtered(failure)
    if failure.kind == "not_found":
        return _not_found(failure, endpoint)
    if failure.code in _SHORT:
        return _short(failure.code or "", failure.message or "")
    if failure.kind == "internal" and failure.message is None:
        told = wire.error_body(failure)
        told["error"]["message"] = _sorry(exchange)
        return told
    if failure.kind not in _GATEWAY:
        return None
    code, standard = _GATEWAY[failure.kind]
    return _short(code, failure.message or standard or _limited(failure, endpoint, version))


def _short(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _not_found(failure: Failure, endpoint: str) -> dict[str, Any] | None:
    if failure.code == "model_not_found" and not endpoint.startswith("/openai/models"):
        return _short("DeploymentNotFound", failure.message or _NO_DEPLOYMENT)
    if failure.code in (None, "404") and (failure.message is None or failure.code):
        return _short("404", failure.message or "Resource not found")
    return None


def _filtered(failure: Failure) -> dict[str, Any]:
    return {
        "error": {
            "message": failure.message or _FILTERED,
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": failure.status,
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": REFUSED_PROMPT},
        }
    }


def _sorry(exchange: Exchange | None) -> str:
    return (
        "The server had an error while processing your request. Sorry about that! You can retry your request, or "
        f"contact us through an Azure support request at: {_SUPPORT} if the error persists. (Please include the "
        f"request ID {_ids(exchange)[1].decode()} in your message.)"
    )


def _limited(failure: Failure, endpoint: str, version: str) -> str:
    """The sentence of a rate limit: which operation, which of the two limits, how long to wait."""
    standing = failure.extra if isinstance(failure.extra, Standing) else Standing()
    tokens = standing.refused.endswith("tokens")
    under = f" under Azure OpenAI API version {version}" if version else ""
    # What is more than a minute's limit may try again in a day.
    after = _DAY if standing.too_large else failure.retry_after
    wait = f" Please retry after {max(1, -int(-(after - 1e-6) // 1))} seconds." if after else ""
    return (
        f"Requests to the {_operation(endpoint)} Operation{under} have exceeded {'token' if tokens else 'call'} rate "
        f"limit of your current OpenAI S0 pricing tier.{wait} Please go here: https://aka.ms/oai/quotaincrease if you "
        "would like to further increase the default rate limit."
    )


def _operation(endpoint: str) -> str:
    """The name that Azure's document has for an operation: ChatCompletions_Create, Embeddings_Create."""
    path = endpoint.removeprefix("/openai/").removeprefix("deployments/{deployment}/")
    if path.startswith(("audio/", "deployments/")):
        path = path.rpartition("/")[2]
    words = [word for word in path.split("/") if "{" not in word] or ["resource"]
    return "".join(word.title().replace("_", "") for word in words) + "_Create"
