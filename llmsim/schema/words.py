"""Likely words for a property: what its name and description are about."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from llmsim.dice import Dice
from llmsim.schema.formats import ADJECTIVES, FIRST_NAMES, FORMATS, LAST_NAMES, NOUNS, listed

_CITIES = (
    "Paris",
    "Lisbon",
    "Tokyo",
    "Nairobi",
    "Toronto",
    "Berlin",
    "Lima",
    "Seoul",
    "Oslo",
    "Austin",
    "Cairo",
    "Sydney",
)
_SENTENCES = (
    "A short overview of the main points and what to do next.",
    "It works well for small teams and grows with them.",
    "The first step is simple, and the rest follows from it.",
    "Results are in line with what was expected this quarter.",
    "Everything needed is listed here, with links to the details.",
    "This option offers the best balance of cost and quality.",
)
_LISTS: dict[str, Sequence[str]] = {
    "city": _CITIES,
    "country": ("France", "Portugal", "Japan", "Kenya", "Canada", "Germany", "Peru", "Norway", "Egypt", "Australia"),
    "countrycode": ("FR", "PT", "JP", "KE", "CA", "DE", "PE", "NO", "EG", "AU"),
    "state": ("California", "Bavaria", "Ontario", "Texas", "Queensland", "Tuscany"),
    "firstname": FIRST_NAMES,
    "lastname": LAST_NAMES,
    "color": ("blue", "green", "red", "amber", "teal", "violet", "white", "black"),
    "currency": ("USD", "EUR", "GBP", "JPY", "CAD", "CHF"),
    "language": ("English", "French", "Spanish", "Japanese", "German", "Portuguese"),
    "locale": ("en-US", "fr-FR", "es-ES", "ja-JP", "de-DE", "pt-BR"),
    "timezone": ("UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Africa/Nairobi"),
    "unit": ("celsius", "km", "kg", "hours", "items"),
    "status": ("active", "pending", "done", "open"),
    "category": ("travel", "books", "health", "finance", "music", "food"),
    "type": ("standard", "basic", "premium", "default"),
    "company": ("Northwind", "Acme", "Globex", "Initech", "Umbrella Labs", "Blue Harbor"),
    "job": ("engineer", "teacher", "designer", "nurse", "analyst", "chef"),
    "gender": ("female", "male"),
    "sentiment": ("positive", "neutral", "negative"),
    "priority": ("low", "medium", "high"),
    "path": ("/data/report.csv", "/docs/readme.md", "src/main.py", "images/photo.png"),
    "filename": ("report.csv", "readme.md", "main.py", "photo.png"),
    "code": ("print('hello')", "x = 1 + 2", "return total / count"),
    "sql": ("SELECT name FROM users LIMIT 10", "SELECT COUNT(*) FROM orders"),
    "weather": ("sunny", "partly cloudy", "light rain", "windy", "clear"),
    "sentence": _SENTENCES,
    "text": _SENTENCES,
    "food": ("tomatoes", "rice", "olive oil", "basil", "chickpeas", "lemon", "garlic", "butter", "noodles"),
    "clock": ("09:00", "10:30", "12:15", "14:30", "18:45", "20:00"),
    "symbol": ("AAPL", "MSFT", "NVDA", "AMZN", "GOOG"),
    "month": ("January", "March", "May", "July", "October"),
    "weekday": ("Monday", "Tuesday", "Thursday", "Friday", "Saturday"),
}
_ALIASES = {
    "city": "location place town destination origin capital birthplace departure arrival from to",
    "country": "nation nationality",
    "state": "region province county",
    "firstname": "givenname forename",
    "lastname": "surname familyname",
    "name": "fullname author person user customer owner assignee recipient username contact displayname"
    " participant attendee member guest friend student employee",
    "title": "headline subject heading label topic theme",
    "query": "question prompt search searchquery q keywords keyword ask request task instruction instructions",
    "text": "content body message input",
    "sentence": "description summary comment comments note notes reason explanation reasoning"
    " bio details answer response rationale feedback thought thoughts analysis conclusion output paragraph review",
    "email": "mail emailaddress",
    "url": "link uri website homepage href image imageurl avatar",
    "date": "day birthday birthdate dob deadline duedate startdate enddate checkin checkout",
    "date-time": "datetime timestamp createdat updatedat moment",
    "clock": "time hour starttime endtime",
    "phone": "telephone mobile fax phonenumber",
    "token": "id identifier key ref reference sku",
    "uuid": "guid",
    "color": "colour",
    "unit": "units",
    "language": "lang",
    "category": "genre tag tags section department",
    "type": "kind",
    "food": "ingredient dish meal cuisine",
    "company": "organization organisation employer vendor brand manufacturer",
    "job": "occupation profession jobtitle role position",
    "path": "filepath directory folder",
    "filename": "file",
    "street": "address addressline streetaddress",
    "zip": "zipcode postcode postalcode",
    "ipv4": "ip ipaddress",
    "hostname": "host domain",
    "symbol": "ticker stock",
    "sql": "statement",
    "weather": "condition conditions forecast",
    "weekday": "dayofweek",
    "version": "release",
}


def _phrase(dice: Dice) -> str:
    return f"{dice.choice(ADJECTIVES)} {dice.choice(NOUNS)}"


_MAKERS: dict[str, Callable[[Dice], str]] = {
    "name": lambda dice: f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}",
    "title": lambda dice: f"The {_phrase(dice)}".title(),
    "query": lambda dice: f"best {_phrase(dice)} in {dice.choice(_CITIES)}",
    "street": lambda dice: f"{dice.between(1, 240)} {dice.choice(NOUNS).title()} Street",
    "zip": lambda dice: f"{dice.between(10_000, 98_999)}",
    "version": lambda dice: f"{dice.below(4)}.{dice.below(10)}.{dice.below(10)}",
    "token": lambda dice: dice.text(12),
    **{name: FORMATS[name] for name in ("email", "url", "date", "date-time", "phone", "uuid", "ipv4", "hostname")},
}
_TOPICS = {
    **{name: name for name in (*_LISTS, *_MAKERS)},
    **{alias: topic for topic, names in _ALIASES.items() for alias in names.split()},
}
# Words that tell what a property is even in the middle of its description.
_TELLING = frozenset(listed("city location country email url date timestamp phone color colour currency language"))
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_EXAMPLE = re.compile(r"(?:\be\.g\.|\bfor example|\bexample:)[,:]?\s*['\"“‘`]?([^'\"”’`);:\n]{1,60})", re.IGNORECASE)


@lru_cache(maxsize=4096)
def topic(name: str, about: str = "") -> str:
    """What a property is about, by its name or else by its description; an empty string where neither tells."""
    words = [word.lower() for word in _WORDS.findall(name)]
    for start in range(len(words)):
        if (joined := "".join(words[start:])) in _TOPICS:
            return _TOPICS[joined]
    for word in reversed(words):
        found = _TOPICS.get(word, _TOPICS.get(word.removesuffix("s"), ""))
        if found:
            return found
    if "YYYY-MM-DD" in about:
        return "date"
    told = (word.lower() for word in _WORDS.findall(about))
    return next((_TOPICS[word] for word in told if word in _TELLING), "")


@lru_cache(maxsize=1024)
def example(about: str) -> str:
    """The example that a description gives ("The city, e.g. San Francisco, CA"), or an empty string."""
    found = _EXAMPLE.search(about)
    return found.group(1).strip(" .,") if found else ""


def word_for(subject: str, dice: Dice) -> str:
    """A likely text about a subject that `topic` names."""
    if subject in _LISTS:
        return dice.choice(_LISTS[subject])
    return _MAKERS.get(subject, _phrase)(dice)


def grown(text: str, least: int, most: int | None, dice: Dice) -> str:
    """The text cut or continued to a length within the limits."""
    if most is not None and len(text) > most:
        text = text[:most].rstrip()
    while len(text) < least:
        text += " " + dice.choice(NOUNS) if text else dice.choice(NOUNS)
    return text if most is None or len(text) <= most else text[:most]
