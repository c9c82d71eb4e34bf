"""Looks whether what a scenario expects came about: which requests were seen, and what the clients did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from llmsim.scenarios import ClientExpectation, Scenario
from llmsim.simulator import Simulator
from llmsim.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Result:
    """One expectation: whether it was met, and a sentence that says what was seen."""

    met: bool
    sentence: str

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {"met": self.met, "sentence": self.sentence}


def results(scenario: Scenario, simulator: Simulator, first: int = 0) -> list[Result]:
    """Every expectation of a scenario, over the exchanges from number `first` on."""
    exchanges = simulator.journal.between(after=first - 1)
    now = simulator.clock.now()
    found = [one.verify(exchanges, reread=simulator.reread, now=now) for one in scenario.expect]
    told = [Result(one.holds, one.sentence) for one in found]
    return [*told, *_clients(scenario.clients, judge(exchanges, now))]


def _clients(expected: ClientExpectation, verdict: Verdict) -> list[Result]:
    endings: Counter[str] = sum((one.endings for one in verdict.clients), Counter())
    waits = Counter(wait.kept for one in verdict.clients for wait in one.waits)
    seen = {
        "retries": verdict.again,
        "storms": sum(len(one.storms) for one in verdict.clients),
        "ignored_waits": waits["early"] + waits["ignored"],
        "abandoned": verdict.left.replies,
        "gave_up": endings["refused"] + endings["broken"] + endings["open"],
        "succeeded": endings["succeeded"],
    }
    told = []
    for name, count in seen.items():
        times = getattr(expected, name)
        if times is not None:
            words = f"clients: {name.replace('_', ' ')} {count}, expected {times}"
            if name == "gave_up" and endings["open"]:
                words += f" ({endings['open']} of them a moment ago: they may still ask again)"
            told.append(Result(count in times, words))
    if expected.waits_kept is not None:
        kept, asked = waits["kept"], waits["kept"] + waits["early"] + waits["ignored"]
        share = kept / asked if asked else 1.0
        sentence = f"clients: {kept} of {asked} waits kept, expected at least {expected.waits_kept:.0%}"
        told.append(Result(share >= expected.waits_kept, sentence))
    return told
