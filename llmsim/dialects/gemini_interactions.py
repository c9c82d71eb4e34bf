"""Gemini's interactions: replies in steps, kept by the server, in the background where the client wants that.

Source: google-genai 3.4, its interactions; Google's guides "Interactions API" and "Streaming interactions".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_interaction_checks import invalid
from llmsim.dialects._gemini_interaction_encoder import InteractionEncoder
from llmsim.dialects._gemini_interaction_errors import error_answer
from llmsim.dialects._gemini_interaction_input import contents_of
from llmsim.dialects._gemini_interaction_kept import KIND, Kept, find
from llmsim.dialects._gemini_interaction_request import read_interaction
from llmsim.dialects._gemini_interaction_steps import LOST, resource
from llmsim.dialects._gemini_kept import with_cached
from llmsim.dialects._gemini_made import Made, MadeEncoder
from llmsim.errors import Failure
from llmsim.exchange import Exchange

_PATHS = tuple(f"{version}/interactions" for version in wire.VERSIONS)


class GeminiInteractions(Dialect):
    """`/{version}/interactions`: create, get, stream again, cancel, delete."""

    kind: ClassVar[str] = "gemini_interactions"
    provider: ClassVar[str] = "gemini"
    early: ClassVar[bool] = True

    def routes(self) -> Sequence[Route]:
        """All methods, in every version."""
        routes: list[Route] = []
        for version in wire.VERSIONS:
            every, one = f"{version}/interactions", f"{version}/interactions/{{id}}"
            routes += [
                Route("POST", every, read=self._read),
                Route("GET", one, read=self._get),
                Route("DELETE", one, answer=self._delete),
                Route("POST", f"{one}/cancel", answer=self._cancel),
            ]
        return routes

    def claims(self, request: Request) -> bool:
        """Its own paths, whose errors have a shape of their own."""
        return wire.plain_path(request).startswith(_PATHS)

    def _read(self, request: Request) -> Ask:
        path = wire.plain_path(request)
        ask = read_interaction(request.body, self.desk.store, self.kind, path)
        return with_cached(ask, self.desk.store, self.desk.clock.wall())

    def _get(self, request: Request) -> Ask:
        """How an interaction stands, or its events once more, from behind the last one that the client has seen."""
        kept, args = find(self.desk.store, request.params["id"]), request.args
        if args.get("stream") == "true":
            if kept.told["status"] == "cancelled":
                raise invalid("The interaction was cancelled.", "failed_precondition")
            after = args.get("last_event_id") or "0"
            if not (after.isascii() and after.isdigit()) or len(after) > 9:
                raise invalid(f"Invalid value for 'last_event_id': '{after[:100]}'.")
            ask = Ask(kept.exchange.ask.model, dialect=self.kind, endpoint="/v1beta/interactions/{id}", stream=True)
            ask.follows, ask.shows_thinking = kept.exchange, kept.shows_thinking
            ask.extra = {**kept.extra, "after": after}
            return ask
        shown = {"input": kept.extra["input"]} if args.get("include_input") == "true" else {}
        extra = {"make": lambda exchange: Made({**kept.told, **shown})}
        return Ask("", dialect=self.kind, endpoint="/v1beta/interactions/{id}", parts=0, extra=extra)

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        kept = find(self.desk.store, request.params["id"])
        self.desk.store.pop(KIND, request.params["id"])
        if kept.told["status"] == "in_progress":
            self.desk.stop(kept.exchange)
        return wire.answer({}, exchange)

    def _cancel(self, request: Request, exchange: Exchange) -> Answer:
        kept = find(self.desk.store, request.params["id"])
        if kept.told["status"] != "in_progress":
            raise invalid("Only background interactions that are still in progress can be cancelled.")
        kept.told = {**kept.told, "status": "cancelled"}
        self.desk.stop(kept.exchange)
        return wire.answer(kept.told, exchange)

    # -- what is kept

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words the reply, a plain answer, or how a reply in the background stands."""
        ask = exchange.ask
        if "make" in ask.extra:
            return MadeEncoder(exchange)
        if ask.follows is not None and not ask.stream:
            begun: Exchange = ask.follows
            kept = self._begun(begun, ask)
            ask.extra = {"make": lambda exchange: Made(kept.told)}
            return MadeEncoder(exchange)
        if ask.follows is not None and self.desk.store.get(KIND, wire.interaction_id(ask.follows)) is None:
            self._begun(ask.follows, ask)
        return InteractionEncoder(exchange, self._keep)

    def _begun(self, exchange: Exchange, ask: Ask) -> Kept:
        """An interaction that goes on in the background; `ask` holds what its own may have let go of already."""
        id = wire.interaction_id(exchange)
        kept: Kept | None = self.desk.store.get(KIND, id)
        if kept is None:
            told = resource(exchange, ask.extra["about"], "in_progress", steps=[])
            size = ask.extra["size_before"] + len(exchange.request)
            kept = Kept(told, ask.extra["contents"], exchange, ask.extra, ask.shows_thinking, size)
            self.desk.store.put(KIND, id, kept, size)
        return kept

    def _keep(self, exchange: Exchange, told: dict[str, Any]) -> None:
        """Keeps an interaction that has come to its end, unless the client does not want that."""
        ask = exchange.ask
        if not ask.extra["about"]["store"] or ask.follows is not None:
            return
        contents = [*ask.extra["contents"], *contents_of(told["steps"], ask.extra["contents"])]
        own = len(exchange.request) + 16 * len(exchange.plan.pieces) + len(orjson.dumps(told))
        size = ask.extra["size_before"] + own
        kept = Kept(told, contents, exchange, ask.extra, ask.shows_thinking, size)
        self.desk.store.put(KIND, told["id"], kept, size)

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Notes how a reply in the background ended, where it ended otherwise than as planned."""
        if answer is not None and answer.status == 200:
            return
        kept = self._begun(exchange, exchange.ask)
        error = orjson.loads(answer.body)["error"] if answer is not None else LOST
        kept.told = {**kept.told, "status": "failed", "errors": [error]}

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """An error object with a code of letters."""
        return error_answer(failure, exchange)
