"""The console: watch a simulator serve, and change what it does while it serves."""
