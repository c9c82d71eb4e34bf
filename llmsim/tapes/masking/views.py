"""Lays out a body's texts one after the other as people read them, and knows where each sign of them stands.

A secret may stand in JSON with escapes, in a query with percent signs, or in halves in two events of a stream. Here it
is one piece again; what is put in its place then goes back to where the signs came from, byte for byte.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from llmsim.tapes.masking.documents import Leaf, leaves

GAP = "\n\0\n"
"""Between two texts that have nothing to do with each other."""

_HALF = re.compile("[\ud800-\udfff]")
"""Bytes that are no UTF-8, and halves of pairs: nothing that an expression could look at."""


@dataclass(slots=True)
class Segment:
    """A piece of the body as it is read, where it begins, and how to write a sign in as many characters as before.

    Where some signs are written longer, `longer` has their places in the text, and `skipped` for each how many
    characters more than signs there have been up to its end.
    """

    start: int
    text: str
    name: str = ""
    write: Callable[[str, str], str] | None = None
    longer: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)

    def place(self, at: int) -> tuple[int, int]:
        """Where a sign of the text stands in the body."""
        number = bisect_left(self.longer, at)
        first = self.start + at + (self.skipped[number - 1] if number else 0)
        if number < len(self.longer) and self.longer[number] == at:
            return first, self.start + at + self.skipped[number] + 1
        return first, first + 1


class View:
    """Segments in groups; those of one group are read as one text."""

    def __init__(self, groups: Sequence[Sequence[Segment]]) -> None:
        self.segments: list[Segment] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        """Where texts end that would have gone on, if the body had."""
        last = max((segment.start for group in groups for segment in group), default=0)
        parts, at = [], 0
        for group in groups:
            for segment in group:
                if _HALF.search(segment.text):
                    segment.text = _HALF.sub("\ufffd", segment.text)
                self.segments.append(segment)
                self.starts.append(at)
                parts.append(segment.text)
                at += len(segment.text)
            if _goes_on(group, last):
                self.ends.append(at)
            parts.append(GAP)
            at += len(GAP)
        self.text = "".join(parts)

    def edits(self, body: str, start: int, masked: str) -> Iterator[tuple[int, int, str]]:
        """What to write over the body so that the mask is read from `start` on."""
        number = bisect_right(self.starts, start) - 1
        at = start - self.starts[number]
        for sign in masked:
            while number < len(self.segments) and at >= len(self.segments[number].text):
                number, at = number + 1, 0
            segment = self.segments[number]
            old = segment.text[at]
            if old != sign:
                first, last = segment.place(at)
                new = sign if old.isascii() else _FILLERS[len(old.encode())]
                yield first, last, (segment.write or plain)(body[first:last], new)
            at += 1


_SAYS = frozenset("content text delta arguments partial_json thinking reasoning_content input output".split())
"""Fields that streams say something in, part by part."""


def _goes_on(group: Sequence[Segment], last: int) -> bool:
    """Whether a text is said in parts, or is the last one there is; an id is said again and again, and is whole."""
    first = group[0]
    return any(one.start == last or one.text != first.text for one in group) or first.name in _SAYS


# -- how a sign is written

_FILLERS = {2: "×", 3: "※", 4: "𝟎"}
"""What stands for a sign of so many bytes."""


def plain(old: str, new: str) -> str:
    """The sign itself; in the place of a byte that is no UTF-8 one that is."""
    return "*" if _HALF.match(old) else new


def escaped(old: str, new: str) -> str:
    """The sign as JSON has it; a short escape stays, as it stands for no letter."""
    if len(old) < 6:
        return plain(old, new) if len(old) == 1 else old
    return f"\\u{ord(new):04x}" if ord(new) < 1 << 16 else json.dumps(new)[1:-1]


def quoted(old: str, new: str) -> str:
    """The sign as a query has it."""
    if len(old) == 1:
        return plain(old, new)
    told = "".join(f"%{octet:02X}" for octet in new.encode())
    return told if len(told) == len(old) else "%2A" * (len(old) // 3)


# -- kinds of bodies

_EVENT = re.compile(r"\A(?:\ufeff)?\s*(?:data|event|id|retry)?:")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def view(body: str, joined: bool) -> View:
    """A body's view; `joined` reads a stream's deltas as one text."""
    if _EVENT.match(body):
        return View(_events(body, joined))
    if body.lstrip()[:1] in ("{", "[", '"'):
        return View(_documents(body, [(0, len(body))], joined))
    return View([[Segment(0, body)]])


def _events(body: str, joined: bool) -> list[list[Segment]]:
    """Server-sent events: the data is JSON, the rest is text."""
    data, groups = [], []
    for line in re.finditer(r"[^\r\n]+", body):
        start = line.start() + (len("data:") if line[0].startswith("data:") else 0)
        if body[start : line.end()].lstrip()[:1] in ("{", "["):
            data.append((start, line.end()))
        else:
            groups.append([Segment(line.start(), line[0])])
    return groups + _documents(body, data, joined)


def _documents(body: str, places: Sequence[tuple[int, int]], joined: bool) -> list[list[Segment]]:
    """The texts in JSON; what is no valid JSON is read as far as it goes, and the rest as texts as well."""
    groups: dict[object, list[Segment]] = {}
    for number, (start, end) in enumerate(places):
        for leaf in leaves(body, start, end):
            key = leaf.path if joined and leaf.path is not None else (number, leaf.start)
            groups.setdefault(key, []).append(_leaf(body, leaf))
    return list(groups.values())


def _leaf(body: str, leaf: Leaf) -> Segment:
    raw = body[leaf.start : leaf.end]
    if "\\" not in raw:
        return Segment(leaf.start, raw, leaf.name)
    written = ((found.start(), _unescaped(found[0]), [len(found[0])]) for found in _ESCAPE.finditer(raw))
    return _read(raw, Segment(leaf.start, "", leaf.name, escaped), written)


def _read(raw: str, segment: Segment, written: Iterable[tuple[int, str, Sequence[int]]]) -> Segment:
    """Fills a segment from what it is in the body: `written` has each place with longer signs, those, their lengths."""
    parts, at, signs, skipped = [], 0, 0, 0
    for start, read, lengths in written:
        parts += [raw[at:start], read]
        signs += start - at
        for length in lengths:
            skipped += length - 1
            segment.longer.append(signs)
            segment.skipped.append(skipped)
            signs += 1
        at = start + sum(lengths)
    segment.text = "".join((*parts, raw[at:]))
    return segment


def _unescaped(told: str) -> str:
    if told[1] != "u" or len(told) < 6:
        return _SHORT.get(told[1], told[1])
    if len(told) == 12:
        pair = chr(int(told[2:6], 16)) + chr(int(told[8:12], 16))
        return pair.encode("utf-16", "surrogatepass").decode("utf-16")
    return chr(int(told[2:6], 16))


_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+|\+")


def form(told: str) -> View:
    """The fields of a query or a form, without the percent signs; each segment has its field's name."""
    groups, at = [], 0
    for one in told.split("&"):
        name, sign, value = one.partition("=")
        if sign:
            groups.append([_unquoted(name, at)])
            groups.append([_unquoted(value, at + len(name) + 1, _unquoted(name, 0).text)])
        else:
            groups.append([_unquoted(one, at)])
        at += len(one) + 1
    return View(groups)


def path(told: str) -> View:
    """A path without the percent signs."""
    return View([[_unquoted(told, 0)]])


def _unquoted(raw: str, offset: int, name: str = "") -> Segment:
    written = ((found.start(), *_octets(found[0])) for found in _PERCENT.finditer(raw))
    return _read(raw, Segment(offset, "", name, quoted), written)


def _octets(told: str) -> tuple[str, list[int]]:
    """The signs that percent signs stand for, and how long each is written."""
    if told == "+":
        return " ", [1]
    octets = bytes.fromhex(told.replace("%", ""))
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1"), [3] * len(octets)
    return text, [3 * len(sign.encode()) for sign in text]
