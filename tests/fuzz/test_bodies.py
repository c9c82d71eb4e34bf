"""Junk anywhere in a request, to any path of any dialect: the provider's own answer comes, and never an exception."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junk import JUNK

from fuzz import bodies
from fuzz.bodies import Place, inside, operations, places, seeds, spoiled
from llmsim.dialects import kinds

PROVIDERS = sorted({made.provider for made in kinds().values()})


@st.composite
def request(draw: Any, provider: str) -> tuple[Place, bytes, str]:
    """A path of the provider, and a body of its own with something else somewhere in it."""
    place = draw(st.sampled_from([one for one in places() if one.provider == provider]))
    seed = draw(st.sampled_from(seeds(place)))
    ways = list(inside(seed))
    junk = draw(JUNK)
    body = spoiled(seed, draw(st.sampled_from(ways)), junk) if ways else junk
    names = st.sampled_from(["limit", "after", "order", "pageSize", "pageToken", "stream", "include[]", "alt"])
    query = draw(st.just("") | st.builds("{}={}".format, names, st.sampled_from(["", "%C2%B2", "-1", "x", "9" * 30])))
    return place, orjson.dumps(body), query


@pytest.mark.parametrize("provider", PROVIDERS)
def test_junk_is_answered_in_the_provider_s_shape(provider: str) -> None:
    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request(provider))
    def stands(asked: tuple[Place, bytes, str]) -> None:
        bodies.send(*asked)

    stands()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([*bodies.CONTROL]), JUNK, st.data())
def test_junk_is_told_by_the_control_api_in_one_sentence(path: str, junk: Any, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([method for method, served in operations() if served == path]))
    seed = bodies.CONTROL[path]
    ways = list(inside(seed))
    bodies.control(method, path, orjson.dumps(spoiled(seed, data.draw(st.sampled_from(ways)), junk)))


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"\xff\xfe{}",
    b'{"model":"\\ud800"}',
    b'{"model":"gpt-4o","model":"gpt-4o","messages":[],"messages":[{"role":"user","content":"Hi"}]}',
    b'{"model":' + b"9" * 5000 + b"}",
    b'{"max_tokens":1e308,"n":-1e308,"seed":99999999999999999999999}',
    b"[" * 100_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"messages":' + b"[" * 900 + b"]" * 900 + b"}",
    b"\x1f\x8b\x08\x00" + bytes(40),
]


@pytest.mark.parametrize("at", range(len(HOSTILE)))
def test_bodies_that_nobody_writes_are_answered_on_every_path(at: int) -> None:
    for place in places():
        bodies.send(place, HOSTILE[at])
