"""Uploads are answered by an object, not by words."""

ADAPTER = None
