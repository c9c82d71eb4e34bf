"""The simulator on the network: an ASGI application and what serves it."""
