"""Embeddings are numbers, not words."""

ADAPTER = None
