"""The responses that the API keeps, and what of them later requests go on from.

Source: OpenAI's guide "Conversation state".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from llmsim.dialects import _openai_conversations as conversations
from llmsim.dialects._openai_refusals import invalid
from llmsim.dialects._openai_responses_checks import is_bare
from llmsim.dialects._openai_responses_ids import Ids, response_of
from llmsim.dialects._openai_responses_input import Item, Turn, read_turn, type_of
from llmsim.dialects._openai_responses_listing import listed
from llmsim.dialects._openai_responses_request import Context, Told, items_of
from llmsim.dialects._openai_responses_wanted import Wanted
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.store import Store

KIND = "openai.response"
LOCAL = "openai.response_of_socket"
"""The newest response of a web socket, by the socket's key: later frames may go on from it though it is not stored."""

# What a kept response costs beside its texts: its settings in two states, the exchange, and each piece of the plan.
_OWN_BYTES = 2500
_PIECE_BYTES = 16


@dataclass(slots=True)
class Stored:
    """A response; `request` is the body that asked for it, `body` its own JSON once it has ended, empty before."""

    id: str
    exchange: Exchange
    wanted: Wanted
    request: bytes
    body: bytes = b""
    cancelled: bool = False
    _turn: tuple[str, Turn] | None = None

    @property
    def size(self) -> int:
        """What it counts for in the store, in bytes; its texts may stand in its turn once more."""
        texts = 2 * (len(self.request) + len(self.body))
        return _OWN_BYTES + texts + _PIECE_BYTES * len(self.exchange.plan.pieces)

    def status(self, now: float) -> bytes:
        """How far it is at a moment while it has no body; it waits for half the time to its first piece."""
        return b"queued" if self.exchange.time(now) < self.exchange.plan.times[0] / 2 else b"in_progress"

    def output(self) -> list[Item]:
        """The items that it said."""
        found: list[Item] = orjson.loads(self.body)["output"] if self.body else []
        return found


def find(store: Store, id: str) -> Stored:
    """The response of that id; raises Refused where there is none."""
    found: Stored | None = store.get(KIND, id)
    if found is None:
        raise Refused(Failure("not_found", f"Response with id '{id[:100]}' not found."))
    return found


def put(store: Store, stored: Stored, socket: str = "") -> None:
    """Keeps a response, or of one that is not to be stored only the memory of its web socket."""
    if stored.wanted.stores:
        store.put(KIND, stored.id, stored, stored.size)
    elif socket:
        store.put(LOCAL, socket, stored, stored.size)


def input_items(store: Store, stored: Stored) -> list[Item]:
    """The items that a response answers, as the API lists them, oldest first."""
    request = orjson.loads(stored.request)
    told = request.get("input")
    references = [item for item in told if type_of(item) == "item_reference"] if isinstance(told, list) else []
    known = {item["id"]: found for item in references if (found := _find_item(store, item["id"], ())) is not None}
    ids = Ids(stored.exchange)
    return [listed(item, ids, index) for index, item in enumerate(items_of(request, Context(items=known)))]


# -- what a request goes on from


def link(store: Store, request: Told, socket: str = "") -> Context:
    """What stands before a request's own input; raises Refused where it refers to what is not there."""
    model, items = request.get("model") or "", []
    turns = [_turn(store, stored, model) for stored in _earlier(store, request, socket)]
    told = request.get("conversation")
    if told:
        items = _conversation(store, told if isinstance(told, str) else told["id"])
        turns = [read_turn(items, model)]
    return Context(tuple(turns), _references(store, request, items))


def _previous(store: Store, id: str, socket: str) -> Stored:
    found: Stored | None = store.get(KIND, id)
    if found is None and socket:
        newest: Stored | None = store.get(LOCAL, socket)
        found = newest if newest is not None and newest.id == id else None
    if found is None:
        raise invalid(
            f"Previous response with id '{id[:100]}' not found.", "previous_response_id", "previous_response_not_found"
        )
    if not found.body:
        raise invalid(f"Previous response with id '{id[:100]}' has not completed yet.", "previous_response_id")
    return found


def past_items(store: Store, request: Told) -> list[Item]:
    """The items of all responses that a request goes on from, oldest first."""
    return [item for stored in _earlier(store, request, "") for item in input_items(store, stored) + stored.output()]


def _earlier(store: Store, request: Told, socket: str) -> list[Stored]:
    """The response that a request goes on from and all those that this one went on from, oldest first."""
    id = request.get("previous_response_id")
    chain: list[Stored] = []
    stored: Stored | None = _previous(store, id, socket) if id else None
    while stored is not None:
        chain.append(stored)
        stored = store.get(KIND, stored.wanted.previous) if stored.wanted.previous else None
    return chain[::-1]


def _turn(store: Store, stored: Stored, model: str) -> Turn:
    """What a response answered and what it said, read once."""
    kept = stored._turn
    if kept is None or kept[0] != model:
        items = input_items(store, stored) + stored.output()
        kept = stored._turn = (model, read_turn(items, model))
    return kept[1]


def _conversation(store: Store, id: str) -> list[Item]:
    found = conversations.find(store, id)
    if found is None:
        raise Refused(Failure("not_found", f"Conversation with id '{id[:100]}' not found."))
    return list(found.items)


def _references(store: Store, request: Told, items: list[Item]) -> dict[str, Any]:
    """The items that the input names by their ids, and those of its thoughts that come without their content."""
    told = request.get("input")
    named = (
        [item for item in told if type_of(item) == "item_reference" or is_bare(item)] if isinstance(told, list) else []
    )
    known = {}
    for item in named:
        found = _find_item(store, item["id"], items)
        if found is None:
            raise Refused(
                Failure(
                    "not_found",
                    f"Item with id '{item['id'][:100]}' not found. Items are not persisted when `store` is set to "
                    "false. Try again with `store` set to true, or remove this item from your input.",
                    param="input",
                )
            )
        known[item["id"]] = found
    return known


def _find_item(store: Store, id: str, items: list[Item] | tuple[()]) -> Item | None:
    """An item by its id: in a conversation, or in the response that its id belongs to."""
    for item in items:
        if item.get("id") == id:
            return item
    stored: Stored | None = store.get(KIND, response_of(id) or "")
    if stored is None:
        return None
    own = stored.output() + input_items(store, stored)
    return next((item for item in own if item.get("id") == id), None)
