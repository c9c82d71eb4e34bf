"""Records: while it is on, requests are passed on to the real APIs and written to a tape."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from llmsim.clock import keep
from llmsim.errors import SettingsError
from llmsim.server.desk import ServerDesk
from llmsim.server.outlet import Message, Send
from llmsim.server.sockets import Receive
from llmsim.server.turns import turns

if TYPE_CHECKING:
    from llmsim.server.record.options import Recording
    from llmsim.server.record.session import Session
    from llmsim.tapes import Take

__all__ = ["Recorder"]


class Recorder:
    """Switched on and off at run time, for whoever drives a server: its control API, its command, a console.

    While it is `on`, the simulator answers nothing: all but the server's own paths goes to the upstreams.
    """

    def __init__(self, desk: ServerDesk) -> None:
        self._desk = desk
        self._busy = asyncio.Lock()
        self._ending: set[Session] = set()
        self._turns = ExitStack()  # the thread that masks lets the loop go on, which has bytes to pass on
        self.session: Session | None = None

    @property
    def on(self) -> bool:
        """Whether requests are recorded."""
        return self.session is not None

    def told(self) -> dict[str, Any] | None:
        """How the recording is that is under way; None where there is none."""
        return None if self.session is None else self.session.told()

    async def start(self, options: Recording, who: str = "api") -> dict[str, Any]:
        """Begins; raises SettingsError where one is under way or cannot be, TapeError where the tape cannot be had."""
        async with self._busy:
            if self.session is not None:
                tape = self.session.options.tape
                raise SettingsError(f"a recording to {tape} is under way; it has to be stopped first")
            session = await asyncio.get_running_loop().run_in_executor(None, _load)
            desk = self._desk
            desk.routes.complete()
            key = os.environ.get("LLMSIM_MASK_KEY", "")
            self.session = made = session(options, desk.routes, desk.clock, key)
            loop = asyncio.get_running_loop()
            made.scribe.heard = lambda take: loop.call_soon_threadsafe(self._heard, take)
            desk.passing = True
            self._turns.enter_context(turns)
            said = f"; {made.scribe.writer.said}" if made.scribe.writer.said else ""
            desk.simulator.events.add("recorder", f"recording to {options.tape}{said}", who)
            return made.told()

    def _heard(self, take: Take) -> None:
        """Lets a replay beside the recording have what is new on the tape."""
        reels = self._desk.reels
        if reels is not None and self.session is not None and self._desk.simulator.settings.replay == "new_episodes":
            reels.heard(f"{self.session.options.tape} take {self.session.scribe.writer.takes}", take)

    async def stop(self, who: str = "api", *, hurry: bool = False) -> dict[str, Any] | None:
        """Ends it for what comes; what is under way is recorded to its end, in a `hurry` it is ended.

        Gives what was recorded by then, None where nothing was.
        """
        async with self._busy:
            session = self.session
            if session is not None:
                self.session, self._desk.passing = None, False
                self._ending.add(session)
        if hurry:
            await asyncio.gather(*(self._ended(one, who, hurry=True) for one in tuple(self._ending)))
        elif session is not None and session.live:
            keep(self._ended(session, who), "end of a recording")
        elif session is not None:
            await self._ended(session, who)
        return None if session is None else session.told()

    def finish(self) -> None:
        """Ends what is under way, as the server is to end."""
        for session in (*self._ending, *((self.session,) if self.session else ())):
            session.finish()

    async def _ended(self, session: Session, who: str, *, hurry: bool = False) -> None:
        await session.close(hurry=hurry)
        if session not in self._ending:
            return  # told already, by who did not hurry
        self._ending.discard(session)
        if self.session is None and not self._ending:
            self._turns.close()
        told = session.told()
        self._desk.simulator.events.add("recorder", f"recorded {told['exchanges']} exchanges to {told['tape']}", who)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        assert self.session is not None
        await self.session.serve(scope, receive, send)


def _load() -> type[Session]:
    """Imports the HTTP client and what masks, in a thread: replies under way keep their pace."""
    import phonenumbers  # noqa: F401 - so that the first take need not wait for it

    from llmsim.server.record.session import Session

    return Session
