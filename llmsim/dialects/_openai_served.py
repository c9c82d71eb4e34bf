"""What servers of open models do with OpenAI's API: they take fields that OpenAI refuses, and some of them count.

Sources: vLLM's documentation, "OpenAI-Compatible Server", and its `protocol.py`: SamplingParams (`ignore_eos`,
`min_tokens`), StreamOptions (`continuous_usage_stats`), `chat_template_kwargs`, `guided_json`, `structured_outputs`.
vLLM itself logs a warning for fields that it does not know, and ignores them; so do SGLang, TGI and llama.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from llmsim import catalogue, tokens
from llmsim.conversation import Ask, Format
from llmsim.dialects._openai_refusals import invalid, wrong_type
from llmsim.dialects._openai_schemas import shape_fault
from llmsim.errors import Path, Refused

MOST_TOKENS = 1 << 18
"""Tokens of one request that a client can make a reply go on for, all its alternatives together."""

_ORDINARY = 100_000
"""Every vocabulary has a token for each number below."""

_OPENAIS = re.compile(
    r"(?:openai/)?(?:ft:|gpt-(?!oss|neo|j-|2$)|chatgpt|o\d|codex|davinci|babbage|text-|tts-|whisper-1|dall-e|omni-|sora|"
    r"computer-use)"
)


def is_openais(model: str) -> bool:
    """Whether OpenAI itself serves a model of that name; what is not in the catalogue is known by how it begins."""
    found = catalogue.find(model)
    return found.provider == "openai" if found is not None else _OPENAIS.match(model.lower()) is not None


def foreign(ids: Sequence[int]) -> str:
    """A text for tokens of a vocabulary that is not OpenAI's: the words differ, their number does not."""
    return tokens.decode([token for token in ids if 0 <= token < _ORDINARY])


def heed(ask: Ask, told: Mapping[Path, Any]) -> None:
    """Takes up the fields that mean something to a simulator; raises Refused where one is not as it has to be."""
    if ask.parts is not None:
        return
    _heed_form(ask, told)
    _heed_length(ask, told)
    if _flag(told, "stream_options", "continuous_usage_stats") and ask.extra.get("include_usage"):
        ask.extra = {**ask.extra, "encoder": ask.extra.get("encoder") or "counting"}
    template = told.get(("chat_template_kwargs",))
    if isinstance(template, dict) and False in (template.get("enable_thinking"), template.get("thinking")):
        ask.thinking = 0


def usage_so_far(base: bytes, prompt: int, completion: int) -> bytes:
    """The beginning of an event that tells what has been used up to it."""
    told = (base, prompt, prompt + completion, completion)
    return b'data: %b,"usage":{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d},"choices":[' % told


def _heed_form(ask: Ask, told: Mapping[Path, Any]) -> None:
    """A reply of a schema's form, by vLLM's older or newer field for it."""
    newer = told.get(("structured_outputs",))
    schema = newer.get("json") if isinstance(newer, dict) else told.get(("guided_json",))
    if schema is None or ask.format.kind != "text":
        return
    where = "guided_json" if newer is None else "structured_outputs.json"
    if not isinstance(schema, dict):
        raise Refused(wrong_type(where, "object", schema))
    if (fault := shape_fault(schema)) is not None:
        raise invalid(f"Invalid schema for '{where}': {fault}", where)
    ask.format = Format("schema", schema, where)


def _heed_length(ask: Ask, told: Mapping[Path, Any]) -> None:
    """A reply that does not end before its limit, or not before the least number of tokens."""
    least = _count(told, "min_tokens")
    if ask.max_tokens is not None and least > ask.max_tokens:
        raise invalid(f"min_tokens must be less than or equal to max_tokens={ask.max_tokens}, got {least}.")
    if _flag(told, "ignore_eos"):
        least = (ask.max_tokens or least - 1) + 1  # one more than the limit, so that it is the limit that ends it
    if least and ask.format.kind == "text":
        if least * ask.n > MOST_TOKENS:
            raise invalid(
                f"A reply can be made to go on for {MOST_TOKENS // ask.n} tokens with this number of choices, "
                f"but {least} were asked for by 'min_tokens', or 'max_tokens' with 'ignore_eos'."
            )
        ask.format = Format("long", least=least)


def _flag(told: Mapping[Path, Any], *path: str) -> bool:
    value = told.get(path)
    if value is not None and not isinstance(value, bool):
        raise Refused(wrong_type(".".join(path), "boolean", value))
    return bool(value)


def _count(told: Mapping[Path, Any], name: str) -> int:
    value = told.get((name,))
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(wrong_type(name, "integer", value))
    if value < 0:
        raise invalid(f"{name} must be greater than or equal to 0, got {value}.", name)
    return int(value)
