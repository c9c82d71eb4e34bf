"""Rate limits: which requests a limit is about, the buckets they spend from, and where each request stands."""

from __future__ import annotations

from llmsim.limits.limiter import BUCKETS, BucketState, Limiter
from llmsim.limits.rule import FIGURES, KINDS, Limit, check_names, founding
from llmsim.limits.standing import NOMINAL_RPM, NOMINAL_TPM, Standing, failure, unlimited

__all__ = [
    "BUCKETS",
    "FIGURES",
    "KINDS",
    "NOMINAL_RPM",
    "NOMINAL_TPM",
    "BucketState",
    "Limit",
    "Limiter",
    "Standing",
    "check_names",
    "failure",
    "founding",
    "unlimited",
]
