"""A transcript laid over the sound it is of: which word and which sentence is heard when, and the forms that say so.

Source: OpenAI API reference, audio, and the open Whisper's writers of SRT and WebVTT, whose output the API has kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmsim.dice import Dice, mix

_LONGEST = 20
_ENDS = (".", "?", "!", "。", "？", "！")
_MARKS = "\"'“”‘’«»()[]{}<>,.;:!?…-–—。、，！？"


@dataclass(slots=True, frozen=True)
class Word:
    """A word with its marks, and the seconds between which it is heard; `until` is where it ends in the text."""

    text: str
    start: float
    end: float
    until: int


@dataclass(slots=True, frozen=True)
class Segment:
    """Words that belong together, mostly a sentence."""

    index: int
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words as a text."""
        return " ".join([word.text for word in self.words])

    @property
    def start(self) -> float:
        """When its first word begins, in seconds."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """When its last word ends, in seconds."""
        return self.words[-1].end

    @property
    def id(self) -> str:
        """Its name among diarized segments."""
        return f"seg_{self.index + 1:03d}"


def words(text: str, seconds: float) -> list[Word]:
    """The words of a text, each as long as its letters take of the whole."""
    told = text.split()
    total = sum(len(word) + 1 for word in told) or 1
    found, at, said = [], 0, 0
    for word in told:
        at = text.index(word, at) + len(word)
        start, said = said, said + len(word) + 1
        found.append(Word(word, round(start * seconds / total, 2), round(said * seconds / total, 2), at))
    return found


def segments(text: str, seconds: float) -> list[Segment]:
    """The sentences of a text, long ones cut."""
    found: list[Segment] = []
    taken: list[Word] = []
    for word in words(text, seconds):
        taken.append(word)
        if len(taken) >= _LONGEST or word.text.endswith(_ENDS):
            found.append(Segment(len(found), tuple(taken)))
            taken = []
    return [*found, Segment(len(found), tuple(taken))] if taken else found


def speakers(parts: Sequence[Segment], names: Sequence[str]) -> Iterator[tuple[Segment, str]]:
    """Each segment with who says it: the known speakers, else A and B, take turns after two sentences."""
    known = names or ("A", "B")
    for part in parts:
        yield part, known[part.index // 2 % len(known)]


# -- forms


def srt(parts: Sequence[Segment]) -> str:
    """The transcript as SubRip subtitles."""
    return "".join(
        f"{part.index + 1}\n{_clock(part.start, ',')} --> {_clock(part.end, ',')}\n{part.text}\n\n" for part in parts
    )


def vtt(parts: Sequence[Segment]) -> str:
    """The transcript as WebVTT subtitles."""
    told = "".join(f"{_clock(part.start, '.')} --> {_clock(part.end, '.')}\n{part.text}\n\n" for part in parts)
    return f"WEBVTT\n\n{told}"


def _clock(seconds: float, mark: str) -> str:
    millis = round(seconds * 1000)
    minutes, millis = divmod(millis, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{millis // 1000:02d}{mark}{millis % 1000:03d}"


def worded_word(word: Word) -> dict[str, Any]:
    """A word of `verbose_json`, which has no marks."""
    return {"word": word.text.strip(_MARKS) or word.text, "start": word.start, "end": word.end}


def worded_segment(part: Segment, temperature: float) -> dict[str, Any]:
    """A segment of `verbose_json`; its tokens are made up, between the marks of time that Whisper puts around them."""
    dice, raw = Dice(mix(part.text, part.index)), f" {part.text}".encode()
    marks = [50_364 + round(moment % 30 / 0.02) for moment in (part.start, part.end)]
    return {
        "id": part.index,
        "seek": int(part.start // 30) * 3000,
        "start": part.start,
        "end": part.end,
        "text": f" {part.text}",
        "tokens": [marks[0], *(mix(word.text) % 50_257 for word in part.words), marks[1]],
        "temperature": temperature,
        "avg_logprob": round(-0.1 - 0.4 * dice.random(), 6),
        "compression_ratio": round(len(raw) / len(zlib.compress(raw)), 6),
        "no_speech_prob": round(0.05 * dice.random(), 6),
    }


def worded_speech(part: Segment, speaker: str) -> dict[str, Any]:
    """A segment of `diarized_json` and of its stream."""
    return {
        "type": "transcript.text.segment",
        "id": part.id,
        "start": part.start,
        "end": part.end,
        "text": part.text,
        "speaker": speaker,
    }
