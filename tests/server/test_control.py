"""The store can be looked at and cleared, by programs on the same machine alone."""

from __future__ import annotations

import orjson
import pytest

from llmsim.clock import ToldClock
from llmsim.dialects import Answer, Request
from llmsim.server import control
from llmsim.store import Store


@pytest.fixture
def store() -> Store:
    store = Store(ToldClock())
    store.put("kind", "a", b"data")
    return store


def told(store: Store, method: str = "GET", client: str = "127.0.0.1", **headers: str) -> Answer:
    sent = {name.encode(): value.encode() for name, value in {"host": "127.0.0.1:8080", **headers}.items()}
    return control.store(Request(method, control.STORE, headers=sent, client=client), store)


def test_it_tells_what_is_kept(store: Store) -> None:
    answer = orjson.loads(told(store).body)
    assert answer["entries"] == 1
    assert answer["bytes"] == store.size
    assert answer["limits"] == {"entries": 10_000, "bytes": 256 << 20, "seconds": 86_400.0}


def test_it_is_cleared(store: Store) -> None:
    assert orjson.loads(told(store, "DELETE").body) == {"cleared": 1}
    assert len(store) == 0


@pytest.mark.parametrize("host", ["localhost:8080", "[::1]:8080", "127.0.0.9"])
def test_every_name_of_the_loopback_will_do(store: Store, host: str) -> None:
    assert told(store, client="::1", host=host).status == 200


@pytest.mark.parametrize(
    "foreign",
    [
        {"client": "10.0.0.7"},
        {"client": ""},
        {"host": "evil.example"},
        {"host": ""},
        {"host": "[::1"},
        {"origin": "http://localhost:3000"},
    ],
)
def test_web_pages_and_other_machines_are_turned_away(store: Store, foreign: dict[str, str]) -> None:
    answer = told(store, "DELETE", **foreign)
    assert answer.status == 403
    assert b"only programs on the same machine" in answer.body
    assert len(store) == 1


def test_other_methods_are_refused(store: Store) -> None:
    assert told(store, "POST").status == 405
