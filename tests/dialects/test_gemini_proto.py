"""JSON is read as Google reads it into protocol buffers: either spelling, numbers as text, enums in any case."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from llmsim.dialects import _gemini_fields as fields
from llmsim.dialects import _gemini_proto as proto
from llmsim.errors import Refused


def read(message: str, **value: Any) -> dict[str, Any]:
    return proto.read(message, orjson.dumps(value))


def faults(message: str, value: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        proto.checked(message, value)
    return list(caught.value.failure.extra)


CONFIG = "GenerationConfig"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"maxOutputTokens": 5}, {"maxOutputTokens": 5}),
        ({"max_output_tokens": 5}, {"maxOutputTokens": 5}),
        ({"max_output_tokens": "5"}, {"maxOutputTokens": 5}),
        ({"maxOutputTokens": 5.0}, {"maxOutputTokens": 5}),
        ({"maxOutputTokens": "5.0e0"}, {"maxOutputTokens": 5}),
        ({"topK": 40.0}, {"topK": 40.0}),
        ({"temperature": "0.5"}, {"temperature": 0.5}),
        ({"temperature": None}, {}),
        ({"responseLogprobs": "true"}, {"responseLogprobs": True}),
        ({"responseModalities": ["text", "IMAGE", 1]}, {"responseModalities": ["TEXT", "IMAGE", "TEXT"]}),
        ({"stopSequences": "END"}, {"stopSequences": ["END"]}),
        ({"mediaResolution": "media-resolution-low"}, {"mediaResolution": "MEDIA_RESOLUTION_LOW"}),
        ({"thinkingConfig": {"include_thoughts": True}}, {"thinkingConfig": {"includeThoughts": True}}),
    ],
)
def test_what_is_taken(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert read(CONFIG, **given) == taken


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"maxOutputTokens": 1 << 31}, "max_output_tokens", "(TYPE_INT32), 2147483648"),
        ({"maxOutputTokens": 1.5}, "max_output_tokens", "(TYPE_INT32), 1.5"),
        ({"maxOutputTokens": True}, "max_output_tokens", "(TYPE_INT32), true"),
        ({"maxOutputTokens": "1e999"}, "max_output_tokens", '(TYPE_INT32), "1e999"'),
        ({"temperature": {}}, "temperature", "Starting an object on a scalar field"),
        ({"responseLogprobs": 1}, "response_logprobs", "(TYPE_BOOL), 1"),
        ({"stopSequences": [1]}, "stop_sequences[0]", "(TYPE_STRING), 1"),
        ({"thinkingConfig": 5}, "thinking_config", f"({proto.PACKAGE}ThinkingConfig), 5"),
        ({"responseModalities": ["SMELL"]}, "response_modalities[0]", f'({proto.PACKAGE}Modality), "SMELL"'),
    ],
)
def test_what_is_refused_is_told_with_its_place(given: dict[str, Any], field: str, told: str) -> None:
    ((where, description),) = faults(CONFIG, given)
    assert where == field
    assert told in description


def test_lists_in_the_place_of_one_are_not_repeating() -> None:
    ((where, description),) = faults("GenerateContentRequest", {"generationConfig": {"seed": [1]}})
    assert where == "generation_config"
    assert description == (
        "Invalid JSON payload received. Unknown name \"seed\" at 'generation_config': Proto field is not repeating, "
        "cannot start list."
    )


def test_what_belongs_to_the_client_is_not_looked_into() -> None:
    own = {"a_b": {"aB": [None, {"x_y": 1}]}, "mime_type": 1}
    told = read("FunctionCall", name="f", args=own)
    assert told["args"] == own
    assert read("FunctionDeclaration", name="f", parameters_json_schema=own)["parametersJsonSchema"] == own


def test_a_map_s_keys_are_the_client_s_and_its_values_are_not() -> None:
    told = read("Schema", type="object", properties={"min_items": {"type": "array", "min_items": "2", "items": {}}})
    assert told == {"type": "OBJECT", "properties": {"min_items": {"type": "ARRAY", "minItems": 2, "items": {}}}}
    ((where, _),) = faults("Schema", {"properties": {"a": {"color": 1}}})
    assert where == "properties[0].value"


def test_only_so_many_faults_are_told() -> None:
    found = faults("GenerateContentRequest", {f"x{number}": 1 for number in range(1000)})
    assert len(found) == 100


def test_long_values_are_told_short() -> None:
    ((_, description),) = faults(CONFIG, {"seed": "x" * 100_000})
    assert len(description) < 400


@pytest.mark.parametrize("depth", [100, 100_000])
def test_what_is_too_deep_is_refused(depth: int) -> None:
    value: Any = {"type": "STRING"}
    for _ in range(depth):
        value = {"type": "ARRAY", "items": value}
    if depth == 100:
        proto.checked("Schema", value)
    else:
        with pytest.raises(Refused):
            proto.checked("Schema", value)


def test_every_type_of_a_field_is_known() -> None:
    for message in fields.MESSAGES:
        proto.checked(message, {})
        for field in fields.MESSAGES[message]:
            proto.checked(message, {field: None})


def test_every_field_of_the_sdk_s_types_is_known() -> None:
    """All that google-genai's types can say of a request is taken."""
    from google.genai import types

    for message, known in fields.MESSAGES.items():
        kind = getattr(types, message, None)
        if kind is None or not hasattr(kind, "model_fields"):
            continue
        names = {field.alias or name for name, field in kind.model_fields.items()}
        assert names <= set(known), message
