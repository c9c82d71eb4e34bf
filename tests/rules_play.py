"""Plays the examples of docs/rules.md, each as what it is, and says where the page is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import Any

import orjson
import yaml
from rules_page import Block, Group, asked, commands, curl, pairs, part, shows
from rules_world import USUAL, World, rendered
from running import running

from llmsim import cli
from llmsim.errors import SettingsError
from llmsim.match import Match

_VARYING = [
    (r"dice: [0-9a-f]{16}", "dice: …"),
    (r"revision \d+", "revision …"),
]
"""What differs from run to run or says nothing, and what stands for it."""

_MUCH = 2000
"""Characters of a text that the golden file holds."""


class Play:
    """One group of examples: `outcomes` are what came of each, `wrong` where the page says something else."""

    def __init__(self, group: Group, folder: Path) -> None:
        self.group = group
        self.world = World(folder)
        self.outcomes: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.said = ""
        self.answer: Any = None
        self._asked: list[str] = []
        self._driven: Block | None = None
        self._stack = contextlib.AsyncExitStack()

    async def run(self) -> None:
        async with self._stack:
            await self._run()

    async def _run(self) -> None:
        for block in self.group.blocks:
            play = getattr(self, "_" + block.kind.replace(" ", "_"), None)
            if play is None:
                self._complain(block, f"there is no test for an example of the kind {block.kind!r}")
                continue
            outcome = await play(block)
            self.outcomes.append({"example": self.group.name, "kind": block.kind, "text": block.text, **outcome})

    def _complain(self, block: Block, what: str) -> None:
        self.wrong.append(f"docs/rules.md line {block.line}, {block.heading}: {what}")

    def _expect(self, block: Block, told: str, came: str) -> None:
        if not shows(told, came):
            self._complain(block, f"\n  the page says {told}\n  what came is  {came}")

    # -- what a server begins with

    async def _yaml_mocks(self, block: Block) -> dict[str, Any]:
        self.world.load_mocks(block.text)
        return {"mocks": [one.flat() | {"source": "mocks.yaml"} for one in self.world.simulator.settings.mocks]}

    async def _yaml_settings(self, block: Block) -> dict[str, Any]:
        self.world.load_settings(block.text)
        told = self.world.simulator.settings.model_dump(mode="json")
        return {"settings": {name: told[name] for name in yaml.safe_load(block.text)}}

    async def _yaml_mocks_wrong(self, block: Block) -> dict[str, Any]:
        return self._refused(block, lambda: self.world.load_mocks(block.text))

    async def _yaml_settings_wrong(self, block: Block) -> dict[str, Any]:
        return self._refused(block, lambda: self.world.load_settings(block.text))

    def _refused(self, block: Block, load: Any) -> dict[str, Any]:
        before, self.said = self.world.simulator.settings, ""
        try:
            load()
        except SettingsError as error:
            self.said = str(error)
        if not self.said or self.world.simulator.settings is not before:
            self._complain(block, "this was not refused")
        return {"refused": self.said}

    async def _yaml_scenario(self, block: Block) -> dict[str, Any]:
        told = await self.world.send(
            "POST", "/llmsim/scenario", {"content-type": "application/yaml"}, block.text.encode()
        )
        if told.status != 201:
            self._complain(block, told.body.decode())
        return {"began": orjson.loads(told.body)}

    # -- matches

    async def _yaml_match(self, block: Block) -> dict[str, Any]:
        told = []
        for line, mapping in pairs(block.text):
            match = Match(mapping)
            if match != Match(line):
                self._complain(block, f"{line} is not {mapping}, which is {match}")
            if Match(match.mapping()) != match or Match(str(match)) != match:
                self._complain(block, f"{match} does not read as itself again")
            told.append({"line": str(match), "mapping": match.mapping()})
        return {"matches": told}

    async def _text_match_wrong(self, block: Block) -> dict[str, Any]:
        told = []
        for line in filter(str.strip, block.text.splitlines()):
            try:
                Match(line).refuse_late()
                self._complain(block, f"{line} was not refused")
            except SettingsError as error:
                told.append(str(error))
        self.said = "\n".join(told)
        return {"refused": told}

    async def _text_holds(self, block: Block) -> dict[str, Any]:
        told = []
        for line in filter(str.strip, block.text.splitlines()):
            text, sign, request = re.split(r"\s+(holds for|not for)\s+", line, maxsplit=1)
            found = await self._holds(Match(text), request)
            told.append({"match": text, "request": request, "holds": found})
            if found != (sign == "holds for"):
                self._complain(block, f"{text}: it is the other way round for {request}")
        return {"told": told}

    async def _holds(self, match: Match, request: str) -> bool:
        """Whether it holds, asked of the journal and, where it can be, of a mock at the moment of the request."""
        world = World(self.world.folder)
        rules: dict[str, Any] = {"faults": [{"kind": "refuse", "status": 429, "id": "pad-1", "scope": "key:ci"}]}
        late = any(one.field.late for one in match.tree.conditions())
        if not late:
            rules["mocks"] = [{"name": "it", "when": match, "reply": "it holds"}]
        world.simulator.change(**rules)
        for one in request.split(" then "):
            await world.ask(asked(one))
        newest = world.simulator.journal.newest(1)[0]
        seen = bool(world.simulator.journal.find(match, after=newest.number - 1, reread=world.simulator.reread))
        assert late or newest.status == 429 or (newest.plan.mock == "it") == seen, match
        return seen

    # -- requests

    async def _text_asks(self, block: Block) -> dict[str, Any]:
        told: list[str] = []
        expected: list[str] = []
        for line in filter(str.strip, block.text.splitlines()):
            if line.startswith("> "):
                self._all(block, expected, told)
                expected, told = [], rendered(await self.world.ask(asked(line[2:]))).split("\n")
                self._asked += [line, *told]
            elif line.startswith("after "):
                await self.world.clock.advance(float(line.removeprefix("after ").removesuffix(" s")))
            elif not line.startswith("#"):
                expected.append(line.removeprefix("< ").strip())
        self._all(block, expected, told)
        seen, self._asked = self._asked, []
        return {"asked": [_alike(line) for line in seen]}

    def _all(self, block: Block, expected: list[str], told: list[str]) -> None:
        for place in range(max(len(expected), len(told))):
            says = expected[place] if place < len(expected) else "nothing"
            came = told[place] if place < len(told) else "nothing"
            self._expect(block, says, _alike(came))

    # -- commands

    async def _sh(self, block: Block) -> dict[str, Any]:
        told = []
        for words in commands(block.text):
            if words[0] == "curl":
                told.append(await self._curl(block, words))
            elif words[:2] == ["llmsim", "ctl"]:
                told.append(await self._ctl(block, words))
            elif words[0] == "llmsim":
                cli._parser().parse_args(words[1:])
                told.append({"command": words[1]})
            else:
                self._complain(block, f"the test does not know the command {words[0]}")
        return {"told": told}

    async def _ctl(self, block: Block, words: list[str]) -> dict[str, Any]:
        """A command of `llmsim ctl`, run against a server on the loopback that all of its block have in common."""
        if block is not self._driven:
            self._driven = block
            self.runner = await self._stack.enter_async_context(running(**USUAL))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = await asyncio.to_thread(cli.main, ["ctl", "--url", self.runner.url, *words[2:]])
        self.said = printed.getvalue()
        if status:
            self._complain(block, f"{shlex.join(words)} ended with status {status}: {self.said}")
        return {"command": shlex.join(words), "status": status}

    async def _curl(self, block: Block, words: list[str]) -> dict[str, Any]:
        wanted = curl(words)
        answer = await self.world.send(wanted.method, wanted.path, wanted.headers, wanted.body, wanted.endless)
        self.said, self.answer = answer.body.decode(), None
        told: dict[str, Any] = {"request": f"{wanted.method} {wanted.path}", "status": answer.status}
        with contextlib.suppress(orjson.JSONDecodeError):
            self.answer = orjson.loads(answer.body)
        after = self.group.blocks[self.group.blocks.index(block) + 1 :]
        if answer.status >= 400 and not (after and after[0].text.startswith('{"error"')):
            self._complain(block, self.said)
        if self.answer is None:
            return {**told, "text": _alike(self.said)[:_MUCH]}
        return told

    async def _json(self, block: Block) -> dict[str, Any]:
        if not shows(orjson.loads(block.text), self.answer):
            self._complain(block, f"what came is {orjson.dumps(self.answer, option=orjson.OPT_INDENT_2).decode()}")
        return {"answer": part(orjson.loads(block.text), self.answer)}

    async def _text_says(self, block: Block) -> dict[str, Any]:
        came = [line.strip() for line in _alike(self.said).splitlines()]
        for line in filter(str.strip, block.text.splitlines()):
            if not any(shows(line.strip(), one) for one in came):
                self._complain(block, f"\n  the page says {line}\n  what came is  {self.said}")
        return {}

    async def _python(self, block: Block) -> dict[str, Any]:
        printed = io.StringIO()
        async with running(**USUAL) as runner:
            code = block.text.replace("http://127.0.0.1:8080", runner.url)
            with contextlib.redirect_stdout(printed):
                await asyncio.to_thread(exec, code, {"__name__": "example"})
        self.said = printed.getvalue()
        return {"printed": self.said}


def _alike(text: str) -> str:
    for pattern, stands_for in _VARYING:
        text = re.sub(pattern, stands_for, text)
    return text
