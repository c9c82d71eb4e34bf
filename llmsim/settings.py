"""Everything that may change while the simulator runs, as one frozen, validated value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from llmsim import faults, generators
from llmsim.errors import SettingsError
from llmsim.faults import Fault, Share, Wait
from llmsim.latency import Profile, presets

PerMinute = Annotated[int | None, Field(ge=1, le=1_000_000_000)]


class Armed(BaseModel):
    """A fault in force: written flat, its own fields beside `id`, `label` and `for_s`.

    `for_s` seconds after it was armed it is lifted by itself (None: it stays); `until` is that moment on the
    simulator's clock, filled in when it is armed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    label: str = ""
    for_s: Annotated[float | None, Field(gt=0, le=86_400)] = None
    until: float | None = None
    fault: SerializeAsAny[Fault]

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or isinstance(raw.get("fault"), Fault):
            return raw
        own = {name: raw[name] for name in ("id", "label", "for_s", "until") if name in raw}
        return {**own, "fault": faults.make({name: value for name, value in raw.items() if name not in own})}

    @model_serializer
    def _as_flat(self) -> dict[str, Any]:
        return self.flat()

    def flat(self) -> dict[str, Any]:
        """The fields as a config file has them."""
        own = {name: value for name in ("id", "label", "for_s") if (value := getattr(self, name))}
        return {**own, "kind": self.fault.kind, **self.fault.model_dump(exclude_defaults=True)}


class Settings(BaseModel):
    """What the simulator does, at one moment; a change makes a new one, all of it or nothing.

    `latency_profile` sets one profile for every model; without it each model has its own family's, or what
    `model_profiles` says. `profiles` adds named profiles to the presets, or replaces them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: Annotated[int, Field(ge=0, lt=1 << 63, description="seed of all texts, times and faults")] = 0
    strict: bool = Field(False, description="refuse unknown models and requests without a key, as the provider does")
    generator: str = Field("lorem", description="who writes the replies; `name:text` gives the generator its text")
    target_tokens: Annotated[int, Field(ge=1, le=200_000, description="tokens of a generated reply")] = 100
    latency_profile: str | None = Field(None, description="one latency profile for every model")
    profiles: dict[str, Profile] = Field(default_factory=dict, description="own latency profiles by name")
    model_profiles: dict[str, str] = Field(default_factory=dict, description="latency profile by model")
    speed: Annotated[float, Field(ge=0, le=1000, description="pace of all replies, also those under way; 0 pauses")] = (
        1.0
    )
    faults: tuple[Armed, ...] = Field((), description="faults in force")
    rate_limit_rate: Share = Field(0.0, description="share of requests refused with 429")
    server_error_rate: Share = Field(0.0, description="share of requests refused with 500")
    timeout_rate: Share = Field(0.0, description="share of requests that hang for timeout_after_ms, then get 504")
    timeout_after_ms: Wait = Field(30_000, description="how long a timed-out request hangs")
    rpm: PerMinute = Field(None, description="requests a minute for each key and model, then 429; none: unlimited")
    tpm: PerMinute = Field(None, description="tokens a minute for each key and model, then 429; none: unlimited")

    @field_validator("generator")
    @classmethod
    def _known_generator(cls, value: str) -> str:
        generators.make(value)
        return value

    @model_validator(mode="after")
    def _known_profiles(self) -> Self:
        for field, name in (("latency_profile", self.latency_profile), *self._model_profile_fields()):
            if name is not None and name not in self.profiles and name not in presets():
                there = ", ".join((*self.profiles, *presets()))
                raise ValueError(f"{field}: there is no profile {name!r}; there are {there}")
        return self

    def _model_profile_fields(self) -> list[tuple[str, str]]:
        return [(f"model_profiles.{model}", name) for model, name in self.model_profiles.items()]

    def profile(self, name: str) -> Profile:
        """The profile of that name, the user's own before a preset."""
        own = self.profiles.get(name)
        return own if own is not None else presets()[name]

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What was worked out from these settings, by model; gone with them."""
        return {}

    @cached_property
    def spoilers(self) -> tuple[tuple[str, str, float | None, Fault], ...]:
        """All faults that can strike, in order: id, name for people, the moment they lift, the fault itself."""
        founding = (
            ("rate_limit_rate", self.rate_limit_rate, {"kind": "refuse", "status": 429, "retry_after": 1}),
            ("server_error_rate", self.server_error_rate, {"kind": "refuse", "status": 500}),
            ("timeout_rate", self.timeout_rate, {"kind": "timeout", "after_ms": self.timeout_after_ms}),
        )
        return (
            *(
                (name, name, None, faults.make({**fields, "probability": rate}))
                for name, rate, fields in founding
                if rate
            ),
            *(
                (one.id, one.label or one.fault.kind, one.until, one.fault)
                for one in self.faults
                if one.fault.probability
            ),
        )

    def changed(self, **changes: Any) -> Settings:
        """These settings with the changes in; raises SettingsError in one sentence when any of them cannot be."""
        unknown = [name for name in changes if name not in Settings.model_fields]
        if unknown:
            there = ", ".join(Settings.model_fields)
            raise SettingsError(f"{unknown[0]}: there is no such setting; there are {there}")
        kept = {name: getattr(self, name) for name in Settings.model_fields if name not in changes}
        try:
            return Settings(**{**kept, **changes})
        except ValidationError as error:
            raise SettingsError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """A validation error as one sentence a field: where, what was given, what is allowed."""
    return "; ".join(sentence for _, sentence in sentences(error))


def sentences(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """Each problem: the path to the field, and a sentence that names the field, the value and what is allowed."""
    return [(detail["loc"], _sentence(detail)) for detail in error.errors(include_url=False)]


def _sentence(detail: Any) -> str:
    where = ""
    for step in detail["loc"]:
        where += f"[{step}]" if isinstance(step, int) else f".{step}" if where else str(step)
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:] if message.startswith("Input") else message
    if detail["type"] == "extra_forbidden":
        return f"{where}: there is no such setting"
    given = detail["input"]
    if detail["type"] == "value_error":
        return message if message.startswith(where.partition("[")[0]) and where else f"{where}: {message}".lstrip(": ")
    if isinstance(given, (Mapping, BaseModel)):
        return f"{where}: {message}"
    return f"{where}: {given!r} is not allowed: {message}"
