"""The log never holds the server up: it is written beside it, and what nobody can read is left out and counted."""

import io
import logging
from threading import Event

import pytest

from llmsim.server import logs
from llmsim.server.logs import lines
from llmsim.server.logs.lines import Lines


class Sleeper(io.StringIO):
    """A reader who takes nothing until he is woken."""

    def __init__(self):
        super().__init__()
        self.asked, self.awake = Event(), Event()

    def write(self, text):
        self.asked.set()
        self.awake.wait(10)
        return super().write(text)


def record(message, *values, created=0.0):
    one = logging.LogRecord("llmsim", logging.INFO, __file__, 1, message, values, None)
    one.created = created
    return one


def written(handler):
    handler.flush()
    return handler._stream.getvalue().splitlines()


def test_lines_come_in_their_order():
    handler = Lines(io.StringIO())
    for number in range(50):
        handler.emit(record(f"{number} of %s", "all"))
    assert written(handler) == [f"{number} of all" for number in range(50)]


def test_a_sleeping_reader_stops_nobody_and_is_told_what_was_left_out(monkeypatch):
    monkeypatch.setattr(lines, "MOST_WAITING", 3)
    reader = Sleeper()
    handler = Lines(reader)
    handler.emit(record("first"))
    assert reader.asked.wait(10)
    for number in range(10):
        handler.emit(record(f"line {number}"))
    reader.awake.set()
    assert written(handler) == [
        "first",
        "line 0",
        "line 1",
        "line 2",
        "llmsim: 7 lines of the log are left out: nobody read them in time",
    ]


def test_one_error_of_every_request_is_told_so_often_a_second_then_counted():
    handler = Lines(io.StringIO())
    handler.setFormatter(logs.TextForm())
    for number in range(100):
        handler.emit(record("failed %d", number, created=5.0 + number / 1000))
    handler.emit(record("failed %d", 100, created=7.0))
    told = written(handler)
    assert len(told) == lines.MOST_A_SECOND + 1
    assert told[-1].endswith("failed 100 like_it_not_shown=80")


def test_a_reader_that_is_gone_is_no_error():
    stream = io.StringIO()
    handler = Lines(stream)
    stream.close()
    handler.emit(record("hello"))
    handler.flush()


@pytest.mark.parametrize(
    ("level", "ours", "theirs"), [("info", True, False), ("debug", True, True), ("warning", False, False)]
)
def test_the_level_is_for_our_own_lines(level, ours, theirs):
    names = ("", "llmsim", "uvicorn", "watchfiles")
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = logging.getLogger().handlers[:]
    try:
        handler = logs.set_up(level, "text", io.StringIO())
        logging.getLogger("llmsim").info("ours")
        logging.getLogger("stranger").info("theirs")
        told = " ".join(written(handler))
    finally:
        logging.getLogger().handlers[:] = handlers
        for logger, was in before:
            logger.setLevel(was)
    assert ("ours" in told, "theirs" in told) == (ours, theirs)
