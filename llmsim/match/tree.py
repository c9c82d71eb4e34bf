"""The conditions of a rule, joined by and, or and not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from llmsim.match.subject import FIELDS, Field, Subject
from llmsim.match.values import Value


class Node(ABC):
    """A part of a rule."""

    @property
    @abstractmethod
    def cost(self) -> int:
        """How much looking it takes, to look at what is cheap first."""

    @property
    @abstractmethod
    def height(self) -> int:
        """How many joints - and, or, not - stand within each other in it."""

    @abstractmethod
    def holds(self, subject: Subject) -> bool:
        """Whether the request is as this part says."""

    @abstractmethod
    def conditions(self) -> Iterator[Condition]:
        """Every condition in it."""


@dataclass(frozen=True)
class Condition(Node):
    """One name and the value asked of it; `key` is the name's second part, of a header or a JSONPath."""

    name: str
    value: Value
    key: str = ""

    @cached_property
    def field(self) -> Field:
        """What its name stands for."""
        return FIELDS[self.name]

    @property
    def cost(self) -> int:
        """As much as its field's."""
        return self.field.cost

    @property
    def height(self) -> int:
        """It joins nothing."""
        return 0

    def holds(self, subject: Subject) -> bool:
        """Whether anything found under the name is as asked; what is not there is not."""
        holds = self.value.holds
        return any(holds(found) for found in self.field.find(subject, self.key))

    def conditions(self) -> Iterator[Condition]:
        """Itself."""
        yield self


@dataclass(frozen=True)
class Not(Node):
    """What must not hold."""

    part: Node

    @property
    def cost(self) -> int:
        """As much as its part's."""
        return self.part.cost

    @property
    def height(self) -> int:
        """One more than its part's."""
        return 1 + self.part.height

    def holds(self, subject: Subject) -> bool:
        """Whether its part does not."""
        return not self.part.holds(subject)

    def conditions(self) -> Iterator[Condition]:
        """Those of its part."""
        return self.part.conditions()


@dataclass(frozen=True)
class _Several(Node):
    parts: tuple[Node, ...]

    @cached_property
    def cost(self) -> int:
        """As much as the dearest of its parts."""
        return max((part.cost for part in self.parts), default=0)

    @property
    def height(self) -> int:
        """One more than that of its highest part."""
        return 1 + max((part.height for part in self.parts), default=0)

    @cached_property
    def cheap_first(self) -> tuple[Node, ...]:
        """Its parts in the order in which they are looked at."""
        return tuple(sorted(self.parts, key=lambda part: part.cost))

    def conditions(self) -> Iterator[Condition]:
        """Those of all its parts."""
        for part in self.parts:
            yield from part.conditions()


@dataclass(frozen=True)
class All(_Several):
    """What must hold together; nothing at all always does."""

    def holds(self, subject: Subject) -> bool:
        """Whether every part does."""
        return all(part.holds(subject) for part in self.cheap_first)


@dataclass(frozen=True)
class Some(_Several):
    """What one of must hold."""

    def holds(self, subject: Subject) -> bool:
        """Whether any part does."""
        return any(part.holds(subject) for part in self.cheap_first)


def together(parts: list[Node]) -> Node:
    """All of them; one alone stands for itself, and lists within lists are one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def either(parts: list[Node]) -> Node:
    """One of them; one alone stands for itself, lists within lists are one, and of none at all none ever holds."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Some) else (part,))]
    if not flat:
        return Not(All(()))
    if All(()) in flat:
        return All(())  # one that asks for nothing always holds
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def opposite(part: Node) -> Node:
    """What holds where the part does not."""
    return part.part if isinstance(part, Not) else Not(part)


def settled(tree: Node) -> Node:
    """The tree in the one form that what means the same is read as."""
    if isinstance(tree, Not):
        return opposite(settled(tree.part))
    if isinstance(tree, All):
        return together([settled(part) for part in tree.parts])
    return either([settled(part) for part in tree.parts]) if isinstance(tree, Some) else tree
