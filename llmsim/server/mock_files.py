"""Files of mocks: read with the place of each problem, watched, and put in force again whenever they change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from llmsim.clock import keep
from llmsim.errors import SettingsError
from llmsim.mocks import Mock, named
from llmsim.server import files
from llmsim.server.turns import turns
from llmsim.settings import sentences
from llmsim.simulator import Simulator

logger = logging.getLogger("llmsim")

LIMIT = 32 << 20
"""Bytes of a file of mocks."""

_TOLD = 50
"""Problems of a file that are told; of more, how many there are."""

_LOOK = 1000
"""Milliseconds after which the files are looked at even if no change was told of, as one before the watch began."""

WHO = "file"
"""Who changes the settings when a file has changed."""


class Read(NamedTuple):
    """What a file holds: its mocks, the tool whose form it has, and what was left out of it, a sentence each."""

    mocks: list[Mock]
    tool: str = "llmsim"
    notes: tuple[str, ...] = ()


def read(path: Path) -> list[Mock]:
    """The mocks in a file; raises what `look` raises."""
    return look(path).mocks


def look(path: Path, called: str = "") -> Read:
    """The mocks in a file, of llmsim's own form or of another tool's; raises SettingsError, a line a problem.

    A mock without a name is called by the file's name, or what the file is `called`, and its place in it.

    A file is a list of mocks or a mapping with `mocks`. Fixtures of aimock, mock-llm, mockllm and llmock are taken too.
    """
    document = files.read_any(path, LIMIT)
    from llmsim.mocks import imports  # here, as most servers read none, and they take their time

    foreign = imports.read(document.values)
    called = called or path.name
    if foreign is None:
        return Read(_made(path, document, _own(path, document), called))
    if foreign.problems:
        told = [_told(path, document, place, sentence) for place, sentence in foreign.problems]
        raise SettingsError(_few(told))
    notes = tuple(_told(path, document, place, sentence) for place, sentence in foreign.notes)
    return Read(_made(path, document, foreign.mocks, called), foreign.tool, notes)


def _own(path: Path, document: files.Document) -> list[tuple[tuple[files.Step, ...], Any]]:
    """The mocks of a file of llmsim's own form, each with its place."""
    raw, base = document.values, tuple[str, ...]()
    if isinstance(raw, dict):
        unknown = [name for name in raw if name != "mocks"]
        if unknown or "mocks" not in raw:
            told = f"{unknown[0]}: there is no such field; there is mocks" if unknown else "it has no mocks"
            raise SettingsError(_told(path, document, [*unknown[:1]], told))
        raw, base = raw["mocks"], ("mocks",)
    if not isinstance(raw, list):
        raise SettingsError(f"{path}: mocks are a list, not a {type(raw).__name__}")
    return [((*base, at), one) for at, one in enumerate(raw)]


def _made(
    path: Path, document: files.Document, raw: Sequence[tuple[Sequence[files.Step], Any]], called: str
) -> list[Mock]:
    made: list[Mock] = []
    problems: list[str] = []
    for at, (place, one) in enumerate(raw):
        try:
            made.append(Mock.model_validate({**one, "source": str(path)} if isinstance(one, dict) else one))
        except ValidationError as error:
            for loc, sentence in sentences(error):
                steps = [*place, *(step for step in loc if step != "json_")]
                problems.append(_told(path, document, steps, f"mock {_name(one, at)}: {sentence}"))
    if problems:
        raise SettingsError(_few(problems))
    try:
        return list(named([_called(one, f"{called}#{at}") for at, one in enumerate(made, 1)]))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def _called(mock: Mock, name: str) -> Mock:
    """With this name where it has none: files of the same form would else name their mocks alike."""
    return mock if mock.name else mock.model_copy(update={"name": name[-200:]})


def _few(problems: Sequence[str]) -> str:
    more = len(problems) - _TOLD
    return "\n".join([*problems[:_TOLD], *([f"and {more} more problems"] if more > 0 else [])])


def _name(one: Any, at: int) -> str:
    name = one.get("name") if isinstance(one, dict) else None
    return str(name) if name else str(at + 1)


def _told(path: Path, document: files.Document, steps: Sequence[files.Step], sentence: str) -> str:
    place = document.place(steps)
    where = f" line {place[0]}" + (f" column {place[1]}" if place[1] else "") if place else ""
    return f"{path}{where}: {sentence}"


class MockFiles:
    """The files that mocks come from; `load` them once, then `watch` them until `stop`."""

    def __init__(self, simulator: Simulator, paths: Sequence[Path]) -> None:
        self.paths = [path.resolve() for path in paths]
        self.problems: dict[str, str] = {}
        self._simulator = simulator
        self._stop: asyncio.Event | None = None
        self._stamps: dict[Path, object] = {}

    def load(self, paths: Sequence[Path] = ()) -> None:
        """Puts the mocks of these files in force, or of all; raises SettingsError and changes nothing if one is wrong.

        Mocks that came from elsewhere stay, and are asked after those of the files where they are as important.
        """
        self._put(self._read(paths))

    async def reload(self, paths: Sequence[Path] = ()) -> None:
        """The same while the server runs: files are read in a thread, as YAML takes its time; raises SettingsError."""
        with turns:
            found = await asyncio.get_running_loop().run_in_executor(None, self._read, paths)
        self._put(found)

    def _read(self, paths: Sequence[Path]) -> dict[Path, Read]:
        wanted = list(paths) or self.paths
        self._stamps |= {path: _stamp(path) for path in wanted}  # before it is read: what changes then is read again
        return {path: look(path, self._called(path)) for path in wanted}

    def _put(self, found: Mapping[Path, Read]) -> None:
        fresh = {str(path): one.mocks for path, one in found.items()}
        kept = self._simulator.settings.mocks
        by_file = {str(path): [one for one in kept if one.source == str(path)] for path in self.paths} | fresh
        others = [one for one in kept if one.source not in by_file]
        mocks = [one for group in by_file.values() for one in group] + others
        names = ", ".join(path.name for path in found)
        self._simulator.change(who=WHO, text=f"mocks from {names}: {len(mocks)} in force", mark="mocks", mocks=mocks)
        for one in found.values():
            if one.notes:
                self._warn(f"read as {one.tool}'s, with something left out: {'; '.join(one.notes)}")

    def _called(self, path: Path) -> str:
        """The name of a file, with its folder's where another has the same."""
        alike = [one for one in self.paths if one.name == path.name]
        return path.name if len(alike) < 2 else f"{path.parent.name}/{path.name}"

    def _warn(self, told: str) -> None:
        logger.warning("mocks: %s", told)
        self._simulator.events.add("warning", f"mocks: {told}", WHO, "mocks")

    def watch(self) -> None:
        """Begins to watch; needs a running event loop."""
        if self.paths:
            self._stop = asyncio.Event()
            keep(self._watch(self._stop), "mock files")

    async def _watch(self, stop: asyncio.Event) -> None:
        from watchfiles import awatch  # late: few servers have files of mocks

        folders = {path.parent for path in self.paths}
        # Folders, as an editor may put a new file in the old one's place.
        watched = awatch(
            *folders,
            recursive=False,
            watch_filter=lambda _, path: Path(path) in self.paths,
            stop_event=stop,
            rust_timeout=_LOOK,
            yield_on_timeout=True,
        )
        async for changes in watched:
            touched = {Path(path) for _, path in changes}
            for path in self.paths:
                if path in touched or _stamp(path) != self._stamps.get(path):
                    await self.again(path)

    async def again(self, path: Path) -> None:
        """Reads a file that has changed; an invalid one is told of, and the mocks that run stay as they are."""
        try:
            await self.reload([path])
        except SettingsError as error:
            self.problems[str(path)] = str(error)
            logger.warning("mocks stay as they were: %s", error)
            self._simulator.events.add("warning", f"mocks stay as they were: {error}", WHO, "mocks")
        else:
            self.problems.pop(str(path), None)

    def stop(self) -> None:
        """Watches no more."""
        if self._stop is not None:
            self._stop.set()


def _stamp(path: Path) -> object:
    """What differs once a file has been written or replaced; None where there is none."""
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino
