"""How each server is started: llmsim as people run it, its console, and the floor. The peers are in peers.py."""

import sys
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from bench import peers
from bench.process import Command, Unstarted

ROOT = Path(__file__).resolve().parent.parent

TOKENS = 100
PACED_TOKENS = 600
TTFT_MS = 100
TBT_MS = 20

# Rounds of an empty loop that take a floor about as long as llmsim takes for a stream: the client's part is then alike.
BUSY = 8_000

# K10's long reply: a fast model's 200 tokens/s at ten times its speed, some 8 s in all.
LONG_TOKENS = 16_000
LONG_TBT_MS = 5
SPEED = 10


class Kind(Enum):
    """What the server is set to: no latency and 100 tokens; 50 tokens/s for as long as a run may last; K10's reply."""

    INSTANT = "instant"
    PACED = "paced"
    LONG = "long"


# Two faults with a scope that never happen, and mocks that never match: what a server with rules costs.
FAULTS: list[dict[str, Any]] = [
    {"kind": "refuse", "status": 429, "probability": 0, "scope": "model:gpt* !key:vip"},
    {"kind": "stall", "probability": 0, "scope": "stream:true"},
]
MOCKS = 10
MANY_MOCKS = 2_000


def rules(mocks: int) -> dict[str, Any]:
    """The faults and so many mocks, most of them found by a text, some by an expression or a model."""
    whens = [
        'text:"ticket number {at} of"',
        "text:/order #{at}\\b/",
        "model:own-model-{at}",
        'text:"refund {at}" stream:true',
    ]
    told = [{"when": whens[at % len(whens)].format(at=at), "reply": f"Mock {at}."} for at in range(mocks)]
    return {"faults": FAULTS, "mocks": told}


def pace(tbt_ms: float, speed: float = 1) -> dict[str, Any]:
    """Settings for tokens of which each comes so long after the one before."""
    times = {"ttft": {"kind": "fixed", "mean": TTFT_MS}, "tbt": {"kind": "fixed", "mean": tbt_ms}}
    return {"latency_profile": "bench", "profiles": {"bench": times}, "speed": speed}


PACES = {Kind.PACED: pace(TBT_MS), Kind.LONG: pace(LONG_TBT_MS, SPEED)}
TARGETS = {Kind.INSTANT: TOKENS, Kind.PACED: PACED_TOKENS, Kind.LONG: LONG_TOKENS}


def python_environment() -> dict[str, str]:
    """Lets a checkout run without being installed."""
    return {"PYTHONPATH": f"{ROOT}:{ROOT / 'tui'}"}


def llmsim_words(kind: Kind, port: int, folder: Path, tokens: int | None = None, mocks: int = MOCKS) -> list[str]:
    """The options that `llmsim serve` and `llmsim-tui` have in common, with the config file written for this kind."""
    config = folder / f"llmsim-{kind.value}-{mocks}.yaml"
    config.write_text(yaml.safe_dump(rules(mocks) | PACES.get(kind, {})))
    target = tokens or TARGETS[kind]
    words = ["--port", str(port), "--config", str(config), "--generator", "lorem", "--target-tokens", str(target)]
    return words if kind in PACES else [*words, "--latency-profile", "instant"]


def llmsim(kind: Kind, port: int, folder: Path, tokens: int | None = None, mocks: int = MOCKS) -> Command:
    words = llmsim_words(kind, port, folder, tokens, mocks)
    return Command([sys.executable, "-m", "llmsim", "serve", *words], python_environment())


def console(kind: Kind, port: int, folder: Path) -> Command:
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "120", "LINES": "40"}
    # A limit that nobody meets brings the panel of limits: all are on the screen, and its cost counts as the console's.
    words = [*llmsim_words(kind, port, folder), "--rpm", "1000000000"]
    return Command([sys.executable, "-m", "llmsim_tui", *words], python_environment() | terminal)


def floor(kind: Kind, port: int, folder: Path) -> Command:
    pace = ["--ttft", str(TTFT_MS), "--tbt", str(TBT_MS)] if kind is Kind.PACED else []
    return Command([sys.executable, "-m", "bench.floor", "--port", str(port), *pace], {"PYTHONPATH": str(ROOT)})


def command(name: str, kind: Kind, port: int, folder: Path) -> Command:
    """How to start the server of this name.

    Raises:
        Unstarted: there is no such server on this machine.
    """
    tokens = PACED_TOKENS if kind is Kind.PACED else TOKENS
    pace = (TTFT_MS, TBT_MS) if kind is Kind.PACED else None
    match name:
        case "llmsim":
            return llmsim(kind, port, folder)
        case "llmsim, 2,000 mocks":
            return llmsim(kind, port, folder, mocks=MANY_MOCKS)
        case "llmsim, two workers":
            start = llmsim(kind, port, folder)
            return Command([*start.words, "--workers", "2"], start.environment)
        case "floor":
            return floor(kind, port, folder)
        case "busy floor" | "busy floor, two workers":
            start, count = floor(kind, port, folder), "2" if name.endswith("two workers") else "1"
            return Command([*start.words, "--loops", str(BUSY), "--workers", count], start.environment)
        case "aimock":
            return peers.aimock(port, folder, tokens, pace)
        case "llmock":
            return peers.llmock(port, tokens, pace)
    raise Unstarted(f"no server is called {name}")
