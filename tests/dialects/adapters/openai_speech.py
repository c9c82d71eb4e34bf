"""Sounds are no words."""

ADAPTER = None
