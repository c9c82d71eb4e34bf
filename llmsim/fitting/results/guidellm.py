"""GuideLLM's report (`benchmarks.json`), which holds each request: guidellm/schemas/base/request_stats.py, 0.8.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from llmsim.fitting.needs import FitError
from llmsim.fitting.seen import Seen


def mine(raw: Any) -> bool:
    """Whether the document is one of its reports."""
    benchmarks = raw.get("benchmarks") if isinstance(raw, dict) else None
    return isinstance(benchmarks, list) and all(isinstance(one, dict) and "requests" in one for one in benchmarks)


def replies(documents: Iterable[Any], path: Path) -> Iterator[Seen]:
    """The requests that succeeded, of all its benchmarks."""
    raw = next(iter(documents))
    count = 0
    for benchmark in raw["benchmarks"]:
        usual = _model(benchmark.get("config")) or _model(raw.get("config")) or ""
        for one in benchmark["requests"].get("successful") or ():
            count += 1
            yield _seen(one, usual)
    if not count:
        raise FitError(f"{path}: this report of GuideLLM holds no requests; run it without a sample size of 0")


def _seen(one: Mapping[str, Any], usual: str) -> Seen:
    prompt, cached = one.get("prompt_tokens"), one.get("cached_tokens") or 0
    mean, tokens = one.get("inter_token_latency_ms"), int(one.get("output_tokens") or 0)
    return Seen(
        _asked(one.get("request_args")) or usual,
        one.get("time_to_first_token_ms"),
        () if mean is None or tokens < 2 else (float(mean),),
        None if prompt is None else int(prompt) - int(cached),
        one.get("request_start_time", one.get("start_time")),
        one.get("request_end_time", one.get("end_time")),
        means=True,
    )


def _asked(arguments: Any) -> str:
    """The model that the request's own arguments name, which stand there as JSON."""
    if not isinstance(arguments, str) or '"model"' not in arguments:
        return ""
    try:
        return _model(orjson.loads(arguments)) or ""
    except orjson.JSONDecodeError:
        return ""


def _model(raw: Any, deep: int = 4) -> str | None:
    """The first name of a model in a configuration, wherever it stands."""
    if not isinstance(raw, dict) or not deep:
        return None
    if isinstance(raw.get("model"), str):
        return str(raw["model"])
    return next((found for value in raw.values() if (found := _model(value, deep - 1))), None)
