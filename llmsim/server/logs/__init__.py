"""The log of a server: lines for people or as JSON, with the ids that clients have, and without their secrets."""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

from llmsim.server.logs.forms import JsonForm, TextForm
from llmsim.server.logs.lines import Lines

LogFormat = Literal["text", "json"]


def set_up(level: str, form: LogFormat, stream: TextIO | None = None) -> Lines:
    """Sends all that is logged to stderr or the stream, in this form, and gives who writes it.

    What other packages log is written from warnings on, but for `level` debug.
    """
    lines = Lines(stream or sys.stderr)
    lines.setFormatter(JsonForm() if form == "json" else TextForm())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(level.upper() if level in ("debug", "error") else "WARNING")
    logging.getLogger("llmsim").setLevel(level.upper())
    for talkative in ("uvicorn", "watchfiles"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    return lines
