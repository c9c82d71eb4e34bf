"""What a mock replies with: words, calls, values, errors or bytes, in nobody's dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, field_validator, model_validator

from llmsim import generators
from llmsim.conversation import Block, Reply, Stop, ToolCall
from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.latency import Profile
from llmsim.mocks.plain import plain
from llmsim.plan import Usage

LONGEST = 4 << 20
"""Characters of a text, and bytes of a raw body, that a mock may have."""

_MOST = 10_000
"""Calls or blocks of a reply."""

Words = Annotated[str, Field(max_length=LONGEST)]
Word = Annotated[str, Field(max_length=1000)]
Count = Annotated[int, Field(ge=0, le=100_000_000)]
Finish = Literal["end", "length", "calls", "filter"]

# The providers' own words, so that a mock may be written as one knows them.
_FINISH = {
    "stop": "end",
    "end_turn": "end",
    "max_tokens": "length",
    "tool_calls": "calls",
    "tool_use": "calls",
    "content_filter": "filter",
    "safety": "filter",
}
_KINDS = ("text", "thinking", "tool_call", "refusal")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class CallOf(_Part):
    """A call of a tool; `arguments` is a mapping, or a text that is sent as it is, valid or not."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    arguments: dict[str, Any] | Words = Field(default_factory=dict)
    id: Annotated[str | None, Field(max_length=256)] = None

    @field_validator("arguments", mode="before")
    @classmethod
    def _of_json(cls, value: Any) -> Any:
        return plain(value) if isinstance(value, Mapping) else value


class BlockOf(_Part):
    """One block of a reply: exactly one of its fields is given."""

    text: Words | None = None
    thinking: Words | None = None
    tool_call: CallOf | None = None
    refusal: Words | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in _KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a block has exactly one of {', '.join(_KINDS)}; this one has {', '.join(given) or 'none'}"
            )
        return self


class ErrorOf(_Part):
    """An error in the provider's own words; `code` and `param` where it is to have its own."""

    status: Literal[400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529] = 500
    message: Words | None = None
    code: Word | None = None
    param: Word | None = None
    retry_after: Annotated[float | None, Field(ge=0, le=86_400)] = None

    def failure(self) -> Failure:
        """The failure that it is."""
        made = Failure.of_status(self.status, self.message, self.retry_after)
        return Failure(made.kind, made.message, self.param, self.code, self.retry_after, made.status)


class RawOf(_Part):
    """An answer byte by byte, whatever the API would say; a `body` that is no text is sent as JSON."""

    status: Annotated[int, Field(ge=200, le=599)] = 200
    body: Any = ""
    content_type: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("body", mode="before")
    @classmethod
    def _of_json(cls, value: Any) -> Any:
        return plain(value)

    @field_validator("content_type")
    @classmethod
    def _sendable_type(cls, value: str | None) -> str | None:
        if value is not None and not _sendable(value):
            raise ValueError(f"content_type: {value!r} is no value of a header")
        return value

    @model_validator(mode="after")
    def _no_body_where_none_can_be(self) -> Self:
        if self.status in (204, 205, 304) and self.body:
            raise ValueError(f"body: an answer with status {self.status} has none")
        return self

    @field_validator("headers")
    @classmethod
    def _sendable_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, told in value.items():
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"headers: {name!r} is no name of a header")
            if not _sendable(told):
                raise ValueError(f"headers: {name}: {told!r} is no value of a header")
            if name.lower() in ("content-length", "transfer-encoding", "connection"):
                raise ValueError(f"headers: {name} is told by the server itself")
        return value

    def wire_body(self) -> bytes:
        """The body as it is sent."""
        return self.body.encode() if isinstance(self.body, str) else orjson.dumps(self.body)

    def wire_headers(self) -> list[tuple[bytes, bytes]]:
        """Its headers, the content type first."""
        usual = "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json"
        told = {
            "content-type": self.content_type or usual,
            **{name.lower(): told for name, told in self.headers.items()},
        }
        return [(name.encode(), value.encode("latin-1")) for name, value in told.items()]


def _sendable(value: str) -> bool:
    """Whether a header can have this value: visible signs of Latin-1 and blanks."""
    return value.isprintable() and all(sign <= "\xff" for sign in value)


class UsageOf(_Part):
    """Tokens to be told in place of those that were counted; what is left out is told as counted."""

    input: Count | None = None
    output: Count | None = None
    thinking: Count | None = None
    cached: Count | None = None

    def over(self, counted: Usage) -> Usage:
        """The usage as it is told."""
        given = (self.input, self.output, self.thinking, self.cached)
        told = (counted.prompt, counted.completion, counted.thinking, counted.cached)
        return Usage(*(one if own is None else own for own, one in zip(given, told, strict=True)))


class Answer(_Part):
    """What a mock replies with.

    Words by `text`, `thinking`, `refusal`, `tool_calls`, a `json` value, or `blocks` in their order; or an `error`, a
    `raw` answer, or the text of a `generator`. With `template` every text in it is a template (mocks/template.py).
    `finish` and `usage` stand in place of what would be told, `latency` is a profile of its own or the name of one.
    """

    text: Words | None = None
    thinking: Words | None = None
    refusal: Words | None = None
    tool_calls: Annotated[tuple[CallOf, ...], FailFast(), Field(max_length=_MOST)] = ()
    json_: Any = Field(None, alias="json")
    blocks: Annotated[tuple[BlockOf, ...], FailFast(), Field(max_length=_MOST)] = ()
    error: ErrorOf | None = None
    raw: RawOf | None = None
    generator: str | None = None
    template: bool = False
    finish: Finish | None = None
    usage: UsageOf | None = None
    latency: Profile | str | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, populate_by_name=True)

    @field_validator("finish", mode="before")
    @classmethod
    def _known_word(cls, value: Any) -> Any:
        return _FINISH.get(value, value) if isinstance(value, str) else value

    @field_validator("json_", mode="before")
    @classmethod
    def _of_json(cls, value: Any) -> Any:
        return plain(value)

    @field_validator("generator")
    @classmethod
    def _known_generator(cls, value: str | None) -> str | None:
        if value is not None:
            generators.make(value)
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        worded = [name for name in ("text", "refusal", "json_", "generator") if name in self.model_fields_set]
        words = [*worded, *(name for name in ("tool_calls", "thinking") if getattr(self, name))]
        kinds = [name for name in ("blocks", "error", "raw") if name in self.model_fields_set]
        if len(kinds) + bool(words) > 1 or len(worded) > 1:
            told = ", ".join(name.rstrip("_") for name in (*words, *kinds))
            raise ValueError(
                f"an answer has one of text, refusal, json, generator, blocks, error, raw; this one has {told}"
            )
        return self

    @model_validator(mode="after")
    def _readable_templates(self) -> Self:
        if self.template:
            from llmsim.mocks import template

            self.written(template.check)
        return self

    @property
    def wordless(self) -> bool:
        """Whether it can answer what asks for no words, such as an embedding: with an error or with raw bytes."""
        return self.error is not None or self.raw is not None

    @cached_property
    def flat(self) -> Any:
        """As a file has it: its text alone where there is nothing else; not to be changed."""
        told = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return told["text"] if set(told) == {"text"} else told

    def written(self, write: Callable[[str], str]) -> Answer:
        """The answer with every text in it written anew; raises ValueError for what then cannot be."""
        raw = self.model_dump(by_alias=True, exclude_unset=True, exclude={"latency", "generator", "finish", "template"})
        told = _each(raw, write)
        kept = {
            name: getattr(self, name) for name in ("latency", "generator", "finish") if name in self.model_fields_set
        }
        try:
            return Answer.model_validate({**told, **kept})
        except ValidationError as error:
            raise ValueError("; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())) from None

    def reply(self, dice: Dice, origin: str) -> Reply:
        """The words and calls of it, for an answer that is neither an error nor raw nor a generator's."""
        reply = Reply(origin=origin, finish=Stop(self.finish) if self.finish else None)
        if self.blocks:
            reply.blocks = tuple(_block(block, dice) for block in self.blocks)
            reply.calls = tuple(block.call for block in reply.blocks if block.call is not None)
            return reply
        text = orjson.dumps(self.json_).decode() if "json_" in self.model_fields_set else self.refusal or self.text
        reply.segments = (text,) if text else ()
        reply.thought = (self.thinking,) if self.thinking else ()
        reply.calls = tuple(_call(one, dice) for one in self.tool_calls)
        reply.refusal = self.refusal is not None
        return reply


def _call(told: CallOf, dice: Dice) -> ToolCall:
    arguments = told.arguments if isinstance(told.arguments, str) else orjson.dumps(told.arguments).decode()
    return ToolCall(told.id or f"call_{dice.text(24)}", told.name, arguments)


def _block(told: BlockOf, dice: Dice) -> Block:
    if told.tool_call is not None:
        return Block("call", call=_call(told.tool_call, dice))
    if told.thinking is not None:
        return Block("thought", told.thinking)
    return Block("refusal", told.refusal) if told.refusal is not None else Block("text", told.text or "")


def _each(raw: Any, write: Callable[[str], str]) -> Any:
    """The value with every text in it written anew; names of mappings stay."""
    if isinstance(raw, str):
        return write(raw)
    if isinstance(raw, Mapping):
        return {name: _each(value, write) for name, value in raw.items()}
    return [_each(value, write) for value in raw] if isinstance(raw, list | tuple) else raw
