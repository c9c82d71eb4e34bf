"""Tool calls: which of the client's tools a model would call for the user's text, and with which arguments."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from llmsim.conversation import Ask, Tool, ToolCall
from llmsim.dice import Dice
from llmsim.generators import structured

_MOST_CALLS = 4
_LONGEST_INPUT = 120
_LONGEST_KEPT = 400
_WORDS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOP = frozenset(
    _WORDS.findall(
        "a about all an and any are as at be but by can could do does for from get give given has have how i if in"
        " into is it its let make may me my need of on or our out please return returns s set so some tell than that"
        " the their them then there these they this to tool up us use used user using want was we what when where"
        " which who will with would you your"
    )
)


@dataclass(slots=True, frozen=True)
class _Score:
    """How well a tool answers the user's text: the words of the text found in its name and in its description."""

    tool: Tool
    named: frozenset[str]
    described: frozenset[str]

    @property
    def points(self) -> int:
        return 2 * len(self.named) + len(self.described)

    @property
    def words(self) -> frozenset[str]:
        return self.named | self.described

    def stands_alone(self, others: frozenset[str]) -> bool:
        """Whether the text asks for this tool in words that no other tool shares: one of its name or two in all."""
        return bool(self.named - others) or len(self.words - others) > 1


def choose_tools(ask: Ask, dice: Dice) -> tuple[Tool, ...]:
    """The tools to call for the newest user message, among those that the tool choice allows.

    The tool that shares most words with the message is called. Where parallel calls are allowed and several tools have
    words of their own in the message, each is called once, in the order the message names them, at most four. After a
    tool's result a call that is still required goes to a tool that has not been called for this message, as agents
    that take their answer as a call of a tool would go on for ever otherwise.
    """
    choice = ask.tool_choice
    allowed = [tool for tool in ask.tools if not choice.names or tool.name in choice.names]
    if choice.mode == "none" or not allowed:
        return ()
    if ask.answers_a_tool:
        called = _called(ask)
        allowed = [tool for tool in allowed if tool.name not in called] or allowed
    words = _words(ask.last_user_text)
    scores = [_score(tool, words) for tool in allowed]
    if choice.parallel and choice.mode != "named":
        several = _standing_alone(scores, words)
        if len(several) > 1:
            return several[:_MOST_CALLS]
    best = max(score.points for score in scores)
    return (dice.choice([score.tool for score in scores if score.points == best]),)


def _called(ask: Ask) -> set[str]:
    """The names of the tools that have been called since the newest user message."""
    called: set[str] = set()
    for message in reversed(ask.messages):
        if message.role == "user":
            break
        called.update(call.name for call in message.calls)
    return called


def call(tool: Tool, ask: Ask, dice: Dice) -> ToolCall:
    """A call of the tool with arguments that fit its schema, or with free text for a custom tool.

    Raises structured.UnsatisfiableSchema where no arguments can fit.
    """
    hint = ask.last_user_text
    name = f"call_{dice.text(24)}"
    if tool.custom:
        return ToolCall(name, tool.name, _free_text(tool, hint), custom=True)
    schema = tool.schema or {"type": "object", "properties": {}}
    return ToolCall(name, tool.name, structured.text(schema, dice, hint=hint))


def _words(text: str) -> dict[str, None]:
    """The telling words of a text in their order, in small letters and in the singular."""
    found = (word.lower() for word in _WORDS.findall(_CAMEL.sub(" ", text).replace("_", " ")))
    return dict.fromkeys(_singular(word) for word in found if word not in _STOP and len(word) > 1)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _score(tool: Tool, words: dict[str, None]) -> _Score:
    named = _found(tool.name) & words.keys()
    return _Score(tool, named, (_found(tool.description) & words.keys()) - named)


def _found(text: str) -> frozenset[str]:
    """The telling words of a tool's name or description; agents send the same tools with every request."""
    return _kept(text) if len(text) <= _LONGEST_KEPT else frozenset(_words(text))


@lru_cache(maxsize=8192)
def _kept(text: str) -> frozenset[str]:
    return frozenset(_words(text))


def _standing_alone(scores: list[_Score], words: dict[str, None]) -> tuple[Tool, ...]:
    place = {word: at for at, word in enumerate(words)}
    shared = Counter(word for score in scores for word in score.words)
    found = []
    for score in scores:
        others = frozenset(word for word in score.words if shared[word] > 1)
        if score.stands_alone(others):
            found.append((min(place[word] for word in score.words - others), score.tool))
    return tuple(tool for _, tool in sorted(found, key=lambda pair: pair[0]))


def _free_text(tool: Tool, hint: str) -> str:
    line = " ".join(hint.split())
    if len(line) > _LONGEST_INPUT:
        line = line[:_LONGEST_INPUT].rsplit(" ", 1)[0]
    return line or f"input for {tool.name}"
