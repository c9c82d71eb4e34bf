"""Bad news from the Responses API: where its words differ from chat's, and how web sockets tell them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from llmsim.dialects import Answer
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_refusals import invalid, missing, read_object, wrong_type
from llmsim.dialects._openai_responses_stored import KIND, LOCAL, Stored
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.store import Store

_FRAMES = "'response.create' and 'response.steer'"


def answer(failure: Failure, exchange: Exchange | None) -> Answer:
    """The failure as an answer, or as the event that a web socket gets in its place."""
    told = wire.error_answer(_worded(failure), exchange, 0)
    if exchange is None or exchange.ask.extra.get("method") != "WEBSOCKET":
        return told
    if isinstance(failure.extra, dict):
        return Answer.json(failure.extra, told.status)
    headers = {name.decode(): value.decode() for name, value in told.headers if name != b"content-type"}
    error = {**orjson.loads(told.body)["error"], "headers": headers}
    return Answer.json({"type": "error", "status": told.status, "error": error}, told.status)


def _worded(failure: Failure) -> Failure:
    """The failure in this API's own words, where it has any."""
    if failure.kind == "not_found" and failure.code == "model_not_found":
        message = f"The requested model '{failure.extra}' does not exist."
        return Failure("invalid", message, param="model", code=failure.code)
    if failure.kind == "context_length":
        message = "Your input exceeds the context window of this model. Please adjust your input and try again."
        return Failure("invalid", message, param="input", code="context_length_exceeded")
    return failure


def of_answer(answer: Answer) -> Failure:
    """The failure that an answer tells."""
    try:
        message = orjson.loads(answer.body)["error"]["message"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        message = None
    return Failure.of_status(answer.status, message)


# -- frames that create nothing


def check_frame(frame: bytes, store: Store, socket: str) -> None:
    """Raises Refused for a frame that creates no response: steering comes too late, as replies take turns."""
    if b"response.create" in frame and b"response.steer" not in frame:
        return
    told = read_object(frame)
    kind = told.get("type")
    if kind == "response.steer":
        raise Refused(_steered(told, store, socket))
    if kind is None:
        raise Refused(missing("type"))
    if kind != "response.create":
        if not isinstance(kind, str):
            raise Refused(wrong_type("type", f"one of {_FRAMES}", kind))
        raise invalid(f"Invalid value: '{kind[:80]}'. Supported values are: {_FRAMES}.", "type", "invalid_value")


def _steered(told: dict[str, Any], store: Store, socket: str) -> Failure:
    id = told.get("previous_response_id")
    for name in ("previous_response_id", "input"):
        if told.get(name) is None:
            return missing(name)
    newest: Stored | None = store.get(LOCAL, socket)
    known = store.get(KIND, str(id)) is not None or (newest is not None and newest.id == id)
    code = "response_already_completed" if known else "response_not_found"
    message = (
        f"Response with id '{id}' has already completed." if known else f"Response with id '{str(id)[:100]}' not found."
    )
    event = {
        "type": "response.steer.failed",
        "sequence_number": 0,
        "error": {"type": "invalid_request_error", "code": code, "message": message},
        "steer": {"input": told["input"], "previous_response_id": id},
    }
    return replace(Failure("invalid", message, code=code), extra=event)


# -- what stands in a query


def truth(told: str | None, name: str, usual: bool = False) -> bool:
    """A yes or no of the query; raises Refused where it is neither."""
    if told in (None, ""):
        return usual
    if told not in ("true", "false", "True", "False", "1", "0"):
        raise invalid(
            f"Invalid type for '{name}': expected a boolean, but got '{str(told)[:40]}' instead.", name, "invalid_type"
        )
    return told in ("true", "True", "1")
