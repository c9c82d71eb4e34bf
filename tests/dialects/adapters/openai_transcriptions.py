"""Words, but of a sound: nothing of what the suite asks for - a text, a tool, a limit - can be asked for here."""

ADAPTER = None
