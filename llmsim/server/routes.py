"""Which dialect and which of its routes a request is for: a table of plain paths before Starlette's patterns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from llmsim.dialects import Dialect, Request, Route

if TYPE_CHECKING:
    from starlette.routing import Route as Pattern


class Routes:
    """The paths of every dialect, at the root and below `/{provider}`."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self._dialects = dialects
        self._table: dict[tuple[str, str], list[tuple[Dialect, Route]]] = {}
        for path, dialect, route in self._mounted():
            if "{" not in path:
                self._table.setdefault((route.method, path), []).append((dialect, route))

    def _mounted(self) -> list[tuple[str, Dialect, Route]]:
        return [
            (f"{prefix}{route.path}", dialect, route)
            for dialect in self._dialects
            for route in dialect.routes()
            for prefix in ("", f"/{dialect.provider}")
        ]

    @cached_property
    def _patterns(self) -> list[tuple[Pattern, Dialect, Route]]:
        """Paths with names in them; made when one is first asked for, as importing Starlette takes its time."""
        from starlette.routing import Route as Pattern

        return [
            (Pattern(path, lambda: None, methods=[route.method]), dialect, route)
            for path, dialect, route in self._mounted()
            if "{" in path
        ]

    def find(self, request: Request) -> tuple[Dialect, Route] | None:
        """The dialect and its route; where several serve a path, the one that claims the request, else the first."""
        found = self._table.get((request.method, request.path))
        if found is None:
            return self._match(request)
        return next((pair for pair in found if pair[0].claims(request)), found[0]) if len(found) > 1 else found[0]

    def _match(self, request: Request) -> tuple[Dialect, Route] | None:
        from starlette.routing import Match

        scope = {"type": "http", "method": request.method, "path": request.path}
        for pattern, dialect, route in self._patterns:
            match, child = pattern.matches(scope)
            if match is Match.FULL:
                request.params = child["path_params"]
                return dialect, route
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that the path can be asked with."""
        from starlette.routing import Match

        plain = {method for method, served in self._table if served == path}
        scope = {"type": "http", "method": "", "path": path}
        named = {route.method for pattern, _, route in self._patterns if pattern.matches(scope)[0] is Match.PARTIAL}
        return sorted(plain | named)

    def owner(self, request: Request) -> Dialect:
        """Who answers for a path that nobody serves: who claims it, else OpenAI's chat, the API most clients speak."""
        claimant = next((dialect for dialect in self._dialects if dialect.claims(request)), None)
        home = next((dialect for dialect in self._dialects if dialect.kind == "openai_chat"), self._dialects[0])
        return claimant or home
