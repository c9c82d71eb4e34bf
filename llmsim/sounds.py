"""Makes sounds that last as long as a text takes to say: real WAV, PCM, MP3, AAC, FLAC and Opus files.

All of it is one short murmur over and over. For the compressed formats llmsim/data/tones.json holds the frames of one
round of it (scripts/make_tones.py makes them); whole frames joined are a file of that format, made in any length within
microseconds and in parts, as a stream needs it.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from abc import ABC, abstractmethod
from base64 import b64decode
from functools import cache
from typing import Any, ClassVar, Literal, get_args

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: tuple[str, ...] = get_args(Format)

MEDIA_TYPES: dict[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}

RATE = 24_000
"""Samples a second: one channel of 16 bits, as OpenAI's and Google's speech has it."""

ROUND = 14_400
"""Samples of one round of the murmur."""

LETTERS_A_SECOND = 15.0
"""How fast English is spoken: some 150 words a minute."""

_SIGNS_A_SECOND = 4.0
_SHORTEST = 0.5


def spoken_seconds(text: str, speed: float = 1.0) -> float:
    """How long a text takes to say, in seconds; a Chinese or Japanese sign takes as long as a syllable."""
    signs = sum(letter >= "\u2e80" for letter in text)
    return max(_SHORTEST, (len(text) - signs) / LETTERS_A_SECOND + signs / _SIGNS_A_SECOND) / speed


def murmur(samples: int = ROUND) -> bytes:
    """One round of it, in so many samples of 16 bits, least byte first: three syllables of different pitch."""
    told: list[int] = []
    for place in range(samples):
        syllable, within = divmod(3 * place, samples)
        swell = math.sin(math.pi * within / samples) ** 2
        turns = math.tau * (196.0, 247.0, 220.0)[syllable] * within / (3 * RATE)
        told.append(round(9000 * swell * sum(math.sin(turns * tone) / tone for tone in (1, 2, 3))))
    return struct.pack(f"<{samples}h", *told)


class Sound(ABC):
    """A sound in one format, of whole frames; at least as long as it is asked to be, by less than a frame."""

    frame: ClassVar[int]
    """Samples of a frame."""

    def __init__(self, seconds: float) -> None:
        self.frames = max(1, math.ceil(seconds * RATE / self.frame))

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.frames * self.frame / RATE

    def part(self, index: int, count: int) -> bytes:
        """The `index`-th of `count` parts that are about as long as each other; empty where there are fewer frames."""
        start, end = (self.frames * edge // count for edge in (index, index + 1))
        return (b"" if index else self._head()) + self._body(start, end)

    def whole(self) -> bytes:
        """All of it."""
        return self.part(0, 1)

    def _head(self) -> bytes:
        """What stands before the first frame."""
        return b""

    @abstractmethod
    def _body(self, start: int, end: int) -> bytes:
        """The frames from `start` to `end`."""


class _Pcm(Sound):
    frame = RATE // 100

    def _body(self, start: int, end: int) -> bytes:
        loop = _loop()
        first, last = (2 * self.frame * place for place in (start, end))
        skipped = first % len(loop)
        return (loop * ((skipped + last - first) // len(loop) + 1))[skipped : skipped + last - first]


class _Wav(_Pcm):
    def _head(self) -> bytes:
        size = 2 * self.frame * self.frames
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
        return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)


class _Mp3(Sound):
    """MPEG 2, layer III; the frames use no bits of their neighbours, so that they can stand in any order."""

    frame = 576

    def _body(self, start: int, end: int) -> bytes:
        return _joined("mp3", start, end)


class _Aac(Sound):
    """AAC-LC, each frame with its ADTS header."""

    frame = 1024

    def _body(self, start: int, end: int) -> bytes:
        return _joined("aac", start, end)


class _Flac(Sound):
    """FLAC (RFC 9639): frames carry their number, and so a header and a sum of their own."""

    frame = 1200

    def _head(self) -> bytes:
        # Sizes of frames and the sum of all samples may be left unknown, as 0.
        facts = RATE << 44 | (16 - 1) << 36 | self.frames * self.frame
        info = struct.pack(">HH6xQ16x", self.frame, self.frame, facts)
        return b"fLaC" + bytes([0x80, 0, 0, len(info)]) + info

    def _body(self, start: int, end: int) -> bytes:
        bodies = _flac_bodies()
        return b"".join([self._numbered(number, *bodies[number % len(bodies)]) for number in range(start, end)])

    def _numbered(self, number: int, body: bytes, own: int, shifts: list[int]) -> bytes:
        """A frame: 1200 samples, told in 16 bits, at 24 kHz, in one channel, of 16 bits each."""
        head = b"\xff\xf8\x77\x08" + _coded(number) + struct.pack(">H", self.frame - 1)
        head += bytes([_sum(head, 0x07, 8)])
        # The sum of header and body: the header's, moved on by the body's length, and the body's.
        of_head, total = _sum(head, 0x8005, 16), own
        for bit, shifted in enumerate(shifts):
            if of_head >> bit & 1:
                total ^= shifted
        return head + body + struct.pack(">H", total)


class _Opus(Sound):
    """Opus in Ogg (RFC 7845, RFC 3533), ten packets of 20 ms a page; it counts time at 48 kHz whatever went in."""

    frame = 4800
    _SKIPPED = 312  # samples that a decoder leaves out at the beginning, until it has settled

    def _head(self) -> bytes:
        head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, self._SKIPPED, RATE, 0, 0)
        tags = struct.pack("<8sI6sI", b"OpusTags", 6, b"llmsim", 0)
        return _page([head], 0, 0, 2) + _page([tags], 0, 1, 0)

    def _body(self, start: int, end: int) -> bytes:
        packets = _tones("opus")
        pages = []
        for number in range(start, end):
            at = 10 * number % len(packets)
            last = 4 if number == self.frames - 1 else 0
            pages.append(_page(packets[at : at + 10], (number + 1) * 2 * self.frame, number + 2, last))
        return b"".join(pages)


_KINDS: dict[str, type[Sound]] = {
    "mp3": _Mp3,
    "opus": _Opus,
    "aac": _Aac,
    "flac": _Flac,
    "wav": _Wav,
    "pcm": _Pcm,
}


def sound(format: str, seconds: float) -> Sound:
    """A sound of about that length in that one of FORMATS."""
    return _KINDS[format](seconds)


# -- frames


@cache
def _loop() -> bytes:
    return murmur()


@cache
def _data() -> dict[str, Any]:
    import orjson

    with open(os.path.join(os.path.dirname(__file__), "data", "tones.json"), "rb") as file:
        told: dict[str, Any] = orjson.loads(file.read())
    return told


@cache
def _tones(format: str) -> list[bytes]:
    """The frames of one round; of FLAC without their headers and sums, of Opus without their pages."""
    return [b64decode(frame) for frame in _data()[format]]


def _joined(format: str, start: int, end: int) -> bytes:
    frames = _tones(format)
    return b"".join([frames[place % len(frames)] for place in range(start, end)])


# -- FLAC's headers and sums


@cache
def _table(polynomial: int, bits: int) -> list[int]:
    """What each byte at the top of a sum does to it."""
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return table


def _sum(data: bytes, polynomial: int, bits: int, start: int = 0) -> int:
    """A cyclic redundancy check, highest bit first."""
    table, mask, value = _table(polynomial, bits), (1 << bits) - 1, start
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> (bits - 8) ^ byte]
    return value


@cache
def _flac_bodies() -> list[tuple[bytes, int, list[int]]]:
    """Each body with its own sum, and what becomes of each bit of a sum that stood before it."""
    return [
        (body, _sum(body, 0x8005, 16), [_sum(bytes(len(body)), 0x8005, 16, 1 << bit) for bit in range(16)])
        for body in _tones("flac")
    ]


def _coded(number: int) -> bytes:
    """A frame's number as UTF-8 would write it, which FLAC takes further than Unicode goes."""
    if number < 0x80:
        return bytes([number])
    tail: list[int] = []
    room = 0x3F
    while number > room:
        tail.insert(0, 0x80 | number & 0x3F)
        number, room = number >> 6, room >> 1
    return bytes([0xFF ^ (2 * room + 1) | number, *tail])


# -- Ogg's pages

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _page(packets: list[bytes], position: int, number: int, flags: int) -> bytes:
    """A page of an Ogg stream that ends at that position, in samples; flags: 2 for the first page, 4 for the last."""
    lengths = b"".join([b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets])
    head = struct.pack("<4sBBqII", b"OggS", 0, flags, position, 0x6C6C6D73, number)
    tail = bytes([len(lengths)]) + lengths + b"".join(packets)
    return head + struct.pack("<I", _ogg_sum(head + bytes(4) + tail)) + tail


def _ogg_sum(data: bytes) -> int:
    """Ogg's check is zlib's with all bits the other way round, which starts from nothing and is not inverted."""
    value = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(value.to_bytes(4, "big").translate(_MIRRORED), "little")
