"""Keeps real OpenAI SDK traffic going against a simulator, so that there is something to watch in the console.

    pip install openai
    python examples/traffic.py --agents 12 --seconds 60

Each agent is one AsyncOpenAI client with the SDK's own retries. It streams, asks for whole replies, calls tools and
asks for structured output, with pauses like a person's. At the end it says what its clients went through.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from typing import Any

import openai
from pydantic import BaseModel

MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "gpt-4.1")
QUESTIONS = (
    "What is the weather in Lisbon today?",
    "Summarise the plot of Hamlet in three sentences.",
    "Why is the sky blue?",
    "Write a haiku about load balancers.",
    "My order has not arrived. What can I do?",
    "Explain exponential back-off to a new colleague.",
)
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
        },
    },
}


class Answer(BaseModel):
    """What the structured question asks for."""

    title: str
    confidence: float
    tags: list[str]


class Agent:
    """One client and its habits."""

    def __init__(self, name: str, base_url: str, retries: int, outcomes: Counter[str]) -> None:
        self.outcomes = outcomes
        self.dice = random.Random(name)
        self.client = openai.AsyncOpenAI(
            api_key=f"sk-{name}",
            base_url=base_url,
            max_retries=retries,
            timeout=60,
            default_headers={"x-llmsim-client": name},
        )

    async def live(self, until: float) -> None:
        """Asks and pauses until the end."""
        while time.monotonic() < until:
            work = self.dice.choices((self.stream, self.whole, self.tool, self.structured), (6, 2, 1, 1))[0]
            try:
                await work(self.dice.choice(MODELS), self.dice.choice(QUESTIONS))
                self.outcomes["ok"] += 1
            except openai.APIStatusError as error:
                self.outcomes[f"{error.status_code} {type(error).__name__}"] += 1
            except (openai.APIError, ValueError) as error:
                self.outcomes[type(error).__name__] += 1
            except Exception as error:  # a connection cut in mid-stream surfaces as the transport's own error
                self.outcomes[type(error).__name__] += 1
            await asyncio.sleep(self.dice.expovariate(2.0))
        await self.client.close()

    async def stream(self, model: str, question: str) -> None:
        """Asks for a stream and takes it to its end."""
        stream = await self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": question}], stream=True
        )
        finished = False
        async for chunk in stream:
            finished = finished or bool(chunk.choices and chunk.choices[0].finish_reason)
        if not finished:
            raise ValueError("truncated reply")

    async def whole(self, model: str, question: str) -> None:
        """Asks for a whole reply."""
        await self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])

    async def tool(self, model: str, question: str) -> None:
        """Lets the model call a tool until it answers in words."""
        messages: list[Any] = [{"role": "user", "content": question}]
        for _ in range(3):
            reply = await self.client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
            message = reply.choices[0].message
            if not message.tool_calls:
                return
            messages.append(message)
            for call in message.tool_calls:
                messages.append({"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear", "degrees": 21}'})
        raise ValueError("the agent's loop did not end")

    async def structured(self, model: str, question: str) -> None:
        """Asks for an answer in the form of a model."""
        await self.client.chat.completions.parse(
            model=model, messages=[{"role": "user", "content": question}], response_format=Answer
        )


async def main() -> None:
    """Runs the agents and tells what they met."""
    parser = argparse.ArgumentParser(description="Keeps OpenAI SDK traffic going against a simulator.")
    parser.add_argument("--base-url", default="http://127.0.0.1:8080/v1")
    parser.add_argument("--agents", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--retries", type=int, default=2, help="the SDK's max_retries")
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + options.seconds
    agents = [Agent(f"agent-{n:02}", options.base_url, options.retries, outcomes) for n in range(options.agents)]
    await asyncio.gather(*(agent.live(until) for agent in agents))
    for outcome, count in outcomes.most_common():
        print(f"{count:6}  {outcome}")


if __name__ == "__main__":
    asyncio.run(main())
