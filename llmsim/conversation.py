"""What a client asks of a model and what the model answers, in nobody's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal

Json = Mapping[str, Any]

Role = Literal["system", "user", "assistant", "tool"]


class Stop(StrEnum):
    """Why a reply ended."""

    END = "end"
    LENGTH = "length"
    SEQUENCE = "sequence"
    CALLS = "calls"
    FILTER = "filter"


@dataclass(slots=True, frozen=True)
class ToolCall:
    """A call of one of the client's tools; `arguments` is JSON text, or free text for a custom tool."""

    id: str
    name: str
    arguments: str
    custom: bool = False


@dataclass(slots=True, frozen=True)
class Message:
    """One turn of the conversation; `text` is all its text joined, `media` the kinds of its other parts."""

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    name: str | None = None
    media: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Tool:
    """A tool the model may call; `schema` is a JSON Schema of its arguments, None for a custom tool of free text."""

    name: str
    description: str = ""
    schema: Json | None = field(default_factory=dict)
    strict: bool = False

    @property
    def custom(self) -> bool:
        """Whether the tool takes free text instead of arguments."""
        return self.schema is None


@dataclass(slots=True, frozen=True)
class ToolChoice:
    """Which tools the reply may or must call: `names` narrows the choice where it is not empty."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    names: tuple[str, ...] = ()
    parallel: bool = True


@dataclass(slots=True, frozen=True)
class Format:
    """The form the reply's text must have; `long` is free text of at least `least` tokens."""

    kind: Literal["text", "json", "schema", "long"] = "text"
    schema: Json | None = None
    name: str = ""
    least: int = 0


AUTO = ToolChoice()
TEXT = Format()


@dataclass(slots=True)
class Ask:
    """What a client wants of a model.

    `prompt_tokens` counts all that goes in, by the provider's own rules. `thinking` is the number of tokens the model
    should think for (0: none, None: as the model does by itself); `shows_thinking` says whether the client sees them.
    `cached` of them are in a cache that the client fills by the API's own means, None where it uses none.
    `digest` stands for the whole request: the same request has the same digest. `attempt` is 0 on the first try.
    `number` is the exchange's, filled in when it begins.
    `parts` is None where words are asked for; else the answer is a thing in so many parts, which the dialect makes: an
    image, sound, numbers. 0 stands for what needs no model at all: it takes no time of its own.
    `prompts` are several conversations that are asked at once, each answered by as many of the `n` alternatives, those
    of the first one first; whether each of them fits the model's window is for the dialect to see. Empty for one.
    `provider` is whose API it came by, `headers` those of the request in small letters (shared, never changed).
    `cue` is what a tape has for it: a take that answers, or why there is none.
    `overrides` are the settings that the client asks for itself, for this one request.
    A `detached` ask is worked on whether its client stays or not. One that `follows` an exchange replays that one's
    plan at its moments, those that have passed at once; whole, it asks how far that one is.
    `extra` holds what only the dialect itself needs again to word the reply.
    """

    model: str
    messages: tuple[Message, ...] = ()
    dialect: str = ""
    provider: str = ""
    endpoint: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = AUTO
    format: Format = TEXT
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    seed: int | None = None
    stream: bool = False
    thinking: int | None = None
    shows_thinking: bool = False
    prompt_tokens: int = 0
    cached: int | None = None
    key: str = ""
    client: str = ""
    attempt: int = 0
    number: int = 0
    digest: bytes = b""
    parts: int | None = None
    prompts: tuple[tuple[Message, ...], ...] = ()
    detached: bool = False
    follows: Any = None
    headers: Mapping[bytes, bytes] = field(default_factory=lambda: _NO_HEADERS)
    overrides: Any = None
    cue: Any = None
    extra: dict[str, Any] = field(default_factory=dict)

    def values(self) -> tuple[Any, ...]:
        """All fields in their order, to make other asks of."""
        return _fields(self)

    def again(self) -> Ask:
        """An ask of its own with the same fields."""
        return Ask(*_fields(self))

    def of(self, choice: int) -> Ask:
        """What the alternative of that number answers: the whole ask, or of several prompts its own."""
        if not self.prompts:
            return self
        one = self.again()
        one.messages, one.prompts = self.prompts[choice * len(self.prompts) // self.n], ()
        return one

    def shed(self) -> None:
        """Lets go of the conversation, once it has been answered; who needs it later reads the request again."""
        self.messages, self.tools, self.format, self.extra, self.prompts = (), (), TEXT, _NOTHING, ()

    @property
    def last_user_text(self) -> str:
        """The text of the newest user message, or an empty string."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return ""

    @property
    def answers_a_tool(self) -> bool:
        """Whether the newest message is the result of a tool call."""
        return bool(self.messages) and self.messages[-1].role == "tool"


_NOTHING: dict[str, Any] = {}
_NO_HEADERS: dict[bytes, bytes] = {}
_fields = attrgetter(*(one.name for one in fields(Ask)))


@dataclass(slots=True, frozen=True)
class Block:
    """A part of a reply whose parts have an order of their own; `call` is set where it is one."""

    kind: Literal["text", "thought", "refusal", "call"]
    text: str = ""
    call: ToolCall | None = None


@dataclass(slots=True)
class Reply:
    """What the model answers; `segments` are its text in parts whose tokens can be counted apart and added up.

    Without `blocks` thought comes first, then text, then calls; with them the reply is these in their order. `finish`
    is why it is told to have ended, where that is not what its parts say.
    """

    segments: tuple[str, ...] = ()
    thought: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    refusal: bool = False
    stop: Stop = Stop.END
    origin: str = ""
    finish: Stop | None = None
    blocks: tuple[Block, ...] = ()

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.segments)
