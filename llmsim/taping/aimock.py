"""Takes as fixtures of aimock (npm @copilotkit/aimock 1.43): what a user said, and what was replied.

The other way about a fixture is no take, as it has no request: `llmsim mocks convert` makes mocks of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from llmsim.conversation import Ask, Message, Reply, Stop
from llmsim.dialects import Request, kinds
from llmsim.errors import Refused
from llmsim.replay.heard import Heard, listen
from llmsim.server.heads import joined
from llmsim.tapes import Take
from llmsim.taping.asked import routes

_FINISH = {Stop.END: "stop", Stop.SEQUENCE: "stop", Stop.LENGTH: "length", Stop.FILTER: "content_filter"}


def mine(raw: Any) -> bool:
    """Whether a document is a file of fixtures."""
    return isinstance(raw, dict) and isinstance(raw.get("fixtures"), list)


def fixtures(takes: Iterable[Take], notes: list[str]) -> dict[str, Any]:
    """The fixtures of these takes; `notes` are told which have no form in it."""
    made: list[dict[str, Any]] = []
    seen: Counter[bytes] = Counter()
    for number, take in enumerate(takes, 1):
        ask, heard = _ask(take), _heard(take)
        response = _response(take, heard)
        if ask is None or response is None:
            notes.append(f"take {number}, {take.method} {take.path}, is left out: it is no reply in words to a message")
            continue
        match = _match(ask)
        key = orjson.dumps(match, option=orjson.OPT_SORT_KEYS)
        if seen[key]:
            match["sequenceIndex"] = seen[key]
        seen[key] += 1
        made.append({"match": match, "response": response, **_paced(take, heard)})
    for one in made:  # a fixture whose match comes again is the first of several
        key = orjson.dumps(one["match"], option=orjson.OPT_SORT_KEYS)
        if seen[key] > 1:
            one["match"]["sequenceIndex"] = 0
    return {"fixtures": made}


def _ask(take: Take) -> Ask | None:
    """What the take asks, read by its API; None where that is no words."""
    headers = joined(
        [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in take.request_headers]
    )
    request = Request(take.method, take.path, take.query, headers, take.request_body)
    found = routes().find(request)
    if found is None or found[1].read is None:
        return None
    try:
        ask = found[1].read(request)
    except Refused:
        return None
    return ask if ask.messages and ask.parts is None else None


def _heard(take: Take) -> Heard | None:
    made = kinds().get(take.dialect)
    return listen(made().hear, take.body) if made is not None and take.frames else None


def _match(ask: Ask) -> dict[str, Any]:
    """What tells this request: the newest message, and the model."""
    last: Message = ask.messages[-1]
    match: dict[str, Any] = {"model": ask.model} if ask.model else {}
    if ask.last_user_text:
        match["userMessage"] = ask.last_user_text
    match["hasToolResult"] = last.role == "tool"
    if last.role == "tool" and last.text:
        match["toolResultContains"] = last.text[:200]
    turns = sum(message.role == "assistant" for message in ask.messages)
    if turns:
        match["turnIndex"] = turns
    return match


def _response(take: Take, heard: Heard | None) -> dict[str, Any] | None:
    if take.status >= 400:
        failure = heard.failure if heard else None
        message = (failure.message if failure else None) or f"status {take.status}"
        told: dict[str, Any] = {"error": {"message": message}, "status": take.status}
        after = take.header("retry-after")
        return {**told, **({"retryAfter": int(after)} if after.isdigit() else {})}
    reply = heard.reply("tape") if heard and take.end == "done" else None
    return None if reply is None or heard is None else _words(reply, heard)


def _words(reply: Reply, heard: Heard) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if reply.text or not reply.calls:
        told["content"] = reply.text
    if reply.thought:
        told["reasoning"] = "".join(reply.thought)
    if reply.calls:
        told["toolCalls"] = [{"name": call.name, "arguments": call.arguments, "id": call.id} for call in reply.calls]
    if reply.finish is not None and reply.finish is not Stop.END:
        told["finishReason"] = _FINISH.get(reply.finish, "stop")
    if heard.usage is not None:
        told["usage"] = {"prompt_tokens": heard.usage.prompt, "completion_tokens": heard.usage.completion}
    return told


def _paced(take: Take, heard: Heard | None) -> dict[str, Any]:
    """The pace of a stream, as aimock has it: the first token and tokens a second."""
    words = len({word.at for word in heard.words}) if heard else 0
    if words < 3 or not take.frames:
        return {}
    first, last = take.frames[0].at, take.frames[-1].at
    if last <= first:
        return {}
    return {"streamingProfile": {"ttft": round(1000 * first), "tps": round((words - 1) / (last - first), 2)}}
