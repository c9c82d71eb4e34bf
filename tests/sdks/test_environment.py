"""Each SDK finds the simulator by its own environment variables, as in a user's tests: by the plugin's fixture."""

from __future__ import annotations

import anthropic
import openai
import pytest
from google import genai

from llmsim import Running

ASKED = [{"role": "user", "content": "What is the capital of France?"}]


def openai_says() -> str:
    with openai.OpenAI() as client:
        return client.chat.completions.create(model="gpt-4o", messages=ASKED).choices[0].message.content or ""  # type: ignore[arg-type]


def anthropic_says() -> str:
    with anthropic.Anthropic() as client:
        reply = client.messages.create(model="claude-opus-5-5", max_tokens=50, messages=ASKED)  # type: ignore[arg-type]
    return "".join(block.text for block in reply.content if block.type == "text")


def gemini_says() -> str:
    with genai.Client() as client:
        return client.models.generate_content(model="gemini-2.5-flash", contents=ASKED[0]["content"]).text or ""


@pytest.mark.parametrize("says", [openai_says, anthropic_says, gemini_says])
def test_an_sdk_that_is_told_nothing_asks_the_simulator(llmsim: Running, says) -> None:
    llmsim.mock("text:capital", "Paris.")
    assert says() == "Paris."
    assert len(llmsim.requests) == 1
