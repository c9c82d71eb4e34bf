"""OpenAI's own client finds media in the usage, ids and limits in the headers, and the list of models."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion
from openai_asks import HELLO

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

# -- media


def png(width: int, height: int) -> str:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    image = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"")) + part(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(image).decode()


def wave(seconds: int) -> str:
    data = b"\0\0" * 8000 * seconds
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    body = b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data
    return base64.b64encode(b"RIFF" + struct.pack("<I", len(body)) + body).decode()


async def prompt_tokens(client: AsyncOpenAI, part: Any, model: str = "gpt-4o") -> int:
    content: Any = [{"type": "text", "text": "What is it?"}, part]
    reply = await client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
    assert reply.usage
    return reply.usage.prompt_tokens


async def test_a_larger_image_costs_more_and_a_coarse_look_less(client: AsyncOpenAI) -> None:
    def image(size: int, detail: str) -> Any:
        return {"type": "image_url", "image_url": {"url": png(size, size), "detail": detail}}

    small, large = [await prompt_tokens(client, image(size, "high")) for size in (512, 1024)]
    coarse = await prompt_tokens(client, image(1024, "low"))
    # OpenAI's guide "Images and vision": gpt-4o takes 85 tokens, and 170 for each tile of 512 pixels.
    assert large - small == 3 * 170
    assert small - coarse == 170


async def test_longer_audio_costs_more(client: AsyncOpenAI) -> None:
    def audio(seconds: int) -> Any:
        return {"type": "input_audio", "input_audio": {"data": wave(seconds), "format": "wav"}}

    one, five = [await prompt_tokens(client, audio(seconds), "gpt-4o-audio-preview") for seconds in (1, 5)]
    assert five > one + 20


# -- headers and models


async def test_headers_tell_of_ids_limits_and_time(client: AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
    reply = raw.parse()
    assert isinstance(reply, ChatCompletion)
    assert re.fullmatch("req_[0-9a-f]{32}", raw.headers["x-request-id"])
    assert reply._request_id == raw.headers["x-request-id"] == raw.request_id
    assert raw.headers["openai-version"] == "2020-10-01"
    assert raw.headers["openai-processing-ms"].isdigit()
    for name in ("limit-requests", "remaining-requests", "limit-tokens", "remaining-tokens"):
        assert int(raw.headers[f"x-ratelimit-{name}"]) > 0
    for name in ("reset-requests", "reset-tokens"):
        assert re.fullmatch(r"(\d+h)?(\d+m)?[\d.]+m?s", raw.headers[f"x-ratelimit-{name}"])


async def test_headers_count_the_requests_down(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(rpm=1000, tpm=100_000)
    left = []
    for _ in range(2):
        raw = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
        left.append(int(raw.headers["x-ratelimit-remaining-requests"]))
        assert raw.headers["x-ratelimit-limit-requests"] == "1000"
        assert raw.headers["x-ratelimit-limit-tokens"] == "100000"
    assert left[0] in (999, 1000)
    assert left[1] < 1000


async def test_a_stream_has_the_headers_too(client: AsyncOpenAI) -> None:
    create = client.chat.completions.with_streaming_response.create
    async with create(model="gpt-4o", messages=HELLO, stream=True) as raw:
        assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert raw.headers["x-request-id"].startswith("req_")
        await raw.read()


async def test_models_are_listed_and_found(client: AsyncOpenAI) -> None:
    models = await client.models.list()
    assert {"gpt-4o", "gpt-5", "o3"} <= {model.id for model in models.data}
    one = await client.models.retrieve("gpt-4o")
    assert (one.id, one.object, one.owned_by) == (
        "gpt-4o",
        "model",
        next(model.owned_by for model in models.data if model.id == "gpt-4o"),
    )
    assert one._request_id


async def test_a_model_that_there_is_not_is_not_found(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="The model `nobody` does not exist") as caught:
        await client.models.retrieve("nobody")
    assert (caught.value.code, caught.value.param, caught.value.type) == (
        "model_not_found",
        None,
        "invalid_request_error",
    )
