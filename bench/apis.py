"""The requests that the load client sends: one small one in the words of each API, and how its stream names a token."""

import json
from dataclasses import dataclass
from typing import Literal

Api = Literal["chat", "responses", "anthropic", "gemini"]
MODELS = b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk-bench\r\n\r\n"


@dataclass(frozen=True)
class Wording:
    """One API: where requests go, with which key, the JSON key before a token's text, and where its limit is told."""

    path: str
    streamed_path: str
    key: str
    token: str
    body: dict[str, object]
    streams: dict[str, object]
    limit: str


_CHAT = "/v1/chat/completions"
_GEMINI = "/v1beta/models/gemini-2.5-flash:"
WORDINGS: dict[Api, Wording] = {
    "chat": Wording(
        path=_CHAT,
        streamed_path=_CHAT,
        key="authorization: Bearer sk-bench",
        token="content",
        body={"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]},
        streams={"stream": True},
        limit="max_tokens",
    ),
    "responses": Wording(
        path="/v1/responses",
        streamed_path="/v1/responses",
        key="authorization: Bearer sk-bench",
        token="delta",
        body={"model": "gpt-4o", "input": "hello"},
        streams={"stream": True},
        limit="max_output_tokens",
    ),
    "anthropic": Wording(
        path="/v1/messages",
        streamed_path="/v1/messages",
        key="x-api-key: sk-ant-bench\r\nanthropic-version: 2023-06-01",
        token="text",
        body={"model": "claude-sonnet-4-5", "max_tokens": 4096, "messages": [{"role": "user", "content": "hello"}]},
        streams={"stream": True},
        limit="max_tokens",
    ),
    "gemini": Wording(
        path=f"{_GEMINI}generateContent",
        streamed_path=f"{_GEMINI}streamGenerateContent?alt=sse",
        key="x-goog-api-key: bench",
        token="text",
        body={
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
            "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}},
        },
        streams={},
        limit="generationConfig.maxOutputTokens",
    ),
}


def request(api: Api, stream: bool = False, max_tokens: int | None = None) -> bytes:
    """The bytes of one small request."""
    wording = WORDINGS[api]
    body = wording.body | (wording.streams if stream else {})
    if max_tokens:
        inside, _, name = wording.limit.rpartition(".")
        limits = {name: max_tokens}
        body |= {inside: wording.body[inside] | limits} if inside else limits  # type: ignore[operator]
    return post(wording.streamed_path if stream else wording.path, wording.key, body)


def post(path: str, key: str, body: dict[str, object]) -> bytes:
    """A POST of that body; `key` holds the headers that say who asks."""
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def chat_request(stream: bool = False, max_tokens: int | None = None) -> bytes:
    """The bytes of one small chat request."""
    return request("chat", stream, max_tokens)
