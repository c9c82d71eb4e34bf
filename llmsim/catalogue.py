"""Knows the models of OpenAI, Anthropic, Google and DeepSeek: their ids, limits, prices, capabilities and dates.

The facts and their sources are in llmsim/data/models.json.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Literal

Provider = Literal["openai", "anthropic", "google", "deepseek"]
Lifecycle = Literal["active", "deprecated", "retired"]
Kind = Literal["chat", "completion", "embedding", "moderation", "image", "speech", "transcription", "realtime"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its provider lists it.

    `created` is in unix seconds; limits are in tokens, 0 where they do not apply; prices are in US dollars a million
    tokens, None where unknown; `price_source` is the year they are of. `profile` names the family's latency preset,
    `snapshot` the dated id that replies name where the id is an undated one; `shutdown_date` is "YYYY-MM-DD" or None.
    `known` is False for a stand-in made by `resolve`.
    """

    id: str
    provider: Provider
    owned_by: str
    display_name: str
    created: int
    kind: Kind
    profile: str
    reasoning: bool
    vision: bool
    tools: bool
    context_window: int
    max_output_tokens: int
    price_input: float | None = None
    price_output: float | None = None
    price_cached_input: float | None = None
    price_source: int | None = None
    aliases: tuple[str, ...] = ()
    snapshot: str | None = None
    lifecycle: Lifecycle = "active"
    shutdown_date: str | None = None
    known: bool = True

    @property
    def answers_as(self) -> str:
        """The id that a reply names: the dated one where there is one."""
        return self.snapshot or self.id


@cache
def known() -> tuple[Model, ...]:
    """All models of the catalogue, the newest families of each provider first."""
    import orjson

    with open(os.path.join(os.path.dirname(__file__), "data", "models.json"), "rb") as file:
        entries: list[dict[str, Any]] = orjson.loads(file.read())["models"]
    return tuple(Model(**{**entry, "aliases": tuple(entry["aliases"])}) for entry in entries)


def names(provider: Provider | None = None) -> tuple[str, ...]:
    """The ids of all models, or of one provider's."""
    return tuple(model.id for model in known() if provider in (None, model.provider))


@cache
def _index() -> dict[str, Model]:
    return {name.lower(): model for model in known() for name in (model.id, *model.aliases)}


# What other ways in put around an id: "models/x", "openai/x", "us.anthropic.x-v1:0" (Bedrock), "x@20250514" (Vertex).
_AROUND = re.compile(r"^(?:.*/)?(?:(?:[a-z-]+\.)?anthropic\.)?(.*?)(?:-v\d+(?::\d+)?)?$")


# Names come from clients: longer ones than any model has are neither looked up nor kept.
_LONGEST = 200


def find(name: str) -> Model | None:
    """The model with this id or alias, None where there is none; upper and lower case are the same.

    Also takes fine-tuned names ("ft:gpt-4o-mini-2024-07-18:acme::id" is its base), "models/x", "openai/x" and the ids
    of Bedrock and Vertex.
    """
    return _find(name) if len(name) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _find(name: str) -> Model | None:
    plain = name.strip().lower()
    if plain.startswith("ft:"):
        plain = plain.split(":")[1]
    index = _index()
    found = index.get(plain)
    if found is None and (match := _AROUND.match(plain)):
        found = index.get(match[1].replace("@", "-"))
    return found


# The family of an unknown name: the first pattern found in it says which model it is taken for.
_FAMILIES = (
    (r"embed", "text-embedding-3-small"),
    (r"moderation", "omni-moderation-latest"),
    (r"dall-e|gpt-image", "gpt-image-1.5"),
    (r"whisper|transcribe", "gpt-4o-transcribe"),
    (r"\btts\b", "gpt-4o-mini-tts"),
    (r"realtime", "gpt-realtime"),
    (r"claude.*haiku|haiku.*claude", "claude-haiku-4-5"),
    (r"claude.*(?:opus|fable|mythos)", "claude-opus-4-5"),
    (r"claude", "claude-sonnet-4-5"),
    (r"gemini.*(?:flash|lite|nano)|gemma", "gemini-2.5-flash"),
    (r"gemini", "gemini-2.5-pro"),
    (r"deepseek.*(?:reason|r\d)", "deepseek-reasoner"),
    (r"deepseek", "deepseek-chat"),
    (r"gpt-?3\.?5|davinci|babbage", "gpt-3.5-turbo"),
    (r"gpt-?4o|gpt-?4\.\d", "gpt-4o"),
    (r"gpt-?4", "gpt-4-turbo"),
    (r"(?:^|/)o\d+(?:-|$)|deep-research", "o3"),
    (r"mini|nano|small|lite|luna|flash|haiku", "gpt-5-mini"),
    (r"opus", "claude-opus-4-5"),
    (r"sonnet", "claude-sonnet-4-5"),
)

_REASONS = re.compile(r"gpt-?[5-9]|(?:^|/)o\d|deep-research|claude|opus|sonnet|gemini|deepseek")


def resolve(name: str) -> Model:
    """The model with this name, or for an unknown one a model of the same family under that name; never None.

    What is unknown has `known` False, no price and no date of shutdown; where its name says nothing, it is taken for a
    gpt-5 that does not reason, as hidden thinking would eat up the limits of who tests with a name of their own.
    """
    return find(name) or (_stand_in(name) if len(name) <= _LONGEST else _stand_in.__wrapped__(name))


@lru_cache(maxsize=1024)
def _stand_in(name: str) -> Model:
    plain = name[:_LONGEST].lower()
    family = next((relative for pattern, relative in _FAMILIES if re.search(pattern, plain)), "gpt-5")
    relative = _index()[family]
    return replace(
        relative,
        reasoning=relative.reasoning and _REASONS.search(plain) is not None,
        id=name,
        display_name=name,
        price_input=None,
        price_output=None,
        price_cached_input=None,
        price_source=None,
        aliases=(),
        snapshot=None,
        lifecycle="active",
        shutdown_date=None,
        known=False,
    )
