"""A batch is answered by an object, not by words."""

ADAPTER = None
