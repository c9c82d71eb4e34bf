"""Reads the result files of load generators: GuideLLM, vLLM's `vllm bench serve`, aiperf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from llmsim.fitting.needs import FitError
from llmsim.fitting.results import aiperf, guidellm, vllm_bench
from llmsim.fitting.seen import Seen

LIMIT = 1 << 30
"""Bytes of a result file."""

_TOOLS = {"GuideLLM": guidellm, "vllm bench serve": vllm_bench, "aiperf": aiperf}


def read(path: Path) -> tuple[str, list[Seen]] | None:
    """Whose results they are, and the replies in them; None for a file of another kind.

    Raises FitError where it is one of theirs that says too little to fit a profile to.
    """
    for name, tool in _TOOLS.items():
        for raw in _documents(path):
            if tool.mine(raw):
                try:
                    return name, list(tool.replies(_documents(path), path))
                except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                    raise FitError(
                        f"{path}: this looks like results of {name}, but cannot be read: {error!r}"
                    ) from None
            break
    return None


def _documents(path: Path) -> Iterator[Any]:
    """The one JSON document in a file, or each of its lines."""
    try:
        if path.stat().st_size > LIMIT:
            raise FitError(f"{path}: the file is larger than {LIMIT >> 30} GB")
        with path.open("rb") as file:
            first = file.readline()
            try:
                yield orjson.loads(first)
            except orjson.JSONDecodeError:
                yield _whole(path, first + file.read())
                return
            for line in file:
                if line.strip():
                    yield orjson.loads(line)
    except OSError as error:
        raise FitError(f"{path}: cannot be read: {error.strerror or error}") from None
    except orjson.JSONDecodeError as error:
        raise FitError(f"{path}: this is not JSON: {error}") from None


def _whole(path: Path, data: bytes) -> Any:
    if path.suffix in (".yaml", ".yml"):
        import yaml

        try:
            return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as error:
            raise FitError(f"{path}: this is not YAML: {' '.join(str(error).split())[:200]}") from None
    return orjson.loads(data)
