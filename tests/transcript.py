"""Compares what went over the wire with reviewed text, ids and dates made alike; LLMSIM_UPDATE_GOLDEN=1 rewrites it."""

from __future__ import annotations

import os
import re
from pathlib import Path

GOLDEN = Path(__file__).parent / "dialects" / "golden"

# What differs from run to run, and what stands for it.
_VARYING = [
    (r"chatcmpl-[0-9a-f]{29}", "chatcmpl-ID"),
    (r"call_[A-Za-z0-9]{24}", "call_ID"),
    (r"req_[0-9a-f]{32}", "req_ID"),
    (r'"created":\d+', '"created":DATE'),
    (r"(openai-processing-ms): \d+", r"\1: MS"),
    (r'"created_at":\d+', '"created_at":DATE'),
    # Pictures and sounds: long, and drawn a little differently by each release of the libraries.
    (r'"(b64_json|audio)":"[A-Za-z0-9+/=]{80,}"', r'"\1":"BASE64"'),
]


def assert_golden(name: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Fails where status, the provider's headers or body differ from the transcript of that name."""
    provider = [(key.decode(), value.decode()) for key, value in headers if not key.startswith(b"x-llmsim-")]
    head = [f"HTTP {status}", *(f"{key}: {value}" for key, value in provider)]
    told = "\n".join([*head, "", body.decode()])
    for pattern, stands_for in _VARYING:
        told = re.sub(pattern, stands_for, told)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("LLMSIM_UPDATE_GOLDEN"):
        path.write_text(told, encoding="utf-8", newline="")
    assert told == path.read_bytes().decode(), f"{path.name} differs; LLMSIM_UPDATE_GOLDEN=1 rewrites it"
