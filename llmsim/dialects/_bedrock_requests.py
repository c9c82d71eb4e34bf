"""Reads the bodies of Bedrock's Converse: from bytes to an Ask, or to a ValidationException.

Source: Amazon Bedrock API reference, Converse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from pydantic import ValidationError

from llmsim import tokens
from llmsim.catalogue import find, resolve
from llmsim.conversation import AUTO, TEXT, Ask, Format, Message, Role, Tool, ToolCall, ToolChoice
from llmsim.dialects._bedrock_types import Block, converse_request
from llmsim.dialects._faults import faults
from llmsim.errors import Failure, Refused

_PER_MESSAGE = 4
_IMAGE, _DOCUMENT = 1200, 1500
"""Tokens of an image and of a document's page or so: estimates, as models count them each in its own way."""

_EFFORT = {"low": 32, "medium": 64, "high": 128, "xhigh": 256, "max": 512}
"""How long a model thinks, in tokens, where it decides so itself."""

_MEDIA = ("image", "document", "video")


def invalid(message: str) -> Refused:
    """The exception that refuses a request with these words."""
    return Refused(Failure("invalid", message))


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; raises Refused where it is anything else."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise invalid("Malformed input request, please reformat your input and try again.") from None
    if not isinstance(told, dict):
        raise invalid("Malformed input request: #: expected type: JSONObject, please reformat your input.")
    return told


def read_converse(body: bytes, model: str, stream: bool) -> Ask:
    """What the client wants; raises Refused where Bedrock refuses."""
    told = read_object(body)
    try:
        converse_request().validate_python(told)
    except ValidationError as error:
        raise invalid(_fault(error, told)) from None
    messages = _messages(told)
    _check(told, messages)
    _check_tools(told)
    config, tools = told.get("inferenceConfig") or {}, _tools(told)
    thinking, most = _thinking(told, model), resolve(model).max_output_tokens if find(model) else 0
    if most and config.get("maxTokens", 0) > most:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {most}. Try again with a maximum tokens "
            f"value that is lower than {most}."
        )
    return Ask(
        model=model,
        messages=messages,
        dialect="bedrock_converse",
        endpoint="/model/{model}/converse",
        tools=tools,
        tool_choice=_choice(told),
        format=_format(told),
        max_tokens=config.get("maxTokens"),
        stop=tuple(config.get("stopSequences") or ()),
        stream=stream,
        thinking=thinking,
        shows_thinking=bool(thinking),
        prompt_tokens=_cost(messages, tools, model),
        digest=blake2b(model.encode() + body + bytes([stream]), digest_size=16).digest(),
        extra={
            "echo": {field: told[field] for field in ("performanceConfig", "serviceTier") if told.get(field)},
            "paths": tuple(told.get("additionalModelResponseFieldPaths") or ()),
        },
    )


def _fault(error: ValidationError, body: Any) -> str:
    told = []
    for fault in faults(error, converse_request(), body)[:5]:
        where = "".join(f"/{step}" for step in fault["loc"])
        told.append(f"Value at '{where}' failed to satisfy constraint: {fault['msg']}")
    count = error.error_count()
    counted = "1 validation error" if count == 1 else f"{count} validation errors"
    return f"{counted} detected: {'; '.join(told)}"


def _messages(told: Mapping[str, Any]) -> tuple[Message, ...]:
    system = "\n".join(block["text"] for block in told.get("system") or () if isinstance(block.get("text"), str))
    messages = [Message("system", system)] if system else []
    for turn in told.get("messages") or ():
        messages += _turn(turn)
    return tuple(messages)


def _turn(turn: Mapping[str, Any]) -> list[Message]:
    """A turn as messages: results of tools are messages of their own, before what is said beside them."""
    blocks = turn["content"]
    results = [
        Message("tool", _result(block["toolResult"]), call_id=block["toolResult"]["toolUseId"])
        for block in blocks
        if "toolResult" in block
    ]
    text = "\n".join(text for block in blocks for text in _texts(block))
    calls = tuple(_call(block["toolUse"]) for block in blocks if "toolUse" in block)
    media = tuple(kind for block in blocks for kind in _MEDIA if kind in block)
    if results and not (text or calls or media):
        return results
    role: Role = turn["role"]
    said = Message(role, text, calls, media=media)
    # What a user adds to results belongs to them: the reply is one to the results.
    return [said, *results] if results else [said]


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    """What a block says: its text, or that of what was found, cited or is to be guarded."""
    if "text" in block:
        yield str(block["text"])
    found = block.get("searchResult") or block.get("citationsContent") or {}
    for part in (*(found.get("content") or ()), (block.get("guardContent") or {}).get("text")):
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            yield part["text"]


def _result(result: Mapping[str, Any]) -> str:
    told: list[str] = []
    for block in result["content"]:
        told += [orjson.dumps(block["json"]).decode()] if "json" in block else _texts(block)
    return "\n".join(told)


def _call(told: Mapping[str, Any]) -> ToolCall:
    return ToolCall(told["toolUseId"], told["name"], orjson.dumps(told["input"]).decode())


def _check(told: Mapping[str, Any], messages: Sequence[Message]) -> None:
    """Raises Refused where the conversation makes no sense."""
    turns = told.get("messages") or ()
    if not turns or turns[0]["role"] != "user":
        raise invalid(
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    for index, turn in enumerate(turns):
        if not turn["content"]:
            raise invalid(
                f"The content field in the Message object at messages.{index} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
        for block in turn["content"]:
            if len(block) != 1 or not block.keys() <= Block.__annotations__.keys():
                raise invalid(f"The content block at messages.{index} must hold exactly one member.")
            if block.get("text", "x").strip() == "":
                raise invalid(
                    f"The text field in the ContentBlock object at messages.{index}.content.0 is blank. "
                    "Add text to the text field, and try again."
                )
        kinds = {kind for block in turn["content"] for kind in block}
        if "document" in kinds and "text" not in kinds:
            raise invalid(
                f"The content field in the Message object at messages.{index} must include a text field when a "
                "document is included. Add a ContentBlock object with a text field and try again."
            )
    _check_calls(turns)
    if any(message.calls or message.role == "tool" for message in messages) and not told.get("toolConfig"):
        raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")


def _check_calls(turns: Sequence[Mapping[str, Any]]) -> None:
    asked: set[str] = set()
    for index, turn in enumerate(turns):
        if turn["role"] == "system":
            continue
        answered = {block["toolResult"]["toolUseId"] for block in turn["content"] if "toolResult" in block}
        if asked - answered:
            missing = ", ".join(sorted(asked - answered))
            raise invalid(f"Expected toolResult blocks at messages.{index}.content for the following Ids: {missing}")
        if answered - asked:
            raise invalid(
                f"The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        asked = {block["toolUse"]["toolUseId"] for block in turn["content"] if "toolUse" in block}


def _check_tools(told: Mapping[str, Any]) -> None:
    """Raises Refused where a tool's input is no object, or its name another's."""
    names: set[str] = set()
    for at, tool in enumerate((told.get("toolConfig") or {}).get("tools") or ()):
        spec = tool.get("toolSpec")
        if spec is not None and spec["name"] in names:
            raise invalid(f"The tool {spec['name']} is already defined at toolConfig.tools.{at}.")
        names.update([spec["name"]] if spec is not None else [])
        if spec is not None and spec["inputSchema"]["json"].get("type") != "object":
            where = f"toolConfig.tools.{at}.toolSpec.inputSchema.json.type"
            raise invalid(f"The value at {where} must be one of the following: object.")


def _tools(told: Mapping[str, Any]) -> tuple[Tool, ...]:
    config = told.get("toolConfig") or {}
    specs = [tool["toolSpec"] for tool in config.get("tools") or () if "toolSpec" in tool]
    return tuple(Tool(spec["name"], spec.get("description") or "", spec["inputSchema"]["json"]) for spec in specs)


def _choice(told: Mapping[str, Any]) -> ToolChoice:
    choice = (told.get("toolConfig") or {}).get("toolChoice") or {}
    if "tool" in choice:
        names = {tool.name for tool in _tools(told)}
        if choice["tool"]["name"] not in names:
            raise invalid(f"The tool '{choice['tool']['name']}' in toolChoice is not defined in toolConfig.")
        return ToolChoice("named", (choice["tool"]["name"],))
    return ToolChoice("required") if "any" in choice else AUTO


def _format(told: Mapping[str, Any]) -> Format:
    """The schema of a structured output, which comes as text."""
    form = (told.get("outputConfig") or {}).get("textFormat")
    if form is None:
        return TEXT
    wanted = form["structure"]["jsonSchema"]
    try:
        schema = orjson.loads(wanted["schema"])
    except orjson.JSONDecodeError:
        schema = None
    if not isinstance(schema, dict):
        raise invalid("The value at outputConfig.textFormat.structure.jsonSchema.schema is not a valid JSON schema.")
    return Format("schema", schema, wanted.get("name") or "")


def _thinking(told: Mapping[str, Any], model: str) -> int:
    """Models think here only when they are told to, each in its own way; Claude's is the one most people use."""
    extra = told.get("additionalModelRequestFields")
    wish = extra.get("thinking") or extra.get("reasoning_config") if isinstance(extra, Mapping) else None
    if not isinstance(wish, Mapping) or wish.get("type") not in ("enabled", "adaptive"):
        return 0
    budget, effort = wish.get("budget_tokens"), (told.get("outputConfig") or {}).get("effort")
    if isinstance(budget, int) and budget > 0:
        return min(128, budget)
    return _EFFORT[effort] if effort else 128 if resolve(model).reasoning else 64


def _cost(messages: Sequence[Message], tools: Sequence[Tool], model: str) -> int:
    total = sum(_PER_MESSAGE + tokens.count_tokens(message.text, model) for message in messages)
    total += sum(
        tokens.count_tokens(call.name + call.arguments, model) for message in messages for call in message.calls
    )
    total += sum(_IMAGE if kind == "image" else _DOCUMENT for message in messages for kind in message.media)
    return total + sum(
        tokens.count_tokens(f"{tool.name} {tool.description} {orjson.dumps(dict(tool.schema or {})).decode()}", model)
        for tool in tools
    )
