"""Replays tapes: which recorded exchange answers a request, and the plan that it is played by."""
