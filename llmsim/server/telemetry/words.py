"""What an exchange is in the words of OpenTelemetry's semantic conventions for generative AI and HTTP.

Source: opentelemetry.io/docs/specs/semconv (gen-ai, in development, as of 1.41; http, stable).
"""

from __future__ import annotations

from typing import Any

import orjson

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.metrics import outcome
from llmsim.plan import End
from llmsim.spent import spent

_PROVIDERS = {"azure": "azure.ai.openai", "gemini": "gcp.gemini", "bedrock": "aws.bedrock"}
_PARTS = {"images": "image", "speech": "speech"}
_STOPS = {"end": "stop", "sequence": "stop", "length": "length", "calls": "tool_call", "filter": "content_filter"}

# A request's own fields under the names of the conventions; the same thing has other names in other APIs.
_FIELDS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "topP": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "topK": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
}
_LONGEST = 64 << 10
_SHOWN = 300
"""Characters of a text of the client's."""


def shown(text: str) -> str:
    """A text of the client's as it may leave: short, and no secret in it."""
    return masks.text(text[:_SHOWN])


def operation(exchange: Exchange) -> str:
    """`chat`, `embeddings` and the like; empty where no model is asked for anything."""
    ask = exchange.ask
    if not ask.model or ask.parts == 0:
        return ""
    if "embeddings" in ask.dialect or "embed" in ask.endpoint:
        return "embeddings"
    if ask.parts is not None or ask.provider in ("gemini", "vertex"):
        return "generate_content"
    return "text_completion" if ask.dialect == "openai_completions" else "chat"


def provider(exchange: Exchange) -> str:
    """Whose API it is, by the name that the conventions give it."""
    ask = exchange.ask
    if ask.dialect.startswith("vertex"):
        return "gcp.vertex_ai"
    return _PROVIDERS.get(ask.provider, ask.provider)


def error(exchange: Exchange) -> str:
    """`error.type`: the status where it is one of an error, else how the reply broke off; empty where all went well."""
    if exchange.status >= 400:
        return str(exchange.status)
    how = outcome(exchange)
    return "" if how in ("ok", "live") else how


def request(exchange: Exchange) -> dict[str, Any]:
    """What the client asked of the model, as attributes."""
    ask = exchange.ask
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation(exchange),
        "gen_ai.provider.name": provider(exchange),
        "gen_ai.request.model": shown(ask.model),
        "gen_ai.request.stream": ask.stream,
    }
    optional = {
        "gen_ai.request.max_tokens": ask.max_tokens,
        "gen_ai.request.seed": ask.seed,
        "gen_ai.request.choice.count": ask.n if ask.n != 1 else None,
        "gen_ai.request.stop_sequences": [shown(one) for one in ask.stop] or None,
        "gen_ai.output.type": next((word for part, word in _PARTS.items() if part in ask.dialect), None),
    }
    return {**told, **{name: value for name, value in optional.items() if value is not None}, **_sampling(exchange)}


def _sampling(exchange: Exchange) -> dict[str, float]:
    """What the request's body says of the choice of tokens, which the simulator has no use for."""
    if len(exchange.request) > _LONGEST:
        return {}
    try:
        body = orjson.loads(exchange.request)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(body, dict):
        return {}
    both = dict(body)
    for name in ("generationConfig", "inferenceConfig"):
        if isinstance(body.get(name), dict):
            both |= body[name]
    numbers = {name: both[name] for name in _FIELDS if type(both.get(name)) in (int, float)}
    return {_FIELDS[name]: float(value) for name, value in numbers.items()}


def reply(exchange: Exchange) -> dict[str, Any]:
    """What came of it, as attributes; tokens are those that a provider would charge."""
    prompt, completion = spent(exchange)
    usage, told = exchange.plan.usage, dict[str, Any]()
    if prompt or completion:
        told = {"gen_ai.usage.input_tokens": prompt, "gen_ai.usage.output_tokens": completion}
        told["gen_ai.response.model"] = shown(exchange.ask.model)
        if usage.cached:
            told["gen_ai.usage.cache_read.input_tokens"] = min(usage.cached, prompt)
        if usage.thinking and exchange.state == "done":
            told["gen_ai.usage.reasoning.output_tokens"] = usage.thinking
    last = exchange.plan.pieces[-1] if exchange.state == "done" else None
    if isinstance(last, End):
        told["gen_ai.response.finish_reasons"] = [_STOPS.get(str(last.stop), str(last.stop))]
    if exchange.ask.stream and exchange.first is not None and exchange.status == 200:
        told["gen_ai.response.time_to_first_chunk"] = exchange.first - exchange.started
    return told


def own(exchange: Exchange) -> dict[str, Any]:
    """What only a simulator knows: faults, mocks, and how late it was itself."""
    plan = exchange.plan
    told = {
        "llmsim.exchange": exchange.number,
        "llmsim.outcome": outcome(exchange),
        "llmsim.faults": list(plan.faults),
        "llmsim.mock": plan.mock,
        "llmsim.latency_profile": plan.profile,
        "llmsim.lateness": exchange.late,
    }
    return {name: value for name, value in told.items() if value or name == "llmsim.lateness"}
