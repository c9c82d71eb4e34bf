"""OpenAI's own client uploads files, whole and in parts, lists them, reads them back and deletes them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_known_keys

pytestmark = pytest.mark.asyncio(loop_scope="module")

BYTES = bytes(range(256)) * 300


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "größe.bin"
    path.write_bytes(BYTES)
    return path


async def test_a_file_there_and_back(client: AsyncOpenAI, path: Path) -> None:
    made = await client.files.create(file=path, purpose="user_data")
    assert_known_keys(made)
    assert (made.filename, made.bytes, made.purpose, made.expires_at) == ("größe.bin", len(BYTES), "user_data", None)
    assert (await client.files.retrieve(made.id)) == made
    assert (await client.files.content(made.id)).content == BYTES
    assert (await client.files.wait_for_processing(made.id)).status == "processed"
    deleted = await client.files.delete(made.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (made.id, True, "file")
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        await client.files.retrieve(made.id)


async def test_the_synchronous_client_does_the_same(sync_client: OpenAI, path: Path) -> None:
    def use() -> None:
        with path.open("rb") as opened:
            made = sync_client.files.create(
                file=opened, purpose="vision", expires_after={"anchor": "created_at", "seconds": 3600}
            )
        assert made.expires_at == made.created_at + 3600
        assert sync_client.files.content(made.id).read() == BYTES
        with sync_client.files.with_streaming_response.content(made.id) as raw:
            assert b"".join(raw.iter_bytes(1000)) == BYTES
        assert made in list(sync_client.files.list(purpose="vision"))
        assert sync_client.files.delete(made.id).deleted

    await asyncio.to_thread(use)


async def test_pages_of_files_are_walked(client: AsyncOpenAI) -> None:
    made = [await client.files.create(file=(f"{n}.txt", b"x"), purpose="evals") for n in range(5)]
    found = [one.id async for one in client.files.list(purpose="evals", limit=2, order="asc")]
    assert found == [one.id for one in made]
    newest = await client.files.list(purpose="evals", limit=1)
    assert (newest.data[0].id, newest.has_more) == (made[-1].id, True)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"purpose": "fun"}, "purpose"),
        ({"purpose": "vision", "expires_after": {"anchor": "created_at", "seconds": 5}}, "expires_after.seconds"),
        ({"purpose": "vision", "extra_body": {"colour": "red"}}, "colour"),
    ],
)
async def test_refusals_are_told_as_openai_tells_them(client: AsyncOpenAI, fields: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.files.create(file=("a.txt", b"x"), **fields)
    assert (caught.value.type, caught.value.param) == ("invalid_request_error", param)


async def test_many_files_at_once_do_not_mix(client: AsyncOpenAI) -> None:
    made = await asyncio.gather(
        *(client.files.create(file=(f"{n}", b"%d" % n * 30_000), purpose="user_data") for n in range(12))
    )
    assert len({one.id for one in made}) == 12
    contents = await asyncio.gather(*(client.files.content(one.id) for one in made))
    assert [one.content for one in contents] == [b"%d" % n * 30_000 for n in range(12)]


async def test_a_file_goes_up_in_parts(client: AsyncOpenAI, path: Path) -> None:
    done = await client.uploads.upload_file_chunked(
        file=path, mime_type="application/octet-stream", purpose="user_data", part_size=20_000
    )
    assert_known_keys(done)
    assert done.status == "completed"
    assert done.file is not None
    assert done.file.filename == "größe.bin"
    assert (await client.files.content(done.file.id)).content == BYTES


async def test_parts_by_hand_with_the_synchronous_client(sync_client: OpenAI) -> None:
    def use() -> None:
        upload = sync_client.uploads.create(bytes=4, filename="a.txt", mime_type="text/plain", purpose="assistants")
        parts = [sync_client.uploads.parts.create(upload.id, data=data) for data in (b"cd", b"ab")]
        done = sync_client.uploads.complete(upload.id, part_ids=[part.id for part in reversed(parts)])
        assert done.file is not None
        assert sync_client.files.content(done.file.id).text == "abcd"
        other = sync_client.uploads.create(bytes=4, filename="a.txt", mime_type="text/plain", purpose="assistants")
        assert sync_client.uploads.cancel(other.id).status == "cancelled"
        with pytest.raises(openai.BadRequestError, match="has status 'cancelled'"):
            sync_client.uploads.parts.create(other.id, data=b"x")

    await asyncio.to_thread(use)
