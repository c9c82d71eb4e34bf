"""Values made to fit a JSON Schema: how a simulated model fills a client's structured output or a tool's arguments."""
