"""Replays over HTTP: which tapes are in, what they have answered, what was not on them; loaded and taken out."""

from __future__ import annotations

import asyncio
from typing import Any

from llmsim import masks
from llmsim.errors import TapeError
from llmsim.server.control.call import Call, Operation, Problem, answer, shown
from llmsim.server.desk import ServerDesk
from llmsim.server.reels import Reels

_LONGEST = 4096
"""Characters of a path."""


def _desk(call: Call) -> ServerDesk:
    if call.control.desk is None:
        raise Problem(404, "this server cannot replay: a server of several machines takes tapes at its start alone")
    return call.control.desk


def _reels(call: Call) -> Reels:
    reels = _desk(call).reels
    if reels is None:
        raise Problem(404, "no tape is being replayed")
    return reels


def _told(call: Call, reels: Reels) -> dict[str, Any]:
    reel, settings = reels.reel, call.simulator.settings
    return {
        "tapes": reels.files,
        "mode": settings.replay,
        "takes": len(reel.cues),
        "played": sum(1 for cue in reel.cues if cue.played),
        "hits": reel.hits,
        "misses": reel.missed,
        "bytes": reel.size,
        "notes": reel.notes,
    }


async def replay(call: Call) -> Any:
    """The tapes that requests are answered from, and what came of it."""
    return _told(call, _reels(call))


async def load_tape(call: Call) -> Any:
    """Answers requests from a tape, in the place of those before; `mode` is the setting `replay`."""
    told = call.fields("tape", "mode")
    if not isinstance(told.get("tape"), str) or len(told["tape"]) > _LONGEST:
        raise Problem(400, "tape: the path of a tape on the server's machine is needed")
    desk, mode = _desk(call), told.get("mode", call.simulator.settings.replay)
    call.simulator.settings.changed(replay=mode)
    reels = Reels(desk.routes, desk.clock, desk.tape_bytes)
    desk.routes.complete()
    try:
        await asyncio.get_running_loop().run_in_executor(None, reels.load, told["tape"])
    except TapeError as error:
        raise Problem(400, str(error)) from None
    except OSError as error:
        raise Problem(400, f"tape: {shown(told['tape'])} cannot be read: {error.strerror}") from None
    desk.reels = reels
    call.simulator.change(who=call.who, replay=mode)
    call.simulator.events.add("replay", f"replays {told['tape']}: {len(reels.reel.cues)} takes", call.who)
    return answer(_told(call, reels), 201)


async def rewind(call: Call) -> Any:
    """Lets every take be played again from the first one."""
    reels = _reels(call)
    reels.reel.rewind()
    return _told(call, reels)


async def eject(call: Call) -> Any:
    """Takes the tapes out: requests are answered by the simulator again."""
    told = _told(call, _reels(call))
    _desk(call).reels = None
    call.simulator.events.add("replay", "replays no more", call.who)
    return told


async def takes(call: Call) -> Any:
    """The takes, in order: what was asked, what came, how often it has been played."""
    limit = call.number("limit", 100, 1, 10_000)
    return [
        {
            "place": cue.place,
            "method": cue.take.method,
            "path": masks.target(cue.take.target),
            "api": cue.dialect,
            "model": cue.heard.model if cue.heard else "",
            "stream": cue.stream,
            "status": cue.take.status,
            "end": cue.take.end,
            "duration_ms": round(1000 * cue.take.ended, 3),
            "played": cue.played,
        }
        for cue in _reels(call).reel.cues[:limit]
    ]


async def misses(call: Call) -> Any:
    """The newest requests that no take has answered, and which take came nearest."""
    return [{"request": masks.target(line), "why": masks.text(miss.told())} for line, miss in _reels(call).reel.misses]


OPERATIONS = [
    Operation("GET", "/replay", replay, "The tapes that requests are answered from", changes=False),
    Operation(
        "PUT",
        "/replay",
        load_tape,
        "Answer requests from a tape",
        body={"tape": "run.jsonl", "mode": "once"},
        status=201,
    ),
    Operation("DELETE", "/replay", eject, "Take the tapes out"),
    Operation("POST", "/replay/rewind", rewind, "Let every take be played again"),
    Operation("GET", "/replay/takes", takes, "The takes, in order", query={"limit": "at most so many"}, changes=False),
    Operation("GET", "/replay/misses", misses, "Requests that no take has answered, and why", changes=False),
]
