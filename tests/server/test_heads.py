"""Plain heads are read once and found again by their bytes; all that is not plain is left to uvicorn."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import application

from llmsim.server.heads import Found, Heads

CHAT = b"/v1/chat/completions"


@pytest.fixture(scope="module")
def routes():
    return application().routes


@pytest.fixture
def heads(routes):
    return Heads(routes)


def request(*lines: bytes, first: bytes = b"POST " + CHAT + b" HTTP/1.1", body: bytes = b"{}") -> bytes:
    lines = lines or (b"host: here", b"authorization: Bearer sk-1", b"content-length: %d" % len(body))
    return b"\r\n".join([first, *lines, b"", b""]) + body


def found(heads: Heads, data: bytes) -> Found:
    there = heads.find(data)
    assert there is not None, "the head is not plain"
    return there


def test_a_head_says_what_is_asked_by_whom_and_where_the_body_is(heads: Heads) -> None:
    data = request(body=b'{"model": 1}')
    head, start, end, _ = found(heads, data)
    assert (head.method, head.path, head.query) == ("POST", CHAT.decode(), "")
    assert (head.dialect.kind, head.route.path) == ("openai_chat", CHAT.decode())
    assert head.headers == {b"host": b"here", b"authorization": b"Bearer sk-1"}
    assert head.caller == ("sk-1", "", 0, None)
    assert (data[start:end], end) == (b'{"model": 1}', len(data))
    assert data.startswith(found(heads, data).raw + b'{"model": 1}')


def test_the_same_head_with_a_body_of_another_length_is_found_again(heads: Heads) -> None:
    first, second = found(heads, request(body=b"{}")), found(heads, request(body=b"{ " * 50))
    assert second[0] is first[0]
    assert second[2] - second[1] == 100


def test_a_body_may_still_be_on_its_way(heads: Heads) -> None:
    data = request(body=b"{}" * 10)
    _, start, end, _ = found(heads, data[:-15])
    assert (end - start, end) == (20, len(data))


def test_a_request_without_a_body_needs_no_length(heads: Heads) -> None:
    data = request(b"host: here", first=b"GET /v1/models?limit=2 HTTP/1.1", body=b"")
    head, start, end, _ = found(heads, data)
    assert (head.method, head.query, start, end) == ("GET", "limit=2", len(data), len(data))


def test_names_in_the_path_are_read_and_escapes_undone(heads: Heads) -> None:
    head, *_ = found(heads, request(b"host: here", first=b"GET /v1/models/a%20b HTTP/1.1", body=b""))
    assert (head.path, head.params) == ("/v1/models/a b", {"model": "a b"})


def test_headers_of_one_name_are_joined(heads: Heads) -> None:
    head, *_ = found(heads, request(b"X-A: 1", b"x-a: 2", b"Content-Length: 2"))
    assert head.headers == {b"x-a": b"1, 2"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST " + CHAT + b" HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n",
        request(first=b"POST " + CHAT + b" HTTP/1.0"),
        request(first=b"POST /v1/nothing HTTP/1.1"),
        request(first=b"HEAD /v1/models HTTP/1.1"),
        request(first=b"DELETE " + CHAT + b" HTTP/1.1"),
        request(first=b"POST /v1/\xff HTTP/1.1"),
        request(first=b"NONSENSE"),
        request(first=b"\r\nPOST " + CHAT + b" HTTP/1.1"),
        request(b"connection: close", b"content-length: 2"),
        request(b"connection: upgrade", b"upgrade: websocket", b"content-length: 2"),
        request(b"expect: 100-continue", b"content-length: 2"),
        request(b"transfer-encoding: chunked", body=b"0\r\n\r\n"),
        request(b"content-length: 2", b"content-length: 2"),
        request(b"content-length: 2", b"CONTENT-LENGTH: 2"),
        request(b"CONTENT-LENGTH: 2"),
        request(b"content-length: two"),
        request(b"content-length: -2"),
        request(b"content-length: 999999999"),
        request(b"x: a\n\nb", b"content-length: 2"),
        request(b"x: " + b"a" * 10_000, b"content-length: 2"),
    ],
)
def test_what_is_not_plain_is_left_to_uvicorn(heads: Heads, data: bytes) -> None:
    assert heads.find(data) is None


def test_heads_come_from_clients_so_only_so_many_are_kept(heads: Heads) -> None:
    for number in range(2000):
        assert heads.find(request(b"x-number: %d" % number, b"content-length: 2"))
    assert len(heads._kept) <= 512


class Whole:
    """What uvicorn's parser would make of the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.headers, self.body, self.ends = b"", [], b"", 0
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.method = parser.get_method()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ends += 1


LINES = [
    *(
        b"host: here",
        b"x: 1",
        b" folded",
        b"x:\t2 ",
        b"a\rb: 1",
        b"x: content-length: 3",
        b"transfer-encoding: identity",
    ),
    *(b"content-length: 2", b"Content-Length:2", b"content-length: 02", b"content-length : 2", b"content-length:  2"),
]


@given(
    st.lists(st.sampled_from(LINES), max_size=5),
    st.sampled_from([b"{}", b"", b"\r\n\r\n", b"{}{}", b"GET"]),
    st.sampled_from([b"POST " + CHAT + b" HTTP/1.1", b"POST " + CHAT + b"?a=b HTTP/1.1", b"GET /v1/models HTTP/1.1"]),
)
@settings(max_examples=300, deadline=None)
def test_a_plain_head_is_what_uvicorn_s_parser_reads_in_it(routes, lines: list[bytes], body: bytes, first) -> None:
    heads, data = Heads(routes), b"\r\n".join([first, *lines, b"", b""]) + body
    for _ in range(2):  # read, then found again
        there = heads.find(data)
        if there is None or there[2] != len(data):
            continue
        head, start, end, _ = there
        whole = Whole(data)
        assert (whole.ends, whole.body, whole.method.decode()) == (1, data[start:end], head.method)
        assert {name for name, _ in whole.headers} - {b"content-length"} == set(head.headers)
