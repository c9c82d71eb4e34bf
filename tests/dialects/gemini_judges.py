"""Judges interactions by the types of google-genai: nothing missing, nothing that they do not know."""

from __future__ import annotations

from typing import Any

from google.genai._gaos.types import interactions as types
from inprocess import Told
from pydantic import BaseModel

_EVENTS = {
    "interaction.created": "InteractionCreatedEvent",
    "interaction.status_update": "InteractionStatusUpdate",
    "interaction.completed": "InteractionCompletedEvent",
    "step.start": "StepStart",
    "step.delta": "StepDelta",
    "step.stop": "StepStop",
    "error": "ErrorEvent",
}

# What the SDK works out by itself.
_ADDED = ("output_text", "output_image", "output_audio")


def assert_interaction(told: dict[str, Any]) -> Any:
    """Fails unless this is an interaction; gives it as the SDK reads it."""
    assert told["object"] == "interaction"
    # google-genai 3.6 has no place for it where an interaction is told whole, 3.4 had.
    return _judged("Interaction", {name: value for name, value in told.items() if name != "object"})


def assert_events(told: Told) -> list[Any]:
    """Fails unless these are events in an order that makes sense; gives them as the SDK reads them."""
    assert (told.status, dict(told.headers)[b"content-type"]) == (200, b"text/event-stream")
    names = [line[7:].decode() for line in told.body.split(b"\n") if line.startswith(b"event: ")]
    events = [_judged(_EVENTS[event["event_type"]], event) for event in told.events]
    assert names == [event.event_type for event in events] + ["done"] * told.body.endswith(b"data: [DONE]\n\n")
    if events[0].event_type != "interaction.created":
        return events  # the rest of a stream that was left
    opened: list[int] = []
    for event in events:
        if event.event_type == "step.start":
            assert event.index == len(opened)
            opened.append(event.index)
        elif event.event_type.startswith("step."):
            assert event.index == opened[-1]
    return events


def _judged(name: str, told: dict[str, Any]) -> Any:
    model = getattr(types, name).model_validate(told)
    _assert_known(model)
    dumped = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert {key: value for key, value in dumped.items() if key not in _ADDED} == told
    return model


def _assert_known(value: Any) -> None:
    assert not type(value).__name__.startswith("Unknown"), value
    inner = dict(value).values() if isinstance(value, BaseModel) else value if isinstance(value, list) else ()
    for one in inner:
        _assert_known(one)
