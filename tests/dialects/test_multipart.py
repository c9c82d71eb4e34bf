"""Forms are read as clients write them, whatever bytes are in their files, and what is no form is told to be none."""

from __future__ import annotations

import logging
from contextlib import suppress

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmsim.dialects._multipart import BadForm, Form, Upload, read_form

TYPE = b"multipart/form-data; boundary=XBOUND"
NAMED = b'Content-Disposition: form-data; name="a"'


def part(headers: bytes, data: bytes = b"hello") -> bytes:
    return b"--XBOUND\r\n" + headers + b"\r\n\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--XBOUND--\r\n"


def read(*parts: bytes) -> Form:
    return read_form(TYPE, form(*parts))


def file_of(disposition: str, encoding: str = "utf-8") -> Upload:
    found = read(part(b"Content-Disposition: form-data; name=f; " + disposition.encode(encoding))).file("f")
    assert found is not None
    return found


# -- what clients write


def test_texts_and_files_come_apart() -> None:
    told = read(
        part(NAMED, b"one"),
        part(b'Content-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: image/png', b"\x89PNG"),
    )
    assert told == Form({"a": ["one"]}, {"f": [Upload("x.bin", "image/png", b"\x89PNG")]})


def test_bytes_that_say_they_are_bytes_are_a_file_without_a_name() -> None:
    told = read(part(NAMED + b"\r\nContent-Type: Application/Octet-Stream", b"\xff"), part(NAMED, b"text"))
    assert told == Form({"a": ["text"]}, {"a": [Upload("", "Application/Octet-Stream", b"\xff")]})


def test_several_of_one_name_keep_their_order_with_brackets_and_without() -> None:
    listed = b'Content-Disposition: form-data; name="a[]"'
    told = read(part(listed, b"1"), part(NAMED, b"2"), part(listed, b"3"))
    assert told.texts == {"a": ["1", "2", "3"]}
    assert told.text("a") == "3"


def test_the_first_of_several_files_is_the_file() -> None:
    told = read(*(part(b'Content-Disposition: form-data; name="f[]"; filename="%d"' % n) for n in range(3)))
    assert [one.filename for one in told.files["f"]] == ["0", "1", "2"]
    assert told.file("f") is told.files["f"][0]


def test_what_is_not_there_is_none() -> None:
    told = read()
    assert (told.text("a"), told.file("a")) == (None, None)


@pytest.mark.parametrize(
    "kind",
    [
        b'multipart/form-data; boundary="XBOUND"',
        b"Multipart/Form-Data;Boundary=XBOUND",
        b"multipart/form-data ; charset=utf-8; boundary=XBOUND",
        b"multipart/form-data; boundary=XBOUND; charset=utf-8",
    ],
)
def test_the_boundary_is_found_however_it_is_told(kind: bytes) -> None:
    assert read_form(kind, form(part(NAMED))).texts == {"a": ["hello"]}


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="a.txt"', "a.txt"),
        ("filename=a.txt", "a.txt"),
        ('filename="a;b=c.txt"', "a;b=c.txt"),
        ('filename="größe 漢字 🎉.txt"', "größe 漢字 🎉.txt"),
        # curl escapes with a backslash, browsers and httpx by percents (WHATWG, "Multipart form data").
        (r'filename="a \"b\".txt"', 'a "b".txt'),
        (r'filename="a\\b.txt"', "b.txt"),
        ('filename="a%22b%22.txt"', 'a"b".txt'),
        ('filename="100%.txt"', "100%.txt"),
        # RFC 5987, as older clients write what is not ASCII.
        ("filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        ("filename=\"e.txt\"; filename*=utf-8'en'%e2%82%ac.txt", "€.txt"),
        ("filename*=iso-8859-1''gr%f6%dfe.txt", "größe.txt"),
        ("filename=\"e.txt\"; filename*=no-such''%41.txt", "e.txt"),
        ('filename="e.txt"; filename*=nonsense', "e.txt"),
        # Folders are nobody's business here, and control characters would end up in our own headers.
        ('filename="../../etc/passwd"', "passwd"),
        (r'filename="C:\temp\notes.txt"', "notes.txt"),
        ('filename="a%0D%0Ab.txt"', "ab.txt"),
        ('filename="a\x00\x1fb.txt"', "ab.txt"),
        ('filename=""', ""),
    ],
)
def test_file_names(disposition: str, name: str) -> None:
    assert file_of(disposition).filename == name


def test_file_names_in_an_older_encoding() -> None:
    assert file_of('filename="größe.txt"', "latin-1").filename == "größe.txt"


def test_a_file_without_a_type_is_plain_bytes() -> None:
    assert file_of('filename="a"').content_type == "application/octet-stream"


def test_header_names_are_of_any_case_and_lines_may_be_folded() -> None:
    told = read(part(b'CONTENT-disposition:form-data;\r\n name="f";\r\n\tfilename="a.txt"\r\ncontent-TYPE:text/plain'))
    assert told.files == {"f": [Upload("a.txt", "text/plain", b"hello")]}


def test_text_that_is_no_utf_8_is_read_all_the_same() -> None:
    assert read(part(NAMED, b"gr\xf6\xdfe")).texts == {"a": ["gr\ufffd\ufffde"]}


def test_what_stands_around_the_form_is_ignored() -> None:
    body = b"Hello, old mail reader.\r\n" + form(part(NAMED)) + b"--XBOUND\r\nleft over"
    assert read_form(TYPE, body).texts == {"a": ["hello"]}


def test_blanks_behind_the_boundary_are_allowed() -> None:
    body = form(part(NAMED)).replace(b"--XBOUND\r\n", b"--XBOUND \t\r\n").replace(b"--XBOUND--", b"--XBOUND-- ")
    assert read_form(TYPE, body).texts == {"a": ["hello"]}


def test_the_last_line_needs_no_break() -> None:
    assert read_form(TYPE, form(part(NAMED)).rstrip()).texts == {"a": ["hello"]}


# -- any bytes at all


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"--XBOUND",
        b"--XBOUND--",
        b"\r\n--XBOUNDARY\r\n",
        b"\r\n--XBOUND-\r\n",
        b"\r\n--XBOUND x\r\n",
        b"\r\n--XBOUN",
        b"x--XBOUND\r\n",
        b"\n--XBOUND\r\n",
        bytes(range(256)) * 40,
    ],
)
def test_only_a_line_that_is_the_boundary_ends_a_part(data: bytes) -> None:
    assert read(part(NAMED + b'; filename="f"', data), part(NAMED)).files["a"][0].data == data


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.binary(max_size=60)), max_size=4))
@example([("f", b"\r\n--")])
def test_files_come_as_httpx_sends_them(files: list[tuple[str, bytes]]) -> None:
    clean = [("".join(c for c in name if c.isalnum()) or "f", data) for name, data in files]
    request = httpx.Request(
        "POST", "http://here", data={"k": "v"}, files=[(name, (name, data)) for name, data in clean] or {"f": b""}
    )
    told = read_form(request.headers["content-type"].encode(), request.read())
    assert told.text("k") == "v"
    for name, data in clean:
        assert data in [one.data for one in told.files[name.removesuffix("[]")]]


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_form_or_told_to_be_none(noise: bytes) -> None:
    for body in (noise, b"--XBOUND\r\n" + noise, form(part(noise)), form(part(NAMED, noise))):
        with suppress(BadForm):
            read_form(TYPE, body)


# -- what is no form


@pytest.mark.parametrize(
    "kind", [b"", b"application/json", b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/mixed"]
)
def test_another_content_type_is_no_form(kind: bytes) -> None:
    with pytest.raises(BadForm, match="content type"):
        read_form(kind, form(part(NAMED)))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "boundary is not in the body"),
        (b'{"model": "whisper-1"}', "boundary is not in the body"),
        (form(part(NAMED)).replace(b"\r\n", b"\n"), "boundary is not in the body"),
        (b"--XBOUND\r\n", "no end"),
        (form(part(NAMED))[:-6], "no end"),
        (form(part(NAMED)[:-2]), "no end"),
        (form(b"--XBOUND\r\n" + NAMED + b"\r\n"), "headers of a part have no end"),
        (form(part(NAMED, b"")[:-4]), "headers of a part have no end"),
        (form(b"--XBOUND\r\n--XBOUND\r\n"), "headers of a part have no end"),
        (form(part(b"X: " + b"x" * 20_000 + b"\r\n" + NAMED)), "headers of a part have no end"),
        (form(part(b"no colon\r\n" + NAMED)), "no colon"),
        (form(part(b"Content-Disposition: form-data")), "no name"),
        (form(part(b"Content-Type: text/plain")), "no name"),
        (form(b"--XBOUND\r\n\r\nno headers\r\n"), "no name"),
        (form(*[part(NAMED)] * 1001), "more than 1000 parts"),
    ],
)
def test_what_is_wrong_with_a_form_is_said(body: bytes, why: str) -> None:
    with pytest.raises(BadForm, match=why):
        read_form(TYPE, body)


def test_a_broken_form_writes_nothing_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Clients' mistakes are theirs: the console's screen is not for them."""
    with caplog.at_level(logging.DEBUG), pytest.raises(BadForm):
        read_form(TYPE, b"--XBOUND\r\nno colon\r\n\r\n\r\n--XBOUND--")
    assert not caplog.records


def test_names_like_the_boundary_cost_no_more_than_their_length() -> None:
    """A file made of near misses is searched once; a search that started over at each would not come to an end."""
    data = b"\r\n--XBOUNDX" * 100_000 + b"\r\n--XBOUND " + b" " * 100_000
    assert read(part(NAMED + b'; filename="f"', data + b".")).files["a"][0].data == data + b"."
