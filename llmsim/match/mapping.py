"""The YAML form of a match: a mapping of names to values, with `or`, `and` and `not` where they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmsim.errors import SettingsError
from llmsim.match.line import DEEPEST, Room, condition, parse
from llmsim.match.subject import FIELDS
from llmsim.match.tree import All, Condition, Node, Not, Some, either, opposite, together
from llmsim.match.values import Flag, Number, Scalar

_JOINTS = ("and", "or", "not")


def read(raw: Any, depth: int = 0, room: Room | None = None) -> Node:
    """The tree of a mapping, or of a line; raises SettingsError that names the place and what is allowed there."""
    if depth > DEEPEST:
        raise SettingsError(f"a match has at most {DEEPEST} levels")
    room = room or Room()
    if not raw:
        room.take()  # it asks for nothing, and very many of them take time as well
    if isinstance(raw, str):
        return parse(raw, room)
    if not isinstance(raw, Mapping):
        raise SettingsError(f"{raw!r} is no match; it is a line such as model:gpt-4o* or a mapping of names to values")
    return together([_entry(str(name), value, depth, room) for name, value in raw.items()])


def _entry(name: str, value: Any, depth: int, room: Room) -> Node:
    if name == "not":
        return opposite(read(value, depth + 1, room))
    if name in ("and", "or"):
        if not isinstance(value, list) or not value:
            raise SettingsError(f"{name}: it is a list of matches")
        parts = [read(part, depth + 1, room) for part in value]
        return together(parts) if name == "and" else either(parts)
    field = FIELDS.get(name)
    if field is None:
        raise SettingsError(f"{name}: there is no such condition; there are {', '.join((*FIELDS, *_JOINTS))}")
    if not field.keyed:
        return _of(name, "", value, room)
    if not isinstance(value, Mapping) or not value:
        raise SettingsError(
            f"{name}: it is a mapping, such as {{{'x-team: blue' if name == 'header' else 'user: ann'}}}"
        )
    return together([_of(name, str(key), inner, room) for key, inner in value.items()])


def _of(name: str, key: str, value: Any, room: Room) -> Node:
    """A condition, or several of which one must hold where the value is a list."""
    if isinstance(value, list):
        if not value:
            raise SettingsError(f"{name}: the list has no value")
        return either([_of(name, key, one, room) for one in value])
    room.take()
    return condition(name, key, _told(name, value))


def _told(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None and name == "json":
        return "null"
    if isinstance(value, str | int | float):
        return str(value)
    raise SettingsError(f"{name}: {value!r} is not allowed; it is a text, a number, true or false, or a list of them")


def written(tree: Node) -> dict[str, Any]:
    """The mapping of a tree, which reads as the same tree again."""
    if isinstance(tree, All):
        return _joined(tree)
    if isinstance(tree, Not):
        return {"not": written(tree.part)}
    if isinstance(tree, Some):
        return _list(tree) or {"or": [written(part) for part in tree.parts]}
    assert isinstance(tree, Condition)
    return {tree.name: {tree.key: _value(tree)} if tree.key else _value(tree)}


def _joined(tree: All) -> dict[str, Any]:
    """One mapping for all parts where their names differ, else a list of mappings."""
    made: dict[str, Any] = {}
    for part in tree.parts:
        for name, value in written(part).items():
            both = made.get(name)
            if name not in made:
                made[name] = value
            elif isinstance(both, dict) and FIELDS.get(name, _PLAIN).keyed and not both.keys() & value.keys():
                made[name] = {**both, **value}
            else:
                return {"and": [written(part) for part in tree.parts]}
    # A key that comes later may have joined an earlier one: only what reads the same is taken.
    return made if read(made) == tree else {"and": [written(part) for part in tree.parts]}


def _list(tree: Some) -> dict[str, Any]:
    """The alternatives of one name as a list, where that is what they are."""
    parts = [part for part in tree.parts if isinstance(part, Condition)]
    if len(parts) < len(tree.parts) or len({(part.name, part.key) for part in parts}) > 1:
        return {}
    values = [_value(part) for part in parts]
    return {parts[0].name: {parts[0].key: values} if parts[0].key else values}


def _value(one: Condition) -> Any:
    told = one.value.told
    if isinstance(one.value, Flag):
        return told == "true"
    numeric = isinstance(one.value, Number | Scalar) and told.isascii() and told.isdigit() and len(told) < 16
    return int(told) if numeric and str(int(told)) == told else told


_PLAIN = FIELDS["model"]
