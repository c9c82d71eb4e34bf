"""Reads the body of a legacy completion request: from bytes to an Ask, or to a refusal in OpenAI's words.

Source: OpenAI's OpenAPI document, schema CreateCompletionRequest; the refusals are the live API's, as users quote them.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim import tokens
from llmsim.catalogue import Model, resolve
from llmsim.conversation import Ask, Message
from llmsim.dialects import remembered
from llmsim.dialects._openai_chat_checks import check_bias
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_refusals import NO_MODEL, invalid, read_object, validated
from llmsim.dialects._openai_served import foreign, is_openais
from llmsim.dialects._openai_types import Bias, Penalty, Seed, StreamOptions
from llmsim.errors import Failure, Refused

USUAL_TOKENS = 16
MOST_CHOICES = 2_048
"""Prompts times alternatives in one request; each costs its own planning."""

Ids = Annotated[list[int], Field(fail_fast=True, min_length=1)]
Prompt = (
    str
    | Annotated[list[str], Field(fail_fast=True, min_length=1, max_length=MOST_CHOICES)]
    | Ids
    | Annotated[list[Ids], Field(fail_fast=True, min_length=1, max_length=MOST_CHOICES)]
)


@exact
class CompletionRequest(TypedDict, total=False):
    """The body of `POST /v1/completions`; null stands for leaving a field out."""

    model: Required[str]
    prompt: Annotated[Prompt, Field(union_mode="left_to_right")] | None
    best_of: Annotated[int, Field(ge=0, le=20)] | None
    echo: bool | None
    frequency_penalty: Penalty | None
    logit_bias: dict[str, Bias] | None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None
    max_tokens: Annotated[int, Field(ge=0)] | None
    n: Annotated[int, Field(ge=1, le=128)] | None
    presence_penalty: Penalty | None
    seed: Seed | None
    stop: Annotated[str | Annotated[list[str], Field(max_length=4)], Field(union_mode="left_to_right")] | None
    stream: bool | None
    stream_options: StreamOptions | None
    suffix: str | None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None
    user: str | None


@cache
def _adapter() -> TypeAdapter[CompletionRequest]:
    return TypeAdapter(CompletionRequest)


class Given(NamedTuple):
    """One prompt: its text, and its length in tokens."""

    text: str
    tokens: int


@remembered
def read_completion(body: bytes) -> Ask:
    """What the client wants; raises Refused where OpenAI's API refuses."""
    request = read_object(body)
    if request.get("model") in (None, ""):
        raise Refused(NO_MODEL)
    validated(_adapter(), request)
    model = resolve(request["model"])
    check_model(model)
    shown = request.get("n") or 1
    made = _candidates(request, shown)
    if request.get("stream_options") is not None and not request.get("stream"):
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    if request.get("suffix") and model.known and model.kind == "completion" and model.id != "gpt-3.5-turbo-instruct":
        raise invalid("Unrecognized request argument supplied: suffix")
    check_bias(request)
    given = prompts(request.get("prompt"), request["model"])
    if len(given) * made > MOST_CHOICES:
        raise invalid(
            f"Invalid 'n': {len(given)} prompts with {made} completions each are more than the maximum of "
            f"{MOST_CHOICES} completions in one request.",
            "n",
        )
    return _ask(request, model, given, shown, made, blake2b(body, digest_size=16).digest())


def check_model(model: Model) -> None:
    """Raises Refused for OpenAI's own models that only other endpoints serve."""
    if not model.known or model.provider != "openai" or model.kind == "completion":
        return
    if model.kind == "chat":
        message = (
            "This is a chat model and not supported in the v1/completions endpoint. "
            "Did you mean to use v1/chat/completions?"
        )
        raise Refused(Failure("not_found", message, param="model"))
    raise Refused(Failure("invalid", "You are not allowed to sample from this model", status=403))


def _candidates(request: dict[str, Any], shown: int) -> int:
    """How many completions are made of each prompt, of which `shown` are told."""
    made: int = request.get("best_of") or shown
    if made < shown:
        raise invalid(
            "You requested that the server return more choices than it will generate (HINT: you must set 'n' "
            f"(currently {shown}) to be at most 'best_of' (currently {made}), or omit either parameter if you don't "
            "specifically want to use them.)",
            "best_of",
        )
    if made > shown and request.get("stream"):
        raise invalid("Results cannot be streamed when 'best_of' is greater than 'n'.", "best_of")
    return made


# -- prompts


def prompts(told: Any, model: str) -> list[Given]:
    """Every prompt of a valid request; without any the model begins a new document. Raises Refused for bad tokens."""
    if told is None:
        return [Given("", 1)]
    if isinstance(told, str):
        return [_text(told, model)]
    if isinstance(told[0], int):
        return [_decoded(told, model)]
    return [_text(one, model) if isinstance(one, str) else _decoded(one, model) for one in told]


def _text(text: str, model: str) -> Given:
    return Given(text, tokens.count_tokens(text, model) or 1)


def _decoded(ids: list[int], model: str) -> Given:
    try:
        return Given(tokens.decode(ids, tokens.encoding_for(model)), len(ids))
    except tokens.NoToken as error:
        if not is_openais(model):
            return Given(foreign(ids), len(ids))
        raise invalid(
            f"Invalid token in prompt: {error.token}. Minimum value is 0, maximum value is {error.highest} (inclusive)."
        ) from None


def check_window(model: Model, prompt: int, completion: int = 0) -> None:
    """Raises Refused where prompt and completion, in tokens, are more than a known model takes."""
    window = model.context_window
    if model.known and window and prompt + completion > window:
        raise invalid(
            f"This model's maximum context length is {window} tokens, however you requested {prompt + completion} "
            f"tokens ({prompt} in your prompt; {completion} for the completion). Please reduce your prompt; or "
            "completion length."
        )


def _ask(request: dict[str, Any], model: Model, given: list[Given], shown: int, made: int, digest: bytes) -> Ask:
    limit = request.get("max_tokens")
    limit = USUAL_TOKENS if limit is None else limit
    after = tokens.count_tokens(request["suffix"], request["model"]) if request.get("suffix") else 0
    for one in given:
        check_window(model, one.tokens + after, limit)
    stop = request.get("stop") or ()
    said = [Message("user", one.text) for one in given]
    return Ask(
        model=request["model"],
        messages=tuple(said),
        prompts=tuple((one,) for one in said),
        dialect="openai_completions",
        endpoint="/v1/completions",
        max_tokens=limit,
        stop=(stop,) if isinstance(stop, str) else tuple(filter(None, stop)),
        n=len(given) * made,
        seed=request.get("seed"),
        stream=bool(request.get("stream")),
        thinking=0,
        prompt_tokens=sum(one.tokens + after for one in given),
        digest=digest,
        extra={
            "texts": tuple(one.text for one in given),
            "shown": shown,
            "made": made,
            "echo": bool(request.get("echo")),
            "logprobs": request.get("logprobs"),
            "include_usage": bool((request.get("stream_options") or {}).get("include_usage")),
        },
    )
