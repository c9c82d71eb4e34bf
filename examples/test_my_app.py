"""Tests an application that asks a model, with llmsim in the model's place.

    pip install llmsim openai pytest
    pytest examples/test_my_app.py

`summary` and `Assistant` stand for your own code: nothing in them knows of llmsim. More is in docs/pytest.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import openai
import pytest

from llmsim import Running


def summary(text: str) -> str:
    """One sentence about a text, or its beginning where the model cannot be had."""
    with openai.OpenAI(max_retries=1, timeout=5) as client:
        try:
            reply = client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{"role": "system", "content": "Summarise."}, {"role": "user", "content": text}],
            )
        except openai.APIError:
            return text[:20] + "…"
    return reply.choices[0].message.content or ""


class Assistant:
    """Answers with the help of a tool."""

    def __init__(self, weather: Callable[[str], str]) -> None:
        self._weather = weather

    def answer(self, question: str) -> str:
        """Asks the model until it calls no more tool."""
        function = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
        messages: list = [{"role": "user", "content": question}]
        with openai.OpenAI() as client:
            while True:
                reply = client.chat.completions.create(
                    model="gpt-4o", messages=messages, tools=[{"type": "function", "function": function}]
                )
                message = reply.choices[0].message
                if not message.tool_calls:
                    return message.content or ""
                messages.append(message)
                for call in message.tool_calls:
                    found = self._weather(json.loads(call.function.arguments)["city"])
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": found})


def test_a_summary_is_what_the_model_says(llmsim: Running) -> None:
    """A mock answers what it matches."""
    llmsim.mock("system:summarise", "It is about whales.")
    assert summary("Call me Ishmael. Some years ago…") == "It is about whales."


def test_a_busy_model_is_asked_again(llmsim: Running) -> None:
    """A fault strikes as often as it is told to."""
    llmsim.fail(429, times=1, retry_after=0.01)
    llmsim.mock(reply="It is about whales.")
    assert summary("Call me Ishmael. Some years ago…") == "It is about whales."
    llmsim.verify("model:gpt-4o-mini", times=2)


@pytest.mark.parametrize("fault", ["500", "cut after_tokens=2", "empty"])
def test_a_broken_model_does_not_break_the_summary(llmsim: Running, fault: str) -> None:
    """What can go wrong is one word each."""
    llmsim.fail(fault)
    assert isinstance(summary("Call me Ishmael. Some years ago…"), str)
    assert llmsim.requests


def test_the_assistant_asks_for_the_weather(llmsim: Running) -> None:
    """A conversation in two steps, told apart by what the newest message is."""
    llmsim.mock("tool_result:false", tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}}])
    llmsim.mock("tool_result:true", "Take a hat.")
    asked = []

    def weather(city: str) -> str:
        asked.append(city)
        return "sunny"

    assert Assistant(weather).answer("What shall I wear in Paris?") == "Take a hat."
    assert asked == ["Paris"]
    assert llmsim.requests[-1].messages[-1].text == "sunny"
