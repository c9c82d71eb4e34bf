"""Simulates the APIs of large language models: OpenAI, Anthropic, Gemini, without a model behind them.

Everything here is imported when it is first used, so that `import llmsim` itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from llmsim.clock import Clock, RealClock, ToldClock
    from llmsim.conversation import Ask, Message, Reply, Stop, Tool, ToolCall, ToolChoice
    from llmsim.dialects._openai_messages import Message as ChatMessage
    from llmsim.dialects._openai_replies import ChatCompletion, ChatCompletionChunk
    from llmsim.dialects._openai_replies import FunctionCall as ChatFunctionCall
    from llmsim.dialects._openai_replies import ResponseMessage as ChatResponseMessage
    from llmsim.dialects._openai_replies import ToolCall as ChatToolCall
    from llmsim.dialects._openai_replies import Usage as ChatUsage
    from llmsim.dialects._openai_types import ChatRequest
    from llmsim.dice import Dice
    from llmsim.errors import Failure, LlmsimError, Refused, SettingsError
    from llmsim.exchange import Exchange
    from llmsim.faults import Fault
    from llmsim.generators import Generator
    from llmsim.latency import Profile as LatencyProfile
    from llmsim.latency import Spread
    from llmsim.plan import Plan, Usage
    from llmsim.settings import Settings
    from llmsim.simulator import Simulator
    from llmsim.streams import stream, whole
    from llmsim.testing import Requests, Rule, Running, Seen, Transport, running, transport
    from llmsim.tokens import count_tokens

_HOMES = {
    "Ask": "conversation",
    "ChatCompletion": "dialects._openai_replies",
    "ChatCompletionChunk": "dialects._openai_replies",
    "ChatFunctionCall": "dialects._openai_replies:FunctionCall",
    "ChatMessage": "dialects._openai_messages:Message",
    "ChatRequest": "dialects._openai_types",
    "ChatResponseMessage": "dialects._openai_replies:ResponseMessage",
    "ChatToolCall": "dialects._openai_replies:ToolCall",
    "ChatUsage": "dialects._openai_replies:Usage",
    "Clock": "clock",
    "Dice": "dice",
    "Exchange": "exchange",
    "Failure": "errors",
    "Fault": "faults",
    "Generator": "generators",
    "LatencyProfile": "latency:Profile",
    "LlmsimError": "errors",
    "Message": "conversation",
    "Plan": "plan",
    "RealClock": "clock",
    "Refused": "errors",
    "Reply": "conversation",
    "Requests": "testing",
    "Rule": "testing",
    "Running": "testing",
    "Seen": "testing",
    "Settings": "settings",
    "SettingsError": "errors",
    "Simulator": "simulator",
    "Spread": "latency",
    "Stop": "conversation",
    "ToldClock": "clock",
    "Tool": "conversation",
    "ToolCall": "conversation",
    "ToolChoice": "conversation",
    "Transport": "testing",
    "Usage": "plan",
    "count_tokens": "tokens",
    "running": "testing",
    "stream": "streams",
    "transport": "testing",
    "whole": "streams",
}

__all__ = [
    "Ask",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatFunctionCall",
    "ChatMessage",
    "ChatRequest",
    "ChatResponseMessage",
    "ChatToolCall",
    "ChatUsage",
    "Clock",
    "Dice",
    "Exchange",
    "Failure",
    "Fault",
    "Generator",
    "LatencyProfile",
    "LlmsimError",
    "Message",
    "Plan",
    "RealClock",
    "Refused",
    "Reply",
    "Requests",
    "Rule",
    "Running",
    "Seen",
    "Settings",
    "SettingsError",
    "Simulator",
    "Spread",
    "Stop",
    "ToldClock",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "Transport",
    "Usage",
    "__version__",
    "count_tokens",
    "running",
    "stream",
    "transport",
    "whole",
]


def __getattr__(name: str) -> Any:
    """Imports a public name from its home at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llmsim' has no attribute {name!r}")
    home, _, renamed = _HOMES[name].partition(":")
    value = getattr(import_module(f"llmsim.{home}"), renamed or name)
    globals()[name] = value
    return value
