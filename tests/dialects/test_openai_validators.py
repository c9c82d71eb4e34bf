"""What takes long to build is built in a thread, once, by the request that first needs it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from inprocess import ask
from pydantic import TypeAdapter
from running import Wire, application, in_process, running

from llmsim.dialects import Request
from llmsim.dialects import _openai_responses_request as requests
from llmsim.dialects._openai_validators import Validator

BODIES: list[tuple[str, Any]] = [
    ("", {"model": "gpt-4o", "input": "Hello"}),
    ("/input_tokens", {"model": "gpt-4o", "input": "Hello"}),
    ("/compact", {"model": "gpt-4o", "input": "Hello"}),
]


@pytest.fixture
def builders(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The validators of the Responses API as in a new process; notes the threads that build them."""
    threads: list[int] = []

    def unbuilt(shape: str) -> Validator:
        def make() -> TypeAdapter[Any]:
            threads.append(threading.get_ident())
            return requests._validator(shape)

        return Validator(make)

    for shape in requests.VALIDATORS:
        monkeypatch.setitem(requests.VALIDATORS, shape, unbuilt(shape))
    return threads


@pytest.mark.parametrize(("path", "body"), BODIES)
@pytest.mark.parametrize("prefix", ["/v1/responses", "/openai/responses"])
async def test_the_first_body_is_read_in_a_thread_and_the_next_ones_are_not(
    builders: list[int], path: str, body: Any, prefix: str
) -> None:
    app = application()
    query = "?api-version=preview" if prefix.startswith("/openai") else ""
    found = app.desk.routes.find(Request("POST", prefix + path))
    assert found is not None
    route = found[1]
    assert route.heavy
    # A body of its own: those that came before are remembered.
    told = await ask(app, prefix + path + query, {**body, "instructions": f"{prefix}{path}"})
    assert told.status == 200, told.body
    assert builders == [builders[0]] != [threading.get_ident()]
    assert not route.heavy


async def test_a_server_takes_the_short_way_once_it_is_built(builders: list[int]) -> None:
    in_process("who builds is noted")
    async with running() as runner, Wire.to(runner) as wire:
        for text in ("one", "two", "three"):
            await wire.ask({"model": "gpt-4o", "input": text}, "/v1/responses")
            status, _, body = await wire.answer()
            assert status == 200, body
    assert len(builders) == 1


def test_it_is_built_once_whoever_needs_it_at_the_same_time() -> None:
    made: list[int] = []
    both = threading.Barrier(2, timeout=5)

    def make() -> TypeAdapter[Any]:
        made.append(1)
        return TypeAdapter(int)

    validator = Validator(make)
    assert not validator.built

    def get(_: int) -> TypeAdapter[Any]:
        both.wait()
        return validator.get()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(get, range(2))
    assert one is other
    assert (validator.built, made) == (True, [1])
