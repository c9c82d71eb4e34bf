"""Hears what a recorded reply of Ollama says: chat and completions, whole or a line of JSON each.

Source: Ollama's API documentation, docs/api.md.
"""

from __future__ import annotations

import orjson

from llmsim.conversation import Stop
from llmsim.errors import Failure
from llmsim.plan import Usage
from llmsim.replay.heard import Heard, events


def reply(body: bytes) -> Heard:
    """A message or a completion."""
    heard = Heard()
    calls = 0
    for at, event in events(body):
        if not isinstance(event, dict):
            continue
        heard.model = heard.model or str(event.get("model") or "")
        said = event.get("message") or {}
        heard.say(at, "thought", said.get("thinking") or event.get("thinking"))
        heard.say(at, "text", said.get("content") or event.get("response"))
        for call in said.get("tool_calls") or ():
            told = call.get("function") or {}
            heard.call(at, calls, orjson.dumps(told.get("arguments") or {}).decode(), told.get("name") or "")
            calls += 1
        if isinstance(event.get("error"), str):
            heard.failure = Failure("internal", event["error"])
        if event.get("done"):
            heard.stop = Stop.LENGTH if event.get("done_reason") == "length" else Stop.END
            heard.usage = Usage(event.get("prompt_eval_count") or 0, event.get("eval_count") or 0)
    return heard
