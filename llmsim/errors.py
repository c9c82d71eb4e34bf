"""Two families of bad news: failures are values told to clients, exceptions are ours.

Failure (value)                      LlmsimError (exception)
  kind, message, param, code           Refused        a request that the dialect refuses; carries a Failure
  retry_after                          SettingsError  a setting that cannot be, in one sentence
                                       TapeError      a recording that cannot be read
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[int | str, ...]
"""The way to a field in a body of JSON: names and places in lists."""

# Kind of failure -> HTTP status. Each dialect has its own table kind -> word.
STATUS = {
    "invalid": 400,
    "context_length": 400,
    "unauthenticated": 401,
    "billing": 402,
    "forbidden": 403,
    "not_found": 404,
    "method": 405,
    "timeout": 408,
    "conflict": 409,
    "too_large": 413,
    "unprocessable": 422,
    "rate_limit": 429,
    "quota": 429,
    "internal": 500,
    "bad_gateway": 502,
    "unavailable": 503,
    "busy": 503,
    "gateway_timeout": 504,
    "overloaded": 529,
}

_KIND = {status: kind for kind, status in reversed(STATUS.items())}


@dataclass(slots=True, frozen=True)
class Failure:
    """Bad news for the client, in nobody's dialect; each dialect words it.

    `message` is None where the dialect's own standard sentence fits best. `param` is the request field at fault,
    `code` the provider's own code where the dialect already knows it, `retry_after` a wait in seconds that is told to
    the client. `status` overrides the status of the kind. `extra` is for the dialect that made the failure. The kind
    `busy` is a queue that is full: each provider's own overload error, under its own status.
    """

    kind: str
    message: str | None = None
    param: str | None = None
    code: str | None = None
    retry_after: float | None = None
    status: int = 0
    extra: Any = None

    def __post_init__(self) -> None:
        """Fills in the kind's own status."""
        if not self.status:
            object.__setattr__(self, "status", STATUS[self.kind])

    @classmethod
    def of_status(cls, status: int, message: str | None = None, retry_after: float | None = None) -> Failure:
        """The failure that an HTTP status stands for; a status without a kind of its own takes its family's."""
        kind = _KIND.get(status) or ("invalid" if status < 500 else "internal")
        return cls(kind, message, retry_after=retry_after, status=status)


class LlmsimError(Exception):
    """The root of every exception that llmsim raises on purpose."""


class Refused(LlmsimError):
    """A request that cannot be served as it is; `failure` says why, to the client.

    Where fields that the API does not know may be a reason, `unknown` finds them; it raises Refused with what else is
    wrong, if anything is.
    """

    def __init__(self, failure: Failure, unknown: Callable[[], Sequence[Path]] | None = None) -> None:
        super().__init__(failure.message or failure.kind)
        self.failure = failure
        self.unknown = unknown


class SettingsError(LlmsimError, ValueError):
    """A setting that cannot be: the message names the field, the value and what is allowed."""


class TooMany(LlmsimError):
    """More of something than there may be: whoever reads it reads no further, not even for other problems."""


class TapeError(LlmsimError):
    """A recording that cannot be read or written."""
