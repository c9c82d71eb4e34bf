"""What a soak changes each second: every setting that may change at run time, to values drawn at random."""

import random
from typing import Any

from bench.servers import TBT_MS, TTFT_MS, rules

STEADY: dict[str, Any] = {
    "seed": 0,
    "strict": False,
    "generator": "lorem",
    "target_tokens": 600,
    "latency_profile": "steady",
    "model_profiles": {},
    "speed": 1.0,
    "overrides": True,
    "rate_limit_rate": 0.0,
    "server_error_rate": 0.0,
    "timeout_rate": 0.0,
    "timeout_after_ms": 30_000,
    "limits": [],
    "rpm": None,
    "tpm": None,
    **rules(10),
}
"""The settings under which the pace is measured at the start and at the end, `profiles` besides."""

STEADY_PROFILE = {"ttft": {"kind": "fixed", "mean": TTFT_MS}, "tbt": {"kind": "fixed", "mean": 2.5 * TBT_MS}}
STEADY_TBT = 2.5 * TBT_MS / 1000

_FAULTS: list[dict[str, Any]] = [
    {"kind": "refuse", "status": 429, "retry_after": 1},
    {"kind": "refuse", "status": 500, "after_tokens": 5},
    {"kind": "timeout", "after_ms": 800},
    {"kind": "timeout", "after_ms": 500, "then": "silence"},
    {"kind": "cut", "after_tokens": 7},
    {"kind": "cut", "after_tokens": 3, "reset": False},
    {"kind": "stall", "after_tokens": 4, "for_ms": 700},
    {"kind": "slow", "ttft_factor": 2, "tbt_factor": 1.5},
    {"kind": "garble", "how": "malformed", "after_tokens": 2},
    {"kind": "disorder"},
    {"kind": "empty"},
    {"kind": "miscall"},
    {"kind": "mislabel"},
    {"kind": "drip", "bytes_per_s": 20_000},
    {"kind": "hold", "for_ms": 300, "most": 5},
]
_SCOPES = ["", "model:gpt*", "stream:true", "!stream:true", "key:*soak-1*", "provider:anthropic"]
_GENERATORS = ["lorem", "echo", "words", "fixed:As you say.", "sequence:One.|Two.|Three."]
_PROFILES = ["fast", "gpt5-mini", "loaded", "gpt4o-load", None]


def change(dice: random.Random) -> dict[str, Any]:
    """One change of everything."""
    faults = [
        {**fault, "probability": round(dice.uniform(0.02, 0.3), 2), "scope": dice.choice(_SCOPES)}
        for fault in dice.sample(_FAULTS, dice.randint(0, 4))
    ]
    for fault in faults:
        if dice.random() < 0.3:
            fault["for_s"] = dice.choice([1, 2, 5])
        elif dice.random() < 0.3:
            fault["count"] = dice.randint(1, 20)
    return {
        "seed": dice.randrange(1 << 40),
        "strict": dice.random() < 0.1,
        "generator": dice.choice(_GENERATORS),
        "target_tokens": dice.randint(5, 200),
        "latency_profile": dice.choice(_PROFILES),
        "profiles": {"loaded": _loaded(dice)},
        "model_profiles": {"gpt-4o": dice.choice(["fast", "loaded"])},
        "speed": dice.choice([0.5, 1.0, 1.0, 2.0, 5.0, 0.0]),
        "overrides": dice.random() < 0.8,
        "unknown_fields": dice.choice(["auto", "refuse", "ignore"]),
        "served_models": dice.choice([[], ["llama-3.1-8b"]]),
        "rate_limit_rate": dice.choice([0.0, 0.0, 0.05]),
        "server_error_rate": dice.choice([0.0, 0.0, 0.05]),
        "timeout_rate": dice.choice([0.0, 0.02]),
        "timeout_after_ms": dice.choice([200, 1000]),
        "limits": [{"name": "soak", "concurrency": dice.randint(20, 300)}] if dice.random() < 0.3 else [],
        "rpm": dice.choice([None, None, 100_000]),
        "tpm": dice.choice([None, None, 100_000_000]),
        "faults": faults,
        "mocks": rules(dice.choice([0, 10, 200]))["mocks"] + [{"when": 'text:"hello 7"', "reply": "A mock's words."}],
    }


def _loaded(dice: random.Random) -> dict[str, Any]:
    slots = dice.choice([5, 20, 100])
    return {
        "ttft": {"kind": "lognormal", "mean": dice.randint(5, 200), "stddev": 20},
        "tbt": {"kind": "gamma", "mean": dice.randint(2, 40), "stddev": 3},
        "slots": slots,
        "queue": dice.choice([0, 50, 1000]),
        "slowing": dice.choice([0, 1, 3]),
        "prefill_ms_per_token": dice.choice([0, 0.1]),
        "cache_tokens": dice.choice([0, 2_000, 100_000]),
    }
