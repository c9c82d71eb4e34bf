"""Refuses what Google Cloud refuses before, or otherwise than, Gemini's own API.

The texts are those of Vertex AI as users quote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmsim.dialects._gemini_checks import invalid

_MORE = "Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini"
# Field of the generation config -> least, most, and the range as it is told.
_RANGES = {
    "temperature": (0, 2, "from 0 (inclusive) to 2.0001 (exclusive)"),
    "topP": (0, 1, "from 0 (inclusive) to 1 (inclusive)"),
    "candidateCount": (1, 8, "from 1 (inclusive) to 9 (exclusive)"),
}


def check_on_cloud(request: Mapping[str, Any]) -> None:
    """Raises Refused for contents that are missing or of nobody, and for values out of their range."""
    contents = request.get("contents")
    if not contents:
        raise invalid(f"Unable to submit request because at least one contents field is required. {_MORE}")
    # Gemini's own API takes a content without a role for the user's.
    if not all(content.get("role") for content in contents):
        raise invalid("Please use a valid role: user, model.")
    config = request.get("generationConfig", {})
    for name, (least, most, told) in _RANGES.items():
        if name in config and not least <= config[name] <= most:
            raise invalid(
                f"Unable to submit request because it has a {name} value of {config[name]:g} but the supported range "
                f"is {told}. Update the value and try again. {_MORE}"
            )
