"""Which dialect and which of its routes a request is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from llmsim.dialects import Dialect, Request, Route

if TYPE_CHECKING:
    import re

Found = tuple[Dialect, Route]
_Pair = tuple[Dialect, Route | None]
"""A dialect and its route, or none where its provider has the path for other methods only."""


class Routes:
    """The paths of every dialect, at the root and below `/{provider}`.

    Paths without names are found in one step; the others by what stands before their first name, so that their number
    does not matter either. With `more`, the dialects given are only the first: theirs are the plain paths at the root
    until something else is asked for, which brings all of them.
    """

    def __init__(self, dialects: Sequence[Dialect], more: Callable[[], Sequence[Dialect]] | None = None) -> None:
        self._dialects = dialects
        self._more = more
        self._table: dict[tuple[str, str], list[_Pair]] = {}
        if more is None:
            self._fill()
        else:
            for dialect in dialects:
                for route in dialect.routes():
                    if "{" not in route.path:
                        self._table[route.method, route.path] = [(dialect, route)]

    def _fill(self) -> None:
        self._table = {}
        served: dict[str, list[Dialect]] = {}
        for path, found in self._mounted():
            if "{" not in path:
                self._table.setdefault((found[1].method, path), []).append(found)
                served.setdefault(path, []).append(found[0])
        for (_, path), pairs in self._table.items():
            pairs += _others(pairs, served[path])

    def complete(self) -> None:
        """Brings all dialects, if they are not here yet."""
        if self._more is not None:
            more, self._more = self._more, None
            self._dialects = more()
            self._fill()

    @property
    def dialects(self) -> Sequence[Dialect]:
        """All of them."""
        self.complete()
        return self._dialects

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
        """The dialect and its route; where several serve a path, the one that claims the request, else OpenAI's.

        None also where that one serves the path for other methods only: no other provider answers in its place.
        """
        found = self._table.get((request.method, request.path))
        if found is not None:
            return _claimed(found, request)
        if self._more is not None:
            self.complete()
            return self.find(request)
        matches = list(self._matches(request.path))
        served: list[_Pair] = [pair for pair, _ in matches if pair[1].method == request.method]
        if not served:
            return None
        chosen = _claimed(served + _others(served, [pair[0] for pair, _ in matches]), request)
        if chosen is not None:
            request.params = next(params for pair, params in matches if pair is chosen)
        return chosen

    def _matches(self, path: str) -> Iterator[tuple[Found, dict[str, str]]]:
        """What the path fits, of whatever method, those with the longest plain beginning first."""
        for beginning, patterns in self._patterns.items():
            if path.startswith(beginning):
                for pattern, found in patterns:
                    match = pattern.match(path)
                    if match is not None:
                        yield found, match.groupdict()

    def methods(self, request: Request) -> list[str]:
        """The methods that its path can be asked with: those of the provider whose request it is, if it has any."""
        owner, path = self.owner(request), request.path  # first, as it brings all dialects
        served: list[tuple[Dialect, str]] = [
            (pair[0], method)
            for (method, plain), pairs in self._table.items()
            if plain == path
            for pair in pairs
            if pair[1] is not None
        ]
        served += [(dialect, route.method) for (dialect, route), _ in self._matches(path)]
        own = [one for one in served if one[0].provider == owner.provider]
        return sorted({method for _, method in own or served} - {"WEBSOCKET"})

    def owner(self, request: Request) -> Dialect:
        """Who answers for a path that nobody serves: who claims it, else OpenAI's chat, the API most clients speak."""
        self.complete()
        claimant = next((dialect for dialect in self._dialects if dialect.claims(request)), None)
        home = next((dialect for dialect in self._dialects if dialect.kind == "openai_chat"), self._dialects[0])
        return claimant or home


def _others(served: Sequence[_Pair], dialects: Sequence[Dialect]) -> list[_Pair]:
    """Of the dialects, one of each provider that is not among those who serve, without a route."""
    there = {dialect.provider for dialect, _ in served}
    return [
        (dialect, None) for dialect in {one.provider: one for one in dialects}.values() if dialect.provider not in there
    ]


def _claimed(found: Sequence[_Pair], request: Request) -> Found | None:
    """Of several that have a path, the one that claims the request, else OpenAI's, the API most clients speak."""
    chosen = found[0]
    if len(found) > 1:
        home = next((pair for pair in found if pair[0].provider == "openai"), chosen)
        chosen = next((pair for pair in found if pair[0].claims(request)), home)
    return chosen if chosen[1] is not None else None  # type: ignore[return-value]
