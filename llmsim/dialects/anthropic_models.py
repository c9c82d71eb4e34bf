"""Anthropic's list of models.

Source: Anthropic API reference, Models, and the type `ModelInfo` of the SDK anthropic 2.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from llmsim import catalogue
from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_facts import EFFORTS, THINKING, facts
from llmsim.dialects._anthropic_lists import page
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

Json = dict[str, Any]


class AnthropicModels(Dialect):
    """`GET /v1/models` and `/v1/models/{model}`: Anthropic's own models, the newest first."""

    kind: ClassVar[str] = "anthropic_models"
    provider: ClassVar[str] = "anthropic"

    def routes(self) -> Sequence[Route]:
        """The list, and one model."""
        return [
            Route("GET", "/v1/models", answer=self._list),
            Route("GET", "/v1/models/{model:path}", answer=self._one),
        ]

    def claims(self, request: Request) -> bool:
        """Other providers list their models here too."""
        return wire.claims(request)

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        wire.version_of(request)
        wanted = _stages(request)
        shown = [model for model in _models() if model["lifecycle"] in wanted]
        return Answer.json(page(shown, request), headers=wire.headers(exchange))

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        wire.version_of(request)
        name = request.params["model"]
        model = catalogue.find(name)
        if model is None or model.provider != "anthropic":
            raise Refused(Failure("not_found", code="model_not_found", param="model", extra=name[:200]))
        return Answer.json(_worded(model), headers=wire.headers(exchange))

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Anthropic's error object."""
        return wire.error_answer(failure, exchange)


def _stages(request: Request) -> Sequence[str]:
    """The stages of life that the query names; retired models are only shown to who asks for them."""
    told = [value for name, value in parse_qsl(request.query, keep_blank_values=True) if name in _STAGE]
    for at, value in enumerate(told):
        if value not in _STAGES:
            raise wire.invalid(f"lifecycle.{at}: Input should be 'active', 'deprecated' or 'retired'")
    if len(told) > len(_STAGES):
        raise wire.invalid(f"lifecycle: List should have at most 3 items after validation, not {len(told)}")
    return told or _STAGES[:2]


@cache
def _models() -> list[Json]:
    models = [model for model in catalogue.known() if model.provider == "anthropic"]
    return [_worded(model) for model in sorted(models, key=lambda model: -model.created)]


def _worded(model: catalogue.Model) -> Json:
    line = facts(model.id).line
    ends = f"{model.shutdown_date}T00:00:00Z" if model.shutdown_date else None
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": wire.timestamp(model.created),
        "lifecycle": model.lifecycle,
        "line": line or None,
        "deprecated_at": None,
        "retires_at": ends,
        "max_input_tokens": model.context_window,
        "max_tokens": model.max_output_tokens,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: catalogue.Model) -> Json:
    about = facts(model.id)
    recent = about.version >= (4, 5)
    edits = ("clear_thinking_20251015", "clear_tool_uses_20250919")
    return {
        "batch": _is(True),
        "citations": _is(about.version >= (3, 5)),
        "code_execution": _is(recent),
        "context_management": {
            "supported": about.version >= (4, 0),
            **{edit: _is(about.version >= (4, 0)) for edit in edits},
            "compact_20260112": _is(about.version >= (4, 6)),
        },
        "effort": {"supported": bool(about.efforts), **{effort: _is(effort in about.efforts) for effort in EFFORTS}},
        "image_input": _is(model.vision),
        "pdf_input": _is(about.version >= (3, 5)),
        "server_tools": {"supported": about.version >= (3, 5), **dict.fromkeys(_TOOLS, _is(about.version >= (3, 5)))},
        "structured_outputs": _is(recent or about.version == (4, 1)),
        "thinking": {
            "supported": model.reasoning,
            "types": {kind: _is(kind in about.thinking) for kind in THINKING},
        },
    }


_STAGE = ("lifecycle", "lifecycle[]")
_STAGES = ("active", "deprecated", "retired")
_TOOLS = ("code_execution", "web_search")


def _is(supported: bool) -> Json:
    return {"supported": supported}
