"""Reads bodies of the type multipart/form-data, in which clients send files.

By python-multipart, Starlette's own choice; imported when the first such body comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MOST_PARTS = 1000
_MOST_HEADERS = 16 << 10

_PARAM = re.compile(r';\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))')


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
    boundary = _params(content_type.decode("latin-1")).get("boundary")
    if not content_type.lower().startswith(b"multipart/form-data") or not boundary:
        raise BadForm("the content type is not multipart/form-data with a boundary")
    form = Form()
    for headers, data in _parts(boundary.encode("latin-1"), body):
        told = _params(headers.get("content-disposition", ""))
        name = told.get("name", "").removesuffix("[]")
        if "filename" in told:
            filename = told["filename"].replace("\\", "/").rsplit("/", 1)[-1]
            upload = Upload(filename, headers.get("content-type", "application/octet-stream"), data)
            form.files.setdefault(name, []).append(upload)
        else:
            form.texts.setdefault(name, []).append(data.decode("utf-8", "replace"))
    return form


def _parts(boundary: bytes, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Each part's headers, names in lower case, and its bytes."""
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser

    parts: list[tuple[dict[str, str], bytearray]] = []
    name, value = bytearray(), bytearray()
    ended: list[bool] = []

    def begin() -> None:
        if len(parts) >= _MOST_PARTS:
            raise BadForm(f"there are more than {_MOST_PARTS} parts")
        parts.append(({}, bytearray()))

    def header_end() -> None:
        parts[-1][0][name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
        name.clear()
        value.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begin,
            "on_header_field": lambda data, start, end: name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: value.extend(data[start:end]),
            "on_header_end": header_end,
            "on_part_data": lambda data, start, end: parts[-1][1].extend(data[start:end]),
            "on_end": lambda: ended.append(True),
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise BadForm(str(error)) from None
    if not ended:
        raise BadForm("the form has no end")
    return [(headers, bytes(data)) for headers, data in parts]


def _params(header: str) -> dict[str, str]:
    r"""The parameters of a header: `form-data; name="file"; filename="a \"b\".txt"`."""
    return {
        match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3].strip()
        for match in _PARAM.finditer(header)
    }
