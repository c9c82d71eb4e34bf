"""Reads bodies and frames of the Responses API: from bytes to an Ask, or to a refusal in OpenAI's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter

from llmsim.catalogue import resolve
from llmsim.conversation import TEXT, Ask, Format, Message
from llmsim.dialects import _openai_responses_checks as checks
from llmsim.dialects import remembered
from llmsim.dialects._openai_chat_request import EFFORT_TOKENS
from llmsim.dialects._openai_prompt_cost import PER_MESSAGE, PER_ROLE, PRIMING, schema_cost, tools_cost
from llmsim.dialects._openai_refusals import NOT_JSON, missing, read_object
from llmsim.dialects._openai_responses_choice import Choice, Use, choose, flat
from llmsim.dialects._openai_responses_echo import echo
from llmsim.dialects._openai_responses_input import Item, Turn, read_turn, total, type_of
from llmsim.dialects._openai_responses_refusals import check_named, validated
from llmsim.dialects._openai_responses_wanted import Wanted
from llmsim.dialects._openai_validators import Validator
from llmsim.errors import Refused
from llmsim.tokens import count_tokens

Told = dict[str, Any]

ENDPOINT = "/v1/responses"

# What a prompt that OpenAI keeps would say; this server keeps none.
_PROMPT_MODEL = "gpt-5"
_HINT = 400


class Context(NamedTuple):
    """What stands before a request's own input: turns of earlier responses or of a conversation, oldest first.

    `items` are the items that the input refers to, by id.
    """

    turns: tuple[Turn, ...] = ()
    items: dict[str, Item] | None = None


NOTHING = Context()


def _validator(shape: str) -> TypeAdapter[Any]:
    # Imported when first needed: the types of all items and tools take their time.
    from llmsim.dialects._openai_responses_types import SHAPES

    return TypeAdapter(SHAPES[shape])


VALIDATORS = {shape: Validator(partial(_validator, shape)) for shape in ("create", "frame", "count", "compact")}
"""What checks bodies and frames, by what they are for."""

Link = Callable[[Told], Context]


# -- what a client may send


@remembered
def read_create(body: bytes) -> Ask:
    """The ask of a body; where it needs what the API keeps, only its `extra["request"]` is right, for `asked`."""
    return _read(body, "create")


@remembered
def read_frame(body: bytes) -> Ask:
    """The ask of a frame that creates a response; likewise."""
    return _read(body, "frame")


def _read(body: bytes, shape: str) -> Ask:
    request = _checked(body, shape)
    checks.check_present(request)
    digest = blake2b(body, digest_size=16).digest()
    if checks.is_linked(request):
        return Ask("", extra={"request": request, "digest": digest})
    return asked(request, digest, NOTHING)


def _checked(body: bytes, shape: str) -> Told:
    """The valid request that a body is."""
    request = read_object(body)
    if shape != "count" and not request.get("prompt"):
        check_named(request)
    validated(VALIDATORS[shape].get(), request)
    try:
        checks.check(request)
        orjson.dumps(request)
    except (orjson.JSONEncodeError, RecursionError):
        # Schemas nested deeper than any real one: read, but no more to be written.
        raise Refused(NOT_JSON) from None
    return request


def read_count(body: bytes, link: Link) -> Ask:
    """The ask of a request that only wants its tokens counted; they are its `extra["count"]`."""
    request = _checked(body, "count")
    if not any(request.get(name) for name in ("input", "previous_response_id", "conversation", "instructions")):
        raise Refused(missing("input"))
    ask = asked(request, b"", link(request) if checks.is_linked(request) else NOTHING)
    return Ask(
        "", dialect=ask.dialect, endpoint=f"{ENDPOINT}/input_tokens", parts=0, extra={"count": ask.prompt_tokens}
    )


def read_compact(body: bytes, link: Link, past: Callable[[Told], list[Item]]) -> Ask:
    """The ask of a request that wants its conversation made short; `extra["kept"]` are the messages that stay.

    `past` gives the items of the responses that the request goes on from.
    """
    request = _checked(body, "compact")
    context = link(request) if checks.is_linked(request) else NOTHING
    if not request.get("input") and not context.turns:
        raise Refused(missing("input"))
    digest = blake2b(body, digest_size=16).digest()
    ask = asked({**request, "input": request.get("input") or []}, digest, context)
    ask.endpoint = f"{ENDPOINT}/compact"
    items = past(request) + items_of(request, context)
    ask.extra["kept"] = [item for item in items if type_of(item) == "message" and item["role"] == "user"]
    return ask


# -- the ask


def items_of(request: Told, context: Context = NOTHING) -> list[Item]:
    """The items of a valid request's input, references resolved."""
    told = request.get("input")
    if isinstance(told, str):
        return [{"type": "message", "role": "user", "content": told}]
    if told is None and request.get("prompt"):
        variables = (request["prompt"].get("variables") or {}).values()
        parts = [{"type": "input_text", "text": one} if isinstance(one, str) else one for one in variables]
        return [{"type": "message", "role": "user", "content": parts}]
    kept = context.items or {}
    return [kept.get(item.get("id") or "", item) if type_of(item) == "item_reference" else item for item in told or ()]


def asked(request: Told, digest: bytes, context: Context) -> Ask:
    """What the client wants, in its context; raises Refused where its calls and their answers do not match."""
    model = request.get("model") or _PROMPT_MODEL
    items = items_of(request, context)
    own = read_turn(items, model)
    checks.check_calls(own, context.turns)
    turns = (*context.turns, own)
    tools = [*(request.get("tools") or ()), *(tool for item in items for tool in _added(item))]
    compacts = bool(items) and type_of(items[-1]) == "compaction_trigger"
    choice, form = (Choice(), TEXT) if compacts else (choose(request, tools), _format(request))
    fixed, system = _fixed(request, model, tools, form)
    messages, spent = _fitting(turns, request, model, fixed)
    uses = _uses(request, choice, items, turns, tools, fixed + spent)
    hint = next((message.text for message in reversed(messages) if message.role == "user"), "")
    wanted = _wanted(request, model, choice, uses, hint, compacts)
    ask = _ask(request, model, choice, wanted)
    ask.messages, ask.prompt_tokens, ask.format, ask.digest = (*system, *messages), fixed + spent, form, digest
    return ask


def _ask(request: Told, model: str, choice: Choice, wanted: Wanted) -> Ask:
    return Ask(
        model,
        dialect="openai_responses",
        endpoint=ENDPOINT,
        tools=choice.tools,
        tool_choice=choice.choice,
        max_tokens=request.get("max_output_tokens"),
        stream=bool(request.get("stream")),
        thinking=_thinking(request, model),
        shows_thinking=wanted.summarizes,
        parts=None if wanted.generates else 0,
        detached=wanted.background,
        extra={"wanted": wanted},
    )


def _added(item: Item) -> Sequence[Told]:
    """The tools that an item brings."""
    return item["tools"] if type_of(item) in ("additional_tools", "tool_search_output") else ()


def _fixed(request: Told, model: str, tools: Sequence[Told], form: Format) -> tuple[int, tuple[Message, ...]]:
    """What a prompt costs beside its turns, and the instructions that stand before them."""
    cost = PRIMING + tools_cost([tool for tool in flat(tools) if tool["type"] in ("function", "custom")], model)
    if form.kind == "schema":
        cost += schema_cost(form.schema, model)
    told = request.get("instructions")
    if not told:
        return cost, ()
    return cost + PER_MESSAGE + PER_ROLE + count_tokens(told, model), (Message("system", told),)


def _fitting(turns: Sequence[Turn], request: Told, model: str, fixed: int) -> tuple[list[Message], int]:
    """The messages and their cost; with `truncation` the oldest are left out until the rest fits the model."""
    messages = [message for turn in turns for message in turn.messages]
    spent = total(turns)
    if request.get("truncation") != "auto":
        return messages, spent
    window = resolve(model).context_window
    costs = [cost for turn in turns for cost in turn.costs]
    first = 0
    while window and fixed + spent > window and first < len(messages) - 1:
        spent -= costs[first]
        first += 1
    return messages[first:], spent


def _format(request: Told) -> Format:
    told = (request.get("text") or {}).get("format") or {"type": "text"}
    if told["type"] == "text":
        return TEXT
    return Format("json") if told["type"] == "json_object" else Format("schema", told["schema"], told["name"])


def _thinking(request: Told, model: str) -> int | None:
    effort = (request.get("reasoning") or {}).get("effort")
    return EFFORT_TOKENS.get(effort) if effort and resolve(model).reasoning else None


def _summary(request: Told) -> bool:
    told = request.get("reasoning") or {}
    return bool(told.get("summary") or told.get("generate_summary"))


def _uses(
    request: Told, choice: Choice, items: Sequence[Item], turns: Sequence[Turn], tools: Sequence[Told], spent: int
) -> tuple[Use, ...]:
    """The built-in tools that OpenAI runs for this reply: what is due by itself first, then what was forced."""
    listed = frozenset(label for turn in turns for label in turn.servers)
    due = [
        Use("mcp_list_tools", tool) for tool in tools if tool["type"] == "mcp" and tool["server_label"] not in listed
    ]
    waiting = {id: call for turn in turns for id, call in (turn.requests or {}).items()}
    approved = [
        item["approval_request_id"] for item in items if item.get("type") == "mcp_approval_response" and item["approve"]
    ]
    calls = [Use("mcp", {}, waiting[id]) for id in approved if id in waiting] + list(choice.uses)
    limits = [one.get("compact_threshold") or 0 for one in request.get("context_management") or ()]
    short = [Use("compaction", {})] if any(limit and spent > limit for limit in limits) else []
    return (*short, *due, *calls[: request.get("max_tool_calls")])


def _wanted(request: Told, model: str, choice: Choice, uses: tuple[Use, ...], hint: str, compacts: bool) -> Wanted:
    told = request.get("conversation") or ""
    conversation = told if isinstance(told, str) else told["id"]
    include = frozenset(request.get("include") or ())
    streamed = request.get("stream_options") or {}
    prewarms = bool((request.get("prompt_cache_options") or {}).get("prewarm"))
    return Wanted(
        echo(request, model, conversation),
        background=bool(request.get("background")),
        stores=request.get("store") is not False,
        obfuscates=streamed.get("include_obfuscation") is not False,
        summarizes=_summary(request),
        seals="reasoning.encrypted_content" in include,
        top=(request.get("top_logprobs") or 0) if "message.output_text.logprobs" in include else None,
        include=include,
        uses=uses,
        runs=choice.runs,
        namespaces=choice.namespaces,
        previous=request.get("previous_response_id") or "",
        conversation=conversation,
        moderates=(request.get("moderation") or {}).get("model") or "",
        stream_id=request.get("stream_id") or "",
        generates=request.get("generate") is not False and not prewarms,
        compacts=compacts,
        hint=hint[:_HINT],
    )
