"""Files of scenarios: read with the place of each problem, played on a server, and judged at the end."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from llmsim.errors import SettingsError
from llmsim.scenarios import Scenario
from llmsim.scenarios.play import Playing
from llmsim.scenarios.verify import Result, results
from llmsim.server import files
from llmsim.settings import sentences
from llmsim.simulator import Simulator

logger = logging.getLogger("llmsim")


def read(path: Path) -> Scenario:
    """The scenario in a YAML or TOML file; raises SettingsError, a line a problem."""
    document = files.read_any(path)
    if not isinstance(document.values, dict):
        raise SettingsError(
            f"{path}: a scenario is a mapping with phases or steps, not a {type(document.values).__name__}"
        )
    try:
        return Scenario.model_validate({"name": path.stem, **document.values})
    except ValidationError as error:
        told = []
        for loc, sentence in sentences(error):
            place = document.place(loc)
            where = f" line {place[0]}" + (f" column {place[1]}" if place[1] else "") if place else ""
            told.append(f"{path}{where}: {sentence}")
        raise SettingsError("\n".join(told)) from None


async def play(scenario: Scenario, simulator: Simulator) -> tuple[Playing, list[Result]]:
    """Plays a scenario to its end; gives how it went and what came of its expectations."""
    playing = Playing(scenario, simulator)
    await playing.over.wait()
    return playing, results(scenario, simulator, playing.first)


def told(playing: Playing, found: list[Result]) -> list[str]:
    """The outcome in lines for people."""
    lines = [f"{'met   ' if one.met else 'UNMET '} {one.sentence}" for one in found]
    problem = f": {playing.problem}" if playing.problem else ""
    return [f"scenario {playing.scenario.name} {playing.state}{problem}", *lines]
