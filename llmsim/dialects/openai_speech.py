"""OpenAI's speech: text as sound, in chunks as it is made, or as events.

Source: OpenAI API reference, audio: create speech, and its guide "Text to speech".
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal, Required

import orjson
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim import media, sounds
from llmsim.conversation import Ask, Message
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_refusals import NO_MODEL, invalid, read_object, validated
from llmsim.dialects._openai_types import Voice
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.plan import Garbled, Part, Piece
from llmsim.sounds import Sound
from llmsim.tokens import count_tokens

PATH = "/v1/audio/speech"

VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "onyx",
    "nova",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)
_OLDER_VOICES = ("alloy", "ash", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer")

PARTS_A_SECOND = 8
"""Chunks for each second of sound; by the usual paces speech is made some five times as fast as it is spoken."""


@exact
class SpeechRequest(TypedDict, total=False):
    """The body of `POST /v1/audio/speech` (OpenAI's OpenAPI document, schema CreateSpeechRequest)."""

    model: Required[str]
    input: Required[Annotated[str, Field(min_length=1, max_length=4096)]]
    voice: Required[Annotated[str | Voice, Field(union_mode="left_to_right")]]
    instructions: Annotated[str, Field(max_length=4096)] | None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None
    speed: Annotated[float, Field(ge=0.25, le=4.0, allow_inf_nan=False)] | None
    stream_format: Literal["sse", "audio"] | None


@cache
def _adapter() -> TypeAdapter[SpeechRequest]:
    return TypeAdapter(SpeechRequest)


class OpenAISpeech(Dialect):
    """`POST /v1/audio/speech`."""

    kind: ClassVar[str] = "openai_speech"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """Creation."""
        return [Route("POST", PATH, read=self.read)]

    def read(self, request: Request) -> Ask:
        """What is to be said; raises Refused as OpenAI refuses."""
        told = read_object(request.body)
        if told.get("model") in (None, ""):
            raise Refused(NO_MODEL)
        validated(_adapter(), told)
        _check(told)
        seconds = sounds.spoken_seconds(told["input"], told.get("speed") or 1.0)
        made = sounds.sound(told.get("response_format") or "mp3", seconds)
        return Ask(
            told["model"],
            (Message("user", told["input"]),),
            dialect=self.kind,
            endpoint=PATH,
            stream=True,
            parts=max(1, math.ceil(made.seconds * PARTS_A_SECOND)),
            prompt_tokens=count_tokens(told["input"] + (told.get("instructions") or ""), told["model"]),
            max_tokens=media.audio_tokens(made.seconds, media.OPENAI_SPEECH_RATE),
            digest=blake2b(request.body, digest_size=16).digest(),
            extra={
                "sound": made,
                "media_type": sounds.MEDIA_TYPES[told.get("response_format") or "mp3"],
                "events": told.get("stream_format") == "sse",
            },
        )

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange: of chunks, or of events."""
        return EventEncoder(exchange) if exchange.ask.extra["events"] else ChunkEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


def _check(told: dict[str, Any]) -> None:
    """Raises Refused for what the model does not have."""
    older = told["model"].startswith("tts-1")
    voice, voices = told["voice"], _OLDER_VOICES if older else VOICES
    if isinstance(voice, str) and voice not in voices:
        listed = ", ".join(f"'{one}'" for one in voices[:-1])
        what = f"Invalid value: '{voice[:60]}'. Supported values are: {listed}, and '{voices[-1]}'."
        raise invalid(what, "voice", "invalid_value")
    if older and told.get("stream_format") == "sse":
        what = f"stream_format 'sse' is not supported with model '{told['model'][:60]}'. Use 'audio' instead."
        raise invalid(what, "stream_format", "unsupported_value")


class SpeechEncoder(Encoder):
    """What both ways of sending a sound have in common."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._sound: Sound = exchange.ask.extra["sound"]

    def headers(self) -> Headers:
        """OpenAI's headers, the time to the first chunk as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    def chunk(self, piece: Piece) -> bytes:
        """The bytes of one part of the sound; none for the end."""
        return self._sound.part(piece.index, self.exchange.ask.parts or 1) if isinstance(piece, Part) else b""

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The sound in one; only for who asks without a connection, as the API streams all of it."""
        return b"".join([self.chunk(piece.piece if isinstance(piece, Garbled) else piece) for piece in pieces])


class ChunkEncoder(SpeechEncoder):
    """Sends the bytes of the sound as they are made."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.media_type = self.whole_type = exchange.ask.extra["media_type"].encode()

    def frame(self, piece: Piece) -> bytes:
        """The next bytes."""
        return self.chunk(piece)

    def fail(self, failure: Failure) -> None:
        """A sound has no words."""
        return


class EventEncoder(SpeechEncoder):
    """Sends the sound in base64, in events without names."""

    def frame(self, piece: Piece) -> bytes:
        """The event of one chunk; the last frames of a short sound may leave some chunks empty."""
        data = self.chunk(piece)
        if not data:
            return b""
        return b'data: {"type":"speech.audio.delta","audio":"%b"}\n\n' % b64encode(data)

    def close(self) -> bytes:
        """The event that tells what it cost."""
        ask = self.exchange.ask
        spent = {
            "input_tokens": ask.prompt_tokens,
            "output_tokens": ask.max_tokens or 0,
            "total_tokens": ask.prompt_tokens + (ask.max_tokens or 0),
        }
        return b'data: {"type":"speech.audio.done","usage":%b}\n\n' % orjson.dumps(spent)

    def fail(self, failure: Failure) -> bytes:
        """An error object as an event of its own."""
        return b"data: " + orjson.dumps(wire.error_body(failure, self.exchange.ask.model)) + b"\n\n"
