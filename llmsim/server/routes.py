"""Which dialect and which of its routes a request is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from llmsim.dialects import Dialect, Request, Route

if TYPE_CHECKING:
    import re

Found = tuple[Dialect, Route]


class Routes:
    """The paths of every dialect, at the root and below `/{provider}`.

    Paths without names are found in one step; the others by what stands before their first name, so that their number
    does not matter either. With `more`, the dialects given are only the first: theirs are the plain paths at the root
    until something else is asked for, which brings all of them.
    """

    def __init__(self, dialects: Sequence[Dialect], more: Callable[[], Sequence[Dialect]] | None = None) -> None:
        self._dialects = dialects
        self._more = more
        self._table: dict[tuple[str, str], list[Found]] = {}
        if more is None:
            self._fill()
        else:
            for dialect in dialects:
                for route in dialect.routes():
                    if "{" not in route.path:
                        self._table[route.method, route.path] = [(dialect, route)]

    def _fill(self) -> None:
        self._table = {}
        for path, found in self._mounted():
            if "{" not in path:
                self._table.setdefault((found[1].method, path), []).append(found)

    def complete(self) -> None:
        """Brings all dialects, if they are not here yet."""
        if self._more is not None:
            more, self._more = self._more, None
            self._dialects = more()
            self._fill()

    def prepare(self) -> None:
        """Lets every dialect build what its first request would have to wait for."""
        for dialect in self._dialects:
            dialect.prepare()

    def _mounted(self) -> Iterator[tuple[str, Found]]:
        for dialect in self._dialects:
            for route in dialect.routes():
                for prefix in ("", f"/{dialect.provider}"):
                    yield f"{prefix}{route.path}", (dialect, route)

    @cached_property
    def _patterns(self) -> dict[str, list[tuple[re.Pattern[str], Found]]]:
        """Paths with names in them; made when one is first asked for, as importing Starlette takes its time."""
        from starlette.routing import compile_path

        patterns: dict[str, list[tuple[re.Pattern[str], Found]]] = {}
        for path, found in self._mounted():
            if "{" in path:
                patterns.setdefault(path[: path.index("{")], []).append((compile_path(path)[0], found))
        return dict(sorted(patterns.items(), key=lambda item: -len(item[0])))

    def find(self, request: Request) -> Found | None:
        """The dialect and its route; where several serve a path, the one that claims the request, else OpenAI's."""
        found = self._table.get((request.method, request.path))
        if found is not None:
            return _claimed(found, request)
        if self._more is not None:
            self.complete()
            return self.find(request)
        matches = [pair for pair in self._matches(request.path) if pair[0][1].method == request.method]
        if not matches:
            return None
        chosen = _claimed([found for found, _ in matches], request)
        request.params = next(params for found, params in matches if found is chosen)
        return chosen

    def _matches(self, path: str) -> Iterator[tuple[Found, dict[str, str]]]:
        """What the path fits, of whatever method, those with the longest plain beginning first."""
        for beginning, patterns in self._patterns.items():
            if path.startswith(beginning):
                for pattern, found in patterns:
                    match = pattern.match(path)
                    if match is not None:
                        yield found, match.groupdict()

    def methods(self, path: str) -> list[str]:
        """The methods that the path can be asked with."""
        self.complete()
        plain = {method for method, served in self._table if served == path}
        return sorted((plain | {route.method for (_, route), _ in self._matches(path)}) - {"WEBSOCKET"})

    def owner(self, request: Request) -> Dialect:
        """Who answers for a path that nobody serves: who claims it, else OpenAI's chat, the API most clients speak."""
        self.complete()
        claimant = next((dialect for dialect in self._dialects if dialect.claims(request)), None)
        home = next((dialect for dialect in self._dialects if dialect.kind == "openai_chat"), self._dialects[0])
        return claimant or home


def _claimed(found: Sequence[Found], request: Request) -> Found:
    """Of several that serve a path, the one that claims the request, else OpenAI's, the API most clients speak."""
    if len(found) == 1:
        return found[0]
    home = next((pair for pair in found if pair[0].provider == "openai"), found[0])
    return next((pair for pair in found if pair[0].claims(request)), home)
