"""A rate limit as it is set: which requests it is about, what they share, and its figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from llmsim.limits import tiers
from llmsim.limits.standing import DAY, MINUTE
from llmsim.match import ALWAYS, Match


class Kind(NamedTuple):
    """What a figure counts, and the seconds in which so much of it comes back; 0: never."""

    what: str
    window: int


KINDS = {
    "rpm": Kind("requests", MINUTE),
    "tpm": Kind("tokens", MINUTE),
    "input_tpm": Kind("input_tokens", MINUTE),
    "output_tpm": Kind("output_tokens", MINUTE),
    "rpd": Kind("requests", DAY),
    "tpd": Kind("tokens", DAY),
    "quota_requests": Kind("requests", 0),
    "quota_tokens": Kind("tokens", 0),
}
FIGURES = (*KINDS, "concurrency")


def _number(raw: Any) -> Any:
    if isinstance(raw, bool):
        raise ValueError("a limit is a number from 1 to 1000000000")
    return raw


Figure = Annotated[int, BeforeValidator(_number), Field(ge=1, le=1_000_000_000)] | None
Seconds = Annotated[float, BeforeValidator(_number), Field(gt=0, le=3600, allow_inf_nan=False)] | None
Shared = Literal["key", "model", "provider", "client"]


class Limit(BaseModel):
    """A rule for rates; each of its figures is a bucket, one for each `per` that it is asked by.

    `when` says which requests it is about (all). `per` names what has buckets of its own: each key and model by
    default, nothing at all for one bucket for everybody. `burst` is the seconds' worth of a limit a minute that may
    come at once (60: the whole minute's). A `tier` gives the figures of a provider's usage tier for each family of its
    models, whose members share; figures that are set beside it replace the tier's. Raises a validation error with a
    sentence for figures below 1 or above a thousand million, for no figure at all, and for an unknown tier.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(max_length=100, description="how it is told from others")] = ""
    when: Match = Field(ALWAYS, description="the requests it is about; nothing: all")
    per: tuple[Shared, ...] = Field(("key", "model"), description="what has buckets of its own")
    tier: str | None = Field(None, description="a provider's usage tier that gives the figures")
    rpm: Figure = Field(None, description="requests a minute")
    tpm: Figure = Field(None, description="tokens a minute")
    input_tpm: Figure = Field(None, description="tokens of prompts a minute")
    output_tpm: Figure = Field(None, description="tokens of replies a minute")
    rpd: Figure = Field(None, description="requests a day")
    tpd: Figure = Field(None, description="tokens a day")
    concurrency: Figure = Field(None, description="requests under way at one time")
    quota_requests: Figure = Field(None, description="requests until it is refilled")
    quota_tokens: Figure = Field(None, description="tokens until it is refilled")
    burst: Seconds = Field(None, description="seconds' worth of a minute's limit that may come at once")

    @field_validator("per", mode="before")
    @classmethod
    def _one_is_a_list(cls, raw: Any) -> Any:
        return (raw,) if isinstance(raw, str) else raw

    @field_validator("per")
    @classmethod
    def _each_once(cls, per: tuple[Shared, ...]) -> tuple[Shared, ...]:
        if len(set(per)) < len(per):
            raise ValueError(f"per: each may stand there once, not as in {', '.join(per)}")
        return per

    @field_validator("when")
    @classmethod
    def _known_before(cls, when: Match) -> Match:
        when.refuse_late()
        return when

    @field_validator("tier")
    @classmethod
    def _known_tier(cls, tier: str | None) -> str | None:
        if tier is not None:
            tiers.check(tier)
        return tier

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.tier is None and not self.own:
            raise ValueError(f"a limit needs a tier or a figure: {', '.join(FIGURES)}")
        return self

    @property
    def own(self) -> dict[str, int]:
        """The figures that it sets itself."""
        return {name: figure for name in FIGURES if (figure := getattr(self, name)) is not None}

    def size(self, kind: str, figure: int) -> float:
        """How much of a figure may come at once; never less than one."""
        if self.burst is None or KINDS[kind].window != MINUTE:
            return float(figure)
        return max(1.0, figure * self.burst / MINUTE)

    def __str__(self) -> str:
        """Its name, or what it is about and its figures."""
        told = " ".join(f"{name}={figure}" for name, figure in self.own.items())
        return self.name or " ".join(part for part in (str(self.when), self.tier or "", told) if part)


def check_names(limits: Iterable[Limit]) -> None:
    """Raises ValueError in one sentence where two limits have the same name."""
    seen = set()
    for limit in limits:
        if limit.name and limit.name in seen:
            raise ValueError(f"limits: there are two of the name {limit.name!r}")
        seen.add(limit.name)


def founding(rpm: int | None, tpm: int | None) -> tuple[Limit, ...]:
    """The limit that the plain settings `rpm` and `tpm` stand for, for each key and model; none where both are None."""
    return () if rpm is None and tpm is None else (Limit(rpm=rpm, tpm=tpm),)
