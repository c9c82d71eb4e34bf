"""instructor over llmsim: the same types out of OpenAI, Anthropic and Gemini, whole, in part and one by one."""

from __future__ import annotations

from typing import Any, Literal

import instructor
import pytest
from anthropic import Anthropic, AsyncAnthropic
from google import genai
from instructor.core import InstructorRetryException
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, Field, field_validator


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float = Field(ge=-90, le=60)
    sky: Literal["clear", "cloudy"]
    days: list[str] = Field(min_length=1, max_length=3)


class Plain(BaseModel):
    """Weather without limits: instructor does not tell those to Gemini, and asks again for a value within them."""

    city: str


ASKED: Any = [{"role": "user", "content": "The weather in Oslo"}]
M = instructor.Mode


def openai(url: str, mode: Any, retries: int = 0) -> Any:
    return instructor.from_openai(OpenAI(base_url=f"{url}/v1", max_retries=retries), mode=mode, model="gpt-4o")


def anthropic(url: str, mode: Any, retries: int = 0) -> Any:
    client = Anthropic(base_url=url, max_retries=retries)
    return instructor.from_anthropic(client, mode=mode, model="claude-sonnet-4-5", max_tokens=1000)


def gemini(url: str, mode: Any, retries: int = 0) -> Any:
    again: Any = {"attempts": retries + 1, "initial_delay": 0.01}
    client = genai.Client(api_key="k", http_options={"base_url": url, "retry_options": again})
    return instructor.from_genai(client, mode=mode, model="gemini-2.5-flash-lite")


MODES: Any = {
    "openai tools": (openai, M.TOOLS),
    "openai schema": (openai, M.JSON_SCHEMA),
    "responses": (openai, M.RESPONSES_TOOLS),
    "anthropic tools": (anthropic, M.TOOLS),
    "gemini tools": (gemini, M.TOOLS),
    "gemini schema": (gemini, M.JSON),
}


@pytest.fixture(params=MODES)
def client(request: pytest.FixtureRequest, url: str) -> Any:
    make, mode = MODES[request.param]
    return make(url, mode)


def test_a_value(client: Any) -> None:
    assert isinstance(client.chat.completions.create(response_model=Weather, messages=ASKED), Weather)


def test_a_value_with_what_it_was_made_of(client: Any) -> None:
    value, raw = client.chat.completions.create_with_completion(response_model=Weather, messages=ASKED)
    assert isinstance(value, Weather)
    assert raw is not None


def test_parts_of_a_value(client: Any) -> None:
    values = list(client.chat.completions.create_partial(response_model=Weather, messages=ASKED))
    assert values
    assert Weather.model_validate(values[-1].model_dump())


def test_several_values(client: Any) -> None:
    values = list(client.chat.completions.create_iterable(response_model=Weather, messages=ASKED))
    assert values
    assert all(isinstance(value, Weather) for value in values)


async def test_without_waiting(url: str) -> None:
    of_openai = instructor.from_openai(AsyncOpenAI(base_url=f"{url}/v1"), model="gpt-4o")
    of_anthropic = instructor.from_anthropic(AsyncAnthropic(base_url=url), model="claude-sonnet-4-5", max_tokens=1000)
    for client in (of_openai, of_anthropic):
        assert isinstance(await client.chat.completions.create(response_model=Weather, messages=ASKED), Weather)


@pytest.mark.parametrize("streamed", [False, True])
def test_words(client: Any, streamed: bool) -> None:
    """Without a type the client is the provider's own."""
    told = client.chat.completions.create(response_model=None, messages=ASKED, stream=streamed)
    assert list(told) if streamed else told


@pytest.mark.parametrize("name", MODES)
def test_what_the_type_refuses_is_asked_for_again(url: str, name: str) -> None:
    """The second request holds the first answer, and what was wrong with it, as each provider's wire has it."""
    refused: list[str] = []

    class Picky(Weather):
        @field_validator("city")
        @classmethod
        def _not_at_first(cls, value: str) -> str:
            if not refused:
                refused.append(value)
                raise ValueError("not this city")
            return value

    make, mode = MODES[name]
    told = make(url, mode).chat.completions.create(response_model=Picky, messages=ASKED, max_retries=3)
    assert isinstance(told, Picky)
    assert len(refused) == 1


@pytest.mark.parametrize("name", MODES)
def test_a_conversation_goes_on(url: str, name: str) -> None:
    make, mode = MODES[name]
    client = make(url, mode)

    def tokens(raw: Any) -> int:
        usage = getattr(raw, "usage", None) or raw.usage_metadata
        names = ("prompt_tokens", "input_tokens", "prompt_token_count")
        return next(getattr(usage, name) for name in names if hasattr(usage, name))

    first, raw = client.chat.completions.create_with_completion(response_model=Plain, messages=ASKED)
    said = {"role": "model" if make is gemini else "assistant", "content": first.model_dump_json()}
    messages = [*ASKED, said, {"role": "user", "content": "And in Rome?"}]
    second, more = client.chat.completions.create_with_completion(response_model=Plain, messages=messages)
    assert isinstance(second, Plain)
    assert tokens(more) > tokens(raw) > 0


def test_one_of_several_types(client: Any) -> None:
    class Unknown(BaseModel):
        """Nothing is known."""

        why: str

    class Answer(BaseModel):
        """What is known."""

        told: Weather | Unknown

    told = client.chat.completions.create(response_model=Answer, messages=ASKED)
    assert isinstance(told, Answer)


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_again_is_answered(turns: Any, name: str, status: int) -> None:
    door = turns(status)
    make, mode = MODES[name]
    told = make(door.url, mode, 2).chat.completions.create(response_model=Plain, messages=ASKED)
    assert isinstance(told, Plain)
    assert len(door.asked) == 2


@pytest.mark.parametrize("name", MODES)
def test_errors_come_through(refusing: Any, name: str) -> None:
    make, mode = MODES[name]
    with pytest.raises(InstructorRetryException, match="Not today"):
        make(refusing(400), mode).chat.completions.create(response_model=Weather, messages=ASKED, max_retries=1)
