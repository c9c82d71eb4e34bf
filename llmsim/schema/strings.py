"""Strings within a schema's limits: by format, by pattern, by the user's words, by the property's name."""

from __future__ import annotations

from collections.abc import Sequence

from llmsim.dice import Dice
from llmsim.schema.document import Json, UnsatisfiableSchema, limits
from llmsim.schema.formats import FORMATS, SHORTEST, lengthened
from llmsim.schema.hints import Hints
from llmsim.schema.patterns import finds, matching, matching_all
from llmsim.schema.words import example, grown, topic, word_for

_TRIES = 6


def string(parts: Sequence[Json], name: str, dice: Dice, hints: Hints, *, wild: bool) -> str:
    """A string that fits all the schemas; `wild` draws an unlikely one, for when the likely ones will not do."""
    least, most = limits(parts, "minLength", "maxLength")
    patterns = list(dict.fromkeys(part["pattern"] for part in parts if "pattern" in part))
    formats = [part["format"] for part in parts if part.get("format") in FORMATS]
    if formats:
        found = _formatted(formats[0], patterns, least, most, dice, hints)
        if found is not None:
            return found
    if patterns:
        return matching_all(patterns, dice, least, most)
    if formats:
        raise UnsatisfiableSchema(f"No text of the format {formats[0]!r} is {least} to {most} characters long.")
    if wild:
        return matching(r"[a-z]{3,7}( [a-z]{2,7})?|\w{6,12}|", dice, least, most)
    about = next((text for part in parts if isinstance(text := part.get("description"), str)), "")
    return _likely(name, about, least, most, dice, hints)


def _formatted(
    name: str, patterns: Sequence[str], least: int, most: int | None, dice: Dice, hints: Hints
) -> str | None:
    def fits(text: str) -> bool:
        return least <= len(text) and (most is None or len(text) <= most) and all(finds(p, text) for p in patterns)

    told = hints.word(name, "url" if name == "uri" else name)
    if told and fits(told):
        return told
    for _ in range(_TRIES if patterns or most is not None else 1):
        text = lengthened(name, FORMATS[name](dice), least, dice)
        if fits(text):
            return text
    shortest = lengthened(name, SHORTEST.get(name, ""), least, dice)
    return shortest if name in SHORTEST and fits(shortest) else None


def _likely(name: str, about: str, least: int, most: int | None, dice: Dice, hints: Hints) -> str:
    subject = topic(name, about)
    told = hints.word(name, subject)
    if not told and about:
        told = example(about)
    if told and len(told) >= least and (most is None or len(told) <= most):
        return told
    text = told if subject in ("query", "text") and told else word_for(subject, dice)
    if least == 0 and most is None:
        return text
    return grown(text, least, most, dice)
