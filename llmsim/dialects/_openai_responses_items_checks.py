"""Refuses input items of the Responses API that are right by their types and wrong by what they say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llmsim import media
from llmsim.dialects._openai_refusals import invalid, missing
from llmsim.dialects._openai_responses_input import Item, type_of
from llmsim.errors import Refused

IMAGE_TYPES = ("image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp")

# What an item's id begins with.
_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
}
_ID = re.compile(r"[A-Za-z0-9_-]+")
_SEALED = "gAAAA"
_AN_IMAGE = "a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')"


def check_items(items: Sequence[Item]) -> None:
    """Raises Refused for the first fault in them."""
    for index, item in enumerate(items):
        kind = type_of(item)
        if item.get("id") and kind in _PREFIXES:
            check_id(f"input[{index}].id", item["id"], _PREFIXES[kind])
        if kind == "reasoning":
            _check_thought(item, items[index + 1] if index + 1 < len(items) else None)
        for name in ("content", "output"):
            parts = item.get(name)
            if isinstance(parts, list) and kind != "reasoning":
                _check_parts(parts, f"input[{index}].{name}")


def check_id(where: str, id: str, prefix: str) -> None:
    """Raises Refused for an id that cannot be one of that kind."""
    shown = id if len(id) <= 64 else f"{id[:64]}..."
    if not _ID.fullmatch(id):
        raise invalid(
            f"Invalid '{where}': '{shown}'. Expected an ID that contains letters, numbers, underscores, or dashes, but "
            "this value contained additional characters.",
            where,
            "invalid_value",
        )
    if not id.startswith(prefix):
        raise invalid(
            f"Invalid '{where}': '{shown}'. Expected an ID that begins with '{prefix}'.", where, "invalid_value"
        )


def _check_thought(item: Item, following: Item | None) -> None:
    """A thought comes before what it led to, and with what this API sealed."""
    sealed = item.get("encrypted_content")
    if sealed and not sealed.startswith(_SEALED):
        shown = sealed if len(sealed) <= 12 else f"{sealed[:4]}...{sealed[-4:]}"
        raise invalid(
            f"The encrypted content {shown} could not be verified. Reason: Encrypted content could not be decrypted or "
            "parsed.",
            None,
            "invalid_encrypted_content",
        )
    led_nowhere = following is None or following.get("role") in ("user", "system", "developer")
    if item.get("id") and led_nowhere:
        raise invalid(
            f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.", "input"
        )


def _check_parts(parts: Sequence[Any], where: str) -> None:
    for index, part in enumerate(parts):
        kind = part.get("type")
        if kind == "input_image":
            if not part.get("image_url") and not part.get("file_id"):
                raise Refused(missing(f"{where}[{index}].image_url"))
            if part.get("image_url"):
                _check_image(part["image_url"], f"{where}[{index}].image_url")
        elif kind == "input_file" and not any(part.get(name) for name in ("file_id", "file_data", "file_url")):
            raise Refused(missing(f"{where}[{index}].file_id"))


def _check_image(url: str, where: str) -> None:
    if url[:5].lower() == "data:":
        found = media.data_url(url, media.HEADER_BYTES)
        if found is None:
            raise invalid(
                f"Invalid '{where}'. Expected {_AN_IMAGE}, but got an invalid base64-encoded value.",
                where,
                "invalid_base64_image",
            )
        if found[0] not in IMAGE_TYPES:
            raise invalid(
                f"Invalid '{where}'. Expected {_AN_IMAGE}, but got unsupported MIME type '{found[0]}'.",
                where,
                "invalid_value",
            )
    elif url[:8].lower() != "https://" and url[:7].lower() != "http://":
        raise invalid(
            f"Invalid '{where}'. Expected a valid URL, but got a value with an invalid format.", where, "invalid_value"
        )
