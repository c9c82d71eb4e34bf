"""Scenarios over HTTP: begun, watched, stopped, and written from what was done by hand."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from llmsim.scenarios import Scenario
from llmsim.scenarios.calls import of_event
from llmsim.scenarios.record import recorded
from llmsim.scenarios.verify import results
from llmsim.server.control.call import Call, Operation, Problem, answer, whole
from llmsim.signs import seen


async def status(call: Call) -> Any:
    """How far the scenario is that was begun last, and what came of its expectations once it is over."""
    playing = call.control.playing
    if playing is None:
        raise Problem(404, "no scenario has been begun")
    told = playing.json()
    if playing.state != "running":
        told["results"] = [one.json() for one in results(playing.scenario, call.simulator, playing.first)]
    return told


async def begin(call: Call) -> Any:
    """Begins a scenario, as JSON or as YAML; one at a time."""
    playing = call.control.playing
    if playing is not None and playing.state == "running":
        raise Problem(409, f"the scenario {playing.scenario.name} is running; DELETE stops it")
    scenario = await call.aside(lambda: call.model(Scenario))
    if call.control.playing is not playing:
        raise Problem(409, "another scenario has been begun meanwhile")
    return answer(call.control.begin_scenario(scenario).json(), 201)


async def stop(call: Call) -> Any:
    """Stops the scenario, and lifts what it has armed."""
    if not call.control.stop_scenario():
        raise Problem(404, "no scenario is running")
    return await status(call)


async def record(call: Call) -> Any:
    """The changes that were made, as a scenario in YAML."""
    import yaml

    told = recorded(call.simulator.history, call.query.get("name", "recorded")[:200])
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    text = text if seen(text) else yaml.safe_dump(told, sort_keys=False)
    return Response(text, media_type="application/yaml")


async def again(call: Call) -> Any:
    """The calls that make the change again that an event tells of; none where it tells of no change."""
    number = whole(call.params["number"])
    if number is None or not 0 < number <= call.simulator.events.newest:
        raise Problem(404, f"there is no event {call.params['number'][:20]}")
    return of_event(call.simulator.history, number)


OPERATIONS = [
    Operation("GET", "/events/{number}/calls", again, "The calls that make an event's change again", changes=False),
    Operation("GET", "/scenario", status, "How far the scenario is", changes=False),
    Operation("POST", "/scenario", begin, "Begin a scenario", body=Scenario, status=201),
    Operation("DELETE", "/scenario", stop, "Stop the scenario"),
    Operation(
        "GET",
        "/scenario/recorded",
        record,
        "The changes made by hand, as a scenario",
        query={"name": "of the scenario"},
        changes=False,
    ),
]
