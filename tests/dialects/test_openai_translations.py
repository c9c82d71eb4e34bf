"""Translations are English words of a sound, in the forms that Whisper has."""

from __future__ import annotations

from typing import Any

import pytest
from forms import Files, file, send
from openai.types.audio import Translation, TranslationVerbose
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim import sounds
from llmsim.server.handlers import Application

PATH = "/v1/audio/translations"
WORDS = "Hello, my name is Wolfgang. I come from Germany. Where are you heading today?"
WAV: Files = file(sounds.sound("wav", 6.0).whole(), "speech.wav", "audio/wav")


@pytest.fixture
def app() -> Application:
    return application(generator=f"fixed:{WORDS}", seed=1)


async def test_json_is_the_words_alone(app: Application) -> None:
    told = (await send(app, PATH, WAV, model="whisper-1", prompt="A greeting", temperature=0.1)).json
    assert_fits("CreateTranslationResponseJson", told)
    assert_known_keys(Translation.model_validate(told))
    assert told == {"text": WORDS}


async def test_verbose_json_has_segments(app: Application) -> None:
    told = (await send(app, PATH, WAV, model="whisper-1", response_format="verbose_json")).json
    assert_fits("CreateTranslationResponseVerboseJson", told)
    TranslationVerbose.model_validate(told)
    assert (told["task"], told["language"], told["duration"], told["text"]) == ("translate", "english", 6.0, WORDS)
    assert len(told["segments"]) == 3


@pytest.mark.parametrize(
    ("format", "beginning"), [("text", WORDS), ("srt", "1\n00:00:00,000"), ("vtt", "WEBVTT\n\n00:")]
)
async def test_the_forms_that_are_text(app: Application, format: str, beginning: str) -> None:
    told = await send(app, PATH, WAV, model="whisper-1", response_format=format)
    assert dict(told.headers)[b"content-type"] == b"text/plain; charset=utf-8"
    assert told.body.decode().startswith(beginning)


REFUSED: dict[str, tuple[Files, dict[str, Any], str | None, str | None]] = {
    "no file": (file(b"x", field="other"), {}, "file", "missing_required_parameter"),
    "no model": (WAV, {"model": None}, None, None),
    "another model": (WAV, {"model": "gpt-4o-transcribe"}, "model", "invalid_value"),
    "no sound": (file(b"x", "a.txt", "text/plain"), {}, None, None),
    "another format": (WAV, {"response_format": "diarized_json"}, "response_format", "invalid_value"),
    "a stream": (WAV, {"stream": "true"}, "stream", "unknown_parameter"),
    "a language": (WAV, {"language": "de"}, "language", "unknown_parameter"),
    "too hot": (WAV, {"temperature": "2"}, "temperature", "decimal_above_max_value"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_requests_that_are_refused(app: Application, case: str) -> None:
    files, changed, param, code = REFUSED[case]
    fields = {name: value for name, value in {"model": "whisper-1", **changed}.items() if value is not None}
    told = await send(app, PATH, files, **fields)
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
