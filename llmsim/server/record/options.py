"""What a recording is started with, from flags or from a body of the control API."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from llmsim.errors import SettingsError
from llmsim.server.record.upstreams import HOMES, Upstream, keyed
from llmsim.settings import explain
from llmsim.tapes.masking.persons import REGIONS

MASK_KEY = "LLMSIM_MASK_KEY"
"""The environment variable with a key of one's own for masks."""

_LONGEST = 4096
"""Characters of a path."""

_HERE = frozenset(("localhost", "127.0.0.1", "::1"))
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Recording(BaseModel):
    """Where requests go, what they are written to, and what is masked besides what always is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    upstreams: dict[str, str] = Field(description="names of APIs, as in `openai`, and their addresses")
    tape: str = Field(description="the tape; a name in .gz is compressed when the recording ends")
    default: str = Field("", description="the upstream of requests that say nothing of whose they are")
    inject_keys: Literal["never", "env"] = Field("never", description="env: keys come from OPENAI_API_KEY and its like")
    mask_patterns: tuple[str, ...] = Field((), description="more to mask, as regular expressions of RE2")
    phone_regions: tuple[str, ...] = Field(REGIONS, description="countries whose phone numbers have no + in front")
    body_limit: Annotated[int, Field(ge=1024, le=256 << 20, description="bytes of a body that is recorded")] = 32 << 20
    rotate_bytes: Annotated[int, Field(ge=1 << 16, le=4 << 30, description="bytes of a file of the tape")] = 64 << 20
    tape_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 40, description="bytes of all files of the tape")] = 8 << 30

    @field_validator("upstreams")
    @classmethod
    def _addresses(cls, told: dict[str, str]) -> dict[str, str]:
        if not told:
            raise ValueError("there must be an upstream, such as openai=https://api.openai.com")
        for name, url in told.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:60]!r} is no name: it has small letters, digits, - and _")
            Upstream.checked(name, url or HOMES.get(name, ""))
        return {name: url or HOMES[name] for name, url in told.items()}

    @field_validator("tape")
    @classmethod
    def _named(cls, told: str) -> str:
        if not told or told.endswith(os.sep) or len(told) > _LONGEST:
            raise ValueError("it must be the name of a file")
        return told

    @model_validator(mode="after")
    def _known(self) -> Recording:
        if self.default and self.default not in self.upstreams:
            raise ValueError(f"default: there is no upstream {self.default!r}; there are {', '.join(self.upstreams)}")
        return self

    @classmethod
    def of(cls, told: dict[str, Any]) -> Recording:
        """The options in a mapping; raises SettingsError, in one sentence."""
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            raise SettingsError(explain(error)) from None

    def elsewhere(self, url: str) -> None:
        """Raises SettingsError where an upstream is the server at `url` itself: it would ask itself for ever."""
        own = urlsplit(url)
        for name, address in self.upstreams.items():
            there = urlsplit(address)
            same = there.port == own.port and {there.hostname, own.hostname} <= _HERE
            if same or there.netloc == own.netloc:
                raise SettingsError(f"upstreams: {name} is this server itself")

    def made(self) -> dict[str, Upstream]:
        """The upstreams, with their keys where those are to be put in; raises SettingsError for one that has none."""
        keys = {name: keyed(name) if self.inject_keys == "env" else "" for name in self.upstreams}
        return {name: Upstream(name, url, keys[name]) for name, url in self.upstreams.items()}


def upstream(told: str) -> tuple[str, str]:
    """`openai=URL`, or the name alone of an API whose address is known; raises SettingsError."""
    name, sign, url = told.partition("=")
    if not sign and name not in HOMES:
        known = ", ".join(HOMES)
        raise SettingsError(f"--upstream: {told!r} has no address; it is NAME=URL, or one of {known} alone")
    return name, url if sign else HOMES[name]
