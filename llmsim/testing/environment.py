"""The environment variables by which the providers' SDKs find a server, set for a while and then as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_LOCAL = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def variables(url: str) -> dict[str, str]:
    """What points every SDK that reads its address from the environment to the server at `url`, with keys that fit."""
    return {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_BASE": f"{url}/v1",  # LangChain and LiteLLM look here first
        "OPENAI_API_KEY": "sk-llmsim",
        "AZURE_OPENAI_ENDPOINT": url,
        "AZURE_OPENAI_API_KEY": "llmsim",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-llmsim",
        "ANTHROPIC_BEDROCK_BASE_URL": url,
        "ANTHROPIC_VERTEX_BASE_URL": f"{url}/v1",
        "GOOGLE_GEMINI_BASE_URL": url,
        "GOOGLE_VERTEX_BASE_URL": url,
        "GEMINI_API_KEY": "llmsim",
        "GOOGLE_API_KEY": "llmsim",
        "OLLAMA_HOST": url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        **_past_proxies(os.environ),
    }


ABSENT = ("ANTHROPIC_AUTH_TOKEN", "AZURE_OPENAI_AD_TOKEN", "OLLAMA_API_KEY")
"""Real credentials that would stand beside those above: a warning at best, sent along at worst."""


def _past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Keeps a proxy out of the way to this machine, where there is one."""
    if not any(environment.get(name) or environment.get(name.upper()) for name in _PROXIES):
        return {}
    before = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in before.split(",") if name.strip()]
    told = ",".join((*names, *(name for name in _LOCAL if name not in names)))
    return {"no_proxy": told, "NO_PROXY": told}


@contextmanager
def pointing_to(url: str) -> Iterator[None]:
    """Sets the variables, takes those away that would disturb, and puts all of them back at the end."""
    wanted: dict[str, str | None] = {**variables(url), **dict.fromkeys(ABSENT)}
    before = {name: os.environ.get(name) for name in wanted}
    _put(wanted)
    try:
        yield
    finally:
        _put(before)


def _put(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
