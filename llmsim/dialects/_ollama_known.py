"""The models that an Ollama here seems to have: their families, their sizes and what each of them can do.

Source: the tags and capabilities on ollama.com/library.
"""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """A model: its name with its tag, its family, its parameters in billions, what it can do.

    `listed` is False for one that nobody has heard of: it is served like a llama, and can do everything.
    """

    name: str
    family: str
    billions: float
    can: tuple[str, ...]
    listed: bool = True


MODELS = (
    Known("llama3.2:latest", "llama", 3.2, ("completion", "tools")),
    Known("llama3.1:8b", "llama", 8.0, ("completion", "tools")),
    Known("qwen3:8b", "qwen3", 8.2, ("completion", "tools", "thinking")),
    Known("gemma3:4b", "gemma3", 4.3, ("completion", "vision")),
    Known("mistral:7b", "llama", 7.2, ("completion", "tools")),
    Known("deepseek-r1:8b", "qwen3", 8.2, ("completion", "tools", "thinking")),
    Known("gpt-oss:20b", "gptoss", 20.9, ("completion", "tools", "thinking")),
    Known("nomic-embed-text:latest", "nomic-bert", 0.137, ("embedding",)),
)


def known(name: str) -> Known:
    """The model of that name, whatever its tag; for any other one a llama."""
    family = name.partition(":")[0]
    found = next((model for model in MODELS if family == model.name.partition(":")[0]), None)
    return found if found is not None else Known(name, "llama", 8.0, ("completion", "tools"), listed=False)
