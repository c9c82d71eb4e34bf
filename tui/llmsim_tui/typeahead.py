"""Keys in their order: each is done with before the next, and none is lost while a dialog opens."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Any, Final

from textual.events import Event, Key
from textual.message import Message
from textual.message_pump import MessagePump

from llmsim_tui.console import Console

_LOST: Final = 0.25
"""Seconds after which a key counts as done of which nothing more was heard: its widget went with it."""


class Passed(Message):
    """Follows a key on its way up from widget to widget: where it arrives, the key has been dealt with.

    The `last` one follows what the key itself has set going, such as the message that a line was entered.
    """

    def __init__(self, key: Key, last: bool = False) -> None:
        self.key = key
        self.last = last
        super().__init__()


class TypeAhead(Console):
    """An app that takes keys one after the other.

    Textual hands each key to the widget that has the focus at that moment, so that in a burst the keys behind one that
    opens a dialog would go to the screen below it, or to nobody before the dialog has its focus.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting: deque[Key] = deque()
        self._on_way: Key | None = None
        self._target: MessagePump | None = None
        self._origin: Any = None
        self._lost: asyncio.TimerHandle | None = None

    async def on_event(self, event: Event) -> None:
        """Lets a key wait for its turn; Ctrl+C never waits."""
        if isinstance(event, Key) and not event.is_forwarded and event.key != "ctrl+c":
            self._waiting.append(event)
            await self.type_on()
        else:
            await super().on_event(event)

    async def type_on(self) -> None:
        """Hands on the next key, unless one is on its way or a dialog is opening."""
        while self._waiting and self._on_way is None and getattr(self.screen, "ready", True):
            key = self._on_way = self._waiting.popleft()
            target = self._target = self.focused or self.screen
            self._origin = self.screen
            self._lost = asyncio.get_running_loop().call_later(_LOST, partial(self._passed, key))
            await super().on_event(key)
            if key.is_forwarded:
                target.post_message(Passed(key))
            else:
                self._passed(key)

    def on_key(self, event: Key) -> None:
        """A key that no widget wanted: once the app itself, which comes next, has done what it stands for."""
        self.call_next(self._dealt_with, event)

    def on_passed(self, message: Passed) -> None:
        """A key has been dealt with, or what it has set going."""
        if message.last:
            self._passed(message.key)
        else:
            self._dealt_with(message.key)

    def _dealt_with(self, key: Key) -> None:
        target, self._target = self._target, None
        if self._on_way is not key or target is None:
            return
        # Of a screen that has been left or covered nothing more is to be heard.
        if self._origin is not self.screen or not target.post_message(Passed(key, last=True)):
            self._passed(key)

    def _passed(self, key: Key) -> None:
        if self._on_way is not key:
            return
        self._on_way = None
        if self._lost is not None:
            self._lost.cancel()
        if self._waiting and self.is_running:
            self.call_next(self.type_on)
