"""Fits latency profiles to what was measured: tapes, and the result files of load generators."""
