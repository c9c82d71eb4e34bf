"""Scores texts and pictures for moderation: a short list of clear cases, and low scores for everything else.

No model reads the text. A sentence that has one of the phrases below in it is flagged in the categories they stand for;
whatever else it says gets scores far below any threshold, which are the same for the same text. Of a picture only its
address is known, and words in that count as they would in a text ("https://example.com/gore/1.png").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from llmsim.dice import Dice, mix

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "sexual",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm/intent",
    "self-harm/instructions",
    "self-harm",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""In the order in which the API tells them."""

PICTURED = frozenset(
    ("sexual", "self-harm", "self-harm/intent", "self-harm/instructions", "violence", "violence/graphic")
)
"""What is looked for in pictures too."""

THRESHOLD = 0.5

_SOMEBODY = (
    r"(?:you|him|her|them|us|everyone|everybody|somebody|someone|people|all of (?:you|them)|those \w+|these \w+)"
)
_GROUP = (
    r"(?:immigrants|foreigners|refugees|muslims|jews|christians|hindus|black people|white people|asians|latinos|"
    r"gypsies|gays|gay people|lesbians|trans people|women|disabled people)"
)


class Case(NamedTuple):
    """A clear case: without one of the words the sentence is not looked at; the pattern says what it has to say."""

    words: frozenset[str]
    pattern: re.Pattern[str]
    categories: tuple[str, ...]


def _case(words: str, pattern: str, categories: str) -> Case:
    return Case(frozenset(words.split()), re.compile(pattern), tuple(categories.split()))


CASES = (
    # violence
    _case(
        "kill kills killing murder murdering strangle stab stabbing shoot shooting behead slaughter",
        rf"\b(?:kill|murder|strangle|stab|shoot|behead|slaughter)(?:s|ing|bing)? {_SOMEBODY}\b",
        "violence harassment harassment/threatening",
    ),
    _case("hunt", r"\bhunt (?:you|them|him|her) down\b", "violence harassment harassment/threatening"),
    _case("massacre bloodbath torture torturing", r"\b(?:massacre|bloodbath|tortur(?:e|ing))\b", "violence"),
    _case(
        "gore gory dismembered disemboweled entrails decapitated mutilated",
        r"\b(?:gor[ey]|dismembered|disemboweled|entrails|decapitated|mutilated)\b",
        "violence violence/graphic",
    ),
    # self-harm
    _case(
        "suicide myself life die",
        r"\b(?:(?:commit|committing) suicide|(?:kill|killing|cut|cutting|hurt|hurting|harm|harming) myself|"
        r"end my (?:own )?life|i want to die)\b",
        "self-harm self-harm/intent",
    ),
    _case(
        "suicide yourself",
        r"\b(?:how|ways?) to (?:commit suicide|(?:kill|cut|hurt) yourself)\b",
        "self-harm self-harm/instructions",
    ),
    _case("yourself", r"\b(?:go )?kill yourself\b", "harassment harassment/threatening self-harm"),
    _case("starve starving", r"\bstarv(?:e|ing) (?:myself|yourself)\b", "self-harm"),
    # sexual
    _case(
        "porn pornographic pornography hentai nudes erotic sex",
        r"\b(?:porn(?:ographic|ography)?|hentai|nudes|erotic (?:story|scene)|(?:explicit|have) sex|sex scene)\b",
        "sexual",
    ),
    _case(
        "csam child underage",
        r"\b(?:csam|child porn(?:ography)?|underage (?:sex|porn|nudes))\b",
        "sexual sexual/minors",
    ),
    # hate
    _case(
        "hate despise vermin subhuman inferior filthy parasites",
        rf"\b(?:(?:hate|despise) (?:all )?(?:the )?{_GROUP}|"
        rf"{_GROUP} are (?:all )?(?:vermin|subhuman|inferior|filthy|parasites))\b",
        "hate harassment",
    ),
    _case(
        "exterminate eradicate gas lynch kill",
        rf"\b(?:exterminate|eradicate|gas|lynch|kill) (?:all )?(?:the )?{_GROUP}\b",
        "hate hate/threatening violence harassment harassment/threatening",
    ),
    _case("heil supremacy", r"\b(?:heil hitler|white supremacy (?:now|forever))\b", "hate"),
    # harassment
    _case(
        "idiot moron stupid worthless pathetic loser scum",
        r"\byou(?: are|'re)? (?:such )?(?:an? )?(?:\w+ )?(?:idiot|moron|stupid|worthless|pathetic|loser|scum)\b",
        "harassment",
    ),
    # illicit
    _case(
        "shoplift launder counterfeit forge hack steal",
        r"\bhow (?:do i|can i|to) (?:shoplift|launder money|counterfeit|forge (?:a )?passport|hack into|steal)\b",
        "illicit",
    ),
    _case(
        "meth methamphetamine cocaine heroin fentanyl",
        r"\b(?:make|cook|synthesi[sz]e|sell|buy) (?:crystal )?(?:meth(?:amphetamine)?|cocaine|heroin|fentanyl)\b",
        "illicit",
    ),
    _case(
        "bomb bombs explosive explosives grenade silencer",
        r"\b(?:make|build|assemble|plant) (?:an? )?(?:pipe |car |dirty )?(?:bombs?|explosives?|grenade|silencer)\b",
        "illicit illicit/violent violence",
    ),
)

_SENTENCE = re.compile(r"[^.!?\n]+")
_WORD = re.compile(r"[a-z]+")


def scores(texts: Iterable[str], addresses: Iterable[str] = ()) -> dict[str, float]:
    """A number in (0, 1) for each category, of all the texts and the addresses of pictures together."""
    texts, addresses = list(texts), list(addresses)
    seed = mix("moderation", *texts, "pictures", *addresses)
    flagged = {category for text in texts for category in _flagged(text.lower().replace("’", "'"))}
    for address in addresses:
        flagged |= PICTURED.intersection(_flagged(" ".join(_WORD.findall(address.lower()))))
    dice = Dice(seed)
    return {category: _score(dice, category in flagged) for category in CATEGORIES}


def _flagged(text: str) -> set[str]:
    found: set[str] = set()
    for sentence in _SENTENCE.findall(text):
        words = set(_WORD.findall(sentence))
        for case in CASES:
            if not words.isdisjoint(case.words) and case.pattern.search(sentence):
                found.update(case.categories)
    return found


def _score(dice: Dice, flagged: bool) -> float:
    """High for a clear case; else mostly about a hundred thousandth, and a hundredth at most."""
    drawn = dice.random()
    return 1.0 - 0.35 * drawn**3 if flagged else 10.0 ** (5.0 * drawn - 7.0)
