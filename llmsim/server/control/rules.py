"""Faults, mocks and rate limits over HTTP: listed, put in force, tried out on what was seen, taken away."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llmsim import faults, masks
from llmsim.errors import SettingsError
from llmsim.journal.search import turn, with_texts
from llmsim.limits import BucketState, Limit
from llmsim.match import Match, Subject
from llmsim.mocks import Mock, named
from llmsim.mocks.index import Index
from llmsim.server.control.call import AT_ONCE, LONG, Call, Operation, Problem, answer, near_told, shown
from llmsim.server.control.state import SAID
from llmsim.settings import Armed

# -- faults


def _fault(call: Call, one: Armed) -> dict[str, Any]:
    now = call.simulator.clock.now()
    return {
        **one.flat(),
        "summary": one.fault.summary(),
        "hits": call.simulator.hits.get(one.id, 0),
        "in_force": one.on(now) and not call.simulator.tally.spent(one),
        "left_s": None if one.until is None else round(max(0.0, one.until - now), 3),
    }


async def list_faults(call: Call) -> Any:
    """The faults in force, in the order in which they strike."""
    return [_fault(call, one) for one in call.simulator.settings.faults]


async def fault_kinds(call: Call) -> Any:
    """Every kind of fault with the JSON Schema of its settings."""
    return {kind: made.model_json_schema() for kind, made in faults.kinds().items()}


async def arm(call: Call) -> Any:
    """Arms a fault: its fields, or `fault` in its short form, such as "429 count=3"."""
    fields = call.mapping()
    if isinstance(fields.get("fault"), str):
        fields = {**faults.read(fields.pop("fault")), **fields}
    if "id" in call.params:
        fields["id"] = call.params["id"]
    if len(call.body) > LONG:  # only to find out whether it can be, where that may take a while
        await call.aside(lambda: call.simulator.settings.changed(faults=[fields]))
    return answer(_fault(call, call.simulator.arm(fields, who=call.who)), 201)


async def lift(call: Call) -> Any:
    """Lifts one fault, or all and the founding rates."""
    id = call.params.get("id")
    lifted = call.simulator.lift(id, who=call.who)
    if id is not None and not lifted:
        there = ", ".join(one.id for one in call.simulator.settings.faults) or "none"
        raise Problem(404, f"there is no fault {id!r} in force; there are {there}")
    return {"lifted": lifted}


async def preview(call: Call) -> Any:
    """How many of the last requests a scope would have met."""
    told = call.fields("scope", "last")
    last = call.last(told, 10_000)
    scope = await call.aside(lambda: Match(told.get("scope", "")))
    found = call.simulator.journal.preview(scope, last, reread=call.simulator.reread)
    return {"matched": found.matched, "looked_at": found.looked_at, "numbers": list(found.numbers)}


# -- mocks


def _mock(call: Call, one: Mock) -> dict[str, Any]:
    return {**one.flat(), "answered": call.simulator.tally.answered.get(one.name, 0)}


async def list_mocks(call: Call) -> Any:
    """The mocks, in their order, with how often each has answered."""
    told: list[dict[str, Any]] = []
    for one in call.simulator.settings.mocks:
        if len(told) % AT_ONCE == 0:
            await turn()
        told.append(_mock(call, one))
    return told


def _found(call: Call) -> Mock:
    name = call.params["name"]
    found = next((one for one in call.simulator.settings.mocks if one.name == name), None)
    if found is None:
        raise Problem(404, f"there is no mock {name!r}")
    return found


async def one_mock(call: Call) -> Any:
    """One mock."""
    return _mock(call, _found(call))


async def _put(call: Call, change: Callable[[tuple[Mock, ...]], list[Mock]], **said: str) -> tuple[Mock, ...]:
    """Changes the mocks; where they are many, how they are found is worked out before, in a thread."""
    kept = call.simulator.settings.mocks
    ready = await call.in_thread(call.reading(mocks=change(kept))) if len(kept) > AT_ONCE else None
    now = call.simulator.settings.mocks
    return call.change({"mocks": change(now)}, ready if now is kept else None, **said).mocks


async def put_mocks(call: Call) -> Any:
    """Puts these mocks in the place of all."""
    told = call.json()
    mocks = told.get("mocks") if isinstance(told, dict) else told
    if not isinstance(mocks, list):
        raise Problem(400, "the body is a list of mocks, or an object with mocks")
    ready = await call.ready(mocks=mocks)
    text, mark = call.query.get("text", "")[:200] or f"{len(mocks)} mocks", call.query.get("mark", "")[:200] or "mocks"
    call.change({"mocks": mocks}, ready, text=text, mark=mark)
    return await list_mocks(call)


async def add_mock(call: Call) -> Any:
    """Adds a mock behind the others."""
    mock = await call.aside(lambda: call.model(Mock))
    name = named([*call.simulator.settings.mocks, mock])[-1].name
    mocks = await _put(call, lambda kept: [*kept, mock], text=f"mock {name} added", mark="mocks")
    return answer(_mock(call, mocks[-1]), 201)


async def put_mock(call: Call) -> Any:
    """Puts a mock in the place of the one of its name, or behind the others."""
    name, told = call.params["name"], call.mapping()
    if told.get("name", name) != name:
        raise Problem(400, f"name: {shown(told['name'])} is not the name in the path, {name!r}")
    mock = await call.aside(lambda: call.model(Mock, {**told, "name": name}))

    def put(kept: tuple[Mock, ...]) -> list[Mock]:
        at = next((place for place, one in enumerate(kept) if one.name == name), len(kept))
        return [*kept[:at], mock, *kept[at + 1 :]]

    await _put(call, put, text=f"mock {name}", mark="mocks")
    return _mock(call, mock)


async def drop_mock(call: Call) -> Any:
    """Takes a mock away."""
    gone = _found(call)
    text = f"mock {gone.name} taken away"
    await _put(call, lambda kept: [one for one in kept if one is not gone], text=text, mark="mocks")
    return {"dropped": gone.name}


async def drop_mocks(call: Call) -> Any:
    """Takes all mocks away."""
    count = len(call.simulator.settings.mocks)
    call.simulator.change(who=call.who, text="all mocks taken away", mark="mocks", mocks=())
    return {"dropped": count}


async def try_mocks(call: Call) -> Any:
    """Which of these mocks would have answered each of the last requests; nothing is changed."""
    told = call.fields("mocks", "last")
    last, mocks = call.last(told, 1000), told.get("mocks")
    if mocks is not None and not isinstance(mocks, list):
        raise Problem(400, "mocks: it is a list of mocks")
    settings = call.simulator.settings if mocks is None else await call.aside(call.reading(mocks=mocks))
    index = settings.mock_index or Index(())
    found = []
    for exchange in call.simulator.journal.newest(last):
        await turn()  # thousands of mocks may have to be looked at for each
        subject = Subject(with_texts(exchange, call.simulator.reread), exchange.request)
        taken = index.find(subject, lambda _: True)
        near = None if taken is not None else index.nearest(subject, lambda _: "")
        found.append(
            {
                "number": exchange.number,
                "mock": taken.name if taken is not None else None,
                "near": near_told(near, exchange),
            }
        )
    return {"taken": sum(one["mock"] is not None for one in found), "of": len(found), "requests": found}


async def states(call: Call) -> Any:
    """Where the machines of mocks are."""
    return dict(call.simulator.tally.states)


async def reload(call: Call) -> Any:
    """Reads the files of mocks again."""
    await call.control.reload_mocks()
    return await list_mocks(call)


# -- limits


async def list_limits(call: Call) -> Any:
    """The rate limits, and every bucket with what is left in it."""
    rules = [one.model_dump(mode="json", exclude_defaults=True) for one in call.simulator.settings.limits]
    return {"limits": rules, "buckets": [_bucket(one) for one in call.simulator.limiter.buckets()]}


def _bucket(one: BucketState) -> dict[str, Any]:
    """A bucket's figures; a key among its values is masked."""
    values = zip(one.rule.per, one.per, strict=False)
    per = [masks.key(value) if name == "key" else value for name, value in values]
    reset = None if math.isinf(one.reset) else round(one.reset, 3)
    rule = one.rule.model_dump(mode="json", exclude_defaults=True)
    return {**one._asdict(), "per": per, "rule": rule, "reset": reset}


async def put_limits(call: Call) -> Any:
    """Puts these rate limits in the place of all; what was spent stays spent."""
    told = call.json()
    limits = told.get("limits") if isinstance(told, dict) else told
    if not isinstance(limits, list):
        raise Problem(400, "the body is a list of limits, or an object with limits")
    ready = await call.ready(limits=limits)
    call.change({"limits": limits}, ready, text=f"{len(limits)} limits", mark="limits")
    return await list_limits(call)


async def drain(call: Call) -> Any:
    """Empties the buckets of a limit, or of all, by a share."""
    told = call.fields("name", "share")
    share = told.get("share", 1.0)
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share <= 1:
        raise Problem(400, f"share: {shown(share)} is not allowed: it is above 0 and at most 1")
    return {"drained": _buckets(call, call.simulator.limiter.drain(told.get("name"), float(share)), "drained")}


async def refill(call: Call) -> Any:
    """Fills the buckets of a limit, or of all."""
    return {"refilled": _buckets(call, call.simulator.limiter.refill(call.fields("name").get("name")), "refilled")}


def _buckets(call: Call, count: int, what: str) -> int:
    name = call.mapping().get("name")
    if name is not None and not count and all(one.name != name for one in call.simulator.settings.limits):
        raise SettingsError(f"name: there is no limit {shown(name)}")
    call.simulator.events.add("limits", f"{what} {name or 'all limits'}", call.who, "limits")
    return count


_SCOPE = {"scope": "model:gpt-4o*", "last": 100}

OPERATIONS = [
    Operation("GET", "/faults", list_faults, "The faults in force", changes=False),
    Operation("POST", "/faults", arm, "Arm a fault", body=Armed, status=201),
    Operation("DELETE", "/faults", lift, "Lift all faults"),
    Operation("GET", "/faults/kinds", fault_kinds, "Every kind of fault and its settings", changes=False),
    Operation("POST", "/faults/preview", preview, "How many requests a scope would have met", _SCOPE, changes=False),
    Operation("PUT", "/faults/{id}", arm, "Arm a fault under this id", body=Armed, status=201),
    Operation("DELETE", "/faults/{id}", lift, "Lift one fault"),
    Operation("GET", "/mocks", list_mocks, "The mocks", changes=False),
    Operation("PUT", "/mocks", put_mocks, "Put these mocks in the place of all", [Mock], SAID),
    Operation("POST", "/mocks", add_mock, "Add a mock", body=Mock, status=201),
    Operation("DELETE", "/mocks", drop_mocks, "Take all mocks away"),
    Operation(
        "POST", "/mocks/try", try_mocks, "Try mocks on what was seen", {"mocks": [Mock], "last": 100}, changes=False
    ),
    Operation("GET", "/mocks/states", states, "Where the machines of mocks are", changes=False),
    Operation("POST", "/mocks/reload", reload, "Read the files of mocks again"),
    Operation("GET", "/mocks/{name}", one_mock, "One mock", changes=False),
    Operation("PUT", "/mocks/{name}", put_mock, "Put a mock in the place of the one of its name", body=Mock),
    Operation("DELETE", "/mocks/{name}", drop_mock, "Take a mock away"),
    Operation("GET", "/limits", list_limits, "The rate limits and their buckets", changes=False),
    Operation("PUT", "/limits", put_limits, "Put these limits in the place of all", body=[Limit]),
    Operation("POST", "/limits/drain", drain, "Empty buckets", body={"name": "free", "share": 1.0}),
    Operation("POST", "/limits/refill", refill, "Fill buckets", body={"name": "free"}),
]
