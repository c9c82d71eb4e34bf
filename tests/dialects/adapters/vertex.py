"""Google Cloud's paths to Gemini: the same bodies as Gemini's own, below a project."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapters import gemini

PROJECT = "/v1beta1/projects/acme/locations/us-central1/publishers/google"


def ask(*asked: Any, **more: Any) -> Any:
    path, body = gemini.ask(*asked, **more)
    return path.replace("/v1beta", PROJECT, 1), body


ADAPTER = replace(gemini.ADAPTER, ask=ask)
