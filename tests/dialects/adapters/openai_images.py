"""Pictures are no words."""

ADAPTER = None
