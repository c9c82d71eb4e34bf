"""Judges answers by OpenAI's own OpenAPI document, where it is at hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
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
def _validator(schema: str) -> Any:
    registry: Registry[Any] = Registry().with_resource(_NAME, DRAFT202012.create_resource(_document()))
    return _Judge({"$ref": f"{_NAME}#/components/schemas/{schema}"}, registry=registry)


def _among(word: str) -> Callable[..., Iterator[Any]]:
    """Judges alternatives as jsonschema does, but for those of another `type`: of fifty events only one can fit."""
    judged = jsonschema.Draft202012Validator.VALIDATORS[word]

    def judge(validator: Any, branches: list[Any], value: Any, schema: Any) -> Iterator[Any]:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str):
            branches = [one for one in branches if kind in (_kinds(one) or [kind])] or branches
        yield from judged(validator, branches, value, schema)

    return judge


def _kinds(branch: Any) -> Any:
    """What an alternative says that `type` can be; None where it does not say."""
    while isinstance(branch, dict) and "$ref" in branch:
        branch = _document()["components"]["schemas"][branch["$ref"].rpartition("/")[2]]
    said = branch.get("properties", {}).get("type", {}) if isinstance(branch, dict) else {}
    return [said["const"]] if "const" in said else said.get("enum")


_Judge: Any = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {word: _among(word) for word in ("anyOf", "oneOf")}
)


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
