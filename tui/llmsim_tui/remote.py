"""A simulator on another machine, or in another process, as the console's backend: over its control API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from getpass import getuser
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError

from llmsim import __version__
from llmsim.clock import Clock, RealClock, keep
from llmsim.ctl.client import Client, ControlError
from llmsim.errors import LlmsimError
from llmsim.settings import Settings, explain
from llmsim.views import Pulse
from llmsim.views.frame import FORMAT
from llmsim.views.recording import Seen
from llmsim_tui.link import PATIENCE, KeptClient, apart
from llmsim_tui.remote_rules import RemoteRules
from llmsim_tui.text import moment

_PACE: Final = 0.25
"""Seconds between two frames."""
_HASTE: Final = 0.1
"""Seconds after which what is looked at and has not come is asked for."""
_SLOWEST: Final = 8.0
"""Seconds between two tries to reach a server that is gone, at most; the first come quickly."""
_STALE: Final = 2.0
"""Seconds without a frame after which what is shown is no longer what is."""

FLAG: Final = "--attach"


class Unfit(LlmsimError):
    """A server that no console of this release can be attached to; the message says why."""


class RemoteBackend(RemoteRules):
    """A server's picture, brought up to date a few times a second; every change is a call of its control API."""

    kind: Literal["local", "remote", "replay"] = "remote"

    def __init__(self, url: str, token: str = "", *, watches: bool = False, clock: Clock | None = None) -> None:
        who = f"console of {_user()}"
        made: dict[str, Any] = {"who": who, "patience": PATIENCE, "flag": FLAG}
        super().__init__(Client(url, token, **made))
        self._frames = KeptClient(url, token, **made)
        self._clock = clock or RealClock()
        self._token = token
        self._watches = watches
        self._refused = ""
        self._problem = "nothing has been heard of it yet"
        self._said = ""
        self.failure: LlmsimError | None = None
        self._heard: float | None = None
        self._tries = 0
        self._again_at = 0.0
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.address = urlsplit(self._frames.url).netloc.rpartition("@")[2]
        if ":" not in self.address.rpartition("]")[2]:
            self.address += ":443" if self._frames.url.startswith("https") else ":80"

    @property
    def guarded(self) -> bool:
        """Whether a token goes with each call."""
        return bool(self._token)

    # -- the line

    def start(self) -> None:
        """Goes on asking for frames until it is stopped."""
        self._task = keep(self._run(), "llmsim attached")

    async def stop(self) -> None:
        """Lets go of the server."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._frames.close()

    async def _run(self) -> None:
        while True:
            await self.pull()
            await self.sifted()
            wait = _HASTE if self._problem == "" and self.lacks else _PACE
            if self._problem:
                wait = min(_SLOWEST, _PACE * 2**self._tries)
                self._again_at = self._clock.now() + wait
            over = asyncio.Event()
            timer = self._clock.call_at(self._clock.now() + wait, over.set)
            try:
                await over.wait()
            finally:
                timer.cancel()

    async def pull(self) -> None:
        """Asks for a frame and takes it in; what stands in the way is told, and nothing that was known is lost."""
        async with self._turn:
            for _ in range(2):  # once more where the server has been started anew
                asked, mocks = self.query(), self.in_force.mocks
                try:
                    frame, settings, odd = await apart(lambda a=asked, m=mocks: self._fetched(a, m))  # type: ignore[misc]
                except LlmsimError as error:
                    self._lost(error)
                    return
                self._found(odd)
                self._refused = "" if not frame.get("read_only") else _READ_ONLY
                if self.apply(frame, settings):
                    return
                self.forget()
                self.happened(frame["pulse"]["wall"], "server", _another(frame), self.address)

    def _fetched(self, asked: Mapping[str, Any], mocks: Any) -> tuple[dict[str, Any], Settings | None, str]:
        """A frame, its settings and what was odd about them; in a thread, as thousands of mocks take a while."""
        try:
            frame = self._frames.get("/console", **asked)
        except ControlError as error:
            raise self._explained(error) from None
        if not isinstance(frame, dict) or not {"format", "run", "pulse", "first", "last"} <= frame.keys():
            raise Unfit(f"{self._frames.url} is no llmsim server: what it tells is no picture of one")
        if frame["format"] != FORMAT:
            raise Unfit(
                f"the server is llmsim {frame.get('version')} and this console is of {__version__}: "
                "they do not understand each other; attach with the console of the server's release"
            )
        if "settings" not in frame:
            return frame, None, ""
        return (frame, *read_settings(frame["settings"], mocks))

    def _explained(self, error: ControlError) -> LlmsimError:
        if error.status in (401, 403):
            if self._token:
                return Unfit(f"{self.address} does not take this token; its own is its LLMSIM_CONTROL_TOKEN")
            return Unfit(f"{self.address} wants its token: --token TOKEN, or LLMSIM_CONTROL_TOKEN")
        if error.status == 404 and "there is nothing at" in str(error):
            try:
                version = self._frames.get("/state").get("version")
            except (ControlError, AttributeError):
                version = "of an unknown release"
            return Unfit(
                f"the server is llmsim {version}, older than consoles that attach; "
                f"update it to {__version__}, or drive it with llmsim ctl"
            )
        return Unfit(str(error)) if error.status else error

    def _lost(self, error: LlmsimError) -> None:
        self._tries = min(self._tries + 1, 10)
        self._problem, self.failure = str(error), error
        if self._heard is not None:  # it was the right address: no word on how to name another one
            self._problem = self._problem.partition("; start a server")[0]
        if self._said != self._problem:
            self._said = self._problem
            self.happened(self._clock.wall(), "error", self._problem, "console")

    def _found(self, odd: str) -> None:
        if self._problem and self._heard is not None:
            gone = self._clock.now() - self._heard
            self.happened(self._clock.wall(), "server", f"connected again after {gone:.0f} s", "console")
        self._problem = self._said = ""
        self.failure = None
        self._tries, self._heard = 0, self._clock.now()
        if odd:
            self.happened(self._clock.wall(), "warning", odd, "console")

    def logged(self, kind: str, text: str, who: str = "") -> None:
        """Writes a line of the console's own into its log."""
        self.happened(self._clock.wall(), kind, text, who)

    # -- what is to be known of it

    @property
    def away(self) -> str:
        """Why the server cannot be seen; empty while it can."""
        return self._problem

    @property
    def stale(self) -> bool:
        """Whether nothing has been heard for a while."""
        return bool(self._problem) or self._heard is None or self._clock.now() - self._heard > _STALE

    def shown(self) -> Seen:
        """The picture: its keys are masked over there."""
        return self

    def pulse(self) -> Pulse:
        """The newest figures; what is stale says so."""
        told = super().pulse()
        return replace(told, state="disconnected") if self.stale else told

    @property
    def read_only(self) -> bool:
        """Whether changes are refused, here or there."""
        return bool(self._watches or self._refused)

    @property
    def locked(self) -> str:
        """Why nothing may be changed."""
        if self._watches:
            return "This console only watches: start it without --read-only to change anything."
        if self._refused:
            return self._refused
        return f"The server is away, so that nothing can be changed: {self._problem}" if self._problem else ""

    @property
    def untaped(self) -> str:
        """Why no real APIs can be recorded over there."""
        return self.locked or ("" if self.tapes else _NO_TAPE)

    @property
    def note(self) -> str:
        """That it is elsewhere, what its cluster lacks, whether it may be changed, and of when the picture is."""
        lacks = "" if self.stale else _LACKS.get(self._cluster.get("redis", ""), "")
        words = [f"REMOTE, {lacks}" if lacks else "REMOTE"] + ["READ ONLY"] * self.read_only
        if self.stale and self._heard is not None:
            words.append(f"as of {moment(self.figures.wall)}")
        if self.stale and self._problem and (left := self._again_at - self._clock.now()) > 0:
            words.append(f"retry {left:.0f}s")
        return " · ".join(words)


_READ_ONLY = "This server is read-only for you: it can be looked at, and not changed."

_LACKS: Final = {"lost": "redis lost", "looks for its leader": "no leader"}
"""What a replica lacks that serves on by itself; in the word that the first line never drops."""

_NO_TAPE = "This server cannot record real APIs: it is one of several workers, or of an older release."


def _another(frame: Mapping[str, Any]) -> str:
    """Why the picture is of another run: of a cluster it is the leader's, or the replica's own where there is none."""
    if "cluster" in frame:
        return f"what is shown is now as replica {str(frame['cluster'].get('replica'))[:40]} knows it"
    return "the server has been started anew"


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "somebody"


def read_settings(told: Mapping[str, Any], mocks: Any) -> tuple[Settings | None, str]:
    """The settings of a server, and a sentence where some are of another release and had to be left out."""
    known: dict[str, Any] = {name: value for name, value in told.items() if name in Settings.model_fields}
    known.setdefault("mocks", mocks)
    left = [name for name in told if name not in known]
    for _ in range(len(known)):
        try:
            return Settings(**known), _odd(left)
        except ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors(include_url=False) if one["loc"]} & known.keys()
            if not wrong:
                return None, f"the server's settings cannot be read here: {explain(error)}"
            left += sorted(wrong)
            known = {name: value for name, value in known.items() if name not in wrong}
    return None, _odd(left)


def _odd(left: list[str]) -> str:
    return f"settings of another release are not shown: {', '.join(left)}" if left else ""
