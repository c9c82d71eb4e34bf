"""OpenAI's stored chat completions: those made with `store: true`, listed, shown, changed and deleted.

Source: OpenAI API reference, chat completions: get, list, update, delete, get messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Required

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_refusals import read_object, validated
from llmsim.dialects._openai_stored_chat import KIND, Stored
from llmsim.dialects._openai_types import Metadata
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

PATH = "/v1/chat/completions"


@exact
class Update(TypedDict):
    """What can be changed about a stored completion."""

    metadata: Required[Metadata | None]


@cache
def _adapter() -> TypeAdapter[Update]:
    return TypeAdapter(Update)


class OpenAIStoredChat(Dialect):
    """`/v1/chat/completions/{id}` and the list of all that are kept."""

    kind: ClassVar[str] = "openai_stored_chat"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """Every path but the one that makes completions."""
        return [
            Route("GET", PATH, answer=self._list),
            Route("GET", f"{PATH}/{{id}}", answer=self._one),
            Route("POST", f"{PATH}/{{id}}", answer=self._update),
            Route("DELETE", f"{PATH}/{{id}}", answer=self._delete),
            Route("GET", f"{PATH}/{{id}}/messages", answer=self._messages),
        ]

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        """Those of a model and with metadata as the query says."""
        args = request.args
        wanted = {name[len("metadata[") : -1]: value for name, value in args.items() if name.startswith("metadata[")}
        kept: list[Stored] = self.desk.store.values(KIND)
        found = [
            one.completion
            for one in kept
            if args.get("model") in (None, "", one.completion["model"])
            and wanted.items() <= one.completion["metadata"].items()
        ]
        return _answer(page(found, request, order="asc"), exchange)

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        return _answer(self._found(request).completion, exchange)

    def _update(self, request: Request, exchange: Exchange) -> Answer:
        found = self._found(request)
        told = validated(_adapter(), read_object(request.body))
        found.completion["metadata"] = told["metadata"] or {}
        self.desk.store.put(KIND, found.completion["id"], found, found.size)
        return _answer(found.completion, exchange)

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        name = self._found(request).completion["id"]
        self.desk.store.pop(KIND, name)
        return _answer({"object": "chat.completion.deleted", "id": name, "deleted": True}, exchange)

    def _messages(self, request: Request, exchange: Exchange) -> Answer:
        return _answer(page(self._found(request).messages, request, order="asc"), exchange)

    def _found(self, request: Request) -> Stored:
        """The completion of the path; raises Refused where it is not kept."""
        name = request.params["id"]
        found: Stored | None = self.desk.store.get(KIND, name)
        if found is None:
            raise Refused(Failure("not_found", f"Chat completion with id '{name[:80]}' not found."))
        return found


def _answer(value: Any, exchange: Exchange) -> Answer:
    return Answer.json(value, headers=wire.headers(exchange, 0))
