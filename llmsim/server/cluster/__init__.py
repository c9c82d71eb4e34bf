"""Several processes that are one server: a hub that decides what must be counted once, and workers that serve."""
