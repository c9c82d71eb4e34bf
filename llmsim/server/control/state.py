"""The state of the whole, its settings under a revision, undoing, and putting parts back to where they began."""

from __future__ import annotations

from itertools import islice
from typing import Any

from starlette.responses import Response

from llmsim import __version__
from llmsim.honesty import REPLIES, measured
from llmsim.journal.search import turn
from llmsim.latency import presets
from llmsim.server.control.call import AT_ONCE, Call, Operation, Problem, answer
from llmsim.settings import Settings

_MERGED = ("profiles", "model_profiles")
"""Settings that are mappings: a PATCH changes the entries that it names, null takes one out (RFC 7396)."""

_MOST_PARTS = 20
"""Parts that one call puts back, the same ones again included."""

_MOST_STATIONS = 200
"""Stations that are told of."""


async def state(call: Call) -> Any:
    """How the server is, in figures."""
    simulator, meter = call.simulator, call.simulator.meter
    meter.sample()
    recent = meter.window(11)[:-1]
    playing = call.control.playing
    return {
        "version": __version__,
        "address": call.control.address,
        "read_only": call.control.read_only,
        "revision": simulator.settings.revision,
        "uptime_s": round(simulator.clock.now() - simulator.started, 3),
        "requests": meter.begun,
        "live": len(meter.live),
        "outcomes": dict(meter.outcomes),
        "tokens": {"in": meter.prompt_tokens, "out": meter.tokens},
        "per_s": {
            "requests": round(sum(sum(slot.counts.values()) for slot in recent) / 5, 3),
            "tokens": round(sum(slot.tokens for slot in recent) / 5, 3),
        },
        "load": [station.json() for station in islice(simulator.stations, _MOST_STATIONS)],
        "honesty": _honesty(call),
        "lag_p95_ms": round(simulator.pacer.lag.quantile(0.95) * 1000, 3),
        "faults": len(simulator.settings.faults),
        "mocks": len(simulator.settings.mocks),
        "mock_problems": dict(call.control.mock_problems()),
        "journal": {"first": simulator.journal.first, "last": simulator.journal.last, "bytes": simulator.journal.size},
        "store": {"entries": len(simulator.store), "bytes": simulator.store.size},
        "scenario": playing.json() if playing is not None else None,
        "recording": call.control.recorder.told() if call.control.recorder is not None else None,
        "seed": simulator.settings.seed,
        **call.control.members(),
    }


async def settings(call: Call) -> Any:
    """The settings in force."""
    return await _told(call.simulator.settings)


async def _told(now: Settings) -> Response:
    for at, one in enumerate(now.mocks):  # its parts are remembered, so that all of them are told in one go
        if at % AT_ONCE == 0:
            await turn()
        one.flat()
    return answer(
        {"revision": now.revision, "settings": now.model_dump(mode="json")}, headers={"etag": f'"{now.revision}"'}
    )


async def patch(call: Call) -> Any:
    """Changes settings, all or nothing; with If-Match only where nobody has changed them since."""
    _unchanged(call)
    changes = call.mapping()
    said = {name: call.query.get(name, "")[:200] for name in ("text", "mark")}
    unknown = next((name for name in changes if name not in Settings.model_fields), None)
    if unknown is not None:
        raise Problem(400, f"{unknown[:60]}: there is no such setting; there are {', '.join(Settings.model_fields)}")
    ready = await call.ready(**_merged(call.simulator.settings, changes))
    _unchanged(call)
    # What others have put into a mapping meanwhile stays there.
    now = call.change(_merged(call.simulator.settings, changes), ready, anew=_MERGED, **said)
    return await _told(now)


def _unchanged(call: Call) -> None:
    """Raises Problem where the call guards a revision that is no longer the one in force."""
    now = call.simulator.settings
    # A list of revisions is one of them (RFC 9110, 13.1.1); a weak one, W/"7", is none that could be guarded.
    wanted = {one.strip().strip('"') for one in call.headers.get("if-match", "*").split(",")}
    if not wanted & {"*", str(now.revision)}:
        raise Problem(
            409, f"the settings have changed since: they are at revision {now.revision}", revision=now.revision
        )


def _merged(now: Settings, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes with what is kept of each mapping that they change."""
    told = dict(changes)
    for name in _MERGED:
        given = changes.get(name)
        if isinstance(given, dict):
            told[name] = {key: value for key, value in {**getattr(now, name), **given}.items() if value is not None}
    return told


async def schema(call: Call) -> Any:
    """The settings' JSON Schema: every name, what it means, what is allowed."""
    return Settings.model_json_schema()


async def profiles(call: Call) -> Any:
    """The latency profiles by name: presets, under the user's own."""
    known = {**presets(), **call.simulator.settings.profiles}
    return {name: profile.model_dump(mode="json") for name, profile in known.items()}


async def undo(call: Call) -> Any:
    """Takes the last change back."""
    text = call.simulator.undo(who=call.who)
    if text is None:
        raise Problem(409, "there is nothing to undo")
    return {"undone": text, "revision": call.simulator.settings.revision}


async def redo(call: Call) -> Any:
    """Makes the change that was taken back last again."""
    text = call.simulator.redo(who=call.who)
    if text is None:
        raise Problem(409, "there is nothing to redo")
    return {"redone": text, "revision": call.simulator.settings.revision}


async def honesty(call: Call) -> Any:
    """Whether the times asked for are kept: asked beside achieved over the newest replies, and how late timers come."""
    return _honesty(call)


def _honesty(call: Call) -> dict[str, Any]:
    simulator = call.simulator
    return measured(simulator.journal.newest(REPLIES), simulator.pacer.lag).json()


async def changes(call: Call) -> Any:
    """The changes that were made, newest last: what, by whom, when."""
    simulator = call.simulator
    start = simulator.clock.wall() - simulator.clock.now()
    return [
        {"time": start + one.at, "who": one.who, "text": one.text, "revision": one.after.revision}
        for one in list(simulator.history)[-call.number("limit", 100, 1, 10_000) :]
    ]


async def reset(call: Call) -> Any:
    """Puts parts back to where they began; without `what` all of them."""
    what = call.fields("what").get("what", [])
    if not isinstance(what, list) or len(what) > _MOST_PARTS or not all(isinstance(name, str) for name in what):
        raise Problem(400, "what: it is a list of journal, counts, limits, store, rules, settings")
    if not what or "rules" in what:
        call.control.stop_scenario()
    call.simulator.reset(*what, who=call.who)
    return {"reset": what or "all", "revision": call.simulator.settings.revision}


async def store(call: Call) -> Any:
    """How much clients have left here, and how much may be kept."""
    kept = call.simulator.store
    limits = {"entries": kept.count_limit, "bytes": kept.size_limit, "seconds": kept.age_limit}
    return {"entries": len(kept), "bytes": kept.size, "limits": limits}


async def clear_store(call: Call) -> Any:
    """Forgets everything that clients have left."""
    return {"cleared": call.simulator.store.clear()}


SAID = {"text": "what is changed, in words", "mark": "its flag on charts"}

OPERATIONS = [
    Operation("GET", "/state", state, "How the server is, in figures", changes=False),
    Operation("GET", "/settings", settings, "The settings in force, with their revision", changes=False),
    Operation(
        "PATCH", "/settings", patch, "Change settings, all or nothing; If-Match guards a revision", Settings, SAID
    ),
    Operation("GET", "/settings/schema", schema, "The settings' JSON Schema", changes=False),
    Operation("GET", "/profiles", profiles, "The latency profiles by name", changes=False),
    Operation("POST", "/undo", undo, "Take the last change back"),
    Operation("POST", "/redo", redo, "Make the change that was taken back last again"),
    Operation("GET", "/honesty", honesty, "Whether the times asked for are kept", changes=False),
    Operation(
        "GET", "/changes", changes, "The changes that were made", query={"limit": "at most so many"}, changes=False
    ),
    Operation("POST", "/reset", reset, "Put parts back to where they began", body={"what": ["journal"]}),
    Operation("GET", "/store", store, "How much clients have left here", changes=False),
    Operation("DELETE", "/store", clear_store, "Forget everything that clients have left"),
]
