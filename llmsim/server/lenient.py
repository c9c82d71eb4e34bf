"""Reads a request anew without the fields that its API does not know, where the settings have them ignored."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Dialect, Request, Route
from llmsim.dialects._unknown import taken_out
from llmsim.errors import Failure, Path, Refused
from llmsim.settings import Settings

logger = logging.getLogger("llmsim")

_ROUNDS = 8
"""How often a body is read anew: where its shape is told by another field, unknown ones show one after the other."""

MOST_FIELDS = 1000
"""Unknown fields of one body; with more of them it stays refused."""

_MOST_SAID = 200

_said: dict[tuple[str, str], None] = {}


def forgiven(dialect: Dialect, route: Route, request: Request, refused: Refused, settings: Settings) -> Ask | Failure:
    """The ask that a refused request is without its unknown fields, or the failure that it stays with."""
    if refused.unknown is None or settings.unknown_fields == "refuse":
        return refused.failure
    try:
        told = orjson.loads(request.body)
    except orjson.JSONDecodeError:  # a form: its unknown fields stay refused
        return refused.failure
    model = told.get("model") if isinstance(told, dict) else None
    if settings.unknown_fields == "auto" and not (
        isinstance(model, str) and (model in settings.served_models or dialect.forgives(model))
    ):
        return refused.failure
    try:
        ask, taken = _read(route, request, refused, told)
        dialect.heed(ask, taken)
    except Refused as still:
        return still.failure
    _say(dialect, taken)
    return ask


def _read(route: Route, request: Request, refused: Refused, told: Any) -> tuple[Ask, dict[Path, Any]]:
    """The ask, and what was taken out of the body for it; raises Refused for what is wrong besides."""
    assert route.read is not None
    taken: dict[Path, Any] = {}
    for _ in range(_ROUNDS):
        paths = refused.unknown() if refused.unknown is not None else ()
        found = taken_out(told, paths) if len(paths) <= MOST_FIELDS else {}
        if not found:
            break
        taken.update(found)
        try:
            return route.read(replace(request, body=orjson.dumps(told))), taken
        except Refused as again:
            refused = again
    raise refused


def _say(dialect: Dialect, taken: dict[Path, Any]) -> None:
    """Tells of the fields that are taken, once for each set of them."""
    names = ", ".join(sorted({str(path[-1])[:60] for path in taken}))[:300]
    if (dialect.kind, names) not in _said and len(_said) < _MOST_SAID:
        _said[dialect.kind, names] = None
        logger.info("%s: fields that the API does not know are taken (unknown_fields): %s", dialect.kind, names)
