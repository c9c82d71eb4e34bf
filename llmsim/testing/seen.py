"""The requests that a simulator has seen, as a test looks at them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from llmsim import masks
from llmsim.conversation import Ask, Message
from llmsim.exchange import Exchange
from llmsim.journal.search import Query, Reread, with_texts
from llmsim.match import Match, Subject
from llmsim.metrics import outcome
from llmsim.plan import Usage
from llmsim.signs import safe

_SHOWN = 60
"""Characters of a text that a line shows."""


class Seen:
    """One request and what came of it, as it was when it was looked at.

    `number` is the exchange's, as the header `x-llmsim-exchange` told the client. `status` is 0 while none was told.
    """

    def __init__(self, exchange: Exchange, reread: Reread) -> None:
        self._exchange = copy.copy(exchange)
        if exchange.state == "live":
            self._exchange.ask = exchange.ask.again()  # its own lets go of the conversation when it ends
        self._reread = reread

    @property
    def exchange(self) -> Exchange:
        """All that is known about it; its ask keeps no texts once it has ended."""
        return self._exchange

    @property
    def number(self) -> int:
        """The number of the exchange; numbers go on from test to test."""
        return self._exchange.number

    @property
    def model(self) -> str:
        """The model as the client named it."""
        return self._exchange.ask.model

    @property
    def provider(self) -> str:
        """Whose API it was, such as `openai`, `anthropic`, `gemini`."""
        return self._exchange.ask.provider

    @property
    def api(self) -> str:
        """The API, such as `openai_chat`."""
        return self._exchange.ask.dialect

    @property
    def path(self) -> str:
        """The path that was asked."""
        return self._exchange.ask.endpoint

    @property
    def key(self) -> str:
        """The client's key."""
        return self._exchange.ask.key

    @property
    def client(self) -> str:
        """The client's name: `x-llmsim-client`, else the first word of the user agent."""
        return self._exchange.ask.client

    @property
    def stream(self) -> bool:
        """Whether a streamed reply was asked for."""
        return self._exchange.ask.stream

    @property
    def attempt(self) -> int:
        """0 on the first try, 1 on the SDK's first retry, as its header says."""
        return self._exchange.ask.attempt

    @cached_property
    def _ask(self) -> Ask:
        return with_texts(self._exchange, self._reread)

    @cached_property
    def messages(self) -> list[Message]:
        """The conversation: `role`, `text`, `calls` of each turn."""
        return list(self._ask.messages)

    @property
    def text(self) -> str:
        """The newest text of the user."""
        return self._ask.last_user_text

    @property
    def system(self) -> str:
        """The system's text."""
        return "\n".join(one.text for one in self._ask.messages if one.role == "system")

    @property
    def tools(self) -> list[str]:
        """The names of the tools that were offered."""
        return [tool.name for tool in self._ask.tools]

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers, their names in small letters."""
        told = self._exchange.ask.headers.items()
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in told}

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        return self._exchange.request

    @cached_property
    def body(self) -> Any:
        """The body as JSON; None where it is none."""
        return Subject(self._exchange.ask, self._exchange.request).json

    @property
    def status(self) -> int:
        """The HTTP status that was told."""
        return self._exchange.status

    @property
    def outcome(self) -> str:
        """`live`, `ok`, `limited`, `failed`, `cut` or `abandoned`."""
        return outcome(self._exchange)

    @cached_property
    def reply(self) -> str:
        """What the client was sent: words, and the arguments of calls."""
        return self._exchange.text()

    @property
    def usage(self) -> Usage:
        """The tokens of the reply as planned."""
        return self._exchange.plan.usage

    @property
    def mock(self) -> str:
        """The mock that answered; empty for none."""
        return self._exchange.plan.mock

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that struck."""
        return tuple(self._exchange.plan.faults)

    def __repr__(self) -> str:
        """One line of a log; keys are masked."""
        asked, told = masks.text(_short(self.text), self.key), masks.text(_short(self.reply), self.key)
        by = f" ({', '.join(self.faults)})" if self.faults else f" by {self.mock}" if self.mock else ""
        model = masks.text(_short(self.model), self.key)
        what = f"{model} {asked!r}" if model else masks.text(_short(self.path), self.key)
        # The model, the path and names of rules may be anybody's words, and a failed test's report goes to a terminal.
        return safe(f"<#{self.number} {what} -> {self.status or self.outcome} {told!r}{by}>")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class Requests(list[Seen]):
    """What was seen, oldest first."""

    def __init__(self, seen: Iterable[Seen], reread: Reread) -> None:
        super().__init__(seen)
        self._reread = reread

    def matching(self, when: Any) -> Requests:
        """Those that a match means, such as `text:refund` or `status:429`; raises SettingsError for what is none."""
        query = Query(Match(when), self._reread)
        return Requests((one for one in self if query.holds(one.exchange)), self._reread)
