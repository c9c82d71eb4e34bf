"""The APIs that requests are passed on to: where they are, whose requests are theirs, what keys they want."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from llmsim import masks
from llmsim.dialects import Dialect, Request
from llmsim.errors import SettingsError
from llmsim.server.routes import Routes

HOMES = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
}
"""Where APIs are that are not told otherwise."""

_KEYS = {"gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY")}
_HEADERS = {"anthropic": b"x-api-key", "gemini": b"x-goog-api-key", "azure": b"api-key"}
_CREDENTIALS = (b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key")

Pairs = list[tuple[bytes, bytes]]


@dataclass(slots=True, frozen=True)
class Upstream:
    """An API's name and address; `key` takes the place of the key that a client brings, empty: the client's is used."""

    name: str
    url: str
    key: str = ""

    @staticmethod
    def checked(name: str, url: str) -> None:
        """Raises ValueError for what is no address."""
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(f"{name}: {masks.text(url)[:200]!r} is no address; it begins with http:// or https://")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"{name}: an address has no query, no fragment and no login: keys come from clients")

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def target(self, path: str) -> str:
        """The path below the address; what both have, as in `https://host/v1` and `/v1/models`, is not said twice."""
        base = urlsplit(self.url).path.rstrip("/")
        return path if base and (path == base or path.startswith(f"{base}/")) else base + path

    def credited(self, headers: Pairs, query: str) -> tuple[Pairs, str]:
        """Headers and query with our key in the place of the client's."""
        if not self.key:
            return headers, query
        key = self.key.encode()
        used = next((name for name, _ in headers if name in _CREDENTIALS), None)
        name = used or _HEADERS.get(self.name, b"authorization")
        told = b"Bearer " + key if name == b"authorization" else key
        kept = [pair for pair in headers if pair[0] not in _CREDENTIALS]
        fields = [field for field in query.split("&") if not field.startswith("key=")]
        return [*kept, (name, told)], "&".join(fields)


def keyed(name: str) -> str:
    """The key that the environment has for an upstream; raises SettingsError where there is none."""
    names = _KEYS.get(name, (f"{name.upper().replace('-', '_')}_API_KEY",))
    found = next((key for one in names if (key := os.environ.get(one, "").strip())), "")
    if not found:
        raise SettingsError(f"inject_keys: the environment has no {' or '.join(names)} for the upstream {name}")
    return found


@dataclass(slots=True, frozen=True)
class Way:
    """Where a request goes: its upstream, None where there is none for it; the path there, and whose API it is."""

    upstream: Upstream | None
    path: str
    dialect: Dialect
    known: bool
    """Whether llmsim serves the path as well."""


class Chooser:
    """Finds the upstream of a request: by `/name` in front, by whose path it is, by its headers, else the default."""

    def __init__(self, routes: Routes, upstreams: Mapping[str, Upstream], default: str = "") -> None:
        self._routes = routes
        self._upstreams = upstreams
        only = next(iter(upstreams)) if len(upstreams) == 1 else ""
        self._default = upstreams.get(default or only)
        self._first = next(iter(upstreams.values()))

    def way(self, request: Request, raw_path: str) -> Way:
        """The way of a request; `raw_path` is its path as it was sent."""
        mounted, _, rest = request.path[1:].partition("/")
        if mounted in self._upstreams and not self._native(request, mounted):
            stripped = Request(request.method, f"/{rest}", request.query, request.headers)
            dialect, known = self._dialect(stripped if self._routes.find(stripped) else request)
            return Way(self._upstreams[mounted], raw_path[len(mounted) + 1 :] or "/", dialect, known)
        dialect, known = self._dialect(request)
        own = self._of(dialect)
        if known or dialect.claims(request):
            return Way(own or self._default, raw_path, dialect, known)
        return Way(self._default or own or self._first, raw_path, dialect, known)

    def _native(self, request: Request, mounted: str) -> bool:
        """Whether a path that begins like a mounted one is an API's own, as Azure's `/openai/deployments/…` is."""
        found = self._routes.find(request)
        own = self._of(found[0]) if found else None
        return own is not None and own.name != mounted

    def _dialect(self, request: Request) -> tuple[Dialect, bool]:
        found = self._routes.find(request)
        return (found[0], True) if found else (self._routes.owner(request), False)

    def _of(self, dialect: Dialect) -> Upstream | None:
        names: Sequence[str] = (dialect.kind, dialect.kind.partition("_")[0], dialect.provider)
        return next((self._upstreams[name] for name in names if name in self._upstreams), None)


def brought(headers: Pairs, query: str) -> list[str]:
    """The keys that a request comes with, as they are."""
    told = [value.decode("latin-1") for name, value in headers if name in _CREDENTIALS]
    return [*told, *(value for name, value in parse_qsl(query) if name == "key")]
