"""Small result files in the very forms of the load generators, as their sources write them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from llmsim.dice import Dice
from llmsim.latency import Profile


def guidellm(profile: Profile, count: int = 60) -> dict[str, Any]:
    """A report of GuideLLM 0.8.1: guidellm/schemas/base/request_stats.py, its computed fields with it."""
    told = []
    for at, times in enumerate(_times(profile, count)):
        start = 1_700_000_000.0 + at * 10
        told.append(
            {
                "type_": "generative_request_stats",
                "request_id": f"r{at}",
                "request_args": '{"body":{"model":"llama-3"},"stream":true}',
                "output": "words",
                "info": {"status": "completed", "timings": {"request_start": start}},
                "input_metrics": {"text_tokens": 100 + at},
                "output_metrics": {"text_tokens": len(times)},
                "request_start_time": start,
                "request_end_time": start + times[-1],
                "request_latency": times[-1],
                "prompt_tokens": 100 + at,
                "cached_tokens": None,
                "output_tokens": len(times),
                "total_tokens": 100 + at + len(times),
                "time_to_first_token_ms": 1000 * times[0],
                "time_per_output_token_ms": 1000 * times[-1] / len(times),
                "inter_token_latency_ms": 1000 * (times[-1] - times[0]) / (len(times) - 1),
            }
        )
    benchmark = {"type_": "generative_benchmark", "config": {}, "metrics": {}}
    requests = {"successful": told, "incomplete": [], "errored": [], "total": None}
    return {"metadata": {"version": 1}, "config": {}, "benchmarks": [{**benchmark, "requests": requests}]}


def vllm_bench(profile: Profile, count: int = 60) -> dict[str, Any]:
    """What `vllm bench serve --save-result --save-detailed` writes: vllm/benchmarks/serve.py; the last one failed."""
    times = _times(profile, count)
    return {
        "date": "20261128-221705",
        "endpoint_type": "openai-chat",
        "backend": "openai-chat",
        "model_id": "llama-3",
        "tokenizer_id": "llama-3",
        "num_prompts": count + 1,
        "request_rate": "inf",
        "duration": 10.0 * count,
        "completed": count,
        "failed": 1,
        "total_input_tokens": 100 * count,
        "total_output_tokens": sum(map(len, times)),
        "input_lens": [100] * count + [100],
        "output_lens": [*map(len, times), 0],
        "ttfts": [*(one[0] for one in times), 0.0],
        "itls": [*([late - early for early, late in pairwise(one)] for one in times), []],
        "latencies": [*(one[-1] for one in times), 0.1],
        "start_times": [10.0 * at for at in range(count + 1)],
        "generated_texts": ["words"] * count + [""],
        "errors": [""] * count + ["Bad Gateway"],
        "mean_ttft_ms": 1.0,
    }


def aiperf(profile: Profile, count: int = 60, chunks: bool = True) -> list[dict[str, Any]]:
    """The records of aiperf 0.13.0: aiperf/common/models/record_models.py; one warms up, one fails."""
    told: list[dict[str, Any]] = []
    for at, times in enumerate(_times(profile, count)):
        start = 1_700_000_000_000_000_000 + at * 10_000_000_000
        gaps = [1000 * (late - early) for early, late in pairwise(times)]
        metrics = {
            "input_sequence_length": (100 + at, "tokens"),
            "output_sequence_length": (len(times), "tokens"),
            "request_latency": (1000 * times[-1], "ms"),
            "time_to_first_token": (1000 * times[0], "ms"),
            "inter_token_latency": (sum(gaps) / len(gaps), "ms"),
            "request_count": (1, "requests"),
        }
        if chunks:
            metrics["inter_chunk_latency"] = (gaps, "ms")  # type: ignore[assignment]
        told.append(
            {
                "metadata": {
                    "session_num": at,
                    "x_request_id": f"r{at}",
                    "request_start_ns": start,
                    "request_ack_ns": start + 1_000_000,
                    "request_end_ns": start + int(times[-1] * 1e9),
                    "worker_id": "worker_0",
                    "record_processor_id": "rp_0",
                    "benchmark_phase": "profiling",
                    "was_cancelled": False,
                },
                "metrics": {name: {"value": value, "unit": unit} for name, (value, unit) in metrics.items()},
                "error": None,
            }
        )
    warmed = {**told[0], "metadata": {**told[0]["metadata"], "benchmark_phase": "warmup"}}
    failed = {**told[0], "metrics": {}, "error": {"code": 502, "type": "Bad Gateway", "message": "no"}}
    return [warmed, *told, failed]


def _times(profile: Profile, count: int) -> Sequence[list[float]]:
    return [list(profile.times(40, Dice(number), 0)) for number in range(count)]
