"""Forms as OpenAI's APIs take them: fields come as text and are read as the JSON they stand for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

from llmsim.dialects import Request
from llmsim.dialects._multipart import BadForm, Form, Upload, read_form
from llmsim.dialects._openai_refusals import invalid, missing, wrong_type
from llmsim.errors import Refused

# `expires_after[anchor]`, `svg[reasoning][effort]`: how the SDKs write objects.
_NESTED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\]){1,4})")


def openai_form(request: Request) -> Form:
    """The form that the request's body is; raises Refused."""
    try:
        return read_form(request.headers.get(b"content-type", b""), request.body)
    except BadForm as error:
        raise invalid(f"Could not parse multipart form: {error}.") from None


def fields(form: Form, kinds: Mapping[str, type], files: Collection[str] = ("file",)) -> dict[str, Any]:
    """The form's texts as the JSON object that they stand for; the fields that are `files` are left out.

    `kinds` says which fields are no strings, by their paths (`expires_after.seconds`): int, float, bool, or list for
    those that hold several strings. What cannot be read as its kind stays the text it is.
    """
    found: dict[str, Any] = {}
    for name, texts in form.texts.items():
        if name in files:
            continue
        path = _path(name)
        kind = kinds.get(".".join(path), str)
        at = found
        for step in path[:-1]:
            inner = at.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = at[step] = {}
            at = inner
        at[path[-1]] = texts if kind is list else _value(texts[-1], kind)
    return found


def _path(name: str) -> list[str]:
    match = _NESTED.fullmatch(name)
    return [match[1], *match[2][1:-1].split("][")] if match else [name]


def _value(text: str, kind: type) -> Any:
    """The value that a text stands for; the text itself where it stands for none of that kind."""
    if kind is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(text.strip().lower(), text)
    if kind in (int, float) and len(text) <= 40:
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def file_of(form: Form, name: str) -> Upload:
    """The file of that name; raises Refused where there is none."""
    upload = form.file(name)
    if upload is not None:
        return upload
    text = form.text(name)
    if text is None:
        raise Refused(missing(name))
    raise Refused(wrong_type(name, "file", text))


def digest_of(form: Form, *more: bytes) -> bytes:
    """Stands for all that is in the form, whatever its boundary, which is drawn anew for each request."""
    digest = blake2b(digest_size=16)
    for part in more:
        digest.update(b"%d %b" % (len(part), part))
    for name, texts in form.texts.items():
        digest.update(repr((name, texts)).encode("utf-8", "surrogatepass"))
    for name, uploads in form.files.items():
        for upload in uploads:
            digest.update(repr((name, upload.filename, upload.content_type, len(upload.data))).encode())
            digest.update(upload.data)
    return digest.digest()
