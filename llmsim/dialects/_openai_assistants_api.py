"""What OpenAI's APIs of assistants, threads and runs have in common: the beta header, ids, bodies, refusals.

Source: OpenAI API reference, assistants (version 2 of the beta); the texts are the live API's, as users quote them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import orjson
from pydantic import TypeAdapter

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_refusals import NOT_JSON, invalid, read_object, validated
from llmsim.dialects._openai_vector_store_types import check_chunks
from llmsim.dice import Dice, mix
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

ASSISTANT = "openai.assistant"
"""The kind under which assistants are kept."""

Assistant = dict[str, Any]
"""An assistant as the API tells of it; beside that, under `reasoning_effort`, how hard its model thinks."""

PREFIXES = {"assistant": "asst", "thread": "thread", "message": "msg", "run": "run", "step": "step"}

_AGAIN = "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
_NO_BETA = Failure(
    "invalid",
    f"You must provide the 'OpenAI-Beta' header to access the Assistants API. {_AGAIN}",
    code="invalid_beta",
)
_OLD_BETA = Failure(
    "invalid",
    f"The v1 Assistants API has been deprecated. {_AGAIN} See the migration guide for more information: "
    "https://platform.openai.com/docs/assistants/migration.",
    code="invalid_beta",
)


class AssistantsApi(Dialect):
    """A part of the API; every route of it asks for the header `OpenAI-Beta: assistants=v2`."""

    provider: ClassVar[str] = "openai"

    def plain(self, method: str, path: str, make: Callable[[Request, Exchange], Any]) -> Route:
        """A route that answers with the JSON of what `make` gives."""

        def answer(request: Request, exchange: Exchange) -> Answer:
            check_beta(request)
            made = make(request, exchange)
            return made if isinstance(made, Answer) else Answer.json(made, headers=wire.headers(exchange, 0))

        return Route(method, path, answer=answer)

    def generation(self, method: str, path: str, read: Callable[[Request], Ask]) -> Route:
        """A route whose reply a model makes."""

        def reading(request: Request) -> Ask:
            check_beta(request)
            return read(request)

        return Route(method, path, read=reading)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


def check_beta(request: Request) -> None:
    """Raises Refused without the header that admits to the beta; it may name other betas besides."""
    told = [beta.strip() for beta in request.headers.get(b"openai-beta", b"").split(b",")]
    if b"assistants=v2" not in told:
        raise Refused(_OLD_BETA if b"assistants=v1" in told else _NO_BETA)


def read_body(request: Request, adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The valid body, which may be left out where nothing in it is required; raises Refused where it is not valid."""
    told = read_object(request.body or b"{}")
    try:
        orjson.dumps(told)
    except (orjson.JSONEncodeError, RecursionError):
        # Nested deeper than any real body: read, but no more to be written.
        raise Refused(NOT_JSON) from None
    checked = validated(adapter, told)
    check_chunks(checked.get("tool_resources"), "tool_resources")
    check_chunks(checked.get("thread"), "thread")
    return checked


def new_id(kind: str, exchange: Exchange, index: int = 0) -> str:
    """An id for the `index`-th thing of a kind that the exchange makes: the kind's prefix and 24 letters and digits."""
    return f"{PREFIXES[kind]}_{Dice(mix(*wire.ids(exchange), kind, index)).text(24)}"


def told_id(request: Request, kind: str) -> str:
    """The id of that kind in the path; raises Refused where it is none."""
    return checked_id(request.params[f"{kind}_id"], kind)


def checked_id(id: str, kind: str) -> str:
    """The id, if it can be one of that kind; raises Refused where it cannot."""
    if not id.startswith(PREFIXES[kind]):
        raise invalid(
            f"Invalid '{kind}_id': '{id[:80]}'. Expected an ID that begins with '{PREFIXES[kind]}'.",
            f"{kind}_id",
            "invalid_value",
        )
    return id


def missing(kind: str, id: str) -> Refused:
    """The exception that says that there is no such thing."""
    name = "run step" if kind == "step" else kind
    return Refused(Failure("not_found", f"No {name} found with id '{id[:80]}'."))


def metadata_of(body: dict[str, Any]) -> dict[str, str]:
    """The metadata in a body, none where it has none."""
    return body.get("metadata") or {}
