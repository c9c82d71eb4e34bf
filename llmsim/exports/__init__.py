"""The journal for other programs: entries, JSON Lines and HTTP archives, with every secret masked."""

from llmsim.exports.entry import entry, moment
from llmsim.exports.har import Replay, har, har_chunks
from llmsim.exports.lines import jsonl

__all__ = ["Replay", "entry", "har", "har_chunks", "jsonl", "moment"]
