"""OpenAI's own client has texts said and sounds written down, whole and streamed."""

from __future__ import annotations

import asyncio
import wave
from base64 import b64decode
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_known_keys

from llmsim import media, sounds
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "The quick brown fox jumped over the lazy dog. " * 3
SECONDS = len(TEXT) / sounds.LETTERS_A_SECOND
WORDS = "Hello, this is a test. Is it heard? Yes, it is heard rather well! Goodbye."


@pytest.fixture
def heard(simulator: Simulator) -> str:
    simulator.change(generator=f"fixed:{WORDS}")
    return WORDS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    path.write_bytes(sounds.sound("wav", 12.0).whole())
    return path


# -- speech


async def test_a_text_is_said(client: AsyncOpenAI, tmp_path: Path) -> None:
    said = await client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT)
    assert said.response.headers["content-type"] == "audio/mpeg"
    assert media.audio_seconds(said.content, "mp3") == pytest.approx(SECONDS, abs=0.05)
    said.write_to_file(tmp_path / "speech.mp3")
    assert len(said.content) == (tmp_path / "speech.mp3").stat().st_size


async def test_a_text_is_said_in_chunks(client: AsyncOpenAI, tmp_path: Path) -> None:
    create = client.audio.speech.with_streaming_response.create
    async with create(
        model="gpt-4o-mini-tts", voice="marin", input=TEXT, response_format="wav", speed=2.0, instructions="Whisper."
    ) as said:
        await said.stream_to_file(tmp_path / "speech.wav")
    with wave.open(str(tmp_path / "speech.wav")) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(SECONDS / 2, abs=0.05)


@pytest.mark.parametrize("format", sounds.FORMATS)
async def test_the_synchronous_client_says_it_in_every_format(sync_client: OpenAI, format: Any) -> None:
    def use() -> None:
        said = sync_client.audio.speech.create(
            model="gpt-4o-mini-tts", voice={"id": "voice_1"}, input=TEXT, response_format=format
        )
        assert said.read() == sounds.sound(format, SECONDS).whole()

    await asyncio.to_thread(use)


async def test_a_text_is_said_in_events(client: AsyncOpenAI) -> None:
    create = client.audio.speech.with_streaming_response.create
    async with create(model="gpt-4o-mini-tts", voice="nova", input=TEXT, stream_format="sse") as said:
        events = [line.removeprefix("data: ") async for line in said.iter_lines() if line]
    sound = b"".join(b64decode(event.split('"audio":"')[1][:-2]) for event in events[:-1])
    assert sound == sounds.sound("mp3", SECONDS).whole()
    assert '"type":"speech.audio.done"' in events[-1]


async def test_a_sound_that_breaks_off_is_not_taken_for_whole(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 5})
    with pytest.raises(openai.APIConnectionError):
        await client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"voice": "bob"}, "voice", "invalid_value"),
        ({"speed": 5}, "speed", "decimal_above_max_value"),
        ({"input": "x" * 4097}, "input", "string_above_max_length"),
        ({"response_format": "ogg"}, "response_format", "invalid_value"),
        ({"stream_format": "sse"}, "stream_format", "unsupported_value"),
    ],
)
async def test_speech_that_is_refused(client: AsyncOpenAI, fields: Any, param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "Hi", **fields})
    assert (caught.value.type, caught.value.param, caught.value.code) == ("invalid_request_error", param, code)


# -- transcriptions


async def test_a_sound_is_written_down(client: AsyncOpenAI, path: Path, heard: str) -> None:
    told = await client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=path, include=["logprobs"], temperature=0.2, language="en"
    )
    assert_known_keys(told)
    assert told.text == heard
    assert told.logprobs
    assert "".join(entry.token or "" for entry in told.logprobs) == heard
    assert told.usage
    assert told.usage.type == "tokens"


async def test_the_synchronous_client_hears_words_and_segments(sync_client: OpenAI, path: Path, heard: str) -> None:
    def use() -> None:
        with path.open("rb") as opened:
            told = sync_client.audio.transcriptions.create(
                model="whisper-1",
                file=opened,
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
            )
        assert (told.text, told.duration, told.language) == (heard, 12.0, "english")
        assert told.words
        assert told.segments
        assert (told.words[-1].word, told.words[-1].end) == ("Goodbye", 12.0)
        assert "".join(part.text for part in told.segments).strip() == heard
        assert told.usage
        assert told.usage.seconds == 12

    await asyncio.to_thread(use)


@pytest.mark.parametrize(("format", "beginning"), [("text", WORDS), ("srt", "1\n00:00:00,000"), ("vtt", "WEBVTT")])
async def test_the_forms_that_are_text(
    client: AsyncOpenAI, path: Path, heard: str, format: Any, beginning: str
) -> None:
    told = await client.audio.transcriptions.create(model="whisper-1", file=path, response_format=format)
    assert isinstance(told, str)
    assert told.startswith(beginning)


async def test_words_are_streamed(client: AsyncOpenAI, path: Path, heard: str) -> None:
    stream = await client.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=path, stream=True)
    events = [event async for event in stream]
    for event in events:
        assert_known_keys(event)
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == heard
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert (last.text, last.usage and last.usage.type) == (heard, "tokens")


async def test_speakers_are_told_apart(sync_client: OpenAI, path: Path, heard: str) -> None:
    def use() -> None:
        ask: Any = {"model": "gpt-4o-transcribe-diarize", "file": path, "response_format": "diarized_json"}
        ask["chunking_strategy"] = {"type": "server_vad", "threshold": 0.4}
        told = sync_client.audio.transcriptions.create(**ask)
        assert {part.speaker for part in told.segments} == {"A", "B"}
        streamed = list(sync_client.audio.transcriptions.create(**ask, stream=True))
        parts = [event for event in streamed if event.type == "transcript.text.segment"]
        assert [(part.id, part.speaker) for part in parts] == [(part.id, part.speaker) for part in told.segments]

    await asyncio.to_thread(use)


async def test_what_was_said_is_heard(client: AsyncOpenAI, heard: str) -> None:
    """A sound that this server made is one that it takes."""
    for format in sounds.FORMATS:
        said = await client.audio.speech.create(
            model="gpt-4o-mini-tts", voice="alloy", input=TEXT, response_format=format
        )
        file = (f"speech.{format}", said.content, f"audio/{format}")
        told = await client.audio.transcriptions.create(model="whisper-1", file=file, response_format="verbose_json")
        assert told.text == heard
        if format in ("wav", "mp3"):
            assert told.duration == pytest.approx(SECONDS, abs=0.1)


async def test_an_error_in_mid_stream_is_raised(client: AsyncOpenAI, path: Path, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 1, "message": "No more."})
    stream = await client.audio.transcriptions.create(model="gpt-4o-transcribe", file=path, stream=True)
    assert (await anext(stream)).type == "transcript.text.delta"
    with pytest.raises(openai.APIError, match=r"No more\."):
        await anext(stream)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"response_format": "srt"}, "response_format", "unsupported_value"),
        ({"temperature": 2}, "temperature", "decimal_above_max_value"),
        ({"language": "english"}, "language", "invalid_language_format"),
        ({"file": ("notes.txt", b"x")}, None, None),
        ({"file": ("speech.wav", b"")}, "file", "audio_too_short"),
    ],
)
async def test_sounds_that_are_refused(
    client: AsyncOpenAI, path: Path, fields: Any, param: str | None, code: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.audio.transcriptions.create(**{"model": "gpt-4o-transcribe", "file": path, **fields})
    assert (caught.value.type, caught.value.param, caught.value.code) == ("invalid_request_error", param, code)


# -- translations


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_sound_is_translated(client: AsyncOpenAI, path: Path, heard: str) -> None:
    told = await client.audio.translations.create(model="whisper-1", file=path)
    assert_known_keys(told)
    assert told.text == heard


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_synchronous_client_translates_with_segments(sync_client: OpenAI, path: Path, heard: str) -> None:
    def use() -> None:
        told = sync_client.audio.translations.create(model="whisper-1", file=path, response_format="verbose_json")
        assert (told.text, told.language, told.duration) == (heard, "english", 12.0)
        assert told.segments
        subtitles = sync_client.audio.translations.create(model="whisper-1", file=path, response_format="vtt")
        assert subtitles.startswith("WEBVTT\n\n")

    await asyncio.to_thread(use)
