"""Anthropic's own clients for a server of the tests: they try everything once."""

from __future__ import annotations

from typing import Any

from anthropic import Anthropic, AsyncAnthropic

from llmsim.server.serve import Runner


def asynchronous(server: Runner, **more: Any) -> AsyncAnthropic:
    return AsyncAnthropic(**{"base_url": server.url, "api_key": "sk-test", "max_retries": 0, "timeout": 20, **more})


def synchronous(server: Runner, **more: Any) -> Anthropic:
    """For use in a thread."""
    return Anthropic(**{"base_url": server.url, "api_key": "sk-test", "max_retries": 0, "timeout": 20, **more})
