"""Whatever is changed, in whatever order and by whomever: settings stay valid and are what the valid changes make."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from running import running

from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.server.control import Control
from llmsim.settings import Settings
from llmsim.simulator import Simulator

PROFILE = {"ttft": {"kind": "fixed", "mean": 5}, "tbt": {"kind": "fixed", "mean": 1}}
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2.5,
    10**12,
    "",
    "5",
    "nope",
    [],
    [1],
    {},
    {"a": None},
    [{}],
    [None],
    {"mine": 3},
]

FAULTS: list[Any] = [
    {"kind": "refuse", "status": 429},
    {"kind": "refuse", "status": 429, "id": "a", "count": 2, "per": "request", "scope": "model:gpt*"},
    {"kind": "cut", "id": "a", "probability": 0.5},
    {"kind": "stall", "id": "b", "for_s": 3, "after_s": 1, "scope": {"key": ["x", "y"]}},
    {"kind": "slow", "every_s": 9, "on_s": 3, "label": "now and then"},
    {"kind": "slow", "every_s": 3, "on_s": 9},
    {"kind": "refuse", "status": 700},
    {"kind": "refuse", "scope": "status:429"},
    {"kind": "nothing"},
    {"kind": "cut", "per": "key"},
    {"probability": 0.5},
    {},
]
MOCKS: list[Any] = [
    {"reply": "hello"},
    {"name": "one", "when": "text:refund", "reply": {"text": "five days", "latency": "mine"}},
    {"name": "one", "when": {"model": "claude*"}, "replies": ["a", {"error": {"status": 503}}], "then": "loop"},
    {"name": "two", "reply": {"template": True, "text": "{{ text }}"}, "state": {"when": "start", "to": "end"}},
    {"name": "bad", "reply": {"template": True, "text": "{{ text"}},
    {"name": "bad", "when": "modell:gpt", "reply": "hello"},
    {"name": "bad"},
]
LIMITS: list[Any] = [
    {"name": "one", "rpm": 5, "when": "key:a", "per": []},
    {"name": "two", "tier": "openai-tier-1", "per": "provider"},
    {"tpm": 0},
    {"name": "three"},
]


def some(values: list[Any]) -> Any:
    return st.lists(st.sampled_from(values), max_size=3)


VALUES: dict[str, Any] = {
    "target_tokens": st.integers(-1, 300_000),
    "speed": st.floats(-1, 1001),
    "seed": st.integers(-1, 1 << 63),
    "strict": st.booleans(),
    "overrides": st.booleans(),
    "generator": st.sampled_from(["lorem", "echo", "fixed:hi", "nobody"]),
    "latency_profile": st.sampled_from([None, "instant", "mine", "yours"]),
    "profiles": st.dictionaries(st.sampled_from(["mine", "yours"]), st.sampled_from([PROFILE, None, 7])),
    "model_profiles": st.dictionaries(st.sampled_from(["gpt-4o", "o3"]), st.sampled_from(["fast", "mine", None, "no"])),
    "rate_limit_rate": st.floats(-0.1, 1.1),
    "timeout_rate": st.floats(0, 1),
    "timeout_after_ms": st.integers(-1, 4_000_000),
    "rpm": st.none() | st.integers(0, 100),
    "faults": some(FAULTS),
    "mocks": some(MOCKS),
    "limits": some(LIMITS),
    "nothing": st.just(1),
}
CHANGES = st.dictionaries(st.sampled_from(list(VALUES)), st.none(), min_size=1, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[name] | st.sampled_from(ODD) for name in names})
)
DEEDS = st.one_of(
    st.tuples(st.just("change"), CHANGES),
    st.tuples(st.just("arm"), st.sampled_from(FAULTS)),
    st.tuples(st.just("lift"), st.sampled_from(["a", "b", "fault-1", "none", None])),
    st.tuples(st.just("undo"), st.none()),
)


def dumped(told: Settings) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(told.model_dump(mode="json")))
    return found


class Fold:
    """What the valid changes come to, worked out apart from the simulator: plain values, and the ones before them."""

    def __init__(self) -> None:
        self.now = dumped(Settings())
        self.before: list[dict[str, Any]] = []

    def change(self, changes: dict[str, Any]) -> bool:
        """Takes a change, if all of it can be."""
        if changes.keys() - Settings.model_fields.keys():
            return False
        try:
            after = dumped(Settings.model_validate({**self.now, **changes}))
        except (ValidationError, SettingsError):
            return False
        if after != self.now:
            self.before.append(self.now)
        self.now = after
        return True


def named(told: dict[str, Any], simulator: Simulator) -> dict[str, Any]:
    """The changes with the ids that the simulator gave to faults without one."""
    faults = simulator.settings.faults
    if isinstance(told.get("faults"), list) and len(told["faults"]) == len(faults):
        pairs = zip(told["faults"], faults, strict=True)
        return {**told, "faults": [{**one, "id": one.get("id") or armed.id} for one, armed in pairs]}
    return told


def do(simulator: Simulator, fold: Fold, deed: str, told: Any) -> None:
    """Does one thing to the simulator and to the fold; a simulator that refuses must not have changed."""
    before = simulator.settings
    try:
        if deed == "change":
            simulator.change(**told)
            assert fold.change(named(told, simulator)), f"this was taken: {told}"
        elif deed == "arm":
            armed = simulator.arm(told)
            assert told.get("id") or armed.id not in {one.id for one in before.faults}
            others = [one for one in fold.now["faults"] if one["id"] != armed.id]
            assert fold.change({"faults": [*others, {**told, "id": armed.id}]})
        elif deed == "lift":
            kept = [one for one in fold.now["faults"] if told not in (None, one["id"])]
            assert simulator.lift(told) == len(fold.now["faults"]) - len(kept)
            rates = {"rate_limit_rate": 0.0, "server_error_rate": 0.0, "timeout_rate": 0.0} if told is None else {}
            assert fold.change({"faults": kept, **rates})
        elif simulator.undo() is not None:
            fold.now = fold.before.pop()
        else:
            assert not fold.before
    except SettingsError:
        assert simulator.settings is before
        assert deed != "change" or not fold.change(told), f"this was refused: {told}"


@given(st.lists(DEEDS, max_size=12))
@settings(max_examples=150, deadline=None)
def test_settings_are_valid_and_the_fold_of_the_valid_changes(deeds: list[tuple[str, Any]]) -> None:
    simulator, fold = Simulator(clock=ToldClock()), Fold()
    for deed, told in deeds:
        do(simulator, fold, deed, told)
        assert dumped(simulator.settings) == fold.now
        assert dumped(Settings.model_validate(fold.now)) == fold.now


# -- over HTTP


def patched(fold: Fold, told: Any) -> bool:
    """The fold of a PATCH: entries of profiles one by one, null takes one out."""
    if not isinstance(told, dict):
        return told is None
    changes = dict(told)
    for name in ("profiles", "model_profiles"):
        if isinstance(changes.get(name), dict):
            both = {**fold.now[name], **changes[name]}
            changes[name] = {key: value for key, value in both.items() if value is not None}
    return fold.change(changes)


BODIES = CHANGES.map(orjson.dumps) | st.sampled_from([b"", b"{", b"[]", b"3", b'"speed"', b"{}", b"\xff", b"null"])


async def patch_all(bodies: list[bytes]) -> None:
    simulator, fold = Simulator(clock=ToldClock()), Fold()
    transport = httpx.ASGITransport(Control(simulator))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for body in bodies:
            before = simulator.settings
            answer = await client.patch("/llmsim/settings", content=body)
            try:
                told = orjson.loads(body) if body else None
            except orjson.JSONDecodeError:
                told = 0
            taken = patched(fold, named(told, simulator) if isinstance(told, dict) else told)
            assert answer.status_code == (200 if taken else 400), (answer.text, told)
            if not taken:
                assert simulator.settings is before
                assert answer.json()["error"]["message"]
            else:
                assert answer.json()["settings"] == fold.now
            assert dumped(simulator.settings) == fold.now


@given(st.lists(BODIES, max_size=8))
@settings(max_examples=80, deadline=None)
def test_a_patch_is_taken_whole_or_refused_whole(bodies: list[bytes]) -> None:
    asyncio.run(patch_all(bodies))


# -- at once


@pytest.mark.parametrize(("clients", "times"), [(2, 10), (8, 5)])
async def test_what_is_added_under_a_revision_is_never_lost(clients: int, times: int) -> None:
    """Every client adds one so many times to what it saw last; of those that saw the same, one comes first."""
    left = [times] * clients
    async with running(target_tokens=1) as runner, httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        while any(left):
            busy = [place for place in range(clients) if left[place]]
            seen = await asyncio.gather(*(client.get("/llmsim/settings") for _ in busy))
            answers = await asyncio.gather(*(add_one(client, one.json()) for one in seen))
            assert sorted(answers) == [200] + [409] * (len(busy) - 1)
            left[busy[answers.index(200)]] -= 1
        assert runner.simulator.settings.target_tokens == 1 + clients * times


async def add_one(client: httpx.AsyncClient, seen: dict[str, Any]) -> int:
    more = {"target_tokens": seen["settings"]["target_tokens"] + 1}
    answer = await client.patch("/llmsim/settings", json=more, headers={"if-match": f'"{seen["revision"]}"'})
    return answer.status_code


async def test_changes_at_once_without_a_revision_lose_nothing_of_each_other() -> None:
    plain = {"speed": 2.0, "seed": 9, "strict": True, "rpm": 1000, "tpm": 99_000, "generator": "echo"}
    async with running() as runner, httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        answers = await asyncio.gather(
            *(client.patch("/llmsim/settings", json={name: value}) for name, value in plain.items()),
            *(client.patch("/llmsim/settings", json={"model_profiles": {f"m-{n}": "fast"}}) for n in range(20)),
            *(client.patch("/llmsim/settings", json={"target_tokens": -n}) for n in range(5)),
            *(client.post("/llmsim/faults", json={"kind": "cut", "scope": f"key:{n}"}) for n in range(20)),
            *(client.post("/llmsim/mocks", json={"name": f"m-{n}", "reply": "hello"}) for n in range(20)),
            *(client.put(f"/llmsim/mocks/p-{n}", json={"reply": "hello"}) for n in range(20)),
        )
        now = runner.simulator.settings
    assert [one.status_code for one in answers].count(400) == 5
    assert {name: getattr(now, name) for name in plain} == plain
    assert now.model_profiles == {f"m-{n}": "fast" for n in range(20)}
    assert sorted(str(one.scope) for one in now.faults) == sorted(f"key:{n}" for n in range(20))
    assert {one.name for one in now.mocks} == {f"{way}-{n}" for way in "mp" for n in range(20)}
