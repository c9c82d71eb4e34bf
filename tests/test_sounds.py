"""Sounds are files that players play, as long as they should be, whole and in any number of parts."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
import zlib
from pathlib import Path

import pytest

from llmsim import media, sounds
from llmsim.sounds import FORMATS, MEDIA_TYPES, RATE, Sound, sound, spoken_seconds

LENGTHS = [0.001, 0.5, 1.0, 3.7, 61.0]
FFMPEG = shutil.which("ffmpeg") and shutil.which("ffprobe")


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# -- lengths


@pytest.mark.parametrize("seconds", LENGTHS)
def test_a_sound_is_as_long_as_it_should_be(format: str, seconds: float) -> None:
    made = sound(format, seconds)
    assert seconds <= made.seconds < seconds + made.frame / RATE + 1e-9


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_the_parts_are_the_whole(format: str, seconds: float, count: int) -> None:
    made = sound(format, seconds)
    assert b"".join(made.part(index, count) for index in range(count)) == made.whole()


def test_parts_are_about_as_long_as_each_other(format: str) -> None:
    parts = [len(sound(format, 60).part(index, 60)) for index in range(60)]
    assert max(parts) < 2 * min(parts)


def test_speech_takes_its_time() -> None:
    assert spoken_seconds("word " * 150) == pytest.approx(50, rel=0.01)
    assert spoken_seconds("word " * 150, speed=2.0) == pytest.approx(25, rel=0.01)
    assert spoken_seconds("こんにちは世界" * 4) == pytest.approx(7, rel=0.01)
    assert spoken_seconds("") == spoken_seconds("Hi") == 0.5
    assert spoken_seconds("Hi", speed=4.0) == 0.125


def test_every_format_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) == set(FORMATS)


# -- files


def test_wave_files_are_read_by_the_standard_library() -> None:
    with wave.open(io.BytesIO(sound("wav", 2.5).whole())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        assert file.getnframes() == 2.5 * RATE
        data = file.readframes(file.getnframes())
    assert data == sound("pcm", 2.5).whole()
    assert data[: 2 * sounds.ROUND] == data[2 * sounds.ROUND : 4 * sounds.ROUND] == sounds.murmur()


def test_the_length_is_told_by_the_file(format: str) -> None:
    made = sound(format, 30)
    if format in ("wav", "pcm", "mp3"):
        assert media.audio_seconds(made.whole(), format) == pytest.approx(made.seconds, rel=0.01)


def test_mp3_frames_follow_each_other() -> None:
    data, frames = sound("mp3", 10).whole(), 0
    while data:
        # MPEG 2, layer III, 64 kbit/s, 24 kHz, one channel: 192 bytes; and no bits of earlier frames.
        assert data[:3] == b"\xff\xf3\x84"
        assert data[3] >> 6 == 3
        assert data[4] == 0
        data, frames = data[192:], frames + 1
    assert frames == sound("mp3", 10).frames


def test_aac_frames_follow_each_other() -> None:
    data, frames = sound("aac", 10).whole(), 0
    while data:
        assert data[:2] == b"\xff\xf1"
        length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        assert length > 7
        data, frames = data[length:], frames + 1
    assert frames == sound("aac", 10).frames


def slow_sum(data: bytes, polynomial: int, bits: int) -> int:
    """A cyclic redundancy check as its definition has it, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
    return value


def test_flac_frames_have_their_numbers_and_sums() -> None:
    made = sound("flac", 8)
    data = made.whole()
    assert data[:8] == b"fLaC\x80\x00\x00\x22"
    assert int.from_bytes(data[21:26], "big") & (1 << 36) - 1 == made.frames * 1200
    at = 8 + 34
    for number in range(made.frames):
        coded = chr(number).encode()
        assert data[at : at + 4 + len(coded)] == b"\xff\xf8\x77\x08" + coded
        head = at + 4 + len(coded) + 2
        assert data[head] == slow_sum(data[at:head], 0x07, 8)
        end = data.find(b"\xff\xf8\x77\x08" + chr(number + 1).encode(), head)
        end = end if end > 0 else len(data)
        assert int.from_bytes(data[end - 2 : end], "big") == slow_sum(data[at : end - 2], 0x8005, 16)
        at = end
    assert at == len(data)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 129, 1000, 2047, 2048, 4096, 65_535, 65_536, 100_000, 1_114_111])
def test_numbers_of_frames_are_coded_as_utf_8(number: int) -> None:
    if not 0xD800 <= number < 0xE000:
        assert sounds._coded(number) == chr(number).encode()


def test_ogg_pages_are_in_order_and_whole() -> None:
    made = sound("opus", 10)
    data, pages, position = made.whole(), [], 0
    while data:
        assert data[:5] == b"OggS\x00"
        position = int.from_bytes(data[6:14], "little")
        count = data[26]
        length = 27 + count + sum(data[27 : 27 + count])
        page = data[:22] + bytes(4) + data[26:length]
        assert int.from_bytes(data[22:26], "little") == slow_sum(page, 0x04C11DB7, 32)
        pages.append((int.from_bytes(data[18:22], "little"), data[5]))
        data = data[length:]
    assert [number for number, _ in pages] == list(range(len(pages)))
    assert [flags for _, flags in pages] == [2] + [0] * (len(pages) - 2) + [4]
    assert position == made.seconds * 48_000


def test_the_sum_of_a_page_is_not_zlibs() -> None:
    data = b"123456789"
    assert sounds._ogg_sum(data) == slow_sum(data, 0x04C11DB7, 32) != zlib.crc32(data)


# -- players


def decoded(path: Path, format: str) -> bytes:
    """The sound's samples as ffmpeg plays it; any complaint is a failure."""
    raw = ["-f", "s16le", "-ar", str(RATE)] if format == "pcm" else []
    check = ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "crccheck+explode", *raw, "-i", str(path)]
    told = subprocess.run([*check, "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"], capture_output=True, check=True)
    assert not told.stderr
    return told.stdout


@pytest.mark.skipif(not FFMPEG, reason="ffmpeg is not installed")
@pytest.mark.parametrize("seconds", [0.5, 61.0])
def test_ffmpeg_plays_it(tmp_path: Path, format: str, seconds: float) -> None:
    made: Sound = sound(format, seconds)
    path = tmp_path / f"sound.{format}"
    path.write_bytes(made.whole())
    samples = decoded(path, format)
    assert len(samples) / 2 / RATE == pytest.approx(made.seconds, abs=0.02)
    loudest = max(abs(int.from_bytes(samples[at : at + 2], "little", signed=True)) for at in range(0, 24_000, 2))
    assert 5_000 < loudest < 25_000
    raw = ["-f", "s16le", "-ar", str(RATE)] if format == "pcm" else []
    show = ["ffprobe", "-v", "error", *raw, "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    told = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    assert float(told) == pytest.approx(made.seconds, rel=0.02, abs=0.02)
