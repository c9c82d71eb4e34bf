"""Arrays: how many items there are, and a value for each at its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmsim.schema.document import Json, Schema, UnsatisfiableSchema, limit, limits, prefix_of, rest_of
from llmsim.schema.objects import Making

_FRESH_TRIES = 150
_WILD_AFTER = 12


def make_array(maker: Making, parts: Sequence[Json], name: str) -> list[Any]:
    """An array that fits all the schemas; raises UnsatisfiableSchema where none is found."""
    maker.depth += 1
    try:
        if any("contains" in part for part in parts):
            return _containing(maker, parts, name)
        return _filled(maker, parts, name, _length(maker, parts), {})
    finally:
        maker.depth -= 1


def _length(maker: Making, parts: Sequence[Json]) -> tuple[int, int]:
    """The least length there must be, and the length to aim at."""
    least, most = limits(parts, "minItems", "maxItems")
    if maker.shallow:
        return least, least
    ordered = max((len(prefix_of(part)) for part in parts), default=0)
    aim = ordered if ordered and not any(isinstance(rest_of(part), dict) for part in parts) else 0
    aim = max(least, aim or maker.dice.between(1, 3 if maker.depth < 6 else 1))
    return least, aim if most is None else min(aim, most)


def _filled(
    maker: Making, parts: Sequence[Json], name: str, length: tuple[int, int], extra: dict[int, list[Schema]]
) -> list[Any]:
    """The items one by one; an item that can have no value ends the array where it is long enough."""
    least, aim = length
    unique = any(part.get("uniqueItems") is True for part in parts)
    found: list[Any] = []
    taken: set[Any] = set()
    for at in range(aim):
        schemas = [*_at(parts, at), *extra.get(at, [])] or [{}]
        try:
            item = _fresh(maker, schemas, name, taken) if unique else maker.make(schemas, name)
            if not unique and isinstance(item, str) and item in found:
                # A model seldom says the same twice, even where it may.
                item = maker.make(schemas, name)
            found.append(item)
        except UnsatisfiableSchema:
            if at < least or any(later >= at for later in extra):
                raise
            break
    return found


def _at(parts: Sequence[Json], at: int) -> list[Schema]:
    found: list[Schema] = []
    for part in parts:
        prefix = prefix_of(part)
        found.append(prefix[at] if at < len(prefix) else rest_of(part))
    return [schema for schema in found if schema is not True]


def _fresh(maker: Making, schemas: Sequence[Schema], name: str, taken: set[Any]) -> Any:
    """An item that is not there yet; after some tries it may be an unlikely one."""
    wild = maker.wild
    try:
        for attempt in range(_FRESH_TRIES):
            maker.wild = wild or attempt >= _WILD_AFTER
            item = maker.make(schemas, name)
            key = maker.check.key(item)
            if key not in taken:
                taken.add(key)
                return item
            maker.budget += 1
    finally:
        maker.wild = wild
    raise UnsatisfiableSchema(f"No {len(taken) + 1} different items were found, which uniqueItems asks for.")


def _containing(maker: Making, parts: Sequence[Json], name: str) -> list[Any]:
    """An array with the items that `contains` asks for, after the first ones where there is room, else among them."""
    wanted, kept_out = _asked_for(parts)
    _, most = limits(parts, "minItems", "maxItems")
    least, aim = _length(maker, parts)
    after = max((len(prefix_of(part)) for part in parts), default=0)
    reason: UnsatisfiableSchema | None = None
    for start in dict.fromkeys((after, 0, *range(after))):
        end = max(least, start + len(wanted))
        if most is not None and end > most:
            continue
        # One item may be all that several schemas ask for, so the whole is judged, not each place.
        extra = {at: list(kept_out) for at in range(max(end, aim))} if kept_out else {}
        extra.update({start + at: [schema] for at, schema in enumerate(wanted)})
        try:
            found = _filled(maker, parts, name, (end, max(end, aim)), extra)
        except UnsatisfiableSchema as problem:
            reason = problem
            continue
        if all(maker.check.holds({key: part[key] for key in part if key in _COUNTED}, found) for part in parts):
            return found
    raise reason or UnsatisfiableSchema(f"The items that `contains` asks for do not fit into maxItems {most}.")


def _asked_for(parts: Sequence[Json]) -> tuple[list[Schema], list[Schema]]:
    """What items there must be, each by itself, and what the other items must not be, lest there be too many."""
    wanted: list[Schema] = []
    kept_out: list[Schema] = []
    for part in parts:
        if "contains" in part:
            count = limit(part, "minContains")
            wanted += [part["contains"]] * (1 if count is None else count)
            if "maxContains" in part:
                kept_out.append({"not": part["contains"]})
    return wanted, kept_out


_COUNTED = frozenset(("contains", "minContains", "maxContains"))
