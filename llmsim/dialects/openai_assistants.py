"""OpenAI's assistants: a model with instructions and tools, kept under an id for runs to use.

Source: OpenAI API reference, assistants (version 2 of the beta), and OpenAI's OpenAPI document, schema AssistantObject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from llmsim.dialects import Request, Route
from llmsim.dialects._openai_assistants_api import (
    ASSISTANT,
    Assistant,
    AssistantsApi,
    metadata_of,
    missing,
    new_id,
    read_body,
    told_id,
)
from llmsim.dialects._openai_assistants_checks import check_format, check_sampling, check_tools
from llmsim.dialects._openai_assistants_resources import resources
from llmsim.dialects._openai_assistants_types import CreateAssistant, ModifyAssistant, adapter
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_refusals import NO_MODEL
from llmsim.errors import Refused
from llmsim.exchange import Exchange


class OpenAIAssistants(AssistantsApi):
    """`/v1/assistants`: create, list, get, modify, delete."""

    kind: ClassVar[str] = "openai_assistants"

    def routes(self) -> Sequence[Route]:
        """The assistants, and one of them."""
        one = "/v1/assistants/{assistant_id}"
        return [
            self.plain("POST", "/v1/assistants", self._create),
            self.plain("GET", "/v1/assistants", self._list),
            self.plain("GET", one, self._get),
            self.plain("POST", one, self._modify),
            self.plain("DELETE", one, self._delete),
        ]

    def _create(self, request: Request, exchange: Exchange) -> Any:
        told = read_body(request, adapter(CreateAssistant))
        assistant = {"id": new_id("assistant", exchange), "object": "assistant", "created_at": self.desk.wall()}
        return self._keep({**assistant, **_fields(told)}, exchange)

    def _list(self, request: Request, exchange: Exchange) -> Any:
        return page([_shown(one) for one in self.desk.store.values(ASSISTANT)], request)

    def _get(self, request: Request, exchange: Exchange) -> Any:
        return _shown(self._find(request))

    def _modify(self, request: Request, exchange: Exchange) -> Any:
        assistant = self._find(request)
        told = read_body(request, adapter(ModifyAssistant))
        changed = {name: value for name, value in _fields({**assistant, **told}).items() if name in told}
        return self._keep({**assistant, **changed}, exchange)

    def _delete(self, request: Request, exchange: Exchange) -> Any:
        id = self._find(request)["id"]
        self.desk.store.pop(ASSISTANT, id)
        return {"id": id, "object": "assistant.deleted", "deleted": True}

    def _find(self, request: Request) -> Assistant:
        id = told_id(request, "assistant")
        found: Assistant | None = self.desk.store.get(ASSISTANT, id)
        if found is None:
            raise missing("assistant", id)
        return found

    def _keep(self, assistant: Assistant, exchange: Exchange) -> Any:
        if not assistant["model"]:
            raise Refused(NO_MODEL)
        check_sampling(assistant["model"], assistant)
        check_tools(assistant["tools"])
        check_format(assistant["response_format"], assistant["tools"])
        assistant["tool_resources"] = resources(assistant["tool_resources"], assistant["tools"], self.desk, exchange)
        self.desk.store.put(ASSISTANT, assistant["id"], assistant)
        return _shown(assistant)


def _fields(told: dict[str, Any]) -> dict[str, Any]:
    """What a client can say of an assistant, with what stands for saying nothing."""
    return {
        "name": told.get("name"),
        "description": told.get("description"),
        "model": told["model"],
        "instructions": told.get("instructions"),
        "tools": told.get("tools") or [],
        "top_p": 1.0 if told.get("top_p") is None else told["top_p"],
        "temperature": 1.0 if told.get("temperature") is None else told["temperature"],
        "tool_resources": told.get("tool_resources") or {},
        "metadata": metadata_of(told),
        "response_format": told.get("response_format") or "auto",
        "reasoning_effort": told.get("reasoning_effort"),
    }


def _shown(assistant: Assistant) -> dict[str, Any]:
    return {name: value for name, value in assistant.items() if name != "reasoning_effort"}
