"""Reads requests for transcriptions and translations: from a form with a sound to an Ask, or to a refusal.

Source: OpenAI's OpenAPI document, schemas CreateTranscriptionRequest and CreateTranslationRequest; the rules of the
models are those of its API reference.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Required

import orjson
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim import media
from llmsim.conversation import Ask, Message
from llmsim.dialects import Request
from llmsim.dialects._multipart import Upload
from llmsim.dialects._openai_forms import digest_of, fields, file_of, openai_form
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_refusals import NO_MODEL, invalid, validated
from llmsim.errors import Failure, Refused
from llmsim.tokens import count_tokens

_FORMATS = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"]
_LARGEST = 25 << 20
_SHORTEST = 0.1
_UNDIVIDED = 30.0
_LONGEST = 1400

# How sounds begin, for those that come without a name; and containers of MP4, whose name stands a little later.
_MAGIC = (b"RIFF", b"ID3", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1")

_KINDS: dict[str, type] = {
    "temperature": float,
    "stream": bool,
    "include": list,
    "languages": list,
    "keywords": list,
    "timestamp_granularities": list,
    "known_speaker_names": list,
    "known_speaker_references": list,
    "chunking_strategy.threshold": float,
    "chunking_strategy.prefix_padding_ms": int,
    "chunking_strategy.silence_duration_ms": int,
}

_COMPATIBLE = {
    "whisper": ("json", "text", "srt", "verbose_json", "vtt"),
    "gpt": ("json", "text"),
    "diarize": ("json", "text", "diarized_json"),
    "any": ("json", "text", "srt", "verbose_json", "vtt", "diarized_json"),
}

_LANGUAGES = {
    "ar": "arabic", "bg": "bulgarian", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "et": "estonian", "fi": "finnish", "fr": "french", "he": "hebrew", "hi": "hindi",
    "hr": "croatian", "hu": "hungarian", "id": "indonesian", "it": "italian", "ja": "japanese", "ko": "korean",
    "lt": "lithuanian", "lv": "latvian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sk": "slovak", "sl": "slovenian", "sr": "serbian", "sv": "swedish",
    "th": "thai", "tr": "turkish", "uk": "ukrainian", "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip


@exact
class Vad(TypedDict, total=False):
    """How speech is told from silence."""

    type: Required[Literal["server_vad"]]
    prefix_padding_ms: Annotated[int, Field(ge=0)]
    silence_duration_ms: Annotated[int, Field(ge=0)]
    threshold: Annotated[float, Field(ge=0, le=1)]


@exact
class TranscriptionRequest(TypedDict, total=False):
    """The form of `POST /v1/audio/transcriptions`, its file left out."""

    model: Required[str]
    language: str
    languages: list[str]
    keywords: list[str]
    prompt: str
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
    temperature: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    include: list[Literal["logprobs"]]
    timestamp_granularities: list[Literal["word", "segment"]]
    stream: bool
    chunking_strategy: Annotated[Literal["auto"] | Vad, Field(union_mode="left_to_right")]
    known_speaker_names: Annotated[list[str], Field(max_length=4)]
    known_speaker_references: Annotated[list[str], Field(max_length=4)]


@exact
class TranslationRequest(TypedDict, total=False):
    """The form of `POST /v1/audio/translations`, its file left out."""

    model: Required[str]
    prompt: str
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"]
    temperature: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@cache
def _adapter(shape: type) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


@dataclass(slots=True, frozen=True)
class Wanted:
    """What a transcript is to tell besides its words; `input` are the tokens of text and of sound that went in."""

    task: Literal["transcribe", "translate"]
    format: str
    seconds: float
    language: str
    languages: tuple[str, ...] | None
    temperature: float
    granularities: tuple[str, ...]
    speakers: tuple[str, ...]
    logprobs: bool
    by_duration: bool
    input: tuple[int, int]


def family(model: str) -> Literal["whisper", "gpt", "diarize", "any"]:
    """Whose rules hold for a model; for one that nobody knows, none do."""
    name = model.lower()
    if "diarize" in name:
        return "diarize"
    return "whisper" if "whisper" in name else "gpt" if "transcribe" in name else "any"


def read_transcription(request: Request, dialect: str) -> Ask:
    """The ask of `POST /v1/audio/transcriptions`; raises Refused as OpenAI refuses."""
    form = openai_form(request)
    told = fields(form, _KINDS)
    _parse_strategy(told)
    if not told.get("model"):
        raise Refused(NO_MODEL)
    validated(_adapter(TranscriptionRequest), told)
    file = file_of(form, "file")
    seconds = _seconds(file)
    _check(told, seconds)
    kin = family(told["model"])
    wanted = Wanted(
        task="transcribe",
        format=told.get("response_format", "json"),
        seconds=seconds,
        language=_LANGUAGES.get(told.get("language", "en"), told.get("language", "en")),
        languages=(told.get("language", "en"),) if "gpt-transcribe" in told["model"] else None,
        temperature=told.get("temperature", 0.0),
        granularities=tuple(told.get("timestamp_granularities", ["segment"])),
        speakers=tuple(told.get("known_speaker_names", ())),
        logprobs="logprobs" in told.get("include", ()) and kin in ("gpt", "any"),
        by_duration=kin == "whisper",
        input=(count_tokens(told.get("prompt", ""), told["model"]), media.audio_tokens(seconds)),
    )
    ask = _ask(told, file, wanted, digest_of(form), dialect, "/v1/audio/transcriptions")
    ask.stream = bool(told.get("stream")) and kin != "whisper"
    return ask


def read_translation(request: Request, dialect: str) -> Ask:
    """The ask of `POST /v1/audio/translations`; raises Refused as OpenAI refuses."""
    form = openai_form(request)
    told = fields(form, _KINDS)
    if not told.get("model"):
        raise Refused(NO_MODEL)
    validated(_adapter(TranslationRequest), told)
    if family(told["model"]) not in ("whisper", "any"):
        what = f"Invalid value: '{told['model'][:60]}'. Supported values are: 'whisper-1'."
        raise invalid(what, "model", "invalid_value")
    file = file_of(form, "file")
    wanted = Wanted(
        task="translate",
        format=told.get("response_format", "json"),
        seconds=_seconds(file),
        language="english",
        languages=None,
        temperature=told.get("temperature", 0.0),
        granularities=("segment",),
        speakers=(),
        logprobs=False,
        by_duration=True,
        input=(0, 0),
    )
    return _ask(told, file, wanted, digest_of(form), dialect, "/v1/audio/translations")


def _ask(told: dict[str, Any], file: Upload, wanted: Wanted, digest: bytes, dialect: str, endpoint: str) -> Ask:
    """An ask for words; what a generator may take up is the prompt, else the name of the sound."""
    return Ask(
        told["model"],
        (Message("user", told.get("prompt") or f"What is said in {file.filename or 'the sound'}?", media=("audio",)),),
        dialect=dialect,
        endpoint=endpoint,
        thinking=0,
        prompt_tokens=sum(wanted.input),
        digest=digest,
        extra={"wanted": wanted},
    )


def _parse_strategy(told: dict[str, Any]) -> None:
    """Some clients send the object as JSON in one field."""
    strategy = told.get("chunking_strategy")
    if isinstance(strategy, str) and strategy.startswith("{"):
        try:
            told["chunking_strategy"] = orjson.loads(strategy)
        except orjson.JSONDecodeError:
            return


def _check(told: dict[str, Any], seconds: float) -> None:
    """Raises Refused for fields that do not fit the model or each other."""
    model, kin = told["model"], family(told["model"])
    format, known = told.get("response_format", "json"), _COMPATIBLE[kin]
    if format not in known:
        listed = " or ".join([", ".join(f"'{one}'" for one in known[:-1]), f"'{known[-1]}'"])
        what = f"response_format '{format}' is not compatible with model '{model[:60]}'. Use {listed} instead."
        raise invalid(what, "response_format", "unsupported_value")
    if not re.fullmatch("[a-z]{2,3}", told.get("language", "en")):
        raise invalid(
            "Language parameter must be specified in ISO-639-1 format.", "language", "invalid_language_format"
        )
    if kin in ("gpt", "diarize") and seconds > _LONGEST:
        what = f"audio duration {seconds} seconds is longer than {_LONGEST} seconds which is the maximum for this model"
        raise invalid(what, code="invalid_value")
    if kin == "diarize":
        for name in ("prompt", "include", "timestamp_granularities"):
            if told.get(name):
                raise invalid(f"'{name}' is not supported with model '{model[:60]}'.", name, "unsupported_parameter")
        if seconds > _UNDIVIDED and "chunking_strategy" not in told:
            raise invalid("chunking_strategy is required for diarization models", "chunking_strategy")
    names, references = (told.get(f"known_speaker_{what}", ()) for what in ("names", "references"))
    if references and len(references) != len(names):
        what = "known_speaker_names and known_speaker_references must be of the same length."
        raise invalid(what, "known_speaker_references", "invalid_value")


def _seconds(file: Upload) -> float:
    """How long the sound is; raises Refused for a file that is none."""
    extension, data = file.filename.rpartition(".")[2].lower(), file.data
    kind = file.content_type.partition("/")[0]
    if extension not in _FORMATS and kind not in ("audio", "video") and not _sounds(data):
        raise invalid(f"Unrecognized file format. Supported formats: {_FORMATS}")
    if len(data) > _LARGEST:
        what = f"Maximum content size limit ({_LARGEST}) exceeded ({len(data)} bytes read)"
        raise Refused(Failure("too_large", what))
    seconds = media.audio_seconds(data, extension if extension in _FORMATS else file.content_type)
    # A WAVE header with nothing behind it stands for a sound in many tests of clients, as other bytes do.
    if not data or (data[8:12] == b"WAVE" and 0 < seconds < _SHORTEST):
        what = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise invalid(what, "file", "audio_too_short")
    return round(max(_SHORTEST, seconds), 2) if math.isfinite(seconds) else _SHORTEST


def _sounds(data: bytes) -> bool:
    return data.startswith(_MAGIC) or data[4:8] == b"ftyp"
