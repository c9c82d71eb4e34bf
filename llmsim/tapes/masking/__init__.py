"""Takes secrets and personal data out of what is recorded, before anything of it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from llmsim import masks
from llmsim.errors import SettingsError
from llmsim.match.values import compiled
from llmsim.tapes.masking import eventstreams, persons, secrets
from llmsim.tapes.masking.base64s import inner
from llmsim.tapes.masking.disguise import disguise
from llmsim.tapes.masking.views import GAP, Segment, View, form, path, view
from llmsim.tapes.take import Frame, Headers, Take

_SHORTEST = 8
"""Characters of a client's own key that is looked for everywhere; a shorter one may be any word."""

_STEP = 1 << 15
_BEFORE = 256

_ADDRESSED = re.compile(r"organi[sz]ation|project$|^x-forwarded|^forwarded|-ip$|^from$")
"""Headers that say who somebody is."""

_LOGIN = re.compile(r"Basic\s+(\S+)", re.IGNORECASE)


class Masker:
    """Masks as long as what they hide; the same for the same secret, on every tape that is made with the same `key`.

    `patterns` are one's own, as RE2 has them: what they match is masked, or their first group if they have one.
    `regions` are the countries whose phone numbers are known without + in front. Raises SettingsError.
    """

    def __init__(self, patterns: Iterable[str] = (), regions: Sequence[str] = persons.REGIONS, key: str = "") -> None:
        self._patterns = [_compiled(one) for one in patterns]
        self._regions = tuple(one.upper() for one in regions)
        unknown = next((one for one in self._regions if one not in persons.known_regions()), None)
        if unknown is not None:
            raise SettingsError(f"phone region: {unknown!r} is no country's two letters, such as US, DE or JP")
        self._key = key.encode()

    # -- takes

    def take(self, take: Take, own: Sequence[str] = ()) -> Take:
        """The take with everything masked, its bodies as long as they were, and how many masks there are."""
        mine = (*own, *own_secrets(take.request_headers, take.query))
        count = _Count()
        asked = take.request_header("content-type").startswith("application/x-www-form-urlencoded")
        request = self._body(take.request_body, mine, count, is_form=asked)
        body = self._body(take.body, mine, count, joined=True, unfinished=take.end != "done")
        return replace(
            take,
            path=self._written(take.path, path(take.path), mine, count),
            query=self._query(take.query, mine, count),
            request_headers=self._headers(take.request_headers, mine, count),
            headers=self._headers(take.headers, mine, count),
            request_body=request,
            frames=_cut(take.frames, body),
            error=self._text(take.error, mine, count),
            masked=take.masked + count.masks,
        )

    # -- parts

    def text(self, told: str, own: Sequence[str] = ()) -> str:
        """A text, masked."""
        return self._text(told, own, _Count())

    def body(self, told: bytes, own: Sequence[str] = (), *, stream: bool = False, unfinished: bool = False) -> bytes:
        """A body, masked, of as many bytes: JSON, events, text or other; `stream` joins what events say in parts.

        Of an `unfinished` one also what its end has of a secret.
        """
        return self._body(told, own, _Count(), joined=stream, unfinished=unfinished)

    def headers(self, told: Headers, own: Sequence[str] = ()) -> Headers:
        """Headers, masked."""
        return self._headers(told, own, _Count())

    def query(self, told: str, own: Sequence[str] = ()) -> str:
        """A query string, masked."""
        return self._query(told, own, _Count())

    # -- inside

    def _text(self, told: str, own: Sequence[str], count: _Count) -> str:
        return self._written(told, View([[Segment(0, told)]]), own, count) if told else told

    def _query(self, told: str, own: Sequence[str], count: _Count) -> str:
        return self._written(told, form(told), own, count, names=masks.QUERY) if told else told

    def _headers(self, told: Headers, own: Sequence[str], count: _Count) -> Headers:
        return tuple((name, self._header(name.lower(), value, own, count)) for name, value in told)

    def _header(self, name: str, value: str, own: Sequence[str], count: _Count) -> str:
        if "cookie" in name:
            return masks.COOKIE.sub(lambda found: self._cookie(found, count), value)
        if value.startswith("AWS4-"):
            return masks.PARTS.sub(lambda found: found[1] + count.of(found[2], disguise(found[2], self._key)), value)
        if masks.HEADERS.search(name):
            start = secrets.scheme(value)
            return value[:start] + count.of(value[start:], disguise(value[start:], self._key))
        masked = self._text(value, own, count)
        if _ADDRESSED.search(name):
            return count.of(masked, disguise(masked, self._key, person=True))
        return masked

    def _cookie(self, found: re.Match[str], count: _Count) -> str:
        if found[2].lower() in masks.ATTRIBUTES:
            return found[0]
        return f"{found[1]}{found[2]}={count.of(found[3], disguise(found[3], self._key))}"

    def _body(
        self,
        told: bytes,
        own: Sequence[str],
        count: _Count,
        *,
        joined: bool = False,
        unfinished: bool = False,
        is_form: bool = False,
    ) -> bytes:
        if not told:
            return told
        payloads = eventstreams.messages(told)
        if payloads:
            return eventstreams.masked(
                told, payloads, lambda lines: self._body(lines, own, count, joined=joined, unfinished=unfinished)
            )
        text = told.decode("utf-8", "surrogateescape")
        if is_form and text.lstrip()[:1] not in ("{", "["):  # curl calls everything a form
            return _same(told, self._written(text, form(text), own, count, names=masks.QUERY))
        text = inner(text, lambda within: self._inner(within, own, count))
        return _same(told, self._written(text, view(text, joined), own, count, unfinished=unfinished))

    def _inner(self, told: bytes, own: Sequence[str], count: _Count) -> bytes:
        """What stands in a body as base64."""
        text = told.decode()
        return _same(told, self._written(text, view(text, False), own, count))

    def _written(
        self,
        body: str,
        seen: View,
        own: Sequence[str],
        count: _Count,
        *,
        names: re.Pattern[str] | None = None,
        unfinished: bool = False,
    ) -> str:
        """The body with everything masked that is found in a view of it."""
        spans = [*self._found(seen, own, names)]
        if unfinished:
            spans += _begun(seen, own)
        parts, at = [], 0
        edits: list[tuple[int, int, str]] = []
        for start, end, person in _merged(spans):
            secret = seen.text[start:end].partition(GAP)[0]
            edits += seen.edits(body, start, count.of(secret, disguise(secret, self._key, person=person)))
        for start, end, new in sorted(edits):
            parts += [body[at:start], new]
            at = end
        return "".join((*parts, body[at:])) if parts else body

    def _found(self, seen: View, own: Sequence[str], names: re.Pattern[str] | None) -> Iterator[tuple[int, int, bool]]:
        for first, last, text in _windows(seen.text):
            for start, end, person in self._looked(text, own):
                if first <= start < last:
                    yield start, end, person
        for start, segment in zip(seen.starts, seen.segments, strict=True):
            name = segment.name
            if name and ((names and names.search(name)) or secrets.named(name, segment.text)):
                yield start + secrets.scheme(segment.text), start + len(segment.text), False

    def _looked(self, window: Window, own: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
        offset, text = window
        for start, end in secrets.find(text, own):
            yield offset + start, offset + end, False
        for start, end in persons.find(text, self._regions):
            yield offset + start, offset + end, True
        for pattern in self._patterns:
            for found in pattern.finditer(text):
                start, end = found.span(1 if pattern.groups else 0)
                yield offset + start, offset + end, False


Window = tuple[int, str]
"""A part of a text and where it begins."""


def _windows(text: str) -> Iterator[tuple[int, int, Window]]:
    """A text in parts, each with as much before and behind as what begins in it needs.

    An expression that searches holds up all other threads until it is through; with parts no reply waits for long.
    """
    if len(text) <= _STEP + masks.LONGEST:
        yield 0, len(text), (0, text)
        return
    for start in range(0, len(text), _STEP):
        before = max(0, start - _BEFORE)
        yield start, start + _STEP, (before, text[before : start + _STEP + masks.LONGEST])


class _Count:
    """How many masks were made."""

    def __init__(self) -> None:
        self.masks = 0

    def of(self, secret: str, mask: str) -> str:
        """The mask, counted if it is one."""
        self.masks += secret != mask
        return mask


def own_secrets(headers: Headers, query: str = "") -> tuple[str, ...]:
    """The keys that a request brings: they are masked wherever else they stand, whatever they look like."""
    told: list[str] = []
    for name, value in headers:
        name = name.lower()
        if "cookie" in name:
            told += [found[3] for found in masks.COOKIE.finditer(value) if found[2].lower() not in masks.ATTRIBUTES]
        elif masks.HEADERS.search(name):
            told.append(value[secrets.scheme(value) :])
            login = _LOGIN.fullmatch(value)
            if login:
                told += inner_login(login[1])
    seen = form(query)
    told += [one.text for one in seen.segments if one.name and masks.QUERY.search(one.name)]
    return tuple(sorted({one for one in told if len(one) >= _SHORTEST}, key=len, reverse=True))


def inner_login(told: str) -> list[str]:
    """The password in the credentials of basic authentication (RFC 7617)."""
    import base64
    import binascii

    try:
        _, _, password = base64.b64decode(told + "=" * (-len(told) % 4)).decode("utf-8", "replace").partition(":")
    except binascii.Error:
        return []
    return [password]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        found: re.Pattern[str] = compiled(pattern)
    except SettingsError as error:
        raise SettingsError(f"mask pattern: {error}") from None
    if found.search("") is not None:
        raise SettingsError(f"mask pattern: /{pattern}/ fits also where there is nothing; it must not")
    return found


def _merged(spans: Iterable[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """The spans without overlaps: what touches none of another stays, the others become one."""
    merged: list[tuple[int, int, bool]] = []
    for start, end, person in sorted(span for span in spans if span[0] < span[1]):
        if merged and start < merged[-1][1]:
            first, last, other = merged[-1]
            merged[-1] = (first, max(last, end), other and person)
        else:
            merged.append((start, end, person))
    return merged


_UNFINISHED = re.compile(
    rf"(?:{masks.KINDS.pattern})[A-Za-z0-9_.+/=-]*\Z|(?<![\w.])[+(]?\d[\d ()-]{{5,}}\Z|[\w.+-]{{1,64}}@[\w.-]*\Z"
)


def _begun(seen: View, own: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """What may be the beginning of a secret, at the end of texts that broke off."""
    for end in seen.ends:
        start = max(0, end - 256)
        found = _UNFINISHED.search(seen.text, start, end)
        if found:
            yield *found.span(), False
        for one in own:
            length = next(
                (size for size in range(min(len(one), end), 5, -1) if seen.text.endswith(one[:size], 0, end)), 0
            )
            if length:
                yield end - length, end, False


def _same(told: bytes, masked: str) -> bytes:
    """The masked bytes, as many as before; anything else is an error in here, and what is told must not be kept."""
    data = masked.encode("utf-8", "surrogateescape")
    if len(data) != len(told):
        raise ValueError("a mask is not as long as what it hides")
    return data


def _cut(frames: Sequence[Frame], body: bytes) -> tuple[Frame, ...]:
    """The frames with the bytes of a body that is as long as theirs together."""
    cut, at = [], 0
    for frame in frames:
        cut.append(Frame(frame.at, body[at : at + len(frame.data)]))
        at += len(frame.data)
    return tuple(cut)
