"""`llmsim run`: serves, plays a scenario, and tells by its exit status whether clients did what was expected."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llmsim.errors import SettingsError
from llmsim.scenarios import Scenario
from llmsim.scenarios.play import Playing
from llmsim.scenarios.verify import Result, results
from llmsim.server.config import Config, add_options
from llmsim.server.scenario_files import read, told
from llmsim.server.serve import Beside, End, Runner
from llmsim.signs import in_json, safe

logger = logging.getLogger("llmsim")

_LOOK = 0.02
"""Seconds between two looks whether the requests that a scenario waits for have come."""

EPILOG = """\
examples:
  llmsim run storm.yaml                             goes on serving when the scenario is over
  llmsim run storm.yaml --then-exit --port 9000     for CI: ends with it
  llmsim run storm.yaml --then-exit --wait-for 1    begins with the first request

The exit status is 0 when all that the scenario expects was met, 1 when not (or when somebody stopped it), 2 when the
scenario or a setting cannot be, and 130 when Ctrl+C (143: a termination) came before the scenario was over, as then
nothing is judged. The outcome goes to stdout, the log to stderr.
"""


@dataclass
class Show:
    """One playing of a scenario beside a server: it begins once `wait_for` requests have come, and may end the server.

    `tell` gets it when it is over. `status` is the exit status: 0 when all was met, 1 when not, 2 when it could not be
    played, 128 and the signal's number when a signal came first. The requests that it waits for count for what is
    expected.
    """

    scenario: Scenario
    tell: Callable[[Show], None]
    wait_for: int = 0
    then_exit: bool = False
    playing: Playing | None = None
    results: list[Result] = field(default_factory=list)
    status: int = 128 + signal.SIGINT

    async def attend(self, runner: Runner, end: End) -> None:
        """Plays it, tells of its phases and of its outcome; at the end of the server it stops."""
        try:
            await self._play(runner, end)
        finally:
            if self.then_exit:
                end.come.set()

    async def _play(self, runner: Runner, end: End) -> None:
        first = runner.simulator.journal.last + 1
        await self._requests(runner, end)
        if end.come.is_set():
            self._interrupted(end)
            return
        phases = _Phases(runner)
        self.playing = runner.control.begin_scenario(self.scenario)
        await self.playing.over.wait()
        phases.close()
        if end.come.is_set() and self.playing.state == "stopped":
            self._interrupted(end)
            return
        self.results = results(self.scenario, runner.simulator, first)
        self.status = self._judged(self.playing)
        self.tell(self)

    async def _requests(self, runner: Runner, end: End) -> None:
        """Waits until as many requests have come as it is to wait for."""
        clock, meter = runner.simulator.clock, runner.simulator.meter
        come = asyncio.Event()

        def look() -> None:
            if meter.begun >= self.wait_for or end.come.is_set():
                come.set()
            else:
                clock.call_at(clock.now() + _LOOK, look)

        if self.wait_for:
            logger.info("scenario %s begins after request %d", self.scenario.name, self.wait_for)
        look()
        await come.wait()

    def _judged(self, playing: Playing) -> int:
        if playing.state == "failed":
            return 2
        return 0 if playing.state == "done" and all(one.met for one in self.results) else 1

    def _interrupted(self, end: End) -> None:
        """A verdict before the end would be none: what was to come could still have been met."""
        number = signal.Signals(end.signal or signal.SIGINT)
        self.status = 128 + number
        when = f"after {self.playing.elapsed:.1f} s" if self.playing is not None else "before it began"
        logger.warning("scenario %s stopped %s by %s: nothing is judged", self.scenario.name, when, number.name)


class _Phases:
    """Logs what scenarios say while they are played."""

    def __init__(self, runner: Runner) -> None:
        self._log = runner.simulator.events
        self._told = self._log.newest
        self._log.listeners.add(self._more)

    def _more(self) -> None:
        for event in self._log.after(self._told):
            self._told = event.number
            if event.kind == "scenario":
                logger.info("scenario %s", event.text)

    def close(self) -> None:
        """Logs no more."""
        self._log.listeners.discard(self._more)


def attend(config: Config) -> Beside:
    """Plays the configuration's scenario beside a server and logs its outcome; raises SettingsError for a bad file."""
    return Show(read(Path(config.scenario)), _logged).attend


def _logged(show: Show) -> None:
    assert show.playing is not None
    for line in told(show.playing, show.results):
        logger.log(logging.WARNING if show.status else logging.INFO, "%s", line)


def _printed(show: Show) -> None:
    assert show.playing is not None
    for line in told(show.playing, show.results):
        print(safe(line), flush=True)


def _printed_json(show: Show) -> None:
    assert show.playing is not None
    outcome = {**show.playing.json(), "status": show.status, "results": [one.json() for one in show.results]}
    print(in_json(json.dumps(outcome, indent=2, ensure_ascii=False)), flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `llmsim run` is given."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="SCENARIO", help="YAML or TOML file")
    parser.add_argument("--then-exit", action="store_true", help="end with the scenario instead of serving on")
    parser.add_argument(
        "--wait-for", type=int, default=0, metavar="N", help="begin once N requests have come (default: 0, at once)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    add_options(parser)


def show(options: argparse.Namespace) -> Show:
    """The show that the options of `llmsim run` describe; raises SettingsError for a file that is no scenario."""
    if options.wait_for < 0:
        raise SettingsError(f"--wait-for: {options.wait_for} is not allowed: it is 0 or more")
    tell = _printed_json if options.json else _printed
    return Show(read(Path(options.file)), tell, options.wait_for, options.then_exit)
