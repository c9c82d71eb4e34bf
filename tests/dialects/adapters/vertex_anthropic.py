"""Google Cloud's paths to Anthropic's models: the model is in the path, the version in the body."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapters import anthropic_messages

MODELS = "/v1/projects/acme/locations/us-east5/publishers/anthropic/models"


def ask(text: str, stream: bool, *asked: Any, **more: Any) -> Any:
    _, body = anthropic_messages.ask(text, stream, *asked, **more)
    model = body.pop("model")
    method = "streamRawPredict" if body["stream"] else "rawPredict"
    return f"{MODELS}/{model}:{method}", {**body, "anthropic_version": "vertex-2023-10-16"}


ADAPTER = replace(anthropic_messages.ADAPTER, ask=ask, headers={})
