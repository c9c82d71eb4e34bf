"""OpenAI's Responses API: responses whole and streamed, in the background, kept, resumed, and over web sockets.

Source: OpenAI API reference, responses; Open Responses (openresponses.org).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _openai_conversations as conversations
from llmsim.dialects import _openai_responses_failures as failures
from llmsim.dialects import _openai_responses_request as requests
from llmsim.dialects import _openai_responses_stored as kept
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_lists import page, whole_number
from llmsim.dialects._openai_objects import ObjectEncoder, object_answer
from llmsim.dialects._openai_refusals import invalid
from llmsim.dialects._openai_responses_again import ResumedEncoder, StateEncoder
from llmsim.dialects._openai_responses_body import Body
from llmsim.dialects._openai_responses_compaction import compaction
from llmsim.dialects._openai_responses_encoder import ResponsesEncoder
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_listing import included, shown
from llmsim.dialects._openai_responses_stored import Stored
from llmsim.dialects._openai_responses_wanted import Wanted
from llmsim.dialects._openai_served import is_openais
from llmsim.dialects._openai_validators import SlowStart
from llmsim.errors import Failure
from llmsim.exchange import Exchange

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

_ONE = f"{requests.ENDPOINT}/{{response_id}}"

_STREAMABLE = 300
"""Seconds for which a response that has ended can be streamed again."""


def _slow(method: str, path: str, read: Callable[[Request], Ask], shape: str) -> Route:
    """A route whose bodies are of the shape."""
    validator = requests.VALIDATORS[shape]
    return SlowStart(method, requests.ENDPOINT + path, read=read, ready=lambda: validator.built)


class OpenAIResponses(Dialect):
    """`/v1/responses` and everything below it."""

    kind: ClassVar[str] = "openai_responses"
    provider: ClassVar[str] = "openai"
    early: ClassVar[bool] = True

    def routes(self) -> Sequence[Route]:
        """Creation by HTTP and by web socket, and what becomes of responses afterwards."""
        return [
            _slow("POST", "", self.read, "create"),
            _slow("WEBSOCKET", "", self.read_frame, "frame"),
            _slow("POST", "/input_tokens", self._read_count, "count"),
            _slow("POST", "/compact", self._read_compact, "compact"),
            Route("GET", _ONE, read=self._read_one),
            Route("DELETE", _ONE, answer=self._delete),
            Route("POST", f"{_ONE}/cancel", answer=self._cancel),
            Route("GET", f"{_ONE}/input_items", answer=self._input_items),
        ]

    # -- requests

    def read(self, request: Request) -> Ask:
        """The ask of a request body; raises Refused as OpenAI refuses."""
        return self._linked(requests.read_create(request.body))

    def read_frame(self, request: Request) -> Ask:
        """The ask of a web socket's frame; its answer is always streamed."""
        socket = request.headers.get(b"sec-websocket-key", b"").decode("latin-1")
        failures.check_frame(request.body, self.desk.store, socket)
        ask = self._linked(requests.read_frame(request.body), socket)
        ask.stream = True
        ask.extra = {**ask.extra, "method": request.method, "socket": socket}
        return ask

    def _linked(self, ask: Ask, socket: str = "") -> Ask:
        """The ask with what it goes on from, where it goes on from anything."""
        request = ask.extra.get("request")
        if request is None:
            return ask
        return requests.asked(request, ask.extra["digest"], kept.link(self.desk.store, request, socket))

    def _read_count(self, request: Request) -> Ask:
        return requests.read_count(request.body, partial(kept.link, self.desk.store))

    def _read_compact(self, request: Request) -> Ask:
        store = self.desk.store
        return requests.read_compact(request.body, partial(kept.link, store), partial(kept.past_items, store))

    def _read_one(self, request: Request) -> Ask:
        stored = kept.find(self.desk.store, request.params["response_id"])
        args = request.args
        included(request)
        after = whole_number(args.get("starting_after"), "starting_after", 0)
        streams = failures.truth(args.get("stream"), "stream")
        extra = {
            "stored": stored,
            "after": after,
            "pads": failures.truth(args.get("include_obfuscation"), "include_obfuscation", True),
        }
        ask = Ask("", dialect=self.kind, endpoint=_ONE, parts=0, digest=request.path.encode(), extra=extra)
        if streams:
            self._check_streamable(stored)
            ask.stream, ask.parts, ask.follows = True, None, stored.exchange
        elif after is not None:
            raise invalid("The 'starting_after' parameter is only allowed when 'stream' is enabled.", "starting_after")
        return ask

    def _check_streamable(self, stored: Stored) -> None:
        if stored.cancelled:
            raise invalid("This response can no longer be streamed because it was cancelled.")
        if stored.body and self.desk.wall() - stored.exchange.wall > _STREAMABLE:
            raise invalid("This response can no longer be streamed because it is more than 5 minutes old.")

    # -- replies

    def prepare(self) -> None:
        """Builds the validators of its requests: 50 ms and more of work."""
        for validator in requests.VALIDATORS.values():
            validator.get()

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _openai_heard

        return _openai_heard.responses(body)

    def forgives(self, model: str) -> bool:
        """Whether another than OpenAI serves the model."""
        return not is_openais(model)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange: a new response, one that is kept, or what was counted of one."""
        extra = exchange.ask.extra
        if "count" in extra:
            told = {"object": "response.input_tokens", "input_tokens": extra["count"]}
            return ObjectEncoder(exchange, lambda _: told)
        if "kept" in extra:
            return StateEncoder(exchange, partial(compaction, exchange, extra["kept"]))
        if "stored" in extra:
            return self._again(exchange, extra["stored"])
        wanted: Wanted = extra["wanted"]
        source: Exchange | None = exchange.ask.follows
        if source is not None:
            return self._followed(exchange, wanted, source)
        return ResponsesEncoder(exchange, wanted, self.desk.wall, partial(self._keep, exchange, wanted))

    def _followed(self, exchange: Exchange, wanted: Wanted, source: Exchange) -> Encoder:
        """Answers who asked for a response in the background: that it is waiting, or all of it as it comes."""
        id = Ids(source).response
        stored = self.desk.store.get(kept.KIND, id)
        if stored is None:
            stored = Stored(id, source, wanted, source.request)
            if source.state == "live":
                kept.put(self.desk.store, stored)
        if not exchange.ask.stream:
            return StateEncoder(exchange, partial(Body(source, wanted, Ids(source)).pending, b"queued"))
        return self._replay(exchange, stored, wanted)

    def _again(self, exchange: Exchange, stored: Stored) -> Encoder:
        """Answers who asks for a response again."""
        extra = exchange.ask.extra
        if not exchange.ask.stream:
            return StateEncoder(exchange, partial(self._state, stored))
        replay = self._replay(exchange, stored, stored.wanted, extra["pads"])
        return replay if extra["after"] is None else ResumedEncoder(replay, extra["after"] + 1)

    def _replay(self, exchange: Exchange, stored: Stored, wanted: Wanted, pads: bool = True) -> ResponsesEncoder:
        told = wanted.with_padding(pads and wanted.obfuscates)
        return ResponsesEncoder(exchange, told, self.desk.wall, lambda _, body: stored.body or body, stored.exchange)

    def _state(self, stored: Stored) -> bytes:
        """A kept response as it stands."""
        if stored.body:
            return stored.body
        status = stored.status(self.desk.clock.now())
        return Body(stored.exchange, stored.wanted, Ids(stored.exchange)).pending(status)

    def _keep(self, exchange: Exchange, wanted: Wanted, id: str, body: bytes) -> bytes:
        """Keeps a response that has ended, and adds it to its conversation."""
        store = self.desk.store
        stored = (store.get(kept.KIND, id) if wanted.background else None) or Stored(
            id, exchange, wanted, exchange.request
        )
        stored.body = body
        kept.put(store, stored, exchange.ask.extra.get("socket", ""))
        conversation = conversations.find(store, wanted.conversation) if wanted.conversation else None
        if conversation is not None:
            conversations.add(store, conversation, kept.input_items(store, stored) + stored.output())
        return body

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Keeps a background response that came to a bad end; a good one is kept as it is worded."""
        if answer is not None and answer.status < 400:
            return
        failure = Failure("internal") if answer is None else failures.of_answer(answer)
        wanted: Wanted = exchange.ask.extra["wanted"]
        ids = Ids(exchange)
        self._keep(exchange, wanted, ids.response, Body(exchange, wanted, ids).failed(failure, b""))

    # -- plain answers

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        stored = kept.find(self.desk.store, request.params["response_id"])
        self.desk.store.pop(kept.KIND, stored.id)
        if not stored.body:
            self.desk.stop(stored.exchange)
        return object_answer({"id": stored.id, "object": "response", "deleted": True}, exchange)

    def _cancel(self, request: Request, exchange: Exchange) -> Answer:
        stored = kept.find(self.desk.store, request.params["response_id"])
        if not stored.wanted.background:
            raise invalid("Cannot cancel a synchronous response.")
        if not stored.body:
            stored.cancelled = True
            stored.body = Body(stored.exchange, stored.wanted, Ids(stored.exchange)).cancelled()
            kept.put(self.desk.store, stored)
            self.desk.stop(stored.exchange)
        return Answer(200, stored.body, [(b"content-type", b"application/json"), *wire.headers(exchange, 0)])

    def _input_items(self, request: Request, exchange: Exchange) -> Answer:
        stored = kept.find(self.desk.store, request.params["response_id"])
        include = included(request)
        items = [shown(item, include) for item in kept.input_items(self.desk.store, stored)]
        return object_answer(page(items, request), exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object; over a web socket an event that holds it."""
        return failures.answer(failure, exchange)
