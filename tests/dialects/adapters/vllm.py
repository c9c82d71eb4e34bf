"""vLLM's own paths: they count tokens and play no reply."""

ADAPTER = None
