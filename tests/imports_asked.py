"""Requests that are made of another tool and of llmsim alike with one file of fixtures, and what came of them there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai

FILES = Path(__file__).parent / "mocks" / "imports" / "files"
SHORT: dict[str, Any] = {"model": "gpt-4o"}


def user(text: str, **more: Any) -> dict[str, Any]:
    return {**SHORT, "messages": [{"role": "user", "content": text}], **more}


def turns(text: str, answers: int) -> dict[str, Any]:
    said = [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]
    return {**SHORT, "messages": [*said * answers, {"role": "user", "content": text}]}


def after_tool(text: str, told: str, id: str = "call_1") -> dict[str, Any]:
    call = {"id": id, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    said = [{"role": "user", "content": text}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    return {**SHORT, "messages": [*said, {"role": "tool", "tool_call_id": id, "content": told}], "tools": TOOLS}


def system(text: str, told: str = "Hm?") -> dict[str, Any]:
    return {**SHORT, "messages": [{"role": "system", "content": text}, {"role": "user", "content": told}]}


def streamed(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "stream": True}


TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
TEAM = {"x-team": "blue", "x-who": "bob"}

ASKED: dict[str, list[dict[str, Any]]] = {
    "aimock.json": [
        *[user("a flaky one")] * 4,
        user("teapot, please"),
        user("Case.*[x]/y\\z"), user("case.*[x]/y\\z"), user("CaseAx/yz"),
        user("the weather", tools=TOOLS), streamed(user("the weather", tools=TOOLS)), user("the weather"),
        after_tool("the weather", '{"sky": "rain"}'), after_tool("the weather", "sun", "call_dry"),
        after_tool("the weather", "sun"),
        user("in blocks"), user("both ways"), streamed(user("both ways")),
        system("You are a pirate. It is Monday."), system("You are a pirate."), system("You are a Pirate."),
        *[turns("turns", count) for count in range(4)], turns("later", 0), turns("later", 4),
        user("which model", model="gpt-4o-2024-08-06"), user("which model", model="gpt-4o-mini"),
        user("which model", model="gpt-4o-mini-2024-07-18"), user("which model", model="gpt-4"),
        user("an object in JSON", response_format={"type": "json_object"}), user("an object in JSON"),
        user("cut"), streamed(user("cut")),
        user("which room"), user("which room", extra_headers={"x-aimock-context": "blue"}),
        streamed(user("slow")), user("hello there"), streamed(user("hello there")), user("Hello there"),
    ],
    "mock-llm.yaml": [
        user("anything", extra_headers=TEAM), user("hello", extra_headers=TEAM),
        user("Hello", extra_headers=TEAM), user("hello world", extra_headers=TEAM),
        streamed(user("hello", extra_headers=TEAM)), user("say error-401", extra_headers=TEAM),
        user("seq", extra_headers=TEAM), user("not seq", extra_headers=TEAM), user("seq", extra_headers=TEAM),
        user("seq", extra_headers=TEAM),
        user("x", model="m", temperature=0), user("x", model="m", seed=6), user("x", model="m", seed=5,
                                                                                 extra_headers=TEAM),
        user("x", temperature=0, extra_headers=TEAM),
        system("Be brief"), {**system("Be brief, please"), "extra_headers": TEAM},
        user("hello", extra_headers={"x-who": "ann"}),
        user("hello", extra_headers={"x-who": "ann"}, tools=TOOLS),
    ],
    "mockllm.yml": [
        user("What colour is the sky?"), user("what colour is the sky?"), user("What colour is the sky? "),
        user("What/is [this]?"), user("multi\nline"), user("Hm?"), turns("What/is [this]?", 1),
        system("Be brief", "What/is [this]?"),
    ],
    "llmock.json": [
        *[user("Hi", model="gpt-4o")] * 3, user("Hi", model="tea"), user("Hi", model="o3", tools=TOOLS),
        user("Hi", model="o3"), streamed(user("Hi", model="o3")), user("Hi", model="o3"), user("Hi", model="o3"),
        streamed(user("Hi", model="o3")),
    ],
}  # fmt: skip


def outcome(client: openai.OpenAI, request: dict[str, Any]) -> dict[str, Any]:
    """What a client sees of the answer that a fixture can say something of."""
    try:
        if request.get("stream"):
            return _streamed(client.chat.completions.create(**request))
        made = client.chat.completions.create(**request)
    except openai.APIStatusError as error:
        told = {"status": error.status_code, "message": _message(error), "type": error.type, "code": error.code}
        return {**told, "retry_after": error.response.headers.get("retry-after")}
    choice = made.choices[0]
    called = [[call.function.name, call.function.arguments] for call in choice.message.tool_calls or ()]
    return {"text": choice.message.content or "", "calls": called, "finish": choice.finish_reason}


def _message(error: openai.APIStatusError) -> str:
    return str(error.body.get("message")) if isinstance(error.body, dict) else str(error.body)


def _streamed(stream: Any) -> dict[str, Any]:
    text, finish, called = "", None, dict[int, list[str]]()
    for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or ():
                one = called.setdefault(call.index, ["", ""])
                one[0] += call.function.name or ""
                one[1] += call.function.arguments or ""
    return {"text": text, "calls": [*called.values()], "finish": finish}
