"""Pictures and sounds that an interaction replies with, as the contents of a step.

Source: google-genai 3.6, the types of its interactions; Google's guides "Image generation" and "Speech generation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmsim.dialects._gemini_interaction_checks import expect, invalid
from llmsim.dialects._gemini_modalities import Medium, medium_of, part
from llmsim.dialects._gemini_models import Ability

Json = Mapping[str, Any]

_MADE = ("image", "audio", "video")


def medium_for(request: Json, text: str, able: Ability) -> Medium | None:
    """What is due instead of words, None where words are; raises Refused where the model cannot do what is asked."""
    forms = request.get("response_format")
    listed = forms if isinstance(forms, list) else [forms]
    told = [form for form in listed if isinstance(form, dict) and form.get("type") in _MADE]
    wanted = [*(request.get("response_modalities") or ()), *(form["type"] for form in told)]
    image: dict[str, Any] = dict((request.get("generation_config") or {}).get("image_config") or {})
    for form in told:
        image.update({name: form[name] for name in ("aspect_ratio", "image_size") if form.get(name)})
    for name in ("aspect_ratio", "image_size"):
        expect(image.get(name) or "", str, name, "image_config")
    size = {"aspectRatio": image.get("aspect_ratio"), "imageSize": image.get("image_size")}
    if "video" in wanted:
        raise invalid("The model does not support the requested response modalities: video.")
    return medium_of({"responseModalities": [one.upper() for one in wanted], "imageConfig": size}, text, able)


def content_of(medium: Medium, seed: int) -> dict[str, Any]:
    """The content that a picture or a sound is told as."""
    told = part(medium, seed)["inlineData"]
    if medium.modality == "AUDIO":
        return {"data": told["data"], "mime_type": "audio/l16", "sample_rate": 24_000, "channels": 1, "type": "audio"}
    return {"data": told["data"], "mime_type": told["mimeType"], "type": "image"}


def spent_on(medium: Medium | None) -> Sequence[tuple[str, int]]:
    """Tokens by modality that it costs."""
    return () if medium is None else ((medium.modality.lower(), medium.tokens),)
