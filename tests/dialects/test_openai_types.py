"""The types of OpenAI's chat API have the fields that OpenAI says they have, and read its own examples."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion as SdkCompletion
from openai.types.chat import ChatCompletionChunk as SdkChunk
from openai.types.chat.chat_completion import Choice as SdkChoice
from openai.types.chat.chat_completion_chunk import Choice as SdkChunkChoice
from openai.types.chat.chat_completion_chunk import ChoiceDelta as SdkDelta
from openai.types.chat.chat_completion_message import ChatCompletionMessage as SdkMessage
from openai.types.chat.chat_completion_token_logprob import ChatCompletionTokenLogprob as SdkLogprob
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.completion_usage import CompletionTokensDetails, CompletionUsage, PromptTokensDetails
from openai_bodies import body
from pydantic import BaseModel, ValidationError

from llmsim.dialects import _openai_replies as replies
from llmsim.dialects._openai_types import CHAT_REQUEST, ChatRequest

WHOLE: dict[str, Any] = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-5.4",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello! How can I assist you today?",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    "service_tier": "default",
}
CALLED: dict[str, Any] = {
    "id": "chatcmpl-abc123",
    "object": "chat.completion",
    "created": 1699896916,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_abc123",
                        "type": "function",
                        "function": {"name": "get_current_weather", "arguments": '{\n"location": "Boston, MA"\n}'},
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 82, "completion_tokens": 17, "total_tokens": 99},
}
LIKELY: dict[str, Any] = WHOLE | {
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello"},
            "logprobs": {
                "content": [
                    {
                        "token": "Hello",
                        "logprob": -0.31725305,
                        "bytes": [72, 101, 108, 108, 111],
                        "top_logprobs": [{"token": "Hi", "logprob": -1.3190403, "bytes": [72, 105]}],
                    }
                ]
            },
            "finish_reason": "stop",
        }
    ]
}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1694268190,
        "model": "gpt-4o-mini",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        **more,
    }


CHUNKS = [
    chunk({"role": "assistant", "content": ""}, obfuscation="r4N7vQ2m"),
    chunk({"content": "Hello"}, obfuscation="p9K3xT6w"),
    chunk({}, "stop", obfuscation=""),
    chunk({"role": "assistant", "content": None, "refusal": None}, usage=None),
    chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f"}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}),
    chunk({}) | {"choices": [], "usage": WHOLE["usage"]},
]


@pytest.mark.parametrize("example", [WHOLE, CALLED, LIKELY], ids=["default", "functions", "logprobs"])
def test_the_reference_s_replies_are_read_and_written_as_they_were(example: dict[str, Any]) -> None:
    assert replies.ChatCompletion.model_validate(example).model_dump(exclude_unset=True) == example


@pytest.mark.parametrize("example", CHUNKS)
def test_the_reference_s_chunks_are_read_and_written_as_they_were(example: dict[str, Any]) -> None:
    assert replies.ChatCompletionChunk.model_validate(example).model_dump(exclude_unset=True) == example


def test_an_error_has_all_four_of_its_keys() -> None:
    assert set(replies.ErrorBody.model_fields) == {"message", "type", "param", "code"}
    assert all(field.is_required() for field in replies.ErrorBody.model_fields.values())


def test_a_request_has_every_field_that_the_sdk_can_send() -> None:
    assert set(ChatRequest.__annotations__) == set(CompletionCreateParamsStreaming.__annotations__)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (replies.ChatCompletion, SdkCompletion),
        (replies.Choice, SdkChoice),
        (replies.ResponseMessage, SdkMessage),
        (replies.ChatCompletionChunk, SdkChunk),
        (replies.ChunkChoice, SdkChunkChoice),
        (replies.Delta, SdkDelta),
        (replies.TokenLogprob, SdkLogprob),
        (replies.Usage, CompletionUsage),
        (replies.PromptTokensDetails, PromptTokensDetails),
        (replies.CompletionTokensDetails, CompletionTokensDetails),
    ],
)
def test_a_reply_has_every_field_that_the_sdk_knows(ours: type[BaseModel], theirs: type[BaseModel]) -> None:
    assert set(ours.model_fields) == set(theirs.model_fields)


def test_what_is_checked_is_not_changed() -> None:
    sent = body(temperature=1, stop=["a"], tools=None, metadata={"a": "b"})
    assert CHAT_REQUEST.validate_python(sent) == sent


def test_a_whole_number_may_stand_for_a_decimal_and_a_boolean_for_neither() -> None:
    assert CHAT_REQUEST.validate_python(body(temperature=1))["temperature"] == 1
    for field in ("temperature", "n", "seed", "max_tokens"):
        with pytest.raises(ValidationError):
            CHAT_REQUEST.validate_python(body(**{field: True}))


def test_replies_do_not_change_once_made() -> None:
    usage = replies.Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    with pytest.raises(ValidationError):
        usage.total_tokens = 4  # type: ignore[misc]
