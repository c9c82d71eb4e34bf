"""A run needs a thread and an assistant first, so that its own tests stand in for the suite."""

ADAPTER = None
