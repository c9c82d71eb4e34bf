"""The OpenAPI document of the control API, made from the table of its operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from llmsim import __version__
from llmsim.server.control.call import Operation

_REF = "#/components/schemas/{model}"


def document(operations: Sequence[Operation], root: str) -> dict[str, Any]:
    """The document, OpenAPI 3.1; `root` stands before every path."""
    models = {model for one in operations for model in _models(one.body)}
    _, made = models_json_schema([(model, "validation") for model in sorted(models, key=str)], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(root + one.path, {})[one.method.lower()] = _operation(one)
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "llmsim control API", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {**made.get("$defs", {}), "Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _models(body: Any) -> list[type[BaseModel]]:
    if isinstance(body, type):
        return [body]
    inner = body if isinstance(body, list) else body.values() if isinstance(body, dict) else ()
    return [model for part in inner for model in _models(part)]


def _operation(one: Operation) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", one.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    parameters += [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in one.query.items()
    ]
    told: dict[str, Any] = {
        "operationId": one.handler.__name__ + ("_one" if names else "") + f"_{one.method.lower()}",
        "summary": one.summary,
        "description": (one.handler.__doc__ or "").strip(),
        "parameters": parameters,
        "responses": {
            str(one.status): {"description": "Done"},
            "default": {
                "description": "What could not be done, and why",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if one.body is not None:
        told["requestBody"] = {"content": {"application/json": {"schema": _schema(one.body)}}}
    return told


def _schema(body: Any) -> dict[str, Any]:
    if isinstance(body, type):
        return {"$ref": _REF.format(model=body.__name__)}
    if isinstance(body, list):
        return {"type": "array", "items": _schema(body[0])} if body else {"type": "array"}
    if isinstance(body, dict):
        return {"type": "object", "properties": {name: _schema(part) for name, part in body.items()}}
    kind = {str: "string", bool: "boolean", int: "integer", float: "number"}.get(type(body), "string")
    return {"type": kind, "examples": [body]}
