"""The file that `vllm bench serve --save-result --save-detailed` writes: vllm/benchmarks/serve.py.

It has a column for each thing that was measured, in seconds, with a row for each request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from llmsim.fitting.needs import FitError
from llmsim.fitting.seen import Seen


def mine(raw: Any) -> bool:
    """Whether the document is one of its results."""
    return isinstance(raw, dict) and "completed" in raw and "duration" in raw and "total_input_tokens" in raw


def replies(documents: Iterable[Any], path: Path) -> Iterator[Seen]:
    """The requests that succeeded, of each line where results were appended to one file."""
    for raw in documents:
        if "ttfts" not in raw or "itls" not in raw:
            raise FitError(
                f"{path}: only summaries are in it; `vllm bench serve --save-result --save-detailed` also writes the "
                "times of each request"
            )
        ttfts, rows = raw["ttfts"], len(raw["ttfts"])
        itls, prompts, errors, starts, waits = (
            raw.get(name) or [None] * rows for name in ("itls", "input_lens", "errors", "start_times", "latencies")
        )
        for at in range(rows):
            if errors[at] or not ttfts[at]:
                continue
            gaps = [1000 * float(gap) for gap in itls[at] or ()]
            ends = starts[at] + waits[at] if starts[at] is not None and waits[at] is not None else None
            yield Seen(str(raw.get("model_id") or ""), 1000 * float(ttfts[at]), gaps, prompts[at], starts[at], ends)
