"""Pictures are real files of the size and kind that was asked for, small, and the same for the same words."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from llmsim import media
from llmsim.pictures import MEDIA_TYPES, Format, Picture, draw

WORDS = "A cute baby sea otter wearing a beret"
SIZES = [(1024, 1024), (1536, 1024), (256, 256), (1024, 1792), (16, 48), (1, 1)]
FORMATS: list[Format] = ["png", "jpeg", "webp"]


def opened(picture: Picture) -> Image.Image:
    image = Image.open(BytesIO(draw(picture)))
    image.load()
    return image


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", SIZES)
def test_a_picture_has_its_size_and_its_format(format: Format, size: tuple[int, int]) -> None:
    picture = Picture(WORDS, *size, format=format)
    image = opened(picture)
    assert (image.size, image.format) == (size, format.upper())
    assert media.image_size(draw(picture)) == size
    assert Image.MIME[format.upper()] == MEDIA_TYPES[format]


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_is_small(format: Format) -> None:
    assert len(draw(Picture(WORDS, 1024, 1024, format=format))) < 150_000


def test_the_same_picture_is_the_same_file() -> None:
    picture = Picture(WORDS, 256, 256)
    first = draw(picture)
    draw.cache_clear()
    assert draw(Picture(WORDS, 256, 256)) == first


def test_variants_and_other_words_look_different() -> None:
    drawn = [Picture(WORDS, 256, 256, variant=n) for n in range(5)] + [Picture("A dog", 256, 256)]
    assert len({draw(one) for one in drawn}) == 6


def test_the_words_are_written_in_white_in_the_middle() -> None:
    with_words, without = [opened(Picture(words, 512, 512)).convert("L") for words in (WORDS, "")]
    middle = (100, 150, 412, 362)
    assert with_words.crop(middle).histogram()[255] > 1000
    assert without.crop(middle).histogram()[255] == 0


@pytest.mark.parametrize(
    "text", ["", " ", "word " * 8000, "W" * 32_000, "größe 漢字 🎉\x00\n\t", "é" * 5, "\u202e<svg>"]
)
def test_any_words_can_be_drawn(text: str) -> None:
    assert opened(Picture(text, 256, 128)).size == (256, 128)


def test_accents_do_not_become_boxes() -> None:
    assert opened(Picture("Crème brûlée, größer", 256, 256)).size == (256, 256)
    accented, plain = [opened(Picture(text, 512, 512)).histogram()[255] for text in ("aé", "ae")]
    assert accented == pytest.approx(plain, abs=50)


@pytest.mark.parametrize("format", ["png", "webp"])
def test_a_transparent_ground_can_be_seen_through(format: Format) -> None:
    image = opened(Picture("Hi", 256, 256, format=format, transparent=True)).convert("RGBA")
    clear, solid = image.getchannel("A").histogram()[0], image.getchannel("A").histogram()[255]
    assert clear > 10_000
    assert solid > 1_000
    opaque = opened(Picture("Hi", 256, 256, format=format)).convert("RGBA")
    assert opaque.getchannel("A").getextrema() == (255, 255)


def test_an_unfinished_picture_is_coarser() -> None:
    sizes = [len(draw(Picture(WORDS, 512, 512, coarse=side))) for side in (64, 16, 1)]
    assert sizes == sorted(sizes)
    image = opened(Picture(WORDS, 512, 512, coarse=64)).convert("L")
    # The ground is one colour within each square.
    assert image.crop((0, 0, 64, 64)).getextrema()[0] == image.crop((0, 0, 64, 64)).getextrema()[1]


def test_a_lower_quality_is_a_smaller_file() -> None:
    for format in ("jpeg", "webp"):
        low, high = [len(draw(Picture(WORDS, 512, 512, format=format, quality=quality))) for quality in (0, 95)]
        assert low < high


def test_only_so_many_are_kept() -> None:
    for n in range(100):
        draw(Picture(str(n), 16, 16))
    assert draw.cache_info().currsize <= 64
