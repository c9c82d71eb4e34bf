"""Whatever is written or sent, every parser answers in its own words: a short run of all the fuzzer's targets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

_SLOW = {"bodies", "control", "uploads", "structured", "events", "configuration", "mocks", "scenarios", "schemas"}


@st.composite
def spoiled(draw: Any, seed: bytes) -> bytes:
    """A seed with a part of it changed, doubled or cut out."""
    start = draw(st.integers(0, len(seed)))
    end = draw(st.integers(start, min(len(seed), start + 12)))
    between = draw(st.binary(max_size=6) | st.text(max_size=4).map(lambda text: text.encode("utf-8", "replace")))
    return seed[:start] + between + seed[start:end] * draw(st.integers(0, 3)) + seed[end:]


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_stands_whatever_comes(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=25 if name in _SLOW else 60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(target.seeds).flatmap(spoiled) | st.binary(max_size=40))
    def stands(data: bytes) -> None:
        target.run(data)

    for seed in target.seeds:
        target.run(seed)
    stands()
