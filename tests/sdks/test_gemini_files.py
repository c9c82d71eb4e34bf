"""Google's own client uploads files in one chunk and in several, lists, uses and deletes them."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from gemini_clients import google
from google import genai
from google.genai import errors

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Two whole chunks of the client's, and a bit.
LONG = b"0123456789abcdef" * (1 << 20) + b"end"
TEXT: Any = {"mime_type": "text/plain"}


@pytest_asyncio.fixture(params=["v1", "v1beta"], loop_scope="module")
async def gemini(request: pytest.FixtureRequest, server: Runner, simulator: Simulator) -> AsyncIterator[genai.Client]:
    simulator.store.clear()
    async with google(server, api_version=request.param) as one:
        yield one


def digest(data: bytes) -> str:
    return base64.b64encode(sha256(data).hexdigest().encode()).decode()


@pytest.mark.parametrize("data", [b"Some words.", LONG, LONG[: 8 << 20]], ids=["short", "long", "one chunk"])
async def test_a_file_arrives_as_it_was_sent(gemini: genai.Client, data: bytes) -> None:
    file = await gemini.aio.files.upload(file=io.BytesIO(data), config={**TEXT, "display_name": "été 🎉"})
    assert (file.size_bytes, file.sha256_hash, file.display_name) == (len(data), digest(data), "été 🎉")
    assert file.state
    assert file.state.name == "ACTIVE"
    assert file.name
    assert await gemini.aio.files.get(name=file.name) == file
    again = await asyncio.to_thread(lambda: gemini.files.upload(file=io.BytesIO(data), config=TEXT))
    assert (again.size_bytes, again.sha256_hash) == (len(data), digest(data))


async def test_a_file_of_the_disk_has_its_type_and_a_name_of_choice(gemini: genai.Client, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Some words.", encoding="utf-8")
    file = await gemini.aio.files.upload(file=path, config={"name": "my-notes"})
    assert (file.name, file.mime_type) == ("files/my-notes", "text/plain")
    assert (await asyncio.to_thread(lambda: gemini.files.get(name="my-notes"))).name == file.name
    with pytest.raises(errors.ClientError) as caught:
        await gemini.aio.files.upload(file=path, config={"name": "my-notes"})
    assert (caught.value.code, caught.value.status) == (409, "ALREADY_EXISTS")
    with pytest.raises(errors.ClientError):
        await gemini.aio.files.upload(file=path, config={"name": "Ünï"})


async def test_files_are_listed_through_all_pages_and_deleted(gemini: genai.Client) -> None:
    for at in range(3):
        await gemini.aio.files.upload(file=io.BytesIO(b"%d" % at), config=TEXT)
    files = [file async for file in await gemini.aio.files.list(config={"page_size": 2})]
    assert len({file.name for file in files}) == 3
    for file in files:
        assert file.name
        await gemini.aio.files.delete(name=file.name)
    assert await asyncio.to_thread(lambda: list(gemini.files.list())) == []
    with pytest.raises(errors.ClientError) as caught:
        await gemini.aio.files.get(name=files[0].name or "")
    assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")


async def test_a_content_names_a_file(gemini: genai.Client) -> None:
    file = await gemini.aio.files.upload(file=io.BytesIO(b"word " * 300), config=TEXT)
    asked: Any = [file, "What is it about?"]
    told = await gemini.aio.models.generate_content(model="gemini-2.5-flash", contents=asked)
    assert told.usage_metadata
    assert told.usage_metadata.prompt_token_count
    assert told.usage_metadata.prompt_token_count > 300
    counted = await gemini.aio.models.count_tokens(model="gemini-2.5-flash", contents=asked)
    assert counted.total_tokens == told.usage_metadata.prompt_token_count


async def test_what_was_uploaded_is_not_downloaded(gemini: genai.Client) -> None:
    file = await gemini.aio.files.upload(file=io.BytesIO(b"x"), config=TEXT)
    with pytest.raises(errors.ClientError) as caught:
        await gemini.aio.files.download(file=file.name or "")
    assert "generated files" in str(caught.value.message)


async def test_a_fault_reaches_the_client(gemini: genai.Client, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503})
    with pytest.raises(errors.ServerError) as caught:
        await gemini.aio.files.upload(file=io.BytesIO(b"x"), config=TEXT)
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
