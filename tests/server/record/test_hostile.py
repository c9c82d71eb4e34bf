"""An upstream that means ill, or is broken, harms neither the client, nor the recorder, nor the next request."""

import asyncio
import gzip
import json
import logging
import sys
from types import SimpleNamespace

import pytest
from running import Wire
from upstream import recorder, takes, upstream

from llmsim.server.record import codings

BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]}).encode()
CHAT = "/v1/chat/completions"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
PACKED = gzip.compress(bytes(64 << 20), 9)


def coded(coding: bytes, body: bytes) -> bytes:
    return OK + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n%b" % (coding, len(body), body)


REFUSED = {
    "no number as a length": OK + b"content-length: \xb2\r\n\r\nab",
    "a length of 5,000 digits": OK + b"content-length: " + b"9" * 5000 + b"\r\n\r\nab",
    "a length below nothing": OK + b"content-length: -1\r\n\r\nab",
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    "a line without an end": OK + b"x: " + b"a" * (1 << 20),
    "headers without an end": OK + b"x: a\r\n" * 100_000,
    "a NUL in a header": OK + b"x-a: a\0b\r\n\r\n",
    "a status above all": b"HTTP/1.1 999 Nope\r\ncontent-length: 2\r\n\r\nok",
    "a status below all": b"HTTP/1.1 000 Nope\r\ncontent-length: 2\r\n\r\nok",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nabc",
    "no HTTP": b"hello",
    "an unknown transfer coding": OK + b"transfer-encoding: gzip\r\n\r\nok",
}
BROKEN_OFF = {
    "no size of a chunk": CHUNKED + b"zz\r\nok\r\n",
    "a chunk of 2^72": CHUNKED + b"f" * 18 + b"\r\nok\r\n",
    "a chunk's extension without an end": CHUNKED + b"1;" + b"a" * (1 << 20),
    "trailers without an end": CHUNKED + b"2\r\nok\r\n0\r\n" + b"x: y\r\n" * 100_000,
    "a length that is too long": OK + b"content-length: 30\r\n\r\nok",
}
PASSED_ON = {
    "a length that is too short": (OK + b"content-length: 2\r\n\r\nokmore", 200, 2),
    "control characters in a header": (OK + b"x-a: \x1b]0;a\x07\r\ncontent-length: 2\r\n\r\nok", 200, 2),
    "a length without a body": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", 304, 0),
    "a body where none can be": (b"HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\nabc", 204, 0),
    "very many go-aheads": (b"HTTP/1.1 100 Continue\r\n\r\n" * 500 + OK + b"content-length: 2\r\n\r\nok", 200, 2),
}
LEFT_OUT = {
    "a bomb": (coded(b"gzip", PACKED), "over the limit"),
    "a bomb in a bomb": (coded(b"gzip, gzip", gzip.compress(PACKED)), "over the limit"),
    "no gzip": (coded(b"gzip", b"plain"), "cannot be decoded"),
    "very many codings": (coded(b"gzip," * 9_000 + b"gzip", b"x"), "9,001 content codings on top of one another"),
}


async def asked(tape, sent):
    """What the client gets, twice, of an upstream that sends this and closes; the takes of it."""

    async def serve(call):
        call.write(sent)
        await call.writer.drain()
        call.writer.close()

    got = []
    async with upstream(serve) as url, recorder(tape, {"openai": url}) as runner:
        for _ in range(2):
            async with Wire.to(runner) as wire:
                await wire.ask(BODY, CHAT, "connection: close")
                got.append(await asyncio.wait_for(wire.reader.read(), 20))
    assert [one.partition(b"\r\n")[0] for one in got] == [got[0].partition(b"\r\n")[0]] * 2
    return got[0], takes(tape)


@pytest.fixture
def tape(tmp_path, caplog):
    with caplog.at_level(logging.ERROR):
        yield tmp_path / "run.jsonl"
    assert not caplog.records, caplog.text


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_answer_is_an_error_in_the_apis_own_words(tape, name):
    got, found = await asked(tape, REFUSED[name])
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b'"message":"The upstream openai at http://127.0.0.1:' in got.replace(b'": "', b'":"')
    assert [(take.end, take.status) for take in found] == [("error", 0)] * 2


@pytest.mark.parametrize("name", BROKEN_OFF)
async def test_what_has_no_proper_end_is_cut_for_the_client_as_well(tape, name):
    got, found = await asked(tape, BROKEN_OFF[name])
    assert got.startswith(b"HTTP/1.1 200 ")
    assert not got.endswith(b"0\r\n\r\n")
    assert [take.end for take in found] == ["cut", "cut"]


@pytest.mark.parametrize("name", PASSED_ON)
async def test_what_can_be_passed_on_is(tape, name):
    sent, status, length = PASSED_ON[name]
    got, found = await asked(tape, sent)
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert b"\x1b" not in got
    assert [(take.end, take.status, len(take.body)) for take in found] == [("done", status, length)] * 2


@pytest.mark.parametrize("name", LEFT_OUT)
async def test_a_body_that_comes_to_too_much_is_passed_on_and_left_out(tape, name):
    sent, told = LEFT_OUT[name]
    got, found = await asked(tape, sent)
    assert got.endswith(sent.partition(b"\r\n\r\n")[2])
    assert [take.body for take in found] == [b"", b""]
    assert told in found[0].error


def test_a_library_without_a_bound_is_given_little_at_once(monkeypatch):
    """Brotli and Zstandard are libraries that may be there: a hundred bytes of theirs can come to gigabytes."""
    made = []

    class Decompressor:
        def process(self, data: bytes) -> bytes:
            made.append(len(data))
            return b"x" * (1 << 20)

    monkeypatch.setitem(sys.modules, "brotli", SimpleNamespace(Decompressor=Decompressor))
    codings._made.cache_clear()
    coding = codings.coding("br")
    assert coding is not None
    assert len(coding.feed(b"a" * 60_000, 5 << 20)) == 6 << 20
    assert (len(made), max(made)) == (6, 16)
    codings._made.cache_clear()
