"""A client's broken frame is told in the log as its mistake, in one line."""

from __future__ import annotations

import logging

from llmsim.server.serve import _without_trace


def test_a_frame_that_is_no_utf_8_is_a_warning_without_a_traceback() -> None:
    told = "Invalid UTF-8 sequence received from client."  # as uvicorn says it
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, told, None, (ValueError, ValueError(), None))
    assert _without_trace(record)
    assert (record.exc_info, record.levelname) == (None, "WARNING")


def test_all_else_is_told_as_it_is() -> None:
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "x", None, (ValueError, ValueError(), None))
    assert _without_trace(record)
    assert record.exc_info
