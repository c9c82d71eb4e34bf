"""Of a hundred kinds of secrets and personal data nothing is on the disk, whatever way they came, however it ended."""

import base64
import gzip
import json
import re
from urllib.parse import quote, unquote

import httpx2
import planted
import pytest
from upstream import recorder, takes, upstream

KINDS = list(planted.ALL)
BATCHES = [KINDS[at : at + 17] for at in range(0, len(KINDS), 17)]


def text(kinds):
    """Sentences around the secrets, so that each begins and ends somewhere else."""
    return "\n".join(f"{'So' * (number % 5)} here: {planted.told(kind)} , so far." for number, kind in enumerate(kinds))


def deltas(told, size=4):
    return [
        b"data: "
        + json.dumps({"choices": [{"index": 0, "delta": {"content": told[at : at + size]}}]}).encode()
        + b"\n\n"
        for at in range(0, len(told), size)
    ]


async def echo(call):
    """Says again what it was told: whole, as a stream, as an error, or breaking off in the midst of it."""
    told = json.loads(call.body)["messages"][0]["content"]
    if call.target.startswith("/v1/whole"):
        call.whole(json.dumps({"text": told}).encode(), "content-type: application/json", "x-note: mine")
    elif call.target.startswith("/v1/error"):
        body = json.dumps({"error": {"message": f"I do not like {told}"}}, ensure_ascii=False).encode()
        call.whole(body, f"x-key: {call.header('authorization')}", status="400 Bad Request")
    else:
        body = b"".join(deltas(told))
        if call.target.startswith("/v1/cut"):
            body = body[: len(body) * 2 // 3]
        call.stream("content-type: text/event-stream")
        for at in range(0, len(body), 61):  # frames end anywhere
            call.chunk(body[at : at + 61])
            await call.writer.drain()
        if call.target.startswith("/v1/cut"):
            call.writer.close()
        else:
            call.close()


def readings(take):
    """What a take says, in every way that it could be read."""
    for data in (take.request_body, take.body):
        raw = data.decode("utf-8", "replace")
        yield raw
        for unescaped in (raw, raw.replace("\n\n", "")):
            yield unescaped.encode("latin-1", "backslashreplace").decode("unicode_escape", "replace")
        chunks = [
            json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: {") and line.endswith("}]}")
        ]
        yield "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
        for found in re.findall(r"[A-Za-z0-9+/]{20,}={0,2}", raw):
            yield base64.b64decode(found + "=" * (-len(found) % 4)).decode("utf-8", "replace")
    yield from (unquote(take.query), unquote(take.path), take.error)
    yield from (value for _, value in (*take.request_headers, *take.headers))


@pytest.fixture
async def tape(tmp_path):
    """A tape of everything: each batch in a body, a query and headers, answered in each way, and not answered."""
    tape = tmp_path / "run.jsonl.gz"
    async with upstream(echo) as url:
        names = {"openai": url, "gone": "http://127.0.0.1:1"}
        async with recorder(tape, names, rotate_bytes=1 << 16) as runner, httpx2.AsyncClient(timeout=60) as http:
            for kinds in BATCHES:
                told = text(kinds)
                body = {"messages": [{"role": "user", "content": told}], "user": planted.ALL[kinds[0]]}
                headers = [
                    (b"authorization", b"Bearer client-key-4711-0815"),
                    *((b"x-note", note(kind)) for kind in kinds),
                ]
                for way in ("/v1/whole", "/v1/stream", "/v1/error", "/v1/cut", "/gone/v1/chat/completions"):
                    query = "&".join(f"n{at}={quote(planted.told(kind))}" for at, kind in enumerate(kinds))
                    try:
                        await http.post(f"{runner.url}{way}?{query}", json=body, headers=headers)
                    except httpx2.RemoteProtocolError:
                        assert way == "/v1/cut"
    return tape


def note(kind):
    return planted.told(kind).replace("\n", " ").encode("latin-1", "replace")


async def test_nothing_of_it_is_on_the_disk(tape):
    files = sorted(tape.parent.iterdir())
    assert len(files) > 2
    on_disk = "".join(gzip.decompress(one.read_bytes()).decode() for one in files)
    kept = takes(tape)
    assert [take.end for take in kept[:5]] == ["done", "done", "done", "cut", "error"]
    assert len(kept) == 5 * len(BATCHES)
    said = "\0".join(reading for take in kept for reading in readings(take))
    for kind in KINDS:
        hidden = planted.hidden(kind)
        for shape in planted.shapes(hidden):
            assert shape not in on_disk, kind
            assert shape not in said, kind
    assert "client-key" not in on_disk
    assert "key-4711" not in on_disk
    assert on_disk.count(", so far.") > len(KINDS), "and what is no secret is there"
