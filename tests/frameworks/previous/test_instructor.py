"""instructor over llmsim: the same types out of OpenAI, Anthropic and Gemini, whole, in part and one by one."""

from __future__ import annotations

from typing import Any, Literal

import instructor
import pytest
from anthropic import Anthropic, AsyncAnthropic
from google import genai
from instructor.core import InstructorRetryException
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, Field


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float = Field(ge=-90, le=60)
    sky: Literal["clear", "cloudy"]
    days: list[str] = Field(min_length=1, max_length=3)


ASKED: Any = [{"role": "user", "content": "The weather in Oslo"}]
M = instructor.Mode


def openai(url: str, mode: Any) -> Any:
    return instructor.from_openai(OpenAI(base_url=f"{url}/v1", max_retries=0), mode=mode, model="gpt-4o")


def anthropic(url: str, mode: Any) -> Any:
    client = Anthropic(base_url=url, max_retries=0)
    return instructor.from_anthropic(client, mode=mode, model="claude-sonnet-4-5", max_tokens=1000)


def gemini(url: str, mode: Any) -> Any:
    client = genai.Client(api_key="k", http_options={"base_url": url})
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


@pytest.mark.parametrize("name", MODES)
def test_errors_come_through(refusing: Any, name: str) -> None:
    make, mode = MODES[name]
    with pytest.raises(InstructorRetryException, match="Not today"):
        make(refusing(400), mode).chat.completions.create(response_model=Weather, messages=ASKED, max_retries=1)
