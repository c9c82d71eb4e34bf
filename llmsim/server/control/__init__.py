"""The control API, below `/llmsim`: everything that the console does, for programs."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from llmsim.server.control import guard
from llmsim.server.outlet import Message, Send
from llmsim.server.sockets import Receive
from llmsim.simulator import Simulator

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from llmsim.exchange import Exchange
    from llmsim.scenarios import Scenario
    from llmsim.scenarios.play import Playing
    from llmsim.server.control.call import Operation
    from llmsim.server.desk import ServerDesk
    from llmsim.server.record import Recorder
    from llmsim.views.view import View

logger = logging.getLogger("llmsim")

ROOT = "/llmsim"

# Every path takes them all, so that a wrong one is refused in the same words as everything else.
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


async def _nothing_to_reload() -> None:
    """Where there are no files of mocks."""


class Control:
    """The API of one simulator; its parts are imported with the first call, as most servers never have one.

    `token` opens it to other machines, `watch_token` opens it to be looked at; `read_only` lets nothing be changed.
    """

    def __init__(
        self, simulator: Simulator, *, token: str = "", watch_token: str = "", read_only: bool = False
    ) -> None:
        self.simulator = simulator
        self.token = token
        self.watch_token = watch_token
        self.read_only = read_only
        self.address = ""
        self.playing: Playing | None = None
        self.recorder: Recorder | None = None
        self.desk: ServerDesk | None = None
        self.view: View | None = None
        self.members: Callable[[], Mapping[str, Any]] = dict
        self.cluster: Callable[[], Mapping[str, Any]] = dict
        self.stopping: Callable[[], bool] = lambda: False
        self.mock_problems: Callable[[], Mapping[str, str]] = dict
        self.reload_mocks: Callable[[], Awaitable[None]] = _nothing_to_reload
        self.one_long = asyncio.Lock()
        """Held by the one long body that is being read: none takes the memory of two."""
        self.resend: Callable[[Exchange], Exchange | None] = lambda _: None

    # -- scenarios

    def begin_scenario(self, scenario: Scenario) -> Playing:
        """Begins a scenario in the place of any that runs."""
        from llmsim.scenarios.play import Playing

        self.stop_scenario()
        self.playing = Playing(scenario, self.simulator)
        return self.playing

    def stop_scenario(self) -> bool:
        """Stops the scenario; False where none runs."""
        if self.playing is None or self.playing.state != "running":
            return False
        self.playing.stop()
        return True

    # -- HTTP

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves a request below the root."""
        await self._app(scope, receive, send)

    @cached_property
    def operations(self) -> list[Operation]:
        """Everything that can be asked."""
        from llmsim.server.control import console, recording, replaying, rules, state, timeline, traffic

        parts = (state, rules, timeline, traffic, console, recording, replaying)
        return [operation for part in parts for operation in part.OPERATIONS]

    @cached_property
    def _app(self) -> Any:
        from starlette.routing import Route, Router

        by_path: dict[str, dict[str, Operation]] = {}
        for one in self.operations:
            by_path.setdefault(one.path, {})[one.method] = one
        paths = sorted(by_path, key=lambda path: path.count("{"))  # names in full before those that stand for any
        # The name of a mock may hold the folder of the file it came from.
        routes = [
            Route(ROOT + path.replace("{name}", "{name:path}"), self._endpoint(by_path[path]), methods=_METHODS)
            for path in paths
        ]
        for named in routes:  # a name may have more than one line, which Starlette's patterns stop at
            named.path_regex = re.compile(named.path_regex.pattern, re.DOTALL)
        routes += [
            Route(f"{ROOT}/openapi.json", self._document, methods=_METHODS),
            Route(ROOT + "/{path:path}", self._nothing, methods=_METHODS),
            Route(ROOT, self._nothing, methods=_METHODS),
        ]
        return Router(routes, redirect_slashes=False)

    def _endpoint(self, methods: Mapping[str, Operation]) -> Any:
        async def endpoint(request: Request) -> Response:
            from starlette.responses import Response

            from llmsim.server.control.call import Problem, problem

            found = methods.get("GET" if request.method == "HEAD" else request.method)
            if found is None:
                there = ", ".join(methods)
                told = Problem(405, f"{request.method} is not served here; there are {there}")
                return self._refused(request, False) or problem(told, {"allow": there})
            served = self._refused(request, found.changes) or await self._served(found, request)
            # A stream has no end, and the answer to a HEAD no body.
            endless = request.method == "HEAD" and hasattr(served, "body_iterator")
            return Response(None, served.status_code, served.headers) if endless else served

        return endpoint

    async def _served(self, operation: Operation, request: Request) -> Response:
        from starlette.requests import ClientDisconnect

        from llmsim.errors import LlmsimError
        from llmsim.server.control.call import LIMIT, Call, Problem, answer, problem

        unknown = next((name for name in request.query_params if name not in operation.query), None)
        if unknown is not None:
            there = f"there are {', '.join(operation.query)}" if operation.query else "there are none here"
            return problem(Problem(400, f"{unknown[:60]}: there is no such name in a query; {there}"))
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > LIMIT:
                    return problem(Problem(413, f"the body is larger than {LIMIT >> 20} MB"))
        except ClientDisconnect:
            return problem(Problem(400, "the body is not whole"))  # nobody reads it
        who = request.headers.get("x-llmsim-who", "api")[:60]
        call = Call(self, request.path_params, request.query_params, request.headers, bytes(body), who)
        try:
            await call.aside(call.read)
            return answer(await operation.handler(call))
        except Problem as error:
            return problem(error)
        except (LlmsimError, ValueError, TypeError) as error:
            from pydantic import ValidationError

            from llmsim.settings import explain

            told = explain(error) if isinstance(error, ValidationError) else str(error)
            if not isinstance(error, LlmsimError | ValidationError):
                logger.exception("a call of the control API failed")
                return problem(Problem(500, "the call failed; the log says why"))
            return problem(Problem(400, told))

    def _refused(self, request: Request, changes: bool) -> Response | None:
        from llmsim.server.control.call import Problem, problem

        headers = dict(request.scope["headers"])
        if sum(name == b"host" for name, _ in request.scope["headers"]) != 1:
            headers.pop(b"host", None)  # two of them are none that could be believed
        client = request.client.host if request.client else ""
        tokens = (self.token, self.watch_token)
        why = guard.refusal(headers, client, *tokens, changes=changes, read_only=self.read_only)
        return problem(Problem(403, why)) if why else None

    async def _document(self, request: Request) -> Response:
        from llmsim.server.control.call import answer
        from llmsim.server.control.document import document

        return self._refused(request, False) or answer(document(self.operations, ROOT))

    async def _nothing(self, request: Request) -> Response:
        from llmsim.server.control.call import Problem, problem

        told = f"there is nothing at {request.url.path[:200]}; {ROOT}/openapi.json lists what there is"
        return self._refused(request, False) or problem(Problem(404, told))
