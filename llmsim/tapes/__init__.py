"""Tapes: exchanges with a real API, as they were recorded, one a line; docs/tapes.md describes the format."""

from __future__ import annotations

from llmsim.tapes.reader import Tape
from llmsim.tapes.take import VERSION, End, Frame, Headers, Take
from llmsim.tapes.writer import Writer

__all__ = ["VERSION", "End", "Frame", "Headers", "Take", "Tape", "Writer"]
