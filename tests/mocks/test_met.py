"""Mocks as a user's test has them, by the fixture of the plugin: which of several is met, and what was asked."""

from __future__ import annotations

import openai
import pytest

from llmsim import Running


@pytest.fixture
def ask(llmsim: Running):
    with openai.OpenAI(max_retries=0, timeout=10) as client:

        def asked(text: str, model: str = "gpt-4o") -> str:
            told = [{"role": "user", "content": text}]
            return client.chat.completions.create(model=model, messages=told).choices[0].message.content  # type: ignore

        yield asked


def test_what_matches_is_answered_and_the_rest_is_generated(llmsim: Running, ask) -> None:
    llmsim.mock("text:capital", "Paris.")
    assert ask("The capital of France?") == "Paris."
    assert ask("Hello") not in ("", "Paris.")


def test_several_answers_come_in_turn(llmsim: Running, ask) -> None:
    llmsim.mock("model:gpt-4o*", ["one", "two"])
    assert [ask("a"), ask("b")] == ["one", "two"]


def test_what_was_asked_is_there_to_look_at(llmsim: Running, ask) -> None:
    llmsim.mock("text:*", "Yes.")
    ask("Is it so?", "gpt-4o-mini")
    (request,) = llmsim.requests
    assert request.model == "gpt-4o-mini"
    assert (request.text, request.reply, request.usage.prompt > 0) == ("Is it so?", "Yes.", True)
