"""The configuration of a server: flags over environment over file, all validated by one model."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from llmsim.dialects import kinds
from llmsim.errors import SettingsError
from llmsim.server import files, origins, profile_files
from llmsim.settings import Settings, sentences
from llmsim.signs import half

PREFIX = "LLMSIM_"


class Config(Settings):
    """What `llmsim serve` and `llmsim-tui` start with: the settings, and what cannot change while it runs."""

    model_config = ConfigDict(defer_build=False)

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for every network")
    port: Annotated[int, Field(ge=0, le=65_535, description="port to listen on; 0 takes a free one")] = 8080
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is logged to stderr")
    log_format: Literal["text", "json"] = Field("text", description="form of a line of the log")
    log_requests: Annotated[int, Field(ge=0, le=1000, description="requests that are logged a second, 0: none")] = 10
    head_limit: Annotated[int, Field(ge=8192, le=1 << 24, description="bytes of a request's headers, then 431")] = (
        64 << 10
    )
    idle_s: Annotated[float, Field(gt=0, le=86_400, description="seconds a connection may wait for a request")] = 75.0
    body_limit: Annotated[int, Field(ge=1024, le=1 << 30, description="bytes of a request, then 413")] = 32 << 20
    upload_limit: Annotated[int, Field(ge=1024, le=1 << 30, description="bytes of an uploaded file, then 413")] = (
        128 << 20
    )
    workers: Annotated[int, Field(ge=1, le=64, description="processes that serve, as one server")] = 1
    cluster: str = Field("", description="Redis by which servers on several machines are one: redis://HOST:PORT/DB")
    cluster_name: Annotated[
        str,  # the length beside the pattern, as building a pattern of sixty times a letter takes 40 ms
        Field(max_length=60, pattern=r"^[\w.-]+$", description="which servers belong together on their Redis"),
    ] = "llmsim"
    mock_files: tuple[str, ...] = Field((), description="files of mocks, put in force again when they change")
    scenario: str = Field("", description="a scenario to play once after the start")
    tapes: tuple[str, ...] = Field((), description="tapes that requests are answered from")
    tape_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 36, description="bytes of tapes held in memory")] = 256 << 20
    apis_off: tuple[str, ...] = Field((), description="APIs that answer as if there were none, by their kind")
    origins: tuple[str, ...] = Field(
        ("localhost",), description="web pages that may use the APIs: an origin, localhost for this machine's, *"
    )
    journal_count: Annotated[int, Field(ge=1, le=10_000_000, description="exchanges the journal keeps")] = 10_000
    journal_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 36, description="bytes the journal keeps")] = 64 << 20
    store_count: Annotated[int, Field(ge=1, le=10_000_000, description="files, responses, threads that are kept")] = (
        10_000
    )
    store_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 36, description="bytes of them that are kept")] = 256 << 20
    store_age_s: Annotated[float, Field(gt=0, le=31_536_000, description="seconds that each is kept")] = 86_400.0
    control_token: str = Field("", description="opens the control API to other machines, as a bearer token")
    record_session: str = Field("", description="file to record the session into, for llmsim-tui replay")
    watch_token: str = Field("", description="opens the control API to be looked at and not changed")
    metrics_names: Literal["llmsim", "vllm", "both"] = Field("llmsim", description="whose names /metrics has")
    otel: bool = Field(False, description="send traces and metrics by OpenTelemetry, as its OTEL_ variables say")
    read_only: bool = Field(False, description="let the control API look and change nothing")
    grace_s: Annotated[float, Field(ge=0, le=3600, description="seconds replies may take to end at shutdown")] = 5.0

    @model_validator(mode="before")
    @classmethod
    def _profiles_from_file(cls, values: Any) -> Any:
        try:
            return profile_files.taken_in(values) if isinstance(values, Mapping) else values
        except SettingsError as error:
            raise ValueError(f"latency_profile: {error}") from None

    @field_validator("apis_off")
    @classmethod
    def _known_apis(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in kinds()]
        if unknown:
            raise ValueError(f"there is no API {unknown[0]!r}; there are {', '.join(kinds())}")
        return value

    @field_validator("origins")
    @classmethod
    def _whole_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins.checked(value)
        return value

    def settings(self) -> Settings:
        """The part that may change at run time."""
        return Settings.model_construct(**{name: getattr(self, name) for name in Settings.model_fields})


# Flags by name: what they show as their value, and the field they set where its name is another one.
_FLAGS: Sequence[tuple[str, str]] = (
    ("host", "ADDRESS"),
    ("port", "PORT"),
    ("latency-profile", "NAME|FILE"),
    ("generator", "NAME[:TEXT]"),
    ("target-tokens", "N"),
    ("seed", "N"),
    ("rpm", "N"),
    ("unknown-fields", "auto|refuse|ignore"),
    ("replay", "MODE"),
    ("replay-speed", "N"),
    ("replay-timing", "recorded|profile"),
    ("tpm", "N"),
    ("rate-limit-rate", "SHARE"),
    ("server-error-rate", "SHARE"),
    ("timeout-rate", "SHARE"),
    ("timeout-after-ms", "MS"),
    ("log-level", "LEVEL"),
    ("log-format", "FORM"),
    ("log-requests", "N"),
)


def add_options(parser: argparse.ArgumentParser, *, scenario: bool = False) -> None:
    """Adds the flags of a server to a command, `--scenario` where the command can play one."""
    parser.add_argument("--config", metavar="FILE", help="YAML or TOML file; else ./llmsim.yaml or ./llmsim.toml")
    for flag, shown in _FLAGS:
        field = Config.model_fields[flag.replace("-", "_")]
        default = "" if field.default is None else f" (default: {field.default})"
        parser.add_argument(f"--{flag}", metavar=shown, help=f"{field.description or ''}{default}".replace("%", "%%"))
    parser.add_argument("--mocks", metavar="FILE", action="append", dest="mock_files", help="file of mocks; repeatable")
    parser.add_argument(
        "--served-model", metavar="NAME", action="append", dest="served_models", help="model to list; repeatable"
    )
    parser.add_argument("--tape", metavar="FILE", action="append", dest="tapes", help="tape to replay; repeatable")
    if scenario:
        parser.add_argument("--workers", metavar="N", help=Config.model_fields["workers"].description)
        parser.add_argument("--cluster", metavar="URL", help=Config.model_fields["cluster"].description)
        parser.add_argument("--scenario", metavar="FILE", help=Config.model_fields["scenario"].description)
    parser.add_argument("--otel", action="store_const", const=True, help=Config.model_fields["otel"].description)
    parser.add_argument(
        "--read-only", action="store_const", const=True, help=Config.model_fields["read_only"].description
    )
    parser.add_argument("--strict", action="store_const", const=True, help=Config.model_fields["strict"].description)


def from_options(options: argparse.Namespace) -> tuple[Config, Path | None]:
    """The configuration that the flags, the environment and the file make, and the file; raises SettingsError."""
    own = {
        "strict",
        "mock_files",
        "served_models",
        "tapes",
        "read_only",
        "otel",
        "scenario",
        "record_session",
        "workers",
        "cluster",
    }
    names = {*(flag.replace("-", "_") for flag, _ in _FLAGS), *own}
    flags = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    path = Path(options.config) if options.config else files.usual()
    return load(path, flags), path


def load(path: Path | None = None, flags: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a file, under the environment and the flags; raises SettingsError, a line a problem."""
    document = files.read(path) if path else files.Document({}, lambda _: None)
    environment = _environment()
    given = {**_merged(document.values, environment), **(flags or {})}
    for name, value in given.items():
        if (found := half(value)) is not None:
            raise SettingsError(f"{name}: {found[:200]!r} is not allowed: it is no UTF-8")
    try:
        return Config.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(_places(error, path, document, environment, flags or {}))) from None


def _environment() -> dict[str, Any]:
    """The settings that the environment holds."""
    if not any(name.upper().startswith(PREFIX) and name.upper() != _CTL for name in os.environ):
        return {}
    from pydantic_settings import EnvSettingsSource  # here, as most servers start without, and it takes its time
    from pydantic_settings.exceptions import SettingsError as EnvironmentUnread

    try:
        return EnvSettingsSource(cast(Any, Config), env_prefix=PREFIX, env_nested_delimiter="__")()
    except EnvironmentUnread as error:
        field = next((name for name in Config.model_fields if f'"{name}"' in str(error)), "")
        name = PREFIX + field.upper()
        raise SettingsError(f"{name}: {os.environ.get(name, '')!r} is not allowed: it must be JSON") from None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, mapping by mapping; where they disagree the second one holds."""
    both = dict(below)
    for name, value in above.items():
        old = both.get(name)
        both[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return both


def _places(
    error: ValidationError,
    path: Path | None,
    document: files.Document,
    environment: Mapping[str, Any],
    flags: Mapping[str, Any],
) -> list[str]:
    """Each problem with where it was written: the flag, the variable, or the line of the file."""
    told = []
    for loc, sentence in sentences(error):
        loc = loc or tuple(sentence.partition(":")[0].split("."))  # a rule over several fields names its own
        name = str(loc[0])
        if name in flags:
            where = f"--{name.replace('_', '-')}"
        elif name in environment:
            where = PREFIX + name.upper()
        else:
            line = document.line(loc)
            where = f"{path}" + (f" line {line}" if line else "") if path else "configuration"
        if len(loc) == 1 and name not in Config.model_fields:
            sentence += f"; there are {', '.join(Config.model_fields)}"
        told.append(f"{where}: {sentence}")
    return told


_CTL = PREFIX + "URL"
"""Names the server for `llmsim ctl`; servers may see it in the same environment."""


def strangers() -> list[str]:
    """Environment variables that look like settings and are none; worth a warning."""
    known = {_CTL, *(PREFIX + name.upper() for name in Config.model_fields)}
    return [name for name in os.environ if name.startswith(PREFIX) and name.split("__")[0].upper() not in known]
