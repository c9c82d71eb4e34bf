"""Google's own client gets replies as from Gemini: words, streams, chats, thoughts, schemas, counts."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from gemini_bodies import PIXEL
from gemini_clients import google
from google import genai
from google.genai import types
from openapi import assert_known_keys
from pydantic import BaseModel, Field
from running import written_by

from llmsim.conversation import Reply, Stop
from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL, NEWEST = "gemini-2.5-flash", "gemini-3-pro-preview"
QUIET = types.ThinkingConfig(thinking_budget=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(server: Runner) -> AsyncIterator[genai.Client]:
    async with google(server) as one:
        yield one


@pytest.fixture
def client(shared: genai.Client, simulator: Simulator) -> genai.Client:
    """The client, which tries everything once; its synchronous half is for use in a thread."""
    simulator.change(generator="fixed:Hello there.")
    return shared


def config(**fields: Any) -> types.GenerateContentConfig:
    """A configuration that asks for no thoughts unless told otherwise."""
    return types.GenerateContentConfig(**{"thinking_config": QUIET, **fields})


async def ask(client: genai.Client, contents: Any = "Hi", model: str = MODEL, **fields: Any) -> Any:
    return await client.aio.models.generate_content(model=model, contents=contents, config=config(**fields))


async def stream(client: genai.Client, contents: Any = "Hi", model: str = MODEL, **fields: Any) -> list[Any]:
    chunks = await client.aio.models.generate_content_stream(model=model, contents=contents, config=config(**fields))
    return [chunk async for chunk in chunks]


# -- words


async def test_a_reply_is_all_that_its_type_says(client: genai.Client) -> None:
    reply = await ask(client)
    assert_known_keys(reply)
    assert (reply.text, reply.model_version) == ("Hello there.", MODEL)
    assert len(reply.response_id) == 23
    (candidate,) = reply.candidates
    assert (candidate.finish_reason, candidate.index) == (types.FinishReason.STOP, 0)
    usage = reply.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (2, 3, 5)
    assert usage.prompt_tokens_details[0].modality is types.MediaModality.TEXT


async def test_a_stream_is_the_reply_bit_by_bit(client: genai.Client) -> None:
    chunks = await stream(client)
    assert [chunk.text for chunk in chunks] == ["Hello", " there", "."]
    assert [chunk.candidates[0].finish_reason for chunk in chunks] == [None, None, types.FinishReason.STOP]
    assert len({chunk.response_id for chunk in chunks}) == 1
    assert chunks[-1].usage_metadata.total_token_count == 5
    for chunk in chunks:
        assert_known_keys(chunk)


async def test_the_synchronous_client_gets_the_same(client: genai.Client) -> None:
    def work() -> tuple[str | None, list[str | None]]:
        whole = client.models.generate_content(model=MODEL, contents="Hi", config=config())
        chunks = client.models.generate_content_stream(model=MODEL, contents="Hi", config=config())
        return whole.text, [chunk.text for chunk in chunks]

    assert await asyncio.to_thread(work) == ("Hello there.", ["Hello", " there", "."])


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_either_version_serves_everything(client: genai.Client, server: Runner, version: str) -> None:
    async with google(server, api_version=version) as one:
        assert (await ask(one)).text == "Hello there."
        assert len(await stream(one)) == 3
        thought = types.ThinkingConfig(include_thoughts=True, thinking_budget=8)
        assert (await ask(one, thinking_config=thought)).candidates[0].content.parts[0].thought


async def test_names_of_models_may_begin_with_their_family(client: genai.Client) -> None:
    assert (await ask(client, model=f"models/{MODEL}")).model_version == MODEL


async def test_contents_come_in_every_form_the_client_takes(client: genai.Client) -> None:
    for contents in (
        "Hi",
        ["Hi", "there"],
        types.Part.from_text(text="Hi"),
        [types.UserContent("Hi"), types.ModelContent("Hello"), types.UserContent("Again")],
        {"role": "user", "parts": [{"text": "Hi"}]},
    ):
        assert (await ask(client, contents)).text == "Hello there."


async def test_every_setting_of_a_reply_is_taken(client: genai.Client) -> None:
    reply = await ask(
        client,
        system_instruction="Be kind.",
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.1,
        response_modalities=["TEXT"],
        media_resolution="MEDIA_RESOLUTION_LOW",
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HATE_SPEECH, threshold=types.HarmBlockThreshold.BLOCK_NONE
            )
        ],
        labels={"team": "a"},
        service_tier="flex",
    )
    assert reply.text == "Hello there."
    assert reply.sdk_http_response.headers["x-gemini-service-tier"] == "flex"


# -- chats


async def test_a_chat_remembers(client: genai.Client) -> None:
    chat = client.aio.chats.create(model=MODEL, config=config(system_instruction="Be kind."))
    first = await chat.send_message("Hi")
    second = await chat.send_message("And again")
    assert second.usage_metadata
    assert first.usage_metadata
    assert second.usage_metadata.prompt_token_count > first.usage_metadata.prompt_token_count  # type: ignore[operator]
    async for _ in await chat.send_message_stream("Once more"):
        pass
    assert [content.role for content in chat.get_history(curated=True)][:4] == ["user", "model"] * 2


async def test_a_synchronous_chat_remembers(client: genai.Client) -> None:
    def work() -> int:
        chat = client.chats.create(model=NEWEST)
        chat.send_message("Hi")
        for _ in chat.send_message_stream("Again"):
            pass
        chat.send_message("Once more")
        return len(chat.get_history())

    assert await asyncio.to_thread(work) >= 6


# -- why it ended


async def test_a_limit_ends_it(client: genai.Client) -> None:
    reply = await ask(client, max_output_tokens=2)
    assert (reply.text, reply.candidates[0].finish_reason) == ("Hello there", types.FinishReason.MAX_TOKENS)
    chunks = await stream(client, max_output_tokens=2)
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.MAX_TOKENS


async def test_a_stop_sequence_ends_it(client: genai.Client) -> None:
    assert (await ask(client, stop_sequences=[" there"])).text == "Hello"


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_blocked_prompt_says_why(client: genai.Client, simulator: Simulator, streamed: bool) -> None:
    with written_by(lambda ask, dice: Reply((), stop=Stop.FILTER)) as own:
        simulator.change(generator=own)
        reply = (await stream(client))[-1] if streamed else await ask(client)
        simulator.change(generator="lorem")
    assert reply.candidates is None
    assert reply.prompt_feedback.block_reason is types.BlockedReason.SAFETY
    assert reply.text is None


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_blocked_candidate_says_why(client: genai.Client, simulator: Simulator, streamed: bool) -> None:
    with written_by(lambda ask, dice: Reply(("Well",), stop=Stop.FILTER)) as own:
        simulator.change(generator=own)
        reply = (await stream(client))[-1] if streamed else await ask(client)
        simulator.change(generator="lorem")
    (candidate,) = reply.candidates
    assert candidate.finish_reason is types.FinishReason.SAFETY
    assert any(rating.blocked for rating in candidate.safety_ratings)


# -- thoughts


@pytest.mark.parametrize("streamed", [False, True])
async def test_thoughts_are_parts_of_their_own(client: genai.Client, streamed: bool) -> None:
    wanted = types.ThinkingConfig(include_thoughts=True, thinking_budget=20)
    replies = await stream(client, thinking_config=wanted) if streamed else [await ask(client, thinking_config=wanted)]
    parts = [part for reply in replies for part in reply.candidates[0].content.parts]
    assert any(part.thought and part.text for part in parts)
    assert "".join(part.text for part in parts if not part.thought) == "Hello there."
    assert any(isinstance(part.thought_signature, bytes) for part in parts)
    assert replies[-1].usage_metadata.thoughts_token_count == 20
    assert replies[-1].usage_metadata.total_token_count == 2 + 3 + 20


async def test_a_budget_of_nothing_stops_them(client: genai.Client) -> None:
    reply = await ask(client, thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=0))
    assert reply.usage_metadata.thoughts_token_count is None
    assert not any(part.thought for part in reply.candidates[0].content.parts)


async def test_levels_are_of_the_newest_models(client: genai.Client) -> None:
    spent = [
        (
            await ask(client, model=NEWEST, thinking_config=types.ThinkingConfig(thinking_level=level))
        ).usage_metadata.thoughts_token_count
        for level in ("LOW", "HIGH")
    ]
    assert 0 < spent[0] < spent[1]


# -- the form


class Fruit(enum.Enum):
    APPLE = "apple"
    PEAR = "big pear"


class Address(BaseModel):
    street: str
    zip_code: str | None = None


class Person(BaseModel):
    name: str = Field(description="Full name")
    age: int = Field(ge=0, le=120)
    fruits: list[Fruit]
    home: Address


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_model_of_pydantic_comes_back_as_one(client: genai.Client, streamed: bool) -> None:
    fields: Any = {"response_mime_type": "application/json", "response_schema": Person}
    if streamed:
        Person.model_validate_json("".join(chunk.text for chunk in await stream(client, **fields)))
        return
    reply = await ask(client, **fields)
    assert isinstance(reply.parsed, Person)
    assert 0 <= reply.parsed.age <= 120


async def test_lists_of_models_and_plain_types_are_parsed(client: genai.Client) -> None:
    async def parsed(schema: Any) -> Any:
        return (await ask(client, response_mime_type="application/json", response_schema=schema)).parsed

    assert all(isinstance(one, Person) for one in await parsed(list[Person]))
    assert isinstance(await parsed(int), int)
    assert isinstance(await parsed(Fruit), Fruit)
    told = await parsed({"type": "OBJECT", "properties": {"user_name": {"type": "STRING"}}, "required": ["user_name"]})
    assert set(told) == {"user_name"}


async def test_a_json_schema_is_kept(client: genai.Client) -> None:
    schema = Person.model_json_schema()
    reply = await ask(client, response_mime_type="application/json", response_json_schema=schema)
    Person.model_validate(reply.parsed)


async def test_an_enum_is_bare_text(client: genai.Client) -> None:
    reply = await ask(client, response_mime_type="text/x.enum", response_schema=Fruit)
    assert isinstance(reply.parsed, Fruit)
    assert reply.text == reply.parsed.value


async def test_candidates_are_as_many_as_asked_for(client: genai.Client) -> None:
    reply = await ask(client, candidate_count=3)
    assert [one.index for one in reply.candidates] == [0, 1, 2]
    assert all(one.content.parts[0].text == "Hello there." for one in reply.candidates)


async def test_log_probabilities_are_told(client: genai.Client) -> None:
    reply = await ask(client, response_logprobs=True, logprobs=3)
    (candidate,) = reply.candidates
    assert candidate.avg_logprobs < 0
    assert [one.token for one in candidate.logprobs_result.chosen_candidates] == ["Hello", " there", "."]
    assert all(len(top.candidates) == 3 for top in candidate.logprobs_result.top_candidates)
    assert_known_keys(reply)


async def test_a_seed_gives_the_same_words_again(client: genai.Client, simulator: Simulator) -> None:
    simulator.change(generator="lorem")
    first, again, other = [(await ask(client, seed=seed)).text for seed in (3, 3, 4)]
    assert first == again != other


# -- what it costs


async def test_media_are_counted_by_their_kind(client: genai.Client) -> None:
    from base64 import b64decode

    parts = [
        types.Part.from_bytes(data=b64decode(PIXEL), mime_type="image/png"),
        types.Part.from_bytes(data=b"RIFF" + bytes(40), mime_type="audio/wav"),
        types.Part.from_uri(file_uri="https://example.com/a.pdf", mime_type="application/pdf"),
        types.Part.from_text(text="What is this?"),
    ]
    usage = (await ask(client, parts)).usage_metadata
    told = {one.modality.value: one.token_count for one in usage.prompt_tokens_details}
    assert told["IMAGE"] == told["DOCUMENT"] == 258
    assert sum(told.values()) == usage.prompt_token_count


async def test_an_uploaded_file_is_counted(client: genai.Client) -> None:
    from io import BytesIO

    text = "The sky is blue. " * 50
    file = await client.aio.files.upload(file=BytesIO(text.encode()), config={"mime_type": "text/plain"})
    plain = (await ask(client, "What does it say?")).usage_metadata.prompt_token_count
    spent = (await ask(client, [file, "What does it say?"])).usage_metadata.prompt_token_count
    assert spent - plain >= 200


async def test_a_count_is_what_the_prompt_will_cost(client: genai.Client) -> None:
    contents = [types.UserContent("How are you?"), types.ModelContent("Fine."), types.UserContent("And now?")]
    counted = await client.aio.models.count_tokens(model=MODEL, contents=contents)
    assert counted.total_tokens == (await ask(client, contents)).usage_metadata.prompt_token_count
    again = await asyncio.to_thread(lambda: client.models.count_tokens(model=MODEL, contents=contents))
    assert again.total_tokens == counted.total_tokens


async def test_a_cached_content_comes_before_the_prompt(client: genai.Client) -> None:
    cache = await client.aio.caches.create(
        model=MODEL,
        config=types.CreateCachedContentConfig(
            contents=[types.UserContent("The sky is blue. " * 600)], system_instruction="Be kind.", ttl="60s"
        ),
    )
    plain = (await ask(client)).usage_metadata.prompt_token_count
    usage = (await ask(client, cached_content=cache.name)).usage_metadata
    assert usage.cached_content_token_count > 2000
    assert usage.prompt_token_count == plain + usage.cached_content_token_count
    assert usage.cache_tokens_details[0].token_count == usage.cached_content_token_count


# -- pictures and sounds


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_picture_comes_as_bytes(client: genai.Client, streamed: bool) -> None:
    asked: Any = {"contents": "A red fox", "model": "gemini-2.5-flash-image", "response_modalities": ["TEXT", "IMAGE"]}
    replies = await stream(client, **asked) if streamed else [await ask(client, **asked)]
    (picture,) = (part.inline_data for reply in replies for part in reply.parts if part.inline_data)
    assert picture.mime_type == "image/png"
    assert picture.data.startswith(b"\x89PNG")


async def test_speech_comes_as_samples(client: genai.Client) -> None:
    voice = types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore"))
    speech: Any = {"response_modalities": ["AUDIO"], "speech_config": types.SpeechConfig(voice_config=voice)}
    reply = await ask(client, "Say cheerfully: hello!", model="gemini-3.8-flash-tts", **speech)
    assert reply.parts[0].inline_data.mime_type.startswith("audio/L16")
    assert len(reply.parts[0].inline_data.data) >= 24_000
