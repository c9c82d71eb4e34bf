"""Which API a request is for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import ClassVar

import pytest

from llmsim import dialects
from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.server.routes import Routes


class Plain(Dialect):
    kind: ClassVar[str] = "plain"
    provider: ClassVar[str] = "one"
    paths: ClassVar[Sequence[tuple[str, str]]] = (
        ("GET", "/things"),
        ("POST", "/things"),
        ("GET", "/things/{thing}"),
        ("DELETE", "/things/{thing}"),
        ("GET", "/things/{thing}/parts/{part}"),
        ("POST", "/models/{model}:run"),
        ("GET", "/paths/{path:path}"),
        ("WEBSOCKET", "/things"),
    )

    def routes(self) -> Sequence[Route]:
        return [Route(method, path, answer=self.answer) for method, path in self.paths]

    def answer(self, request: Request, exchange: Exchange) -> Answer:
        return Answer()

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        return Answer(failure.status)


class Claiming(Plain):
    kind: ClassVar[str] = "claiming"
    provider: ClassVar[str] = "two"
    paths: ClassVar[Sequence[tuple[str, str]]] = (("GET", "/things"), ("GET", "/things/{item}"))

    def claims(self, request: Request) -> bool:
        return b"x-two" in request.headers


ROUTES = Routes([Plain(), Claiming()])


@pytest.mark.parametrize(
    ("method", "path", "route", "params"),
    [
        ("GET", "/things", "/things", {}),
        ("GET", "/one/things", "/things", {}),
        ("GET", "/things/a%20b", "/things/{thing}", {"thing": "a%20b"}),
        ("DELETE", "/things/a", "/things/{thing}", {"thing": "a"}),
        ("GET", "/one/things/a/parts/b", "/things/{thing}/parts/{part}", {"thing": "a", "part": "b"}),
        ("POST", "/models/m-1:run", "/models/{model}:run", {"model": "m-1"}),
        ("GET", "/paths/a/b/c", "/paths/{path:path}", {"path": "a/b/c"}),
        ("WEBSOCKET", "/things", "/things", {}),
    ],
)
def test_a_path_finds_its_route(method: str, path: str, route: str, params: dict[str, str]) -> None:
    request = Request(method, path)
    found = ROUTES.find(request)
    assert found is not None
    assert (found[0].kind, found[1].path, found[1].method, request.params) == ("plain", route, method, params)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/things/"), ("GET", "/things/a/b"), ("PUT", "/things/a"), ("POST", "/models/a/b:run")],
)
def test_other_paths_find_none(method: str, path: str) -> None:
    assert ROUTES.find(Request(method, path)) is None


@pytest.mark.parametrize("path", ["/things", "/things/a"])
def test_of_several_the_one_that_claims_the_request_is_asked(path: str) -> None:
    found = ROUTES.find(Request("GET", path, headers={b"x-two": b""}))
    assert found is not None
    assert found[0].kind == "claiming"


def test_the_names_in_a_path_are_those_of_the_route_that_is_asked() -> None:
    request = Request("GET", "/things/a", headers={b"x-two": b""})
    ROUTES.find(request)
    assert request.params == {"item": "a"}


def test_the_methods_of_a_path_are_told() -> None:
    assert ROUTES.methods(Request("PUT", "/things")) == ["GET", "POST"]
    assert ROUTES.methods(Request("PUT", "/things/a")) == ["DELETE", "GET"]
    assert ROUTES.methods(Request("PUT", "/nowhere")) == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/things"), ("DELETE", "/things/a")])
def test_no_other_provider_answers_where_the_one_that_is_meant_has_not_the_method(method: str, path: str) -> None:
    request = Request(method, path, headers={b"x-two": b""})
    assert ROUTES.find(request) is None
    assert ROUTES.methods(request) == ["GET"]


def test_an_unknown_path_belongs_to_who_claims_it() -> None:
    assert ROUTES.owner(Request("GET", "/nowhere", headers={b"x-two": b""})).kind == "claiming"
    assert ROUTES.owner(Request("GET", "/nowhere")).kind == "plain"


FIRST = """
import sys
from llmsim.dialects import Request
from llmsim.server.desk import ServerDesk
from llmsim.simulator import Simulator
desk = ServerDesk(Simulator())
asked = Request("POST", "/v1/chat/completions")
early = desk.routes.find(asked)
assert "llmsim.dialects.gemini" not in sys.modules
assert desk.routes.find(Request("POST", "/v1/messages"))[0].kind == "anthropic_messages"
assert desk.routes.find(asked) == early
assert desk.routes.find(Request("POST", "/gemini/v1beta/models/x:generateContent"))[0].kind == "gemini"
"""


def test_the_first_api_answers_before_the_others_are_imported() -> None:
    subprocess.run([sys.executable, "-c", FIRST], check=True)


REPLY = """
import asyncio, gc, sys
from llmsim.server.config import Config
from llmsim.server.serve import Runner
from llmsim.server.logs.access import Access
from llmsim.settings import Settings

async def main():
    runner = Runner(Config(port=0, latency_profile="instant"))
    Access(runner.simulator, 10)
    await runner.start()
    runner.tidy()
    assert len(gc.get_objects()) < 1000, "what was loaded does not keep the first client waiting for the collector"
    loaded = {name for name in sys.modules if name.startswith("llmsim")}
    reader, writer = await asyncio.open_connection(*runner.address.split(":"))
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\ncontent-length: "
    writer.write(head + str(len(body)).encode() + b"\\r\\n\\r\\n" + body)
    assert b"200" in await reader.readline()
    print(*sorted({name for name in sys.modules if name.startswith("llmsim")} - loaded))
    assert not Settings.__pydantic_complete__, "the first settings are those of the configuration, validated already"
    writer.close()
    await runner.stop(0)

asyncio.run(main())
"""


def test_the_first_reply_waits_for_little() -> None:
    ran = subprocess.run([sys.executable, "-c", REPLY], check=True, capture_output=True, text=True)
    assert not [name for name in ran.stdout.split() if "dialects" in name or "verdict" in name]


def test_what_the_first_api_answers_then_is_no_other_apis() -> None:
    first = dialects.home()
    assert first is not None
    mine = {(route.method, route.path) for route in first().routes() if "{" not in route.path}
    others = [one() for kind, one in dialects.kinds().items() if kind != dialects.HOME]
    assert not mine & {(route.method, route.path) for one in others for route in one.routes()}


def test_what_takes_long_is_built_before_it_is_asked_for() -> None:
    built: list[str] = []

    class Slow(Plain):
        def prepare(self) -> None:
            built.append(self.kind)

    Routes([Slow(), Claiming()]).prepare()
    assert built == [Slow.kind]
