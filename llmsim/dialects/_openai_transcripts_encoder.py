"""Words a transcript: in each of the forms it can be asked for, whole and as a stream of its words.

Source: OpenAI API reference, audio: the transcription objects and stream events.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson

from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _openai_transcripts as transcripts
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.dialects._openai_transcripts import Segment
from llmsim.dialects._openai_transcripts_request import Wanted
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Garbled, Piece, Say, Think


class TranscriptEncoder(Encoder):
    """Words one transcription or translation."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._wanted: Wanted = exchange.ask.extra["wanted"]
        self._logprobs = Logprobs(exchange, 1) if self._wanted.logprobs else None
        self._said: list[Say] = []
        self._length = 0
        self._speeches: list[tuple[Segment, str]] = []
        if exchange.ask.stream and self._wanted.format == "diarized_json":
            self._speeches = list(reversed(self._diarized(_text(exchange.plan.pieces))))
        if self._wanted.format in ("text", "srt", "vtt"):
            self.whole_type = b"text/plain; charset=utf-8"

    def headers(self) -> Headers:
        """OpenAI's headers, the time to the first token as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    # -- streamed

    def frame(self, piece: Piece) -> bytes:
        """A token's event, and behind the last one of a speech the event of that."""
        if not isinstance(piece, Say) or isinstance(piece, Think):
            return b""
        self._said.append(piece)
        self._length += len(piece.text)
        told: dict[str, Any] = {"type": "transcript.text.delta", "delta": piece.text}
        if self._logprobs is not None:
            told["logprobs"] = self._tokens([piece])
        if self._speeches:
            told["segment_id"] = self._speeches[-1][0].id
        events = [_event(told)]
        while self._speeches and self._length >= self._speeches[-1][0].words[-1].until:
            events.append(_event(transcripts.worded_speech(*self._speeches.pop())))
        return b"".join(events)

    def close(self) -> bytes:
        """The event with the whole text."""
        told: dict[str, Any] = {"type": "transcript.text.done", "text": _text(self._said)}
        if self._logprobs is not None:
            told["logprobs"] = self._tokens(self._said)
        return _event({**told, **self._languages(), "usage": self._usage()})

    def fail(self, failure: Failure) -> bytes:
        """An error object as an event of its own."""
        return _event(wire.error_body(failure, self.exchange.ask.model))

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The transcript in the form that was asked for."""
        wanted, said = self._wanted, _said(pieces)
        text = _text(said)
        if wanted.format == "text":
            return f"{text}\n".encode()
        if wanted.format in ("srt", "vtt"):
            form = transcripts.srt if wanted.format == "srt" else transcripts.vtt
            return form(transcripts.segments(text, wanted.seconds)).encode()
        if wanted.format == "verbose_json":
            return orjson.dumps(self._verbose(text))
        if wanted.format == "diarized_json":
            return orjson.dumps(self._speeches_whole(text))
        return orjson.dumps(self._plain(text, said))

    def _plain(self, text: str, said: Sequence[Say]) -> dict[str, Any]:
        if self._wanted.task == "translate":
            return {"text": text}
        logprobs = {} if self._logprobs is None else {"logprobs": self._tokens(said)}
        return {"text": text, **logprobs, **self._languages(), "usage": self._usage()}

    def _verbose(self, text: str) -> dict[str, Any]:
        wanted = self._wanted
        told: dict[str, Any] = {
            "task": wanted.task,
            "language": wanted.language,
            "duration": wanted.seconds,
            "text": text,
        }
        if "word" in wanted.granularities:
            told["words"] = [transcripts.worded_word(word) for word in transcripts.words(text, wanted.seconds)]
        if "segment" in wanted.granularities:
            parts = transcripts.segments(text, wanted.seconds)
            told["segments"] = [transcripts.worded_segment(part, wanted.temperature) for part in parts]
        return told if wanted.task == "translate" else {**told, "usage": self._usage()}

    def _speeches_whole(self, text: str) -> dict[str, Any]:
        parts = [transcripts.worded_speech(part, speaker) for part, speaker in self._diarized(text)]
        return {
            "task": "transcribe",
            "duration": self._wanted.seconds,
            "text": text,
            "segments": parts,
            "usage": self._usage(),
        }

    # -- parts of both

    def _diarized(self, text: str) -> list[tuple[Segment, str]]:
        parts = transcripts.segments(text, self._wanted.seconds)
        return list(transcripts.speakers(parts, self._wanted.speakers))

    def _tokens(self, said: Sequence[Say]) -> list[dict[str, Any]]:
        """The tokens with their log probabilities, without the others that there might have been."""
        assert self._logprobs is not None
        found = [entry for piece in said for entry in self._logprobs.entries(piece)]
        return [{name: entry[name] for name in ("token", "logprob", "bytes")} for entry in found]

    def _languages(self) -> dict[str, Any]:
        codes = self._wanted.languages
        return {} if codes is None else {"languages": [{"code": code} for code in codes]}

    def _usage(self) -> dict[str, Any]:
        """By the length of the sound for Whisper, by tokens for the others."""
        wanted, output = self._wanted, self.exchange.plan.usage.completion
        if wanted.by_duration:
            return {"type": "duration", "seconds": math.ceil(wanted.seconds)}
        text, sound = wanted.input
        return {
            "type": "tokens",
            "input_tokens": text + sound,
            "input_token_details": {"text_tokens": text, "audio_tokens": sound},
            "output_tokens": output,
            "total_tokens": text + sound + output,
        }


def _said(pieces: Sequence[Piece]) -> list[Say]:
    plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
    return [piece for piece in plain if isinstance(piece, Say) and not isinstance(piece, Think)]


def _text(pieces: Sequence[Piece]) -> str:
    return "".join([piece.text for piece in _said(pieces)])


def _event(told: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(told)
