"""Speech is a real sound in every format, as long as its text takes to say, in chunks or in events."""

from __future__ import annotations

import io
import wave
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from inprocess import Told, ask
from openapi import assert_fits
from running import Wire, application, nothing_left, running
from transcript import assert_golden

from llmsim import media, sounds
from llmsim.dialects import openai_speech
from llmsim.server.handlers import Application
from llmsim.server.serve import Runner

PATH = openai_speech.PATH
TEXT = "The quick brown fox jumped over the lazy dog. " * 5
SAY = {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy"}
SECONDS = len(TEXT) / sounds.LETTERS_A_SECOND


@pytest.fixture(scope="module")
def app() -> Application:
    return application(seed=1)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Runner]:
    async with running() as runner, nothing_left(runner):
        yield runner


def content_type(told: Told) -> str:
    return dict(told.headers)[b"content-type"].decode()


# -- chunks


@pytest.mark.parametrize("format", sounds.FORMATS)
async def test_a_sound_is_of_its_format_and_length(app: Application, format: str) -> None:
    told = await ask(app, PATH, {**SAY, "response_format": format})
    assert (told.status, content_type(told)) == (200, sounds.MEDIA_TYPES[format])
    assert told.body == sounds.sound(format, SECONDS).whole()


async def test_mp3_is_what_comes_by_itself(app: Application) -> None:
    told = await ask(app, PATH, SAY)
    assert content_type(told) == "audio/mpeg"
    assert media.audio_seconds(told.body, "mp3") == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize("speed", [0.25, 1, 4.0])
async def test_a_faster_voice_takes_less_time(app: Application, speed: float) -> None:
    told = await ask(app, PATH, {**SAY, "response_format": "wav", "speed": speed})
    with wave.open(io.BytesIO(told.body)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(SECONDS / speed, abs=0.05)


@pytest.mark.parametrize("text", ["x", "👋", "こんにちは世界", "\u0000", " ", "x" * 4096])
async def test_any_text_can_be_said(app: Application, text: str) -> None:
    told = await ask(app, PATH, {**SAY, "input": text})
    assert media.audio_seconds(told.body, "mp3") == pytest.approx(sounds.spoken_seconds(text), abs=0.05)


@pytest.mark.parametrize("voice", [*openai_speech.VOICES, {"id": "voice_1234"}])
async def test_every_voice_is_heard(app: Application, voice: Any) -> None:
    assert (await ask(app, PATH, {**SAY, "voice": voice, "instructions": "Whisper."})).status == 200


async def test_the_first_chunk_comes_before_the_last(server: Runner) -> None:
    server.simulator.change(latency_profile="glacial")
    async with Wire.to(server) as wire:
        await wire.ask({**SAY, "response_format": "wav"}, PATH)
        status, headers = await wire.head()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        first = await wire.chunk()
    assert first[:4] == b"RIFF"
    assert 44 < len(first) < 10_000


async def test_a_failure_in_mid_sound_cuts_the_connection(server: Runner) -> None:
    """A sound has no words for bad news, and must not look whole."""
    server.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 3})
    async with Wire.to(server) as wire:
        await wire.ask(SAY, PATH)
        status, _ = await wire.head()
        assert status == 200
        assert await wire.chunk()
        assert await wire.reader.read() == b""
    assert [one.state for one in server.simulator.journal] == ["dropped"]


async def test_a_failure_that_comes_first_is_the_whole_answer(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503, "message": "Not today."})
    try:
        told = await ask(app, PATH, SAY)
    finally:
        app.simulator.lift()
    assert (told.status, told.json["error"]["message"]) == (503, "Not today.")


# -- events


@pytest.mark.parametrize("format", sounds.FORMATS)
async def test_the_events_come_to_the_same_sound(app: Application, format: str) -> None:
    body = {**SAY, "response_format": format}
    told = await ask(app, PATH, {**body, "stream_format": "sse"})
    assert content_type(told).startswith("text/event-stream")
    *deltas, done = told.events
    for event in deltas:
        assert_fits("SpeechAudioDeltaEvent", event)
    assert_fits("SpeechAudioDoneEvent", done)
    joined = b"".join(b64decode(event["audio"], validate=True) for event in deltas)
    assert joined == (await ask(app, PATH, {**body, "stream_format": "audio"})).body
    assert len(deltas) > 20


async def test_the_usage_counts_text_and_sound(app: Application) -> None:
    said = (await ask(app, PATH, {**SAY, "stream_format": "sse"})).events[-1]["usage"]
    told = (await ask(app, PATH, {**SAY, "stream_format": "sse", "instructions": "Whisper."})).events[-1]["usage"]
    assert said["input_tokens"] == 51
    assert told["input_tokens"] > said["input_tokens"]
    assert said["output_tokens"] == pytest.approx(SECONDS * media.OPENAI_SPEECH_RATE, abs=2)
    assert said["total_tokens"] == said["input_tokens"] + said["output_tokens"]


async def test_the_wire_of_events() -> None:
    told = await ask(application(seed=1), PATH, {**SAY, "input": "Hi!", "stream_format": "sse"})
    assert_golden("openai_speech_events", told.status, told.headers, told.body)


async def test_an_error_among_events() -> None:
    app = application(seed=1)
    app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2, "message": "No more."})
    told = await ask(app, PATH, {**SAY, "stream_format": "sse"})
    assert_golden("openai_speech_error_in_mid_stream", told.status, told.headers, told.body)


# -- refusals

REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    "no model": ({"model": ...}, None, None, "you must provide a model parameter"),
    "no text": ({"input": ...}, "input", "missing_required_parameter", "Missing required parameter: 'input'."),
    "no voice": ({"voice": ...}, "voice", "missing_required_parameter", "Missing required parameter: 'voice'."),
    "empty text": ({"input": ""}, "input", "empty_string", "Invalid 'input': empty string."),
    "long text": ({"input": "x" * 4097}, "input", "string_above_max_length", "Invalid 'input': string too long."),
    "a number": ({"input": 5}, "input", "invalid_type", "Invalid type for 'input': expected a string"),
    "another voice": (
        {"voice": "bob"}, "voice", "invalid_value", "Invalid value: 'bob'. Supported values are: 'alloy', 'ash', ",
    ),
    "a newer voice": ({"voice": "marin", "model": "tts-1"}, "voice", "invalid_value", "Invalid value: 'marin'."),
    "no voice at all": ({"voice": 5}, "voice", "invalid_type", "Invalid type for 'voice'"),
    "too slow": ({"speed": 0.1}, "speed", "decimal_below_min_value", "Invalid 'speed': decimal below minimum value."),
    "too fast": ({"speed": 4.1}, "speed", "decimal_above_max_value", "Invalid 'speed': decimal above maximum value."),
    "no speed": ({"speed": "fast"}, "speed", "invalid_type", "Invalid type for 'speed': expected a decimal"),
    "another format": (
        {"response_format": "ogg"}, "response_format", "invalid_value",
        "Invalid value: 'ogg'. Supported values are: 'mp3', 'opus', 'aac', 'flac', 'wav', and 'pcm'.",
    ),
    "another stream": ({"stream_format": "x"}, "stream_format", "invalid_value", "Invalid value: 'x'."),
    "events of an old model": (
        {"stream_format": "sse", "model": "tts-1-hd"}, "stream_format", "unsupported_value", "stream_format 'sse'",
    ),
    "long instructions": (
        {"instructions": "x" * 4097}, "instructions", "string_above_max_length", "Invalid 'instructions'",
    ),
    "unknown": ({"pitch": 1}, "pitch", "unknown_parameter", "Unknown parameter: 'pitch'."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_requests_that_are_refused(app: Application, case: str) -> None:
    changed, param, code, message = REFUSED[case]
    body = {name: value for name, value in {**SAY, **changed}.items() if value is not ...}
    told = await ask(app, PATH, body)
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
    assert error["message"].startswith(message)


async def test_a_body_that_is_no_object_is_refused(app: Application) -> None:
    told = await ask(app, PATH, b"say it")
    assert (told.status, told.json["error"]["message"][:20]) == (400, "We could not parse t")
