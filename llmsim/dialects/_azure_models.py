"""How Azure lists models: OpenAI's keys, and beside them what can be done with each.

Source: Azure OpenAI REST API reference, "Models - List".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from llmsim import catalogue

_STATUS = {"active": "generally-available", "deprecated": "deprecated", "retired": "deprecated"}


def as_listed(body: bytes) -> bytes:
    """The body of OpenAI's list, or of one of its models, with Azure's keys."""
    told = orjson.loads(body)
    for model in told["data"] if told["object"] == "list" else [told]:
        model.update(_more(catalogue.resolve(model["id"])))
    return orjson.dumps(told)


def _more(model: catalogue.Model) -> dict[str, Any]:
    return {
        "status": "succeeded",
        "created_at": model.created,
        "updated_at": model.created,
        "lifecycle_status": _STATUS[model.lifecycle],
        "deprecation": {"inference": _moment(model.shutdown_date)} if model.shutdown_date else {},
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": model.kind == "completion",
            "chat_completion": model.kind == "chat",
            "embeddings": model.kind == "embedding",
        },
    }


def _moment(date: str) -> int:
    """The first second of a day, since the epoch."""
    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
