"""What each of Anthropic's models takes and does: thinking, forced tools, prefill, effort, sampling, caching.

Source: Anthropic's guides "Troubleshooting thinking", "Effort", "Prompt caching" and "Errors", and the migration guides
of each generation, as of November 2026. A model that the catalogue does not know takes everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from llmsim import catalogue

EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING = ("adaptive", "between_tools", "disabled", "enabled")

Version = tuple[int, int]

_COMPUTERS = ("computer_20241022", "computer_20250124", "computer_20251124")


@dataclass(frozen=True, slots=True)
class Facts:
    """What one model takes.

    `thinking` are the values of `thinking.type` it takes; with `thinks` it thinks when not told otherwise, with `shows`
    it shows its thinking when not told otherwise. `sampling` is whether it takes temperature, top_p and top_k, `forces`
    whether tools can be forced on it, `prefill` whether it continues an assistant message, `hears_system` whether it
    takes system messages in the conversation, `lacks` are types of tools it does not take. `cache_minimum` is the least
    number of tokens that are cached.
    """

    id: str
    line: str = ""
    version: Version = (0, 0)
    max_tokens: int = 0
    thinking: tuple[str, ...] = THINKING
    thinks: bool = False
    shows: bool = True
    efforts: tuple[str, ...] = EFFORTS
    sampling: bool = True
    forces: bool = True
    prefill: bool = True
    hears_system: bool = True
    threads: bool = True
    lacks: tuple[str, ...] = ()
    cache_minimum: int = 1024


def facts(name: str, amazon: bool = False) -> Facts:
    """What the model of this name takes, from Anthropic itself or on Amazon's platform."""
    return _facts(name, amazon) if len(name) <= 200 else Facts(name)


@lru_cache(maxsize=256)
def _facts(name: str, amazon: bool) -> Facts:
    model = catalogue.find(name)
    if model is None or model.provider != "anthropic":
        return Facts(name if model is None else model.id)
    line, version = parsed(model.id)
    preview = model.id == "claude-mythos-preview"
    adaptive = preview or version >= (4, 7)
    thinking = _thinking(line, version, preview, model.reasoning)
    return Facts(
        id=model.answers_as,
        line=line,
        version=version,
        max_tokens=model.max_output_tokens,
        thinking=thinking,
        thinks=preview or version >= (5, 0),
        shows=not adaptive,
        efforts=_efforts(line, version, preview),
        sampling=not adaptive,
        forces=not (version >= (5, 1) and line in ("fable", "mythos")) and not (version >= (5, 5) and line != "haiku"),
        prefill=not (preview or version >= (4, 6)),
        hears_system=version >= (5, 5) or version == (4, 8) or (version >= (5, 0) and line not in ("sonnet", "haiku")),
        threads=version >= (4, 5),
        lacks=_lacks(line, version, amazon),
        cache_minimum=_cache_minimum(line, version, preview),
    )


def parsed(id: str) -> tuple[str, Version]:
    """The line and the version in a model's id: both `claude-3-5-sonnet-20241022` and `claude-opus-4-1-20250805`."""
    older = re.match(r"claude-(\d)(?:-(\d))?-([a-z]+)", id)
    if older:
        return older[3], (int(older[1]), int(older[2] or 0))
    newer = re.match(r"claude-([a-z]+)(?:-(\d{1,9})(?:-(\d{1,2}))?)?(?!\d)", id)
    if newer is None:
        return "", (0, 0)
    return newer[1], (int(newer[2] or 4), int(newer[3] or (0 if newer[2] else 6)))


def _thinking(line: str, version: Version, preview: bool, reasons: bool) -> tuple[str, ...]:
    if not reasons:
        return ("disabled",)
    if preview:
        return ("adaptive", "enabled")
    if version < (4, 6):
        return ("disabled", "enabled")
    if version < (4, 7):
        return ("adaptive", "disabled", "enabled")
    if line in ("fable", "mythos") or (version >= (5, 5) and line == "opus"):
        return ("adaptive",)
    return ("adaptive", "between_tools") if version >= (5, 5) and line == "sonnet" else ("adaptive", "disabled")


def _efforts(line: str, version: Version, preview: bool) -> tuple[str, ...]:
    if preview or version == (4, 6):
        return ("low", "medium", "high", "max")
    if version >= (4, 7):
        return EFFORTS
    return ("low", "medium", "high") if (line, version) == ("opus", (4, 5)) else ()


def _lacks(line: str, version: Version, amazon: bool) -> tuple[str, ...]:
    """The types of tools that newer ones have replaced: Amazon's platform does not have the newest."""
    if version < (5, 5) or line not in ("opus", "sonnet"):
        return ()
    return _COMPUTERS[:-1] if amazon else _COMPUTERS


def _cache_minimum(line: str, version: Version, preview: bool) -> int:
    if preview or (line == "haiku" and version < (4, 5)) or version == (4, 7):
        return 2048
    if (line == "opus" and version in ((4, 5), (4, 6))) or (line == "haiku" and version == (4, 5)):
        return 4096
    if version >= (5, 0) and (line, version) != ("sonnet", (5, 0)):
        return 512
    return 1024
