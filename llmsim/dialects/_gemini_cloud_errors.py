"""What Google Cloud says of failures otherwise than Gemini's own API.

Source: errors of Vertex AI as users quote them; its guide "Error code 429".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmsim.errors import Failure
from llmsim.exchange import Exchange

_CLOUD = "https://cloud.google.com/vertex-ai/generative-ai/docs"
_NO_TOKEN = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_EXHAUSTED = f"Resource exhausted. Please try again later. Please refer to {_CLOUD}/error-code-429 for more details."

Cloud = tuple[str, str, Sequence[Mapping[str, Any]]]


def on_cloud(failure: Failure, exchange: Exchange) -> Cloud | None:
    """The code, the message and the details of a failure; None where Gemini's own API says the same."""
    if failure.code == "model_not_found":
        return "NOT_FOUND", _no_model(exchange), ()
    if failure.message:
        return ("RESOURCE_EXHAUSTED", failure.message, ()) if failure.kind in ("rate_limit", "quota") else None
    if failure.kind in ("rate_limit", "quota"):
        return "RESOURCE_EXHAUSTED", _EXHAUSTED, ()
    if failure.kind == "unauthenticated" and not exchange.ask.key:
        return "UNAUTHENTICATED", _NO_TOKEN, [_missing(exchange)]
    if failure.kind == "internal":
        return "INTERNAL", "Internal error encountered.", ()
    if failure.kind in ("unavailable", "busy", "overloaded"):
        return "UNAVAILABLE", "The service is currently unavailable.", ()
    return None


def _no_model(exchange: Exchange) -> str:
    name = exchange.ask.extra.get("resource") or f"publishers/google/models/{exchange.ask.model}"
    return (
        f"Publisher Model `{name}` was not found or your project does not have access to it. Please ensure you are "
        f"using a valid model version. For more information, see: {_CLOUD}/learn/model-versions"
    )


def _missing(exchange: Exchange) -> dict[str, Any]:
    method = exchange.ask.endpoint.rpartition(":")[2]
    name = f"google.cloud.aiplatform.v1.PredictionService.{method[:1].upper()}{method[1:]}"
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "CREDENTIALS_MISSING",
        "domain": "googleapis.com",
        "metadata": {"method": name, "service": "aiplatform.googleapis.com"},
    }
