"""A sound becomes the engine's words: the same whole and streamed, in every form, laid over the sound's own length."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from forms import Files, file, send
from inprocess import Told, ask
from openai.types.audio import Transcription, TranscriptionDiarized, TranscriptionTextSegmentEvent, TranscriptionVerbose
from openapi import assert_fits, assert_known_keys
from running import application
from transcript import assert_golden

from llmsim import media, sounds
from llmsim.dialects import _openai_transcripts as transcripts
from llmsim.server.handlers import Application

PATH = "/v1/audio/transcriptions"
WORDS = "Hello, this is a test. Is it heard? Yes, it is heard rather well! Goodbye."
WAV = sounds.sound("wav", 12.0).whole()
GPT, WHISPER, DIARIZE = "gpt-4o-transcribe", "whisper-1", "gpt-4o-transcribe-diarize"


@pytest.fixture
def app() -> Application:
    return application(generator=f"fixed:{WORDS}", seed=1)


def wav(data: bytes = WAV, name: str = "speech.wav", kind: str = "audio/wav") -> Files:
    return file(data, name, kind)


async def heard(app: Application, files: Files | None = None, **fields: Any) -> Told:
    told = await send(app, PATH, files or wav(), **{"model": GPT, **fields})
    assert told.status == 200, told.body
    return told


# -- whole


async def test_json_has_the_words_and_what_they_cost(app: Application) -> None:
    told = (await heard(app, prompt="A few words")).json
    assert_fits("CreateTranscriptionResponseJson", told)
    assert_known_keys(Transcription.model_validate(told))
    assert (set(told), told["text"]) == ({"text", "usage"}, WORDS)
    usage = told["usage"]
    assert usage["type"] == "tokens"
    assert usage["input_token_details"] == {"text_tokens": 3, "audio_tokens": 12 * media.OPENAI_AUDIO_RATE}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


async def test_whisper_is_paid_by_the_second(app: Application) -> None:
    told = (await heard(app, wav(sounds.sound("wav", 8.47).whole()), model=WHISPER)).json
    assert_fits("CreateTranscriptionResponseJson", told)
    assert told["usage"] == {"type": "duration", "seconds": 9}


async def test_the_newest_model_says_which_languages_it_heard(app: Application) -> None:
    told = (await heard(app, model="gpt-transcribe", language="de", **{"keywords[]": ["llmsim"]})).json
    assert_fits("CreateTranscriptionResponseJson", told)
    assert told["languages"] == [{"code": "de"}]


async def test_logprobs_are_those_of_the_text(app: Application) -> None:
    told = (await heard(app, **{"include[]": ["logprobs"]})).json
    assert_fits("CreateTranscriptionResponseJson", told)
    assert all(set(entry) == {"token", "logprob", "bytes"} and entry["logprob"] <= 0 for entry in told["logprobs"])
    assert b"".join(bytes(entry["bytes"]) for entry in told["logprobs"]).decode() == WORDS


async def test_text_is_plain_text(app: Application) -> None:
    told = await heard(app, response_format="text")
    assert dict(told.headers)[b"content-type"] == b"text/plain; charset=utf-8"
    assert told.body.decode() == WORDS + "\n"


@pytest.mark.parametrize("format", ["srt", "vtt"])
async def test_subtitles_follow_each_other_to_the_end(app: Application, format: str) -> None:
    told = await heard(app, model=WHISPER, response_format=format)
    text = told.body.decode()
    assert dict(told.headers)[b"content-type"] == b"text/plain; charset=utf-8"
    assert text.startswith("WEBVTT\n\n" if format == "vtt" else "1\n00:00:00,000 --> ")
    mark = re.escape("." if format == "vtt" else ",")
    clock = rf"(\d\d:\d\d:\d\d{mark}\d\d\d)"
    moments = re.findall(rf"{clock} --> {clock}\n(.+)\n\n", text)
    assert " ".join(words for *_, words in moments) == WORDS
    assert all(one[1] == other[0] for one, other in pairwise(moments))
    assert moments[-1][1].startswith("00:00:12")


@pytest.mark.parametrize("granularities", [None, ["word"], ["segment"], ["word", "segment"]])
async def test_verbose_json_says_when_what_is_heard(app: Application, granularities: list[str] | None) -> None:
    more = {"timestamp_granularities[]": granularities} if granularities else {}
    told = (
        await heard(app, model=WHISPER, response_format="verbose_json", language="fr", temperature=0.2, **more)
    ).json
    assert_fits("CreateTranscriptionResponseVerboseJson", told)
    TranscriptionVerbose.model_validate(told)
    assert (told["task"], told["language"], told["duration"], told["text"]) == ("transcribe", "french", 12.0, WORDS)
    assert told["usage"] == {"type": "duration", "seconds": 12}
    assert ("words" in told, "segments" in told) == ("word" in (granularities or ()), granularities != ["word"])
    for part in ("words", "segments"):
        moments = [(one["start"], one["end"]) for one in told.get(part, ())]
        assert all(start < end for start, end in moments)
        assert all(one[1] <= other[0] for one, other in pairwise(moments))
        assert not moments or (moments[0][0], moments[-1][1]) == (0.0, 12.0)
    if "words" in told:
        assert [one["word"] for one in told["words"]][:5] == ["Hello", "this", "is", "a", "test"]
    if "segments" in told:
        assert "".join(one["text"] for one in told["segments"]) == f" {WORDS}"
        assert [one["id"] for one in told["segments"]] == [0, 1, 2, 3]
        assert {one["temperature"] for one in told["segments"]} == {0.2}


async def test_diarized_json_says_who_is_heard(app: Application) -> None:
    told = (await heard(app, model=DIARIZE, response_format="diarized_json")).json
    assert_fits("CreateTranscriptionResponseDiarizedJson", told)
    TranscriptionDiarized.model_validate(told)
    assert [(one["id"], one["speaker"]) for one in told["segments"]] == [
        ("seg_001", "A"), ("seg_002", "A"), ("seg_003", "B"), ("seg_004", "B"),
    ]  # fmt: skip
    assert " ".join(one["text"] for one in told["segments"]) == WORDS


async def test_known_speakers_are_called_by_their_names(app: Application) -> None:
    names = {
        "known_speaker_names[]": ["agent", "customer"],
        "known_speaker_references[]": ["data:audio/wav;base64,"] * 2,
    }
    told = (await heard(app, model=DIARIZE, response_format="diarized_json", **names)).json
    assert {one["speaker"] for one in told["segments"]} == {"agent", "customer"}


async def test_a_model_that_nobody_knows_can_do_everything(app: Application) -> None:
    for format in ("json", "text", "srt", "vtt", "verbose_json", "diarized_json"):
        await heard(app, model="my-own", response_format=format)


@pytest.mark.parametrize("format", sounds.FORMATS)
async def test_any_sound_is_heard(app: Application, format: str) -> None:
    data = sounds.sound(format, 5).whole()
    assert (await heard(app, wav(data, f"speech.{format}", f"audio/{format}"))).json["text"] == WORDS


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (WAV, "upload", "application/octet-stream"),
        (sounds.sound("mp3", 1).whole(), "upload", "application/octet-stream"),
        (sounds.sound("opus", 1).whole(), "x.y.z", "application/octet-stream"),
        (b"\0\0\0\x20ftypM4A \0\0", "x", "application/octet-stream"),
        (b"not really a sound", "speech.mp3", "application/octet-stream"),
        (WAV[:44], "speech.wav", "audio/wav"),
        (b"RIFF", "speech.wav", "audio/wav"),
        (b"not really a sound", "blob", "audio/webm;codecs=opus"),
        (b"not really a sound", "SPEECH.WAV", ""),
    ],
)
async def test_a_sound_is_known_by_its_name_its_type_or_its_bytes(
    app: Application, data: bytes, name: str, kind: str
) -> None:
    told = (await heard(app, wav(data, name, kind), model=WHISPER, response_format="verbose_json")).json
    assert told["duration"] >= 0.1


# -- streamed


@pytest.mark.parametrize(
    "text", [WORDS, "é漢字 العربية", "👩🏽‍🚀🧑‍🤝‍🧑🎉 twice. 🎉", 'a "quote" \\ and\n\ta tab', " ", "x"]
)
@pytest.mark.parametrize("model", [GPT, DIARIZE])
async def test_the_stream_joined_is_the_whole(app: Application, text: str, model: str) -> None:
    app.simulator.change(generator=f"fixed:{text}")
    fields = {"model": model, "response_format": "json" if model == GPT else "diarized_json"}
    whole = (await heard(app, **fields)).json
    *events, done = (await heard(app, **fields, stream="true")).events
    for event in [*events, done]:
        assert_fits("CreateTranscriptionResponseStreamEvent", event)
    deltas = [event for event in events if event["type"] == "transcript.text.delta"]
    assert "".join(event["delta"] for event in deltas) == done["text"] == whole["text"]
    assert done["usage"] == whole["usage"]
    parts = [event for event in events if event["type"] == "transcript.text.segment"]
    assert parts == whole.get("segments", [])
    for event in parts:
        assert_known_keys(TranscriptionTextSegmentEvent.model_validate(event))


async def test_logprobs_are_streamed_token_by_token(app: Application) -> None:
    whole = (await heard(app, **{"include[]": ["logprobs"]})).json
    *deltas, done = (await heard(app, stream="true", **{"include[]": ["logprobs"]})).events
    assert [entry for event in deltas for entry in event["logprobs"]] == done["logprobs"]
    assert [entry["token"] for entry in done["logprobs"]] == [entry["token"] for entry in whole["logprobs"]]


async def test_whisper_does_not_stream(app: Application) -> None:
    assert (await heard(app, model=WHISPER, stream="true")).json["text"] == WORDS


async def test_the_wire_of_a_stream(app: Application) -> None:
    app.simulator.change(generator="fixed:Hello there. Who is it?")
    told = await heard(app, stream="true", **{"include[]": ["logprobs"]})
    assert_golden("openai_transcriptions_stream", told.status, told.headers, told.body)


async def test_the_wire_of_a_diarized_stream(app: Application) -> None:
    app.simulator.change(generator="fixed:Hello there. Who is it? Me.")
    told = await heard(app, model=DIARIZE, response_format="diarized_json", stream="true")
    assert_golden("openai_transcriptions_diarized_stream", told.status, told.headers, told.body)


async def test_an_error_in_mid_stream(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 3, "message": "No more."})
    told = await heard(app, stream="true")
    assert_golden("openai_transcriptions_error_in_mid_stream", told.status, told.headers, told.body)


async def test_a_failure_that_comes_first_is_the_whole_answer(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503, "message": "Not today."})
    for stream in ("true", "false"):
        told = await send(app, PATH, wav(), model=GPT, stream=stream)
        assert (told.status, told.json["error"]["message"]) == (503, "Not today.")


async def test_an_echo_says_the_prompt(app: Application) -> None:
    app.simulator.change(generator="echo")
    assert (await heard(app, prompt="The quick brown fox")).json["text"] == "The quick brown fox"


async def test_the_same_request_of_another_run_says_the_same() -> None:
    """Its boundary is drawn anew each time, so that the bytes of the request differ."""
    first, second = [(await heard(application(generator="lorem", seed=2))).json for _ in range(2)]
    assert first == second


# -- words and segments


def test_words_fill_the_sound_by_their_length() -> None:
    found = transcripts.words("a bb a", 8.0)
    assert [(word.start, word.end, word.until) for word in found] == [(0.0, 2.29, 1), (2.29, 5.71, 4), (5.71, 8.0, 6)]


def test_long_sentences_are_cut() -> None:
    parts = transcripts.segments("word " * 50, 100.0)
    assert [len(part.words) for part in parts] == [20, 20, 10]
    assert transcripts.segments("", 1.0) == []


def test_subtitles_of_hours() -> None:
    last = transcripts.segments("word " * 40, 2 * 3600 + 61.5)[-1]
    assert transcripts.srt([last]).splitlines()[1] == "01:00:30,750 --> 02:01:01,500"


def test_a_word_of_nothing_but_marks_stays_as_it_is() -> None:
    assert transcripts.worded_word(transcripts.words("...", 1.0)[0])["word"] == "..."


# -- refusals

LONG = sounds.sound("wav", 31).whole()
REFUSED: dict[str, tuple[Files, dict[str, Any], str | None, str | None, str]] = {
    "no file": (wav(name="x")[:0], {}, "file", "missing_required_parameter", "Missing required parameter: 'file'."),
    "a text for a file": (wav()[:0], {"file": "x"}, "file", "invalid_type", "Invalid type for 'file'"),
    "no model": (wav(), {"model": None}, None, None, "you must provide a model parameter"),
    "no sound": (wav(b"x", "notes.txt", "text/plain"), {}, None, None, "Unrecognized file format. Supported formats"),
    "no name": (wav(b"x", "upload", "application/octet-stream"), {}, None, None, "Unrecognized file format."),
    "nothing": (wav(b""), {}, "file", "audio_too_short", "Audio file is too short."),
    "too short": (
        wav(sounds.sound("wav", 0.05).whole()), {}, "file", "audio_too_short",
        "Audio file is too short. Minimum audio length is 0.1 seconds.",
    ),
    "another format": (
        wav(), {"response_format": "xml"}, "response_format", "invalid_value", "Invalid value: 'xml'. Supported values",
    ),
    "a format of Whisper": (
        wav(), {"response_format": "verbose_json"}, "response_format", "unsupported_value",
        "response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'. Use 'json' or 'text' ",
    ),
    "a format of diarization": (
        wav(), {"response_format": "diarized_json", "model": WHISPER}, "response_format", "unsupported_value",
        "response_format 'diarized_json' is not compatible with model 'whisper-1'. Use 'json', 'text', 'srt', ",
    ),
    "too hot": (wav(), {"temperature": "1.5"}, "temperature", "decimal_above_max_value", "Invalid 'temperature'"),
    "no number": (wav(), {"temperature": "hot"}, "temperature", "invalid_type", "Invalid type for 'temperature'"),
    "no boolean": (wav(), {"stream": "maybe"}, "stream", "invalid_type", "Invalid type for 'stream': expected"),
    "another language": (
        wav(), {"language": "English"}, "language", "invalid_language_format", "Language parameter must be specified",
    ),
    "another detail": (
        wav(), {"timestamp_granularities[]": ["line"]}, "timestamp_granularities[0]", "invalid_value", "Invalid",
    ),
    "another inclusion": (wav(), {"include[]": ["all"]}, "include[0]", "invalid_value", "Invalid value: 'all'."),
    "another strategy": (
        wav(), {"chunking_strategy": "none"}, "chunking_strategy", "invalid_value",
        "Invalid value: 'none'. Supported values are: 'auto'.",
    ),
    "another detector": (
        wav(), {"chunking_strategy[type]": "mine"}, "chunking_strategy.type", "invalid_value", "Invalid value: 'mine'.",
    ),
    "no threshold": (
        wav(), {"chunking_strategy[type]": "server_vad", "chunking_strategy[threshold]": "2"},
        "chunking_strategy.threshold", "decimal_above_max_value", "Invalid 'chunking_strategy.threshold'",
    ),
    "long and undivided": (
        wav(LONG), {"model": DIARIZE}, "chunking_strategy", None, "chunking_strategy is required for diarization",
    ),
    "a prompt for diarization": (
        wav(), {"model": DIARIZE, "prompt": "x"}, "prompt", "unsupported_parameter", "'prompt' is not supported",
    ),
    "five speakers": (
        wav(), {"known_speaker_names[]": list("abcde")}, "known_speaker_names", "array_above_max_length", "Invalid",
    ),
    "a reference without a name": (
        wav(), {"known_speaker_references[]": ["data:,"]}, "known_speaker_references", "invalid_value", "known_speaker",
    ),
    "unknown": (wav(), {"colour": "red"}, "colour", "unknown_parameter", "Unknown parameter: 'colour'."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_requests_that_are_refused(app: Application, case: str) -> None:
    files, changed, param, code, message = REFUSED[case]
    fields = {name: value for name, value in {"model": GPT, **changed}.items() if value is not None}
    told = await send(app, PATH, files or file(b"x", field="other"), **fields)
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
    assert error["message"].startswith(message)


async def test_a_sound_that_is_too_large(app: Application) -> None:
    told = await send(app, PATH, wav(sounds.sound("wav", 600).whole()), model=GPT)
    assert told.status == 413
    assert told.json["error"]["message"] == "Maximum content size limit (26214400) exceeded (28800044 bytes read)"


async def test_a_sound_that_lasts_too_long(app: Application) -> None:
    """Whisper takes as much as fits into a request; the newer models do not."""
    long = wav(sounds.sound("mp3", 1500).whole(), "long.mp3")
    told = await send(app, PATH, long, model=GPT)
    assert (told.status, told.json["error"]["code"]) == (400, "invalid_value")
    assert told.json["error"]["message"].endswith("longer than 1400 seconds which is the maximum for this model")
    await heard(app, long, model=WHISPER)


@pytest.mark.parametrize("strategy", ["auto", '{"type": "server_vad", "threshold": 0.5}'])
async def test_strategies_are_taken_as_words_and_as_json(app: Application, strategy: str) -> None:
    await heard(app, wav(LONG), model=DIARIZE, chunking_strategy=strategy)


async def test_a_body_that_is_no_form_is_refused(app: Application) -> None:
    told = await ask(app, PATH, {"model": GPT})
    assert (told.status, told.json["error"]["message"][:36]) == (400, "Could not parse multipart form: the ")
