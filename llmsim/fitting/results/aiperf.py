"""The records that aiperf writes of a run (`profile_export.jsonl`): aiperf/common/models/record_models.py, 0.13.0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from llmsim.fitting.needs import FitError
from llmsim.fitting.seen import Seen

_MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "sec": 1e3, "s": 1e3}
_SUMMARY = "profile_export_aiperf.json"


def mine(raw: Any) -> bool:
    """Whether the document is one of its records, or its summary."""
    if not isinstance(raw, dict):
        return False
    records = isinstance(raw.get("metrics"), dict) and isinstance(raw.get("metadata"), dict)
    return (records and "request_start_ns" in raw["metadata"]) or "aiperf_version" in raw


def replies(documents: Iterable[Any], path: Path) -> Iterator[Seen]:
    """The requests that succeeded, those that warmed the server up left out."""
    model = _model(path)
    for one in documents:
        if "aiperf_version" in one and "metadata" not in one:
            raise FitError(f"{path}: only summaries are in it; give profile_export.jsonl, which has each request")
        told = one["metadata"]
        if one.get("error") or told.get("was_cancelled") or told.get("benchmark_phase") == "warmup":
            continue
        yield _seen(one["metrics"], told, model)


def _seen(metrics: Mapping[str, Any], told: Mapping[str, Any], model: str) -> Seen:
    chunks, mean = _value(metrics, "inter_chunk_latency"), _value(metrics, "inter_token_latency")
    count = _value(metrics, "output_sequence_length") or _value(metrics, "output_token_count")
    # A chunk may hold several tokens; only where each is one are the waits between them those between tokens.
    each = isinstance(chunks, list) and isinstance(count, (int, float)) and abs(len(chunks) + 1 - count) <= 0.1 * count
    gaps = chunks if each else [] if mean is None else [mean]
    prompt = _value(metrics, "input_sequence_length")
    return Seen(
        model,
        _value(metrics, "time_to_first_token"),
        gaps or (),
        None if prompt is None else int(prompt),
        told["request_start_ns"] / 1e9,
        told["request_end_ns"] / 1e9,
        means=not each,
    )


def _value(metrics: Mapping[str, Any], name: str) -> Any:
    """A metric, times in milliseconds."""
    metric = metrics.get(name)
    if not isinstance(metric, dict) or metric.get("value") is None:
        return None
    value, factor = metric["value"], _MILLISECONDS.get(str(metric.get("unit")), 1.0)
    return [float(one) * factor for one in value] if isinstance(value, list) else float(value) * factor


def _model(path: Path) -> str:
    """The model that the run's summary beside the records names; the records do not."""
    try:
        raw = orjson.loads((path.parent / _SUMMARY).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return ""
    found = _first(raw.get("input_config") if isinstance(raw, dict) else None)
    return found or ""


def _first(raw: Any) -> str | None:
    """The first name among a configuration's models, in whichever form this version writes it."""
    if not isinstance(raw, dict):
        return None
    for name in ("model_names", "models", "model"):
        value = raw.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("name")
        if isinstance(value, str):
            return value
    return next((found for value in raw.values() if (found := _first(value))), None)
