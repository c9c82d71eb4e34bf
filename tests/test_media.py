"""What is in a request beside text has a size, a length and a price in tokens."""

import io
import struct
import wave
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim import media

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"\x08\x06\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 320, 200)
BMP = b"BM" + bytes(12) + struct.pack("<Iii", 40, 800, 600)
BMP_TOP_DOWN = b"BM" + bytes(12) + struct.pack("<Iii", 40, 800, -600)
BMP_OLD = b"BM" + bytes(12) + struct.pack("<IHH", 12, 64, 32)
WEBP_LOSSY = b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(10) + struct.pack("<HH", 550 | 0x4000, 368)
WEBP_LOSSLESS = b"RIFF" + bytes(4) + b"WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 399 | 300 << 14)
WEBP_EXTENDED = (
    b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + (1919).to_bytes(3, "little") + (1079).to_bytes(3, "little")
)
FRAME = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 768, 1024)
JPEG = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + bytes(14) + b"\xff" + FRAME


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (PNG, (640, 480)),
        (GIF, (320, 200)),
        (BMP, (800, 600)),
        (BMP_TOP_DOWN, (800, 600)),
        (BMP_OLD, (64, 32)),
        (WEBP_LOSSY, (550, 368)),
        (WEBP_LOSSLESS, (400, 301)),
        (WEBP_EXTENDED, (1920, 1080)),
        (JPEG, (1024, 768)),
    ],
)
def test_the_size_of_an_image_stands_in_its_first_bytes(data: bytes, size: tuple[int, int]) -> None:
    assert media.image_size(data) == size


@pytest.mark.parametrize("data", [b"", b"hello", PNG[:18], JPEG[:10], b"\xff\xd8\xff\xd8\x00\x00", GIF[:6] + bytes(4)])
def test_what_is_no_whole_image_header_has_no_size(data: bytes) -> None:
    assert media.image_size(data) is None


@given(st.sampled_from([PNG[:8], JPEG[:3], GIF[:6], b"BM", WEBP_LOSSY[:16], WEBP_EXTENDED[:16], b""]), st.binary())
def test_no_bytes_whatever_break_the_reader(head: bytes, rest: bytes) -> None:
    size = media.image_size(head + rest)
    assert size is None or min(size) > 0
    assert media.audio_seconds(head + rest, "mp3") >= 0
    assert media.audio_seconds(b"RIFF    WAVE" + rest) >= 0


@pytest.mark.parametrize(
    ("model", "width", "height", "detail", "tokens"),
    [
        ("gpt-4o", 1024, 1024, "high", 765),  # this and the next two: OpenAI's guide, "Calculating costs"
        ("gpt-4o", 2048, 4096, "high", 1105),
        ("gpt-4o", 4096, 8192, "low", 85),
        ("gpt-4o", 512, 512, "auto", 85 + 170),
        ("gpt-4.1", 1024, 1024, "auto", 765),
        ("gpt-4o-mini", 1024, 1024, "high", 2833 + 4 * 5667),
        ("gpt-4o-mini", 1024, 1024, "low", 2833),
        ("gpt-5", 1024, 1024, "high", 70 + 4 * 140),
        ("gpt-5.1-codex", 1024, 1024, "high", 70 + 4 * 140),
        ("o1", 1024, 1024, "high", 75 + 4 * 150),
        ("o3-2025-04-16", 1024, 1024, "low", 75),
        ("gpt-4.1-mini", 1024, 1024, "high", 1659),  # 1024 patches
        ("gpt-4.1-nano", 1024, 1024, "high", 2520),
        ("o4-mini", 1024, 1024, "high", 1762),
        ("gpt-5-mini", 1800, 2400, "high", 2353),  # 1452 patches, the guide's second example
        ("gpt-5-nano", 32, 32, "high", 3),
        ("gpt-5.4", 4096, 4096, "high", 3000),  # 50 by 50 patches
        ("gpt-6-astra", 4096, 4096, "auto", 19661),  # 128 by 128 patches: the original size
        ("gpt-6-astra", 4096, 4096, "low", 308),  # 16 by 16 patches
        ("unknown", 1024, 1024, "auto", 765),
        ("ft:gpt-4o-mini-2024-07-18:acme::id", 1024, 1024, "low", 2833),
    ],
)
def test_an_image_costs_what_the_model_family_charges(
    model: str, width: int, height: int, detail: str, tokens: int
) -> None:
    assert media.image_tokens(model, width, height, detail) == tokens


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_images_of_any_shape_cost_something_bounded(width: int, height: int) -> None:
    assert 1 <= media.image_tokens("o4-mini", width, height) <= 1536 * 1.72 + 1
    assert 85 < media.image_tokens("gpt-4o", width, height) <= 85 + 8 * 170
    assert 1 <= media.anthropic_image_tokens(width, height) <= 1568
    assert 1 <= media.anthropic_image_tokens(width, height, "claude-opus-4-8") <= 4784
    assert 258 <= media.gemini_image_tokens(width, height) <= 258 * 36


@pytest.mark.parametrize(
    ("width", "height", "model", "tokens"),
    [
        (200, 200, "claude-sonnet-4-5-20250929", 64),
        (1000, 1000, "claude-sonnet-4-5-20250929", 1296),
        (1000, 1000, "claude-opus-5", 1296),
        (3840, 2160, "claude-haiku-4-5", 1560),
        (3840, 2160, "claude-3-5-sonnet-20241022", 1560),
        (3840, 2160, "claude-sonnet-4-20250514", 1560),
        (3840, 2160, "claude-opus-4-7", 4784),
    ],
)
def test_an_image_costs_claude_a_token_for_each_patch(width: int, height: int, model: str, tokens: int) -> None:
    assert media.anthropic_image_tokens(width, height, model) == tokens


@pytest.mark.parametrize(
    ("width", "height", "model", "tokens"),
    [
        (384, 384, "gemini-2.5-flash", 258),
        (960, 540, "gemini-2.5-flash", 6 * 258),  # Google's guide, "Image understanding"
        (960, 540, "gemini-3.1-pro-preview", 1120),
    ],
)
def test_an_image_costs_gemini_its_tiles(width: int, height: int, model: str, tokens: int) -> None:
    assert media.gemini_image_tokens(width, height, model) == tokens


def wav(seconds: float, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * int(seconds * rate)))
    return file.getvalue()


def test_a_wav_lasts_as_long_as_its_header_says() -> None:
    assert media.audio_seconds(wav(1.5)) == 1.5
    assert media.audio_seconds(wav(2, rate=44_100), "wav") == 2


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_of_a_streaming_recorder_lasts_as_long_as_its_bytes(size: int) -> None:
    data = wav(1.0)
    assert media.audio_seconds(data[:40] + struct.pack("<I", size) + data[44:]) == 1.0


def test_an_mp3_lasts_as_long_as_its_first_frames_bit_rate_says() -> None:
    frames = b"\xff\xfb\x90\x00" + bytes(128_000 // 8 * 3 - 4)
    assert media.audio_seconds(frames, "mp3") == 3
    tag = b"ID3\x04\0\0" + bytes([0, 0, 1, 0]) + bytes(128)
    assert media.audio_seconds(tag + frames) == 3


@pytest.mark.parametrize(
    ("format", "size", "seconds"),
    [("pcm16", 96_000, 2), ("g711_ulaw", 16_000, 2), ("audio/x-flac", 100_000, 2), ("opus", 16_000, 2), ("", 8_000, 1)],
)
def test_other_sounds_last_as_long_as_their_size_suggests(format: str, size: int, seconds: float) -> None:
    assert media.audio_seconds(bytes(size), format) == seconds


def test_a_second_of_sound_costs_ten_tokens_and_gemini_thirty_two() -> None:
    assert media.audio_tokens(1.0) == 10
    assert media.audio_tokens(0.01) == 1
    assert media.audio_tokens(0.0) == 0
    assert media.audio_tokens(2.5, media.GEMINI_AUDIO_RATE) == 80


def test_a_pdf_has_the_pages_its_objects_name_and_at_least_one() -> None:
    assert media.pdf_pages(b"%PDF-1.4 << /Type /Pages /Count 2 >> << /Type /Page >> << /Type/Page >>") == 2
    assert media.pdf_pages(b"%PDF-1.7 compressed") == 1
    assert media.pdf_pages(bytes(200_000)) == 4


def test_a_data_url_gives_its_type_and_its_bytes() -> None:
    assert media.data_url("data:image/png;base64," + b64encode(PNG).decode()) == ("image/png", PNG)
    assert media.data_url("DATA:Image/PNG;charset=x;BASE64,aGk") == ("image/png", b"hi")
    assert media.data_url("data:,a%20b") == ("text/plain", b"a b")


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:image/png;base64", "data:;base64,!!!", "", "data:"])
def test_what_is_no_data_url_gives_nothing(url: str) -> None:
    assert media.data_url(url) is None


def test_a_limit_decodes_only_the_first_bytes() -> None:
    text = b64encode(bytes(range(256)) * 1000).decode()
    assert media.decode_base64(text, 100) == bytes(range(100))
    assert media.data_url("data:image/png;base64," + text, 7) == ("image/png", bytes(range(7)))


def test_base64_of_every_habit_is_read() -> None:
    data = bytes(range(200, 256))
    assert media.decode_base64(urlsafe_b64encode(data).decode().rstrip("=")) == data
    assert media.decode_base64("aG\nVs bG8=\r\n") == b"hello"


@pytest.mark.parametrize("text", ["a", "ä===", "a*b=", "aGVsbG8=x"])
def test_what_is_no_base64_gives_nothing(text: str) -> None:
    assert media.decode_base64(text) is None


@given(st.text(max_size=40))
def test_no_text_whatever_breaks_the_decoder(text: str) -> None:
    media.data_url(text)
    media.data_url("data:;base64," + text)
    media.decode_base64(text, 5)
