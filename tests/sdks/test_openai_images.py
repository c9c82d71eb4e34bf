"""OpenAI's own client has pictures drawn, edited and varied, and watches them come into being."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_known_keys
from PIL import Image

from llmsim.pictures import Picture, draw
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = "A cute baby sea otter"


def opened(data: str | bytes | None) -> Image.Image:
    assert data is not None
    image = Image.open(BytesIO(b64decode(data) if isinstance(data, str) else data))
    image.load()
    return image


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    path.write_bytes(draw(Picture("in", 512, 512)))
    return path


async def test_pictures_are_drawn(client: AsyncOpenAI) -> None:
    told = await client.images.generate(
        model="gpt-image-1.5", prompt=PROMPT, n=2, size="1536x1024", quality="low", output_format="webp"
    )
    assert_known_keys(told)
    assert told.data
    assert [opened(one.b64_json).size for one in told.data] == [(1536, 1024)] * 2
    assert (told.size, told.quality, told.output_format) == ("1536x1024", "low", "webp")
    assert told.usage
    assert told.usage.total_tokens == told.usage.input_tokens + told.usage.output_tokens


async def test_the_synchronous_client_follows_a_url(sync_client: OpenAI) -> None:
    def use() -> None:
        told = sync_client.images.generate(model="dall-e-3", prompt=PROMPT, size="1024x1792", style="natural")
        assert told.data
        (one,) = told.data
        assert one.revised_prompt
        assert one.url
        assert opened(httpx.get(one.url).raise_for_status().content).size == (1024, 1792)

    await asyncio.to_thread(use)


async def test_a_stream_shows_the_stages(client: AsyncOpenAI) -> None:
    stream = await client.images.generate(model="gpt-image-2", prompt=PROMPT, stream=True, partial_images=2)
    events = [event async for event in stream]
    for event in events:
        assert_known_keys(event)
        assert opened(event.b64_json).size == (1024, 1024)
    assert [event.type for event in events] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    last = events[-1]
    assert last.type == "image_generation.completed"
    assert last.usage.output_tokens == 4160


async def test_the_synchronous_client_streams_an_edit(sync_client: OpenAI, path: Path) -> None:
    def use() -> None:
        stream = sync_client.images.edit(image=path, prompt="With a hat", stream=True, partial_images=1)
        assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]

    await asyncio.to_thread(use)


async def test_several_images_are_edited_with_a_mask(client: AsyncOpenAI, path: Path) -> None:
    told = await client.images.edit(
        image=[path, ("b.png", draw(Picture("b", 512, 512)))],
        mask=path,
        prompt="Both",
        model="gpt-image-1",
        input_fidelity="high",
        n=2,
    )
    assert_known_keys(told)
    assert told.data
    assert len({one.b64_json for one in told.data}) == 2
    assert told.usage
    assert told.usage.input_tokens_details.image_tokens == 2 * (65 + 129 + 4160)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_variations(client: AsyncOpenAI, path: Path) -> None:
    told = await client.images.create_variation(image=path, n=2, response_format="b64_json", size="256x256")
    assert told.data
    assert [opened(one.b64_json).size for one in told.data] == [(256, 256)] * 2


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"size": "256x256"}, "size", "invalid_value"),
        ({"quality": "hd"}, "quality", "invalid_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"output_compression": 5}, "output_compression", "invalid_png_output_compression"),
    ],
)
async def test_refusals_are_told_as_openai_tells_them(client: AsyncOpenAI, fields: Any, param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.images.generate(model="gpt-image-1", prompt=PROMPT, **fields)
    assert (caught.value.type, caught.value.param, caught.value.code) == ("invalid_request_error", param, code)


async def test_an_error_in_mid_stream_is_raised(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 1, "message": "No more."})
    stream = await client.images.generate(model="gpt-image-1", prompt=PROMPT, stream=True, partial_images=3)
    first = await anext(stream)
    assert first.type == "image_generation.partial_image"
    with pytest.raises(openai.APIError, match=r"No more\."):
        await anext(stream)


async def test_a_picture_takes_the_time_of_its_model(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.2).images.generate(model="gpt-image-1", prompt=PROMPT)
