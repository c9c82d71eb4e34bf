"""OpenAI's conversations: items kept on the server, which responses read and to which they add.

Source: OpenAI API reference, conversations, and OpenAI's OpenAPI document, schemas ConversationResource and
ConversationItemList.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, ClassVar, Required

import orjson
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _openai_conversations as conversations
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_conversation_items import MADE_ELSEWHERE, kept, shown
from llmsim.dialects._openai_conversations import Conversation
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_objects import object_answer
from llmsim.dialects._openai_refusals import NOT_JSON, invalid, missing, read_object
from llmsim.dialects._openai_responses_ids import Ids, response_of
from llmsim.dialects._openai_responses_input import Item, type_of
from llmsim.dialects._openai_responses_item_types import AnyItem
from llmsim.dialects._openai_responses_items_checks import check_id, check_items
from llmsim.dialects._openai_responses_listing import included
from llmsim.dialects._openai_responses_refusals import validated
from llmsim.dialects._openai_responses_stored import KIND as RESPONSE
from llmsim.dialects._openai_responses_stored import Stored
from llmsim.dialects._openai_types import Metadata
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

MOST_ITEMS = 20
"""Items that may come with one request."""

Items = Annotated[list[AnyItem], Field(fail_fast=True, max_length=MOST_ITEMS)]


@exact
class CreateConversation(TypedDict, total=False):
    """The body of `POST /v1/conversations`."""

    items: Items | None
    metadata: Metadata | None


@exact
class UpdateConversation(TypedDict):
    """The body of `POST /v1/conversations/{id}`."""

    metadata: Metadata | None


@exact
class CreateItems(TypedDict, total=False):
    """The body of `POST /v1/conversations/{id}/items`."""

    items: Required[Annotated[Items, Field(min_length=1)]]


@cache
def _adapter(shape: type) -> TypeAdapter[Any]:
    """The validator of one of these bodies, built when it is first needed."""
    return TypeAdapter(shape)


class OpenAIConversations(Dialect):
    """`/v1/conversations`: create, get, update, delete; `…/items`: create, list, get, delete."""

    kind: ClassVar[str] = "openai_conversations"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """Conversations, and the items of one."""
        one = "/v1/conversations/{conversation_id}"
        item = f"{one}/items/{{item_id}}"
        return [
            Route("POST", "/v1/conversations", answer=self._create),
            Route("GET", one, answer=self._get),
            Route("POST", one, answer=self._update),
            Route("DELETE", one, answer=self._delete),
            Route("POST", f"{one}/items", answer=self._add),
            Route("GET", f"{one}/items", answer=self._list),
            Route("GET", item, answer=self._item),
            Route("DELETE", item, answer=self._remove),
        ]

    def prepare(self) -> None:
        """Builds the validators of its requests: 50 ms and more of work."""
        for shape in (CreateConversation, UpdateConversation, CreateItems):
            _adapter(shape)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)

    # -- conversations

    def _create(self, request: Request, exchange: Exchange) -> Answer:
        told = _read(request, CreateConversation)
        conversation = Conversation(Ids(exchange).item("conv_", 0), self.desk.wall(), told.get("metadata") or {})
        items = self._taken(told.get("items") or [], conversation, exchange)
        conversation.size = len(orjson.dumps(conversation.metadata))
        conversations.add(self.desk.store, conversation, items)
        return object_answer(_told(conversation), exchange)

    def _get(self, request: Request, exchange: Exchange) -> Answer:
        return object_answer(_told(self._find(request)), exchange)

    def _update(self, request: Request, exchange: Exchange) -> Answer:
        conversation = self._find(request)
        metadata = _read(request, UpdateConversation)["metadata"] or {}
        conversations.describe(self.desk.store, conversation, metadata)
        return object_answer(_told(conversation), exchange)

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        id = self._find(request).id
        self.desk.store.pop(conversations.KIND, id)
        return object_answer({"id": id, "object": "conversation.deleted", "deleted": True}, exchange)

    def _find(self, request: Request) -> Conversation:
        id = request.params["conversation_id"]
        check_id("conversation_id", id, "conv")
        found = conversations.find(self.desk.store, id)
        if found is None:
            raise Refused(Failure("not_found", f"Conversation with id '{id[:80]}' not found."))
        return found

    # -- items

    def _add(self, request: Request, exchange: Exchange) -> Answer:
        conversation, include = self._find(request), included(request)
        items = self._taken(_read(request, CreateItems)["items"], conversation, exchange)
        conversations.add(self.desk.store, conversation, items)
        told = {
            "object": "list",
            "data": [shown(item, include) for item in items],
            "first_id": items[0]["id"],
            "last_id": items[-1]["id"],
            "has_more": False,
        }
        return object_answer(told, exchange)

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        conversation, include = self._find(request), included(request)
        listed = page(conversation.items, request)
        return object_answer({**listed, "data": [shown(item, include) for item in listed["data"]]}, exchange)

    def _item(self, request: Request, exchange: Exchange) -> Answer:
        include = included(request)
        return object_answer(shown(self._named(self._find(request), request), include), exchange)

    def _remove(self, request: Request, exchange: Exchange) -> Answer:
        conversation = self._find(request)
        conversations.remove(self.desk.store, conversation, self._named(conversation, request))
        return object_answer(_told(conversation), exchange)

    def _named(self, conversation: Conversation, request: Request) -> Item:
        id = request.params["item_id"]
        for item in conversation.items:
            if item["id"] == id:
                return item
        raise _no_item(id)

    def _taken(self, told: Sequence[Item], conversation: Conversation, exchange: Exchange) -> list[Item]:
        """Items as they are kept; raises Refused for those that cannot be, or are there already."""
        _check(told)
        ids, there, taken = Ids(exchange), {item["id"] for item in conversation.items}, []
        for index, item in enumerate(told):
            reference = type_of(item) == "item_reference"
            made = self._referred(item["id"]) if reference else kept(item, ids, index)
            if made["id"] in there:
                raise invalid(
                    f"Duplicate item found with id {made['id']}. Remove duplicate items from your input and try again.",
                    "items",
                )
            there.add(made["id"])
            taken.append(made)
        return taken

    def _referred(self, id: str) -> Item:
        """The item of that id in what a kept response has answered."""
        found: Stored | None = self.desk.store.get(RESPONSE, response_of(id) or "")
        for item in found.output() if found is not None else ():
            if item["id"] == id:
                return dict(item)
        raise _no_item(id)


def _told(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": conversation.created_at,
        "metadata": conversation.metadata,
    }


def _no_item(id: str) -> Refused:
    return Refused(Failure("not_found", f"Item with id '{id[:80]}' not found."))


# -- requests


def _read(request: Request, shape: type) -> dict[str, Any]:
    """The valid body, which may be left out where nothing in it is required; raises Refused where it is not valid."""
    told = read_object(request.body or b"{}")
    try:
        orjson.dumps(told)
    except (orjson.JSONEncodeError, RecursionError):
        # Nested deeper than any real body: read, but no more to be written.
        raise Refused(NOT_JSON) from None
    return validated(_adapter(shape), told)


def _check(items: Sequence[Item]) -> None:
    """Raises Refused for items that are right by their types and wrong by what they say."""
    for index, item in enumerate(items):
        kind = type_of(item)
        if kind in MADE_ELSEWHERE and not item.get("id"):
            raise Refused(missing(f"items[{index}].id"))
        if kind == "compaction_trigger":
            raise invalid("Invalid item", "item", "invalid_item")
        # A thought may stand alone here, as what it led to may come later.
        if kind != "reasoning":
            _check_one(item, f"items[{index}]")


def _check_one(item: Item, where: str) -> None:
    try:
        check_items([item])
    except Refused as refused:
        told = refused.failure
        message, param = (str(text or "").replace("input[0]", where) for text in (told.message, told.param))
        raise Refused(replace(told, message=message, param=param or None)) from None
