"""Reads docs/rules.md: every fenced example with its heading, and the small languages that they are written in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"

KINDS = (
    "yaml mocks",  # a file of mocks, loaded into a new server
    "yaml mocks wrong",  # a file of mocks that is refused
    "yaml settings",  # the settings of a new server
    "yaml settings wrong",
    "yaml scenario",  # begun on a new server, whose clock the test tells
    "yaml match",  # `# LINE` and the mapping that means the same
    "text match wrong",  # a line that is refused, and below it why
    "text holds",  # a match and a request that it holds for, or `!` does not
    "text asks",  # requests and what they get
    "text says",  # lines of what came before: a refusal, or the text of an answer
    "sh",  # curl, or llmsim's own commands
    "json",  # a part of the last answer of curl
    "python",  # run against a server
)


@dataclass(slots=True)
class Block:
    """One example: its heading, the line it begins on, its kind and its text."""

    heading: str
    line: int
    kind: str
    text: str


@dataclass(slots=True)
class Group:
    """Examples that stand on one server: what it begins with, and what is done with it."""

    name: str
    blocks: list[Block] = field(default_factory=list)


def blocks(text: str) -> Iterator[Block]:
    heading, fence, start, lines = "", "", 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if line == "```":
                yield Block(heading, start, fence, "\n".join(lines))
                fence, lines = "", []
            else:
                lines.append(line)
        elif line.startswith("```"):
            fence, start = line[3:].strip() or "none", number
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    assert not fence, f"the example of line {start} has no end"


def groups(text: str) -> list[Group]:
    """The examples in order; a heading or anything in YAML begins a new server."""
    found: list[Group] = []
    counts: dict[str, int] = {}
    for block in blocks(text):
        begins = block.kind.startswith(("yaml", "text holds", "text match", "python"))
        if begins or not found or found[-1].blocks[-1].heading != block.heading:
            counts[block.heading] = count = counts.get(block.heading, 0) + 1
            found.append(Group(f"{block.heading} {count}"))
        found[-1].blocks.append(block)
    return found


# -- requests


@dataclass(slots=True)
class Asked:
    """A request as the page writes it: `MODEL option=value …: TEXT | answer | TEXT`."""

    model: str
    texts: list[str]
    options: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> str:
        told = self.options.get("api")
        if told:
            return told
        for start, api in (("claude", "anthropic"), ("gemini", "gemini"), ("text-embedding", "embeddings")):
            if self.model.startswith(start):
                return api
        return "openai"

    @property
    def headers(self) -> dict[str, str]:
        key = self.options.get("key", "sk-docs")
        told = {name: value for name, value in self.options.items() if name.startswith("x-")}
        if "client" in self.options:
            told["x-llmsim-client"] = self.options["client"]
        own = {
            "anthropic": {"x-api-key": key, "anthropic-version": "2023-06-01"},
            "gemini": {"x-goog-api-key": key},
        }
        known = own.get(self.api, {"authorization": f"Bearer {key}"}) if key else {}
        return {"user-agent": "docs", **known, **told}

    @property
    def path(self) -> str:
        paths = {"anthropic": "/v1/messages", "embeddings": "/v1/embeddings", "openai": "/v1/chat/completions"}
        verb = "streamGenerateContent?alt=sse" if "stream" in self.options else "generateContent"
        return paths.get(self.api, f"/v1beta/models/{self.model}:{verb}")

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = getattr(self, f"_{self.api}")()
        for name, told in self.options.items():
            if name.startswith("body."):
                place = body
                *outer, last = name.split(".")[1:]
                for step in outer:
                    place = place.setdefault(step, {})
                place[last] = _scalar(told)
        return body

    def _openai(self) -> dict[str, Any]:
        roles = ("user", "assistant")
        messages: list[dict[str, Any]] = [
            {"role": roles[at % 2], "content": text} for at, text in enumerate(self.texts)
        ]
        if "system" in self.options:
            messages.insert(0, {"role": "system", "content": self.options["system"]})
        tool = self.options.get("tool")
        if "result" in self.options:
            call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": "{}"}}
            messages.append({"role": "assistant", "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": "call_1", "content": self.options["result"]})
        body: dict[str, Any] = {"model": self.model, "messages": messages}
        if tool is not None:
            body["tools"] = [{"type": "function", "function": {"name": tool, "parameters": {"type": "object"}}}]
        return {**body, **({"stream": True} if "stream" in self.options else {})}

    def _anthropic(self) -> dict[str, Any]:
        body = {key: value for key, value in self._openai().items() if key in ("model", "messages", "stream")}
        body["messages"] = [one for one in body["messages"] if one["role"] != "system"]
        return {**body, "max_tokens": 1000}

    def _gemini(self) -> dict[str, Any]:
        roles = ("user", "model")
        return {"contents": [{"role": roles[at % 2], "parts": [{"text": text}]} for at, text in enumerate(self.texts)]}

    def _embeddings(self) -> dict[str, Any]:
        return {"model": self.model, "input": self.texts[0]}


def _scalar(told: str) -> Any:
    try:
        return orjson.loads(told)
    except orjson.JSONDecodeError:
        return told


def asked(line: str) -> Asked:
    """The request of a line; options with blanks stand in quotation marks."""
    head, _, text = line.partition(": ")
    while head.count('"') % 2:
        more, _, text = text.partition(": ")
        head = f"{head}: {more}"
    model, *told = shlex.split(head)
    options = dict((*one.partition("=")[::2],) for one in told)
    return Asked(model, text.split(" | "), options)


# -- matches


def pairs(text: str) -> Iterator[tuple[str, Any]]:
    """Each line of a match, behind `#`, and the mapping below it."""
    for part in re.split(r"^# ", text, flags=re.MULTILINE):
        if part.strip():
            line, _, mapping = part.partition("\n")
            yield line.strip(), yaml.safe_load(mapping)


# -- commands


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command; one may go on over several lines, within quotation marks or after a backslash."""
    pending = ""
    for line in text.splitlines():
        pending += line.removesuffix("\\") + (" " if line.endswith("\\") else "\n")
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:
            continue
        if line.endswith("\\"):
            continue
        pending = ""
        if words:
            yield words
    assert not pending.strip(), f"this command has no end: {pending}"


@dataclass(slots=True)
class Curl:
    """A request as a line of curl makes it."""

    method: str = "GET"
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless: bool = False


def curl(words: list[str]) -> Curl:
    """The request of a line of curl; fails for options that this does not know."""
    told, method = Curl(), ""
    rest = iter(words[1:])
    for word in rest:
        if word in ("-s", "-sS", "-i"):
            continue
        if word in ("-N", "-sN"):
            told.endless = True
        elif word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(":")
            told.headers[name.strip().lower()] = value.strip()
        elif word in ("-d", "--data-binary"):
            told.body = next(rest).encode()
        else:
            assert not word.startswith("-"), f"the test does not know curl's {word}"
            told.path = re.sub(r"^(https?://)?(localhost|127\.0\.0\.1):8080", "", word)
    told.method = method or ("POST" if told.body else "GET")
    return told


# -- comparing


def shows(told: Any, found: Any) -> bool:
    """Whether a part as the page tells it is in what was found: `…` at an end stands for what is left out."""
    if isinstance(told, dict):
        return isinstance(found, dict) and all(name in found and shows(told[name], found[name]) for name in told)
    if isinstance(told, list):
        if told and told[-1] == "…":
            return isinstance(found, list) and all(map(shows, told[:-1], found)) and len(found) >= len(told) - 1
        return isinstance(found, list) and len(told) == len(found) and all(map(shows, told, found))
    if isinstance(told, str) and isinstance(found, str) and told.endswith("…"):
        return found.startswith(told[:-1])
    return bool(told == found)


def part(told: Any, found: Any) -> Any:
    """As much of what was found as the page tells of it, in full."""
    if isinstance(told, dict) and isinstance(found, dict):
        return {name: part(told[name], found[name]) for name in told if name in found}
    if isinstance(told, list) and isinstance(found, list):
        return [part(*both) for both in zip(told, found, strict=False) if both[0] != "…"]
    return re.sub(r"revision \d+", "revision …", found) if isinstance(found, str) else found
