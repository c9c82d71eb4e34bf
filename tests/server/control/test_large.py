"""Large changes through the control API: others are served meanwhile, they are atomic, and they have bounds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from llmsim.mocks import Mock
from llmsim.server.control.call import LONG, PARTS, SIGNS
from llmsim.server.serve import Runner
from llmsim.settings import Settings

MOCKS = [{"name": f"m{at}", "when": {"model": "a", "text": f"t{at}"}, "reply": "x"} for at in range(500)]
LIMITS = [{"name": f"l{at}", "when": {"model": "a", "key": f"k{at}"}, "rpm": 3} for at in range(400)]
LARGE = [
    ("PUT", "/mocks", MOCKS),
    ("POST", "/mocks/try", {"mocks": MOCKS}),
    ("PATCH", "/settings", {"mocks": MOCKS, "seed": 7}),
    ("PUT", "/limits", LIMITS),
    ("POST", "/faults", {"kind": "cut", "scope": " or ".join(f"model:model-{at}" for at in range(999))}),
    ("POST", "/scenario", {"steps": [{"at": 1, "change": {"mocks": MOCKS}}]}),
]


class Gate:
    """Holds up whoever reads settings beside the loop, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    plain, made = Settings.changed, Gate()

    def changed(self: Settings, **changes: Any) -> Settings:
        if threading.current_thread() is not threading.main_thread():
            made.reached.set()
            assert made.opened.wait(20)
        else:
            assert all(isinstance(one, Mock) for one in changes.get("mocks", ()))
        return plain(self, **changes)

    monkeypatch.setattr(Settings, "changed", changed)
    yield made
    made.opened.set()


async def begun(api: httpx.AsyncClient, gate: Gate, method: str, path: str, body: Any) -> asyncio.Task[httpx.Response]:
    """A call that has come as far as the gate."""
    task = asyncio.ensure_future(api.request(method, f"/llmsim{path}", json=body))
    assert await asyncio.get_running_loop().run_in_executor(None, gate.reached.wait, 20)
    return task


@pytest.mark.parametrize(("method", "path", "body"), LARGE)
async def test_others_are_served_while_it_is_read(
    api: httpx.AsyncClient, gate: Gate, method: str, path: str, body: Any
) -> None:
    task = await begun(api, gate, method, path, body)
    assert (await api.get("/health")).status_code == 200
    assert not task.done()
    gate.opened.set()
    assert (await task).status_code in (200, 201)


async def test_nothing_of_it_is_in_force_before_all_is(server: Runner, api: httpx.AsyncClient, gate: Gate) -> None:
    before = server.simulator.settings
    task = await begun(api, gate, "PUT", "/mocks", MOCKS)
    assert server.simulator.settings is before
    gate.opened.set()
    await task
    assert len(server.simulator.settings.mocks) == 500


async def test_one_is_read_at_a_time_in_the_order_in_which_they_came(
    server: Runner, api: httpx.AsyncClient, gate: Gate
) -> None:
    first = await begun(api, gate, "PUT", "/mocks", MOCKS)
    second = asyncio.ensure_future(api.put("/llmsim/mocks", json=MOCKS[:400]))
    await api.get("/health")
    gate.opened.set()
    await asyncio.gather(first, second)
    assert len(server.simulator.settings.mocks) == 400


async def test_a_guarded_change_is_refused_where_others_changed_something_while_it_was_read(
    server: Runner, api: httpx.AsyncClient, gate: Gate
) -> None:
    revision = server.simulator.settings.revision
    request = api.build_request(
        "PATCH", "/llmsim/settings", json={"mocks": MOCKS}, headers={"if-match": f'"{revision}"'}
    )
    task = asyncio.ensure_future(api.send(request))
    assert await asyncio.get_running_loop().run_in_executor(None, gate.reached.wait, 20)
    server.simulator.change(seed=5)
    gate.opened.set()
    assert (await task).status_code == 409
    assert server.simulator.settings.mocks == ()


async def test_entries_that_others_put_into_a_mapping_meanwhile_stay(
    server: Runner, api: httpx.AsyncClient, gate: Gate
) -> None:
    task = await begun(api, gate, "PATCH", "/settings", {"model_profiles": {"a": "instant"}, "mocks": MOCKS})
    server.simulator.change(model_profiles={"b": "instant"})
    gate.opened.set()
    assert (await task).status_code == 200
    assert set(server.simulator.settings.model_profiles) == {"a", "b"}


async def test_the_index_of_many_mocks_is_made_before_they_are_in_force(server: Runner, api: httpx.AsyncClient) -> None:
    """Else the first request after would wait for it, and all others too."""
    for method, path, body in (
        ("PUT", "/mocks", MOCKS),
        ("POST", "/mocks", {"name": "one", "reply": "y"}),
        ("PUT", "/mocks/m3", {"reply": "y"}),
        ("DELETE", "/mocks/m4", None),
    ):
        assert (await api.request(method, f"/llmsim{path}", json=body)).is_success
        assert "mock_index" in server.simulator.settings.__dict__
    names = [one.name for one in server.simulator.settings.mocks]
    assert names == [one["name"] for one in MOCKS if one["name"] != "m4"] + ["one"]


@pytest.mark.parametrize(
    ("path", "mocks"),
    [
        ("/mocks", [{"when": {"model": ["a"] * 999}, "reply": "x"}] * 2),
        ("/mocks", [{"replies": [""] * 999}] * 2),
        ("/settings", {"mocks": [{"when": " ".join(["a"] * 999), "reply": "x"}] * 2}),
        ("/settings", {"faults": [{"kind": "cut", "scope": {"model": ["a"] * 999}}] * 2}),
        ("/settings", {"limits": [{"rpm": 1, "when": {"model": ["a"] * 999}}] * 2}),
    ],
)
async def test_all_rules_together_have_so_many_conditions_and_replies(
    server: Runner, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, mocks: Any
) -> None:
    monkeypatch.setattr("llmsim.settings.MOST_PARTS", 1_500)
    before = server.simulator.settings
    told = await api.request("PUT" if path == "/mocks" else "PATCH", f"/llmsim{path}", json=mocks)
    assert told.status_code == 400
    assert "there are more than 1,500 conditions and replies in all" in told.json()["error"]["message"]
    assert server.simulator.settings is before


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[" + b"1," * PARTS + b"1]", f"the body has more than {PARTS:,} values in it"),
        (b"[" + b"1," * (SIGNS + 1) + b"1]", f"the body has more than {SIGNS:,} commas, colons and braces in it"),
    ],
)
async def test_a_body_has_so_many_values(api: httpx.AsyncClient, body: bytes, told: str) -> None:
    refused = await api.put("/llmsim/mocks", content=body)
    assert (refused.status_code, refused.json()["error"]["message"]) == (413, told)


async def test_texts_may_have_as_many_commas_as_they_like_below_that(api: httpx.AsyncClient) -> None:
    assert (await api.put("/llmsim/mocks", json=[{"reply": "a, b: {" * 60_000}])).status_code == 200


async def test_yaml_that_makes_very_much_of_little_is_refused(api: httpx.AsyncClient) -> None:
    steps = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    steps += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 9)]
    yaml = {"content-type": "application/yaml"}
    told = await api.put("/llmsim/mocks", content="\n".join(steps), headers=yaml)
    assert (told.status_code, "too many values" in told.text) == (400, True)
    long = await api.put("/llmsim/mocks", content=b"# " + b"a" * (4 << 20), headers=yaml)
    assert (long.status_code, "4 MB of YAML" in long.text) == (413, True)


async def test_a_path_that_no_file_can_have_is_refused(api: httpx.AsyncClient) -> None:
    for name in ("a" * 300, "a" * 10_000, "a/" * 10_000):
        told = await api.put("/llmsim/replay", json={"tape": name})
        assert (told.status_code, told.json()["error"]["message"][:5]) == (400, "tape:"), name


async def test_a_value_that_is_no_name_is_told_in_short(api: httpx.AsyncClient) -> None:
    for path, body in (
        ("/faults/preview", {"last": [1] * (LONG // 2)}),
        ("/limits/drain", {"name": {str(at): 1 for at in range(LONG // 8)}}),
        ("/limits/drain", {"share": ["x"] * (LONG // 4)}),
    ):
        told = await api.post(f"/llmsim{path}", json=body)
        assert (told.status_code, len(told.content) < 300) == (400, True), told.text
