"""Mocks: what to answer to which requests, changeable while traffic runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from llmsim.errors import SettingsError
from llmsim.match import ALWAYS, Allowance, Match
from llmsim.mocks.answer import Answer

__all__ = ["Answer", "Mock", "State"]

Name = Annotated[str, Field(min_length=1, max_length=200)]
_MOST_REPLIES = 10_000
"""Replies of a mock."""


class State(BaseModel):
    """A step of a small machine: the mock answers while `machine` is in one of the states `when`, then it is in `to`.

    Every machine begins in the state `start`; without `to` it stays where it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    machine: Name = "main"
    when: Annotated[tuple[Name, ...], FailFast(), Field(max_length=1000)] = ()
    to: Name | None = None

    @field_validator("when", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Mock(BaseModel):
    """One rule: requests that `when` holds for are answered with `reply`, or with each of `replies` in turn.

    Of several mocks that hold, the one of the highest `priority` answers, of equal ones the first. `times` is how often
    it answers, then requests pass it by; counted `per` "all" requests together or for each "key" or "client". After the
    last of its `replies` it goes on as `then` says: with the last one, with the first again, or not at all. `source` is
    the file it came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(max_length=200)] = ""
    when: Match = ALWAYS
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    reply: Answer | None = None
    replies: Annotated[tuple[Answer, ...], FailFast()] = ()  # of very many that are none, one is told
    then: Literal["last", "loop", "pass"] = "last"
    times: Annotated[int | None, Field(ge=1, le=1_000_000_000)] = None
    per: Literal["all", "key", "client"] = "all"
    state: State | None = None
    enabled: bool = True
    source: str = ""

    @field_validator("reply", mode="before")
    @classmethod
    def _words_alone(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @field_validator("replies", mode="before")
    @classmethod
    def _words_each(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list | tuple) and len(value) > _MOST_REPLIES:
            raise ValueError(f"replies: there are {len(value):,} of them; at most {_MOST_REPLIES:,} are allowed")
        if isinstance(value, list | tuple) and isinstance(info.context, Allowance):
            info.context.take(len(value))
        return [{"text": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else value

    @field_validator("when")
    @classmethod
    def _known_in_time(cls, value: Match) -> Match:
        value.refuse_late()
        return value

    @model_validator(mode="after")
    def _answers(self) -> Self:
        if (self.reply is None) == (not self.replies):
            raise ValueError("a mock has either reply or replies")
        return self

    @model_serializer
    def _short(self) -> dict[str, Any]:
        """The fields that say something, as a file has them."""
        return self.flat()

    def flat(self) -> dict[str, Any]:
        """The fields as a file has them."""
        told: dict[str, Any] = {"name": self.name} if self.name else {}
        if not self.when.always:
            told["when"] = str(self.when)
        for name in ("priority", "then", "times", "per", "enabled", "source"):
            if getattr(self, name) != Mock.model_fields[name].default:
                told[name] = getattr(self, name)
        if self.state is not None:
            told["state"] = self.state.model_dump(mode="json", exclude_defaults=True)
        if self.reply is not None:
            told["reply"] = self.reply.flat
        else:
            told["replies"] = [one.flat for one in self.replies]
        return told

    @property
    def size(self) -> int:
        """How many conditions and replies it has."""
        return self.when.size + len(self.replies)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All that it replies with, in turn."""
        return self.replies or ((self.reply,) if self.reply is not None else ())

    @property
    def wordless(self) -> bool:
        """Whether it can answer what asks for no words."""
        return all(one.wordless for one in self.answers)


@cache
def _several() -> TypeAdapter[list[Mock]]:
    return TypeAdapter(list[Mock])


def named(mocks: Sequence[Any], allowance: Allowance | None = None) -> tuple[Mock, ...]:
    """Mocks from their fields, each with a name of its own; raises SettingsError for a name that comes twice.

    One without a name is called by its place. Raises pydantic's ValidationError for what is no mock, with the place of
    each, and TooMany where there is no `allowance` left.
    """
    if all(isinstance(one, Mock) and one.name for one in mocks) and len({one.name for one in mocks}) == len(mocks):
        return tuple(mocks)  # with every change of the other settings
    made = _several().validate_python(list(mocks), context=allowance)
    taken = {one.name for one in made if one.name}
    if len(taken) < sum(bool(one.name) for one in made):
        twice, _ = Counter(one.name for one in made if one.name).most_common(1)[0]
        raise SettingsError(f"mocks: the name {twice!r} comes twice")
    told = []
    for place, one in enumerate(made, 1):
        name = one.name or f"mock-{place}"
        while not one.name and name in taken:
            name += "'"
        taken.add(name)
        told.append(one if one.name else one.model_copy(update={"name": name}))
    return tuple(told)
