"""Refuses requests to Gemini whose fields are right each by itself and wrong in their values or together.

The texts are those of the live API as users quote them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from llmsim.catalogue import resolve
from llmsim.dialects import _gemini_schemas as schemas
from llmsim.dialects._gemini_models import Ability
from llmsim.errors import Failure, Refused

Json = Mapping[str, Any]

_MOST_FAULTS = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_MIME_TYPES = ("text/plain", "application/json", "application/xml", "application/yaml", "text/x.enum")
_ROLES = {"user": "user", "model": "model", "function": "user", "tool": "user", "": "user"}
_DATA = frozenset(
    "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse"
    " audioTranscription thoughtSignature".split()
)
_MEDIA = re.compile(
    r"(?:image|audio|video|text)/.+|application/(?:pdf|json|xml|rtf|x-javascript|x-python|x-typescript)"
)
RANGES = {
    "temperature": (0, 2, "temperature must be in the range [0.0, 2.0]."),
    "topP": (0, 1, "top_p must be in the range [0.0, 1.0]."),
    "topK": (1, 1 << 31, "top_k must be positive."),
    "candidateCount": (1, 8, "candidate_count must be in the range [1, 8]."),
    "maxOutputTokens": (1, 1 << 31, "max_output_tokens must be positive."),
    "presencePenalty": (-2, 2, "presence_penalty must be in the range [-2.0, 2.0)."),
    "frequencyPenalty": (-2, 2, "frequency_penalty must be in the range [-2.0, 2.0)."),
    "logprobs": (0, 20, "logprobs must be in the range [0, 20]."),
}
MOST_STOPS = 5
_OWN_TOOLS = frozenset("googleSearch googleSearchRetrieval codeExecution urlContext googleMaps fileSearch".split())


def invalid(message: str) -> Refused:
    """The exception that refuses a request with these words."""
    return Refused(Failure("invalid", message))


def check(request: Json, able: Ability, message: str = "GenerateContentRequest") -> None:
    """Raises Refused where a GenerateContentRequest makes no sense, or none for its model."""
    if request.get("continuationToken"):
        # Replies of the simulator never end in CONTINUATION, so nobody has been given such a token.
        raise invalid("The continuation token is invalid or has expired.")
    found = list(islice(_faults(request, message), _MOST_FAULTS))
    if found:
        raise invalid("".join(f"* {one}\n" for one in found))
    check_turns(request["contents"], able.generation)
    _check_reply(request, able)
    _check_thinking(request.get("generationConfig", {}).get("thinkingConfig", {}), able)
    _check_functions(request)


def check_contents(request: Json, message: str) -> None:
    """Raises Refused where there is nothing to count."""
    found = list(islice(content_faults(request.get("contents", ()), f"{message}.contents"), _MOST_FAULTS))
    if not request.get("contents"):
        found = [f"{message}.contents: contents is not specified"]
    if found:
        raise invalid("".join(f"* {one}\n" for one in found))


def _faults(request: Json, message: str) -> Iterator[str]:
    """What Google's validator of messages lists, line by line."""
    if not request.get("contents"):
        yield f"{message}.contents: contents is not specified"
    yield from content_faults(request.get("contents", ()), f"{message}.contents")
    for at, tool in enumerate(request.get("tools", ())):
        for index, function in enumerate(tool.get("functionDeclarations", ())):
            yield from _function_faults(function, f"{message}.tools[{at}].function_declarations[{index}]")
    config = request.get("generationConfig", {})
    where = f"{message}.generation_config"
    for name, (least, most, text) in RANGES.items():
        if name in config and not least <= config[name] <= most:
            yield f"{where}.{text.partition(' ')[0]}: {text}"
    if len(config.get("stopSequences", ())) > MOST_STOPS:
        yield f"{where}.stop_sequences: at most {MOST_STOPS} stop sequences can be specified"
    kind = config.get("responseMimeType") or "text/plain"
    if kind not in _MIME_TYPES:
        *most_types, last = (f"`{one}`" for one in _MIME_TYPES)
        yield f"{where}.response_mime_type: allowed mimetypes are {', '.join(most_types)} and {last}."
    if "responseSchema" in config:
        yield from schemas.faults(config["responseSchema"], f"{where}.response_schema")


def content_faults(contents: Sequence[Json], where: str) -> Iterator[str]:
    """Contents without parts, and parts without anything in them."""
    for at, content in enumerate(contents):
        parts = content.get("parts", ())
        if not parts:
            yield f"{where}[{at}].parts: contents.parts must not be empty."
        for index, part in enumerate(parts):
            if _DATA.isdisjoint(part):
                yield f"{where}[{at}].parts[{index}].data: required oneof field 'data' must have one initialized field"
            for kind, snake in (("functionCall", "function_call"), ("functionResponse", "function_response")):
                if kind in part and not part[kind].get("name"):
                    yield f"{where}[{at}].parts[{index}].{snake}.name: Name cannot be empty."


def _function_faults(function: Json, where: str) -> Iterator[str]:
    if not _NAME.fullmatch(function.get("name", "")):
        yield (
            f"{where}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, "
            "A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
        )
    if "parameters" in function:
        yield from schemas.faults(function["parameters"], f"{where}.parameters")


# -- the conversation


def check_turns(contents: Sequence[Json], generation: float = 0) -> None:
    """Calls and their results follow each other; neighbouring contents of one role are one turn."""
    for content in contents:
        if content.get("role", "") not in _ROLES:
            raise invalid("Please use a valid role: user, model.")
        for part in content.get("parts", ()):
            kind = part.get("inlineData", {}).get("mimeType", "image/png").partition(";")[0]
            if not _MEDIA.fullmatch(kind.lower()):
                raise invalid(f"Unsupported MIME type: {kind[:100]}")
    turns = [
        (role, [part for content in group for part in content["parts"]])
        for role, group in groupby(contents, lambda content: _ROLES[content.get("role", "")])
    ]
    calls = 0
    for index, (role, parts) in enumerate(turns):
        results = sum("functionResponse" in part for part in parts)
        if role == "user":
            _check_results(results, calls)
        calls = sum("functionCall" in part for part in parts)
        if calls and (role == "user" or not index):
            raise invalid(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
    if generation >= 3:
        _check_signatures(turns)


def _check_results(results: int, calls: int) -> None:
    if results and not calls:
        raise invalid("Please ensure that function response turn comes immediately after a function call turn.")
    if results != calls:
        raise invalid(
            "Please ensure that the number of function response parts is equal to the number of function call parts "
            "of the function call turn."
        )


def _check_signatures(turns: Sequence[tuple[str, Sequence[Json]]]) -> None:
    """Gemini 3 wants the signature of the first call of each step since the user last spoke."""
    steps: list[Json] = []
    for role, parts in turns:
        if role == "user" and not any("functionResponse" in part for part in parts):
            steps.clear()
        first = next((part for part in parts if "functionCall" in part), None)
        if role == "model" and first is not None:
            steps.append(first)
    for position, part in enumerate(steps, start=1):
        if not part.get("thoughtSignature"):
            raise invalid(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                f"data, function call `default_api:{part['functionCall']['name'][:100]}` , position {position}. Please "
                "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )


# -- the reply


def _check_reply(request: Json, able: Ability) -> None:
    config = request.get("generationConfig", {})
    kind = config.get("responseMimeType") or "text/plain"
    json_schema = config.get("responseJsonSchema", config.get("_responseJsonSchema"))
    if "responseSchema" in config and json_schema is not None:
        raise invalid("Only one of response_schema and response_json_schema can be set.")
    if kind not in ("application/json", "text/x.enum") and ("responseSchema" in config or json_schema is not None):
        raise invalid("response_schema is only supported with response_mime_type `application/json` or `text/x.enum`.")
    if kind == "application/json" and 0 < able.generation < 3:
        _check_tools_beside_json(request.get("tools", ()))
    if config.get("logprobs") is not None and not config.get("responseLogprobs"):
        raise invalid("logprobs can only be set when response_logprobs is true.")
    model = resolve(able.name)
    limit = config.get("maxOutputTokens", 1)
    if able.generation and model.known and model.max_output_tokens and limit > model.max_output_tokens:
        raise invalid(
            f"Unable to submit request because it has a maxOutputTokens value of {limit} but the supported range is "
            f"from 1 (inclusive) to {model.max_output_tokens + 1} (exclusive). Update the value and try again."
        )


def _check_tools_beside_json(tools: Sequence[Json]) -> None:
    """What calls functions, or Google's own tools, does not answer in JSON before Gemini 3."""
    for tool in tools:
        if tool.get("functionDeclarations"):
            raise invalid("Function calling with a response mime type: 'application/json' is unsupported")
        if not _OWN_TOOLS.isdisjoint(tool):
            raise invalid("Tool use with a response mime type: 'application/json' is unsupported")


def _check_thinking(config: Json, able: Ability) -> None:
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and level is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    if not able.generation:
        return
    if level is not None and able.generation < 3:
        raise invalid("Thinking level is not supported for this model.")
    if budget is None or budget == -1:
        return
    if budget and not able.thinks:
        raise invalid("Thinking is not supported for this model.")
    if budget == 0 and not able.can_stop_thinking:
        raise invalid("Budget 0 is invalid. This model only works in thinking mode.")
    if budget and not able.least_budget <= budget <= able.most_budget:
        raise invalid(
            f"The thinking budget {budget} is invalid. Please choose a value between {able.least_budget} and "
            f"{able.most_budget}."
        )


# -- functions


def _check_functions(request: Json) -> None:
    functions = [one for tool in request.get("tools", ()) for one in tool.get("functionDeclarations", ())]
    names = [function["name"] for function in functions]
    if len(set(names)) < len(names):
        raise invalid(f"Duplicate function declaration found: {Counter(names).most_common(1)[0][0]}")
    for function in functions:
        if "parameters" in function and "parametersJsonSchema" in function:
            raise invalid(f"Only one of parameters and parameters_json_schema can be set: {function['name']}")
    config = request.get("toolConfig", {}).get("functionCallingConfig")
    if config is None:
        return
    mode, allowed = config.get("mode", "AUTO"), config.get("allowedFunctionNames", ())
    if mode in ("ANY", "VALIDATED") and not functions and not request.get("cachedContent"):
        raise invalid("Function calling config is set without function_declarations.")
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise invalid("Allowed function names can only be set when the function calling mode is ANY or VALIDATED.")
    for name in allowed:
        if functions and name not in names:
            raise invalid(f"Allowed function name `{name[:100]}` is not found in function_declarations.")
