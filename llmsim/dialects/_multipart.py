"""Reads bodies of the type multipart/form-data, in which clients send files.

Source: RFC 7578 and RFC 2046, 5.1; how browsers and HTTP clients write names is WHATWG's (HTML, "Multipart form data").
A body is in memory whole, so its parts are found by searching for the boundary, without a machine of states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

_MOST_PARTS = 1000
_MOST_HEADERS = 16 << 10
_BYTES = "application/octet-stream"

_PARAM = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
# What may stand behind the boundary on its line; two dashes end the form.
_LINE_END = re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class BadForm(ValueError):
    """The body is no form; the message says what is wrong with it."""


@dataclass(slots=True)
class Upload:
    """A file as it came: its name without any folders, its content type, its bytes."""

    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Form:
    """A form: for each name its texts and its files, in the order they came; `file[]` and `file` are one name."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[Upload]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """The last text of that name."""
        return self.texts[name][-1] if name in self.texts else None

    def file(self, name: str) -> Upload | None:
        """The first file of that name."""
        return self.files[name][0] if name in self.files else None


def read_form(content_type: bytes, body: bytes) -> Form:
    """The form that a body is; raises BadForm."""
    kind, _, _ = content_type.partition(b";")
    boundary = _params(content_type.decode("latin-1")).get("boundary")
    if kind.strip().lower() != b"multipart/form-data" or not boundary:
        raise BadForm("the content type is not multipart/form-data with a boundary")
    form = Form()
    for headers, data in _parts(boundary.encode("latin-1"), body):
        told = _params(headers.get("content-disposition", ""))
        if "name" not in told:
            raise BadForm("a part has no name")
        name = told["name"].removesuffix("[]")
        what = headers.get("content-type", "").partition(";")[0].strip().lower()
        # Bytes that say so are no text, also where a client has no name for them, as Anthropic's has none.
        filename = _filename(told) if what != _BYTES else _filename(told) or ""
        if filename is not None:
            upload = Upload(filename, headers.get("content-type", _BYTES), data)
            form.files.setdefault(name, []).append(upload)
        else:
            form.texts.setdefault(name, []).append(data.decode("utf-8", "replace"))
    return form


def _parts(boundary: bytes, body: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """Each part's headers, names in lower case, and its bytes; what stands before and after the form is ignored."""
    mark = b"--" + boundary
    _, start, last = _line(mark, body, 0)
    for _ in range(_MOST_PARTS):
        if last:
            return
        headers, data = _head(body, start)
        end, start, last = _line(mark, body, data)
        yield headers, body[data:end]
    if not last:
        raise BadForm(f"there are more than {_MOST_PARTS} parts")


def _line(mark: bytes, body: bytes, start: int) -> tuple[int, int, bool]:
    """The next line of the boundary alone: where the bytes before it end, where the next line begins, if it is last.

    The line break before it is its own.
    """
    at = body.find(mark, start)
    while at >= 0:
        end = at + len(mark)
        if at == 0 or (at - 2 >= start and body.startswith(b"\r\n", at - 2)):
            match = _LINE_END.match(body, end)
            if match is not None:
                return at - 2, match.end(), match[1] is not None
        at = body.find(mark, end)
    raise BadForm("the form has no end" if start else "the boundary is not in the body")


def _head(body: bytes, start: int) -> tuple[dict[str, str], int]:
    """The headers of the part that begins at `start`, and where its bytes begin."""
    if body.startswith(b"\r\n", start):
        return {}, start + 2
    blank = body.find(b"\r\n\r\n", start, start + _MOST_HEADERS)
    if blank < 0:
        raise BadForm("the headers of a part have no end")
    return _headers(body[start:blank]), blank + 4


def _headers(raw: bytes) -> dict[str, str]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    headers = {}
    # A line that begins with a blank goes on with the header before it.
    for line in re.sub(r"\r\n[ \t]+", " ", text).split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise BadForm("a header of a part has no colon")
        headers[name.strip().lower()] = value.strip()
    return headers


def _filename(told: dict[str, str]) -> str | None:
    """The name of a part's file without folders and control characters; None where the part is no file."""
    extended = told.get("filename*", "").split("'", 2)
    try:
        name = unquote(extended[2], extended[0] or "utf-8") if len(extended) == 3 else told.get("filename")
    except LookupError:  # a character set that there is not
        name = told.get("filename")
    return None if name is None else _CONTROLS.sub("", name.replace("\\", "/").rsplit("/", 1)[-1])


def _params(header: str) -> dict[str, str]:
    r"""The parameters of a header: `form-data; name="file"; filename="a \"b\".txt"`.

    Quotes within quotes come with a backslash from some clients and as %22 from others.
    """
    return {
        match[1].lower(): _unquoted(match[2]) if match[2] is not None else match[3].strip()
        for match in _PARAM.finditer(header)
    }


def _unquoted(text: str) -> str:
    plain = re.sub(r'\\(["\\])', r"\1", text)
    return plain.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
