"""Judges answers by OpenAI's own OpenAPI document, where it is at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from pydantic import BaseModel
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_NAME = "urn:openai"
_PLACE = Path("shared/data/openai-openapi.json")


def assert_fits(schema: str, value: Any) -> None:
    """Fails unless the value is valid for the named schema; skips the test where the document is missing."""
    errors = sorted(_validator(schema).iter_errors(value), key=lambda error: error.json_path)
    assert not errors, "\n".join(f"{error.json_path}: {error.message[:300]}" for error in errors)


def assert_known_keys(model: BaseModel, where: str = "$") -> None:
    """Fails where an answer, as the provider's SDK read it, has keys that the SDK's types do not know."""
    assert not model.model_extra, f"{where}: unknown keys {sorted(model.model_extra or ())}"
    for name, value in model:
        for index, part in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(part, BaseModel):
                assert_known_keys(part, f"{where}.{name}[{index}]")


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource(_NAME, DRAFT202012.create_resource(_document()))
    return jsonschema.Draft202012Validator({"$ref": f"{_NAME}#/components/schemas/{schema}"}, registry=registry)


@cache
def _document() -> Any:
    path = _find()
    if path is None:
        pytest.skip(f"OpenAI's OpenAPI document is not at hand: LLMSIM_OPENAPI is not set and there is no {_PLACE}")
    return _modern(orjson.loads(path.read_bytes()))


def _find() -> Path | None:
    told = os.environ.get("LLMSIM_OPENAPI")
    places = [Path(told)] if told else [parent / _PLACE for parent in Path(__file__).resolve().parents]
    return next((place for place in places if place.is_file()), None)


def _modern(node: Any) -> Any:
    """The document without `nullable`, a word of OpenAPI 3.0 that JSON Schema ignores."""
    if isinstance(node, list):
        return [_modern(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _modern(value) for key, value in node.items() if key != "nullable" or not isinstance(value, bool)}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
