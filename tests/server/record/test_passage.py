"""What passes through a recorder passes as it came, when it came, to the end that it came to."""

import asyncio
import contextlib
import gzip
import json

import pytest
from running import Wire, until
from upstream import recorder, takes, upstream

BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]}).encode()
CHAT = "/v1/chat/completions"
SSE = "content-type: text/event-stream"


@pytest.fixture
def tape(tmp_path):
    return tmp_path / "run.jsonl"


@contextlib.asynccontextmanager
async def recorded(tape, serve, begins=None, **options):
    """A recorder over an API, and one connection to it."""
    async with (
        upstream(serve, begins) as url,
        recorder(tape, {"openai": url}, **options) as runner,
        Wire.to(runner) as wire,
    ):
        yield runner, wire


async def test_each_part_is_passed_on_when_it_comes(tape):
    """The API sends its next part only when the client has the one before."""
    got = asyncio.Semaphore(0)
    parts = [b"data: one\n\n", b"data: t", b"wo\n\n", b"data: [DONE]\n\n"]

    async def serve(call):
        call.stream(SSE)
        for part in parts:
            call.chunk(part)
            await got.acquire()
        call.close()

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT)
        status, headers = await wire.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        for part in parts:
            assert await wire.chunk() == part
            got.release()
        assert await wire.chunk() == b""
    (take,) = takes(tape)
    assert [frame.data for frame in take.frames] == parts
    moments = [take.begun, *(frame.at for frame in take.frames), take.ended]
    assert moments == sorted(moments)
    assert take.end == "done"


async def test_a_request_is_passed_on_as_it_is(tape):
    calls = []

    async def serve(call):
        calls.append(call)
        call.whole(b"{}", "content-type: application/json", "x-a: 1", "connection: x-b", "x-b: 2", "set-cookie: a=b")

    async with recorded(tape, serve) as (_, wire):
        path = "/v1/some%2Fthing/%C3%BC?a=b%20c&a=d"
        await wire.ask(b"\x00\xff", path, "x-own: yes", "connection: x-hop", "x-hop: no", "te: trailers", method="PUT")
        status, headers, body = await wire.answer()
        await wire.ask(b"", "/v1/models", method="GET")
        await wire.answer()
    assert calls[0].target == path
    assert calls[0].body == b"\x00\xff"
    assert calls[0].header("x-own") == "yes"
    assert calls[0].header("authorization") == "Bearer sk-test"
    assert calls[0].header("host").startswith("127.0.0.1:")
    assert not any(calls[0].header(name) for name in ("x-hop", "te", "user-agent", "accept", "accept-encoding"))
    assert (status, body) == (200, b"{}")
    assert (headers["x-a"], headers["content-length"], headers["set-cookie"]) == ("1", "2", "a=b")
    assert "x-b" not in headers
    assert calls[1].header("cookie") == "", "cookies are the clients' own"
    first, second = takes(tape)
    assert (first.method, first.target) == ("PUT", path)
    assert first.request_body == b"\x00\xff"
    assert first.dialect == ""
    assert (second.dialect, second.provider) == ("openai_models", "openai")
    assert first.id != second.id


async def test_an_upload_is_passed_on_as_it_comes(tape):
    begun = asyncio.Event()

    async def serve(call):
        call.whole(b"ok " + call.body)

    async def begins(reader):
        begun.set()
        return await reader.readuntil(b"0\r\n\r\n")

    async with recorded(tape, serve, begins=begins) as (_, wire):
        await wire.ask(b"3\r\nabc\r\n", "/v1/files", "transfer-encoding: chunked")
        await asyncio.wait_for(begun.wait(), 5)
        wire.writer.write(b"2\r\nde\r\n0\r\n\r\n")
        assert (await wire.answer())[2] == b"ok 3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert takes(tape)[0].request_body == b"abcde"


async def test_a_compressed_answer_is_passed_on_as_it_is_and_recorded_as_it_reads(tape):
    packed = gzip.compress(b"data: one\n\ndata: two\n\n")

    async def serve(call):
        assert call.header("accept-encoding") == "gzip"
        call.stream(SSE, "content-encoding: gzip")
        for at in range(len(packed)):
            call.chunk(packed[at : at + 1])
        call.close()

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT, "accept-encoding: gzip, snappy;q=0.5")
        _, headers, body = await wire.answer()
    assert headers["content-encoding"] == "gzip"
    assert body == packed
    (take,) = takes(tape)
    assert take.body == b"data: one\n\ndata: two\n\n"
    assert take.coding == "gzip"
    assert take.header("content-encoding") == ""


async def test_what_cannot_be_decoded_is_passed_on_and_left_out(tape):
    async def serve(call):
        call.whole(b"sk-ant-api03-abcdefghijklmnop", "content-encoding: snappy")

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT)
        assert (await wire.answer())[2] == b"sk-ant-api03-abcdefghijklmnop"
    (take,) = takes(tape)
    assert (take.body, take.left_out) == (b"", 29)
    assert "the response's body is left out: the content coding 'snappy' is not known here" in take.error


async def test_a_body_over_the_limit_is_passed_on_and_left_out(tape):
    async def serve(call):
        call.whole(b"x" * 5000)

    async with recorded(tape, serve, body_limit=2048) as (_, wire):
        await wire.ask(b"y" * 3000, CHAT)
        assert (await wire.answer())[2] == b"x" * 5000
    (take,) = takes(tape)
    assert (take.request_body, take.body, take.left_out) == (b"", b"", 8000)


# -- ends


async def test_a_client_that_leaves_takes_the_upstream_along(tape):
    left = asyncio.Event()

    async def serve(call):
        call.stream(SSE)
        call.chunk(b"data: one\n\n")
        await call.reader.read()
        left.set()
        call.writer.close()

    async with recorded(tape, serve) as (runner, wire):
        await wire.ask(BODY, CHAT)
        await wire.head()
        await wire.chunk()
        await wire.leave()
        await asyncio.wait_for(left.wait(), 5)
        await until(lambda: runner.app.recorder.told()["live"] == 0)
    (take,) = takes(tape)
    assert (take.end, take.status, take.body) == ("left", 200, b"data: one\n\n")


async def test_a_client_that_leaves_before_the_first_byte_takes_the_upstream_along(tape):
    asked, left = asyncio.Event(), asyncio.Event()

    async def serve(call):
        asked.set()
        await call.reader.read()
        left.set()
        call.writer.close()

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT)
        await asked.wait()
        await wire.leave()
        await asyncio.wait_for(left.wait(), 5)
    (take,) = takes(tape)
    assert (take.end, take.status, take.begun, take.request_body) == ("left", 0, None, BODY)


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_cut_is_a_cut_for_the_client(tape, chunked):
    async def serve(call):
        if chunked:
            call.stream(SSE)
            call.chunk(b"data: one\n\n")
        else:
            call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ndata: one\n\n")
        await call.writer.drain()
        call.writer.close()

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT)
        await wire.head()
        rest = await wire.reader.read()
        assert rest == (b"b\r\ndata: one\n\n\r\n" if chunked else b"data: one\n\n")
    (take,) = takes(tape)
    assert (take.end, take.body) == ("cut", b"data: one\n\n")
    assert take.error.startswith("the upstream broke off: ")


async def test_an_upstream_that_says_nothing_is_an_error_of_the_api_that_was_asked(tape):
    async def serve(call):
        call.writer.close()

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT)
        status, _, body = await wire.answer()
    assert status == 502
    assert "The upstream openai at http://127.0.0.1:" in json.loads(body)["error"]["message"]
    (take,) = takes(tape)
    assert (take.end, take.status) == ("error", 0)
    assert take.error.startswith("The upstream openai at http://127.0.0.1:")


async def test_an_upstreams_errors_are_its_own(tape):
    async def serve(call):
        call.whole(b'{"error":{"message":"no"}}', "retry-after: 7", status="429 Too Many Requests")

    async with recorded(tape, serve) as (_, wire):
        await wire.ask(BODY, CHAT)
        status, headers, body = await wire.answer()
    assert (status, headers["retry-after"], body) == (429, "7", b'{"error":{"message":"no"}}')
    assert takes(tape)[0].status == 429


async def test_a_tape_that_is_full_stops_nobody(tape):
    async def serve(call):
        call.whole(b"z" * 30_000)

    async with recorded(tape, serve, tape_bytes=1 << 16) as (runner, wire):
        for _ in range(4):
            await wire.ask(BODY, CHAT)
            assert len((await wire.answer())[2]) == 30_000
        await until(lambda: runner.app.recorder.told()["live"] == 0)
        told = runner.app.recorder.told()
    assert (told["exchanges"], told["lost"]) == (2, 2)
    assert "the tape is full" in told["problem"]
    assert len(takes(tape)) == 2


async def test_many_at_once_are_all_on_the_tape_with_how_many_were_beside_them(tape):
    together = asyncio.Event()
    calls = []

    async def serve(call):
        calls.append(call)
        if len(calls) == 8:
            together.set()
        await together.wait()
        call.whole(call.body)

    async with upstream(serve) as url, recorder(tape, {"openai": url}) as runner:

        async def ask(number):
            async with Wire.to(runner) as wire:
                await wire.ask(b'{"n":%d}' % number, CHAT)
                return (await wire.answer())[2]

        answers = await asyncio.gather(*(ask(number) for number in range(8)))
    assert answers == [b'{"n":%d}' % number for number in range(8)]
    kept = takes(tape)
    assert sorted(take.beside for take in kept) == list(range(8))
    assert all(take.body == take.request_body for take in kept)
