"""A line of the log is one line, whatever a client has written into it, and holds no secret."""

import logging
import sys

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.server.logs.forms import JsonForm, TextForm

FORMS = [TextForm(), JsonForm()]
SECRET = "sk-proj-abcdefghijklmnop"


def record(message="hello", *values, error=None, **extra):
    exc_info = (type(error), error, error.__traceback__) if error else None
    one = logging.LogRecord("llmsim", logging.INFO, __file__, 1, message, values, exc_info)
    one.__dict__.update(extra)
    return one


def raised(text):
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_a_line_for_people_has_its_fields_behind_the_message():
    line = TextForm().format(record("it is %s", "on", fields={"status": 200, "model": "a b", "faults": ["x", "y"]}))
    assert line.endswith('INFO llmsim: it is on status=200 model="a b" faults=x,y')


def test_a_line_of_json_has_the_time_in_utc():
    one = record("hello", fields={"status": 200})
    one.created = 1_700_000_000.25
    assert orjson.loads(JsonForm().format(one)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "info",
        "logger": "llmsim",
        "message": "hello",
        "status": 200,
    }


@pytest.mark.parametrize("form", FORMS)
@given(st.text(st.characters(), max_size=60))
def test_what_a_client_has_written_is_shown_and_never_obeyed(form, text):
    line = form.format(record("%s", text, fields={"model": text}, error=raised(text)))
    assert len(line.splitlines()) == 1 or isinstance(form, TextForm)
    assert all(own.startswith("    | ") for own in line.split("\n")[1:])
    assert all(sign == "\n" or ord(sign) >= 32 for sign in line)
    assert not set(line) & {"\x7f", "\x9b", "\u202e", "\u2028", "\u061c", "\u200b", "\ufeff", "\U000e0041"}
    if isinstance(form, JsonForm) and text.isprintable():
        assert orjson.loads(line)["model"] == text


def test_what_nobody_sees_is_written_out_and_means_the_same():
    unseen = "\xad\u061c\u200b\u200d\u2066\ufeff\U000e0041\U000e007f"
    one = record("%s", unseen, fields={"model": unseen})
    assert r"llmsim: \xad\u061c\u200b\u200d\u2066\ufeff\U000e0041\U000e007f" in TextForm().format(one)
    line = JsonForm().format(one)
    assert line.isascii()
    assert orjson.loads(line)["model"] == orjson.loads(line)["message"] == unseen


def test_a_forged_line_stays_within_its_own():
    line = TextForm().format(record("%s", "x\r\n2026-01-01 00:00:00,000 ERROR llmsim: \x1b[31mhacked"))
    assert "x\\r\\n2026-01-01 00:00:00,000 ERROR llmsim: \\x1b[31mhacked" in line


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_stands_in_a_message_or_in_the_story_of_an_error(form):
    line = form.format(record("key %s", SECRET, error=raised(f"Bearer {SECRET}")))
    assert SECRET not in line
    assert "sk-proj-…mnop" in line


@pytest.mark.parametrize("form", FORMS)
def test_what_is_very_long_is_cut(form):
    assert len(form.format(record("%s", "x" * 10**6, error=raised("y" * 10**6)))) < 100_000


def test_half_a_pair_of_surrogates_is_told_all_the_same():
    assert "\\ud800" in JsonForm().format(record("%s", "\ud800"))
    sys.stdout.write(TextForm().format(record("%s", "\ud800")))
