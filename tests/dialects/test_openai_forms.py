"""Fields of forms become the JSON they stand for; what stands for none of it stays text, to be refused as such."""

from __future__ import annotations

from typing import Any

import pytest

from llmsim.dialects._multipart import Form, Upload
from llmsim.dialects._openai_forms import digest_of, fields

KINDS: dict[str, type] = {"n": int, "t": float, "on": bool, "list": list, "a.n": int, "a.b.c": bool}


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        ({"x": ["1"]}, {"x": "1"}),
        ({"x": ["1", "2"]}, {"x": "2"}),
        ({"n": ["12"]}, {"n": 12}),
        ({"n": ["1.5"]}, {"n": "1.5"}),
        ({"n": ["9" * 41]}, {"n": "9" * 41}),
        ({"t": ["0.5"]}, {"t": 0.5}),
        ({"t": ["warm"]}, {"t": "warm"}),
        ({"on": ["TRUE"]}, {"on": True}),
        ({"on": ["0"]}, {"on": False}),
        ({"on": ["maybe"]}, {"on": "maybe"}),
        ({"list": ["1"]}, {"list": ["1"]}),
        ({"list": ["1", "2"]}, {"list": ["1", "2"]}),
        ({"a[n]": ["3"], "a[m]": ["3"]}, {"a": {"n": 3, "m": "3"}}),
        ({"a[b][c]": ["true"]}, {"a": {"b": {"c": True}}}),
        ({"a": ["text"], "a[n]": ["3"]}, {"a": {"n": 3}}),
        ({"a[": ["x"], "[b]": ["y"], "a[]b": ["z"]}, {"a[": "x", "[b]": "y", "a[]b": "z"}),
        ({"file": ["x"]}, {}),
    ],
)
def test_fields_are_read_by_their_kinds(texts: dict[str, list[str]], read: dict[str, Any]) -> None:
    assert fields(Form(texts), KINDS) == read


def test_a_digest_stands_for_all_of_a_form_and_no_more() -> None:
    def form(text: str = "x", name: str = "f", data: bytes = b"1") -> Form:
        return Form({"a": [text]}, {"file": [Upload(name, "text/plain", data)]})

    digests = {digest_of(form()), digest_of(form("y")), digest_of(form(name="g")), digest_of(form(data=b"2"))}
    assert len(digests | {digest_of(form(), b"/path")}) == 5
    assert digest_of(form()) == digest_of(form())
