"""Everything that may change while the simulator runs, as one frozen, validated value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from itertools import count
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from llmsim import faults, generators, mocks
from llmsim.errors import SettingsError, TooMany
from llmsim.faults import Fault, Share, Wait
from llmsim.latency import Profile, presets
from llmsim.limits import Limit, check_names, founding
from llmsim.match import ALWAYS, Allowance, Match
from llmsim.mocks import Mock
from llmsim.mocks.index import Index
from llmsim.problems import LONGEST as _LONGEST
from llmsim.problems import explain as explain
from llmsim.problems import sentences as sentences
from llmsim.signs import half

PerMinute = Annotated[int | None, Field(ge=1, le=1_000_000_000)]


_LONGEST_TEXT = 1 << 18
"""Characters of a generator's text."""
_REVISIONS = count(1)
_MOST = {
    "mocks": 20_000,
    "faults": 1_000,
    "limits": 1_000,
    "profiles": 1_000,
    "model_profiles": 1_000,
    "served_models": 100,
}
"""Rules of a kind that there may be, and names."""
MOST_PARTS = 100_000
"""Conditions and replies of all rules together."""

Seconds = Annotated[float | None, Field(gt=0, le=86_400, allow_inf_nan=False)]
Times = Annotated[int | None, Field(ge=1, le=1_000_000_000)]

_OWN = ("id", "label", "scope", "count", "per", "for_s", "for_requests", "after_s", "every_s", "on_s", "since", "until")


class Armed(BaseModel):
    """A fault in force: written flat, its own fields beside those that say when and whom it meets.

    It meets requests that `scope` holds for. `after_s` seconds after it was armed it is in force, and `for_s` seconds
    later, or once `for_requests` requests have met it, it is lifted by itself; so it is when it has struck `count`
    times. Counted `per` key, client or request - a request that comes again is the same one - it stays, and each of
    them gets through after its own `count`: fail twice, then succeed. With `every_s` it is in force for the first
    `on_s` seconds of every period. `since` and `until` are moments on the simulator's clock, filled in when it is
    armed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(max_length=_LONGEST)] = ""
    label: Annotated[str, Field(max_length=_LONGEST)] = ""
    scope: Match = ALWAYS
    count: Times = None
    per: Literal["all", "key", "client", "request"] = "all"
    for_s: Seconds = None
    for_requests: Times = None
    after_s: Seconds = None
    every_s: Seconds = None
    on_s: Seconds = None
    since: float | None = None
    until: float | None = None
    fault: SerializeAsAny[Fault]

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or isinstance(raw.get("fault"), Fault):
            return raw
        for name in ("since", "until"):
            if raw.get(name) is not None:
                raise ValueError(
                    f"{name}: it is filled in when the fault is armed; after_s and for_s say when it is in force"
                )
        own = {name: raw[name] for name in _OWN if name in raw}
        return {**own, "fault": faults.make({name: value for name, value in raw.items() if name not in own})}

    @field_validator("scope")
    @classmethod
    def _known_in_time(cls, value: Match) -> Match:
        value.refuse_late()
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if (self.every_s is None) != (self.on_s is None):
            raise ValueError("every_s and on_s: they go together, as in every_s: 60, on_s: 10")
        if self.every_s is not None and self.on_s is not None and self.on_s >= self.every_s:
            raise ValueError(f"on_s: {self.on_s:g} is not allowed: it is less than every_s, {self.every_s:g}")
        if self.per != "all" and self.count is None:
            raise ValueError(f"per: {self.per!r} is not allowed without count")
        return self

    @model_serializer
    def _as_flat(self) -> dict[str, Any]:
        return self.flat()

    def flat(self) -> dict[str, Any]:
        """The fields as a config file has them; moments on the clock are not among them."""
        named = ("id", "label", "count", "for_s", "for_requests", "after_s", "every_s", "on_s")
        own: dict[str, Any] = {name: value for name in named if (value := getattr(self, name))}
        if not self.scope.always:
            own["scope"] = str(self.scope)
        if self.per != "all":
            own["per"] = self.per
        return {**own, "kind": self.fault.kind, **self.fault.model_dump(mode="json", exclude_defaults=True)}

    def on(self, now: float) -> bool:
        """Whether it is in force at this moment, by its times alone."""
        if self.until is not None and now >= self.until:
            return False
        since = self.since or 0.0
        if now < since:
            return False
        return self.every_s is None or self.on_s is None or (now - since) % self.every_s < self.on_s


class Spoiler(NamedTuple):
    """A fault that can strike: its id, its name for people, how it is armed (founding rates are not), the fault."""

    id: str
    name: str
    armed: Armed | None
    fault: Fault


class Settings(BaseModel):
    """What the simulator does, at one moment; a change makes a new one, all of it or nothing.

    `latency_profile` sets one profile for every model; without it each model has its own family's, or what
    `model_profiles` says. `profiles` adds named profiles to the presets, or replaces them.
    """

    # Built when the first one is validated: a server's first settings are part of its configuration, which has been.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    seed: Annotated[int, Field(ge=0, lt=1 << 63, description="seed of all texts, times and faults")] = 0
    strict: bool = Field(False, description="refuse unknown models and requests without a key, as the provider does")
    generator: str = Field(
        "lorem",
        max_length=_LONGEST_TEXT,
        description="who writes the replies; `name:text` gives the generator its text",
    )
    target_tokens: Annotated[int, Field(ge=1, le=200_000, description="tokens of a generated reply")] = 100
    latency_profile: str | None = Field(None, description="one latency profile for every model")
    profiles: dict[str, Profile] = Field(
        default_factory=dict, max_length=_MOST["profiles"], description="own latency profiles by name"
    )
    model_profiles: dict[str, str] = Field(default_factory=dict, description="latency profile by model")
    speed: Annotated[float, Field(ge=0, le=1000, description="pace of all replies, also those under way; 0 pauses")] = (
        1.0
    )
    replay: Literal["once", "new_episodes", "none", "all"] = Field(
        "once", description="of a tape: once, none, new_episodes, all"
    )
    replay_speed: Annotated[
        float, Field(gt=0, le=1000, description="pace of what is replayed, by the recorded one")
    ] = 1.0
    replay_timing: Literal["recorded", "profile"] = Field(
        "recorded", description="moments of what is replayed: as recorded, or drawn from the latency profile"
    )
    replay_ids: Literal["fresh", "recorded"] = Field("fresh", description="ids and dates of what is replayed")
    replay_misses: Literal["refuse", "generate"] = Field(
        "refuse", description="what becomes of requests that are not on the tape"
    )
    replay_repeats: bool = Field(True, description="play the last take again once all that answer have been played")
    faults: tuple[Armed, ...] = Field((), max_length=_MOST["faults"], description="faults in force")
    mocks: tuple[Mock, ...] = Field((), max_length=_MOST["mocks"], description="what to answer to which requests")
    overrides: bool = Field(True, description="let clients ask for a fault, a mock, a pace by x-llmsim- headers")
    unknown_fields: Literal["auto", "refuse", "ignore"] = Field(
        "auto", description="fields that an API does not know: refuse, ignore; auto ignores them for open models"
    )
    served_models: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (),
        max_length=_MOST["served_models"],
        description="what /v1/models lists, as a server of open models does; none: OpenAI's",
    )
    rate_limit_rate: Share = Field(0.0, description="share of requests refused with 429")
    server_error_rate: Share = Field(0.0, description="share of requests refused with 500")
    timeout_rate: Share = Field(0.0, description="share of requests that hang for timeout_after_ms, then get 504")
    timeout_after_ms: Wait = Field(30_000, description="how long a timed-out request hangs")
    limits: tuple[Limit, ...] = Field((), max_length=_MOST["limits"], description="rate limits, beside rpm and tpm")
    rpm: PerMinute = Field(None, description="requests a minute for each key and model, then 429; none: unlimited")
    tpm: PerMinute = Field(None, description="tokens a minute for each key and model, then 429; none: unlimited")

    @field_validator("mocks", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Any:
        allowance = info.context if isinstance(info.context, Allowance) else None
        return mocks.named(list(value), allowance) if isinstance(value, list | tuple) else value

    @field_validator(*_MOST, mode="before")
    @classmethod
    def _not_too_many(cls, value: Any, info: ValidationInfo) -> Any:
        # pydantic looks at all of them first, and counts those alone that are valid.
        if too_many := _too_many(info.field_name or "", value):
            raise ValueError(too_many)
        return value

    @field_validator("faults")
    @classmethod
    def _faults_told_apart(cls, value: tuple[Armed, ...]) -> tuple[Armed, ...]:
        counts = Counter(one.id for one in value if one.id)
        twice = next((id for id, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"faults: the id {twice!r} comes twice")
        return value

    @field_validator("limits")
    @classmethod
    def _limits_told_apart(cls, value: tuple[Limit, ...]) -> tuple[Limit, ...]:
        check_names(value)
        return value

    @field_validator("generator")
    @classmethod
    def _known_generator(cls, value: str) -> str:
        generators.make(value)
        return value

    @model_validator(mode="after")
    def _not_too_many_parts(self) -> Self:
        """Counts those, too, that had been read before."""
        allowance = Allowance(MOST_PARTS)
        try:
            allowance.take(sum(one.size for one in self.mocks))
            allowance.take(sum(one.scope.size for one in self.faults) + sum(one.when.size for one in self.limits))
        except TooMany as error:
            raise ValueError(str(error)) from None
        return self

    @model_validator(mode="after")
    def _known_profiles(self) -> Self:
        own = (("latency_profile", self.latency_profile),)
        for field, name in (*own, *self._model_profile_fields(), *self._mock_profile_fields()):
            if name is not None and name not in self.profiles and name not in presets():
                there = ", ".join((*self.profiles, *presets()))
                raise ValueError(f"{field}: there is no profile {name!r}; there are {there}")
        return self

    def _model_profile_fields(self) -> list[tuple[str, str]]:
        return [(f"model_profiles.{model}", name) for model, name in self.model_profiles.items()]

    def _mock_profile_fields(self) -> list[tuple[str, str]]:
        return [
            (f"mocks.{mock.name}.latency", answer.latency)
            for mock in self.mocks
            for answer in mock.answers
            if isinstance(answer.latency, str)
        ]

    def profile(self, name: str) -> Profile:
        """The profile of that name, the user's own before a preset."""
        own = self.profiles.get(name)
        return own if own is not None else presets()[name]

    def find_profile(self, name: str) -> Profile | None:
        """The profile of that name, if there is one."""
        return self.profiles.get(name) or presets().get(name)

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What was worked out from these settings, by model; gone with them."""
        return {}

    def retire(self, after: Settings) -> None:
        """Lets go of what was worked out from these settings and is no part of those after: the history keeps them."""
        self.kept.clear()
        for name, profile in self.profiles.items():
            if after.profiles.get(name) is not profile:
                profile.forget()
        index = self.__dict__.pop("mock_index", None)
        if index is not None and after.__dict__.get("mock_index") is not index:
            for answer in (answer for mock in self.mocks for answer in mock.answers):
                if isinstance(answer.latency, Profile):
                    answer.latency.forget()

    @cached_property
    def revision(self) -> int:
        """A number that no other settings of this process have."""
        return next(_REVISIONS)

    @cached_property
    def rate_limits(self) -> tuple[Limit, ...]:
        """All rate limits: the founding ones, then the rules."""
        return (*founding(self.rpm, self.tpm), *self.limits)

    @cached_property
    def ruled(self) -> bool:
        """Whether any rule has a say on what is replied."""
        return bool(self.spoilers or self.mocks)

    @cached_property
    def mock_index(self) -> Index | None:
        """Where a request's mock is found; None while there is none."""
        return Index(self.mocks) if self.mocks else None

    @cached_property
    def spoilers(self) -> tuple[Spoiler, ...]:
        """All faults that can strike, in the order in which they do: founding rates, then faults as they were armed."""
        founding = (
            ("rate_limit_rate", self.rate_limit_rate, {"kind": "refuse", "status": 429, "retry_after": 1}),
            ("server_error_rate", self.server_error_rate, {"kind": "refuse", "status": 500}),
            ("timeout_rate", self.timeout_rate, {"kind": "timeout", "after_ms": self.timeout_after_ms}),
        )
        return (
            *(
                Spoiler(name, name, None, faults.make({**fields, "probability": rate}))
                for name, rate, fields in founding
                if rate
            ),
            *(
                Spoiler(one.id, one.label or one.fault.kind, one, one.fault)
                for one in self.faults
                if one.fault.probability
            ),
        )

    def armed(self, faults: tuple[Armed, ...]) -> Settings:
        """These settings with faults that are valid, as all else is; raises SettingsError when two have one id."""
        try:
            self._faults_told_apart(faults)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        return Settings.model_construct(
            **{**{name: getattr(self, name) for name in Settings.model_fields}, "faults": faults}
        )

    def changed(self, **changes: Any) -> Settings:
        """These settings with the changes in; raises SettingsError in one sentence when any of them cannot be."""
        unknown = [name for name in changes if name not in Settings.model_fields]
        if unknown:
            there = ", ".join(Settings.model_fields)
            raise SettingsError(f"{unknown[0]}: there is no such setting; there are {there}")
        for name, value in changes.items():
            if too_many := _too_many(name, value):
                raise SettingsError(too_many)
            if (found := half(value)) is not None:
                raise SettingsError(f"{name}: {found[:_LONGEST]!r} is not allowed: half a surrogate pair is no text")
        kept = {name: getattr(self, name) for name in Settings.model_fields if name not in changes}
        try:
            return Settings.model_validate({**kept, **changes}, context=Allowance(MOST_PARTS))
        except TooMany as error:
            raise SettingsError(str(error)) from None
        except ValidationError as error:
            raise SettingsError(explain(error)) from None


def _too_many(name: str, value: Any) -> str:
    """A sentence, where there are more of a setting's parts than there may be."""
    if name not in _MOST or not isinstance(value, list | tuple | dict) or len(value) <= _MOST[name]:
        return ""
    return f"{name}: there are {len(value):,} of them; at most {_MOST[name]:,} are allowed"
