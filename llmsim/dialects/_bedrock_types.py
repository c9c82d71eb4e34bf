"""What a client may send to Bedrock's Converse: the body and all that it is made of.

Source: Amazon Bedrock API reference, Converse, and botocore 1.44's model of `bedrock-runtime`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

_UNITS = Annotated[float, Field(ge=0, le=1)]


class ToolUse(TypedDict):
    """A call that the model made."""

    toolUseId: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    input: Any


class ToolResult(TypedDict, total=False):
    """What a call gave."""

    toolUseId: Required[str]
    content: Required[list[dict[str, Any]]]
    status: Literal["success", "error"]


class SearchResult(TypedDict, total=False):
    """What a search of the client's own found."""

    source: Required[str]
    title: Required[str]
    content: Required[list[dict[str, Any]]]
    citations: dict[str, Any]


class Block(TypedDict, total=False):
    """A part of a message; one of these."""

    text: str
    toolUse: ToolUse
    toolResult: ToolResult
    image: dict[str, Any]
    document: dict[str, Any]
    video: dict[str, Any]
    guardContent: dict[str, Any]
    cachePoint: dict[str, Any]
    reasoningContent: dict[str, Any]
    citationsContent: dict[str, Any]
    audio: dict[str, Any]
    searchResult: SearchResult
    toolAddition: dict[str, Any]
    toolRemoval: dict[str, Any]


class Turn(TypedDict):
    """One message of the conversation; a `system` one stands among the others and speaks for who runs the model."""

    role: Literal["user", "assistant", "system"]
    content: list[Block]


class InferenceConfig(TypedDict, total=False):
    """How the reply is made."""

    maxTokens: Annotated[int, Field(ge=1)]
    temperature: _UNITS
    topP: _UNITS
    stopSequences: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=2500)]


class InputSchema(TypedDict):
    """A tool's parameters."""

    json: dict[str, Any]


class ToolSpec(TypedDict, total=False):
    """A tool."""

    name: Required[Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]]
    description: str
    inputSchema: Required[InputSchema]
    strict: bool


class AnyTool(TypedDict, total=False):
    """A tool, or a mark in the list of them."""

    toolSpec: ToolSpec
    cachePoint: dict[str, Any]
    systemTool: dict[str, Any]


class Named(TypedDict):
    """A name."""

    name: str


class Choice(TypedDict, total=False):
    """Which tool the model may or must call; one of these."""

    auto: dict[str, Any]
    any: dict[str, Any]
    tool: Named


class ToolConfig(TypedDict, total=False):
    """The tools."""

    tools: Required[Annotated[list[AnyTool], Field(min_length=1)]]
    toolChoice: Choice


class JsonSchema(TypedDict, total=False):
    """The schema of a structured output, as JSON text."""

    schema: Required[str]
    name: str
    description: str


class Structure(TypedDict):
    """What the text's form is told as."""

    jsonSchema: JsonSchema


class TextFormat(TypedDict):
    """The form the reply's text must have."""

    type: Literal["json_schema"]
    structure: Structure


class OutputConfig(TypedDict, total=False):
    """How the model replies."""

    textFormat: TextFormat
    effort: Literal["low", "medium", "high", "xhigh", "max"]


class PerformanceConfig(TypedDict, total=False):
    """How fast the model is to be."""

    latency: Literal["standard", "optimized"]


class ServiceTier(TypedDict):
    """How the request is served and paid for."""

    type: Literal["priority", "default", "flex", "reserved"]


class ConverseRequest(TypedDict, total=False):
    """The body of `POST /model/{model}/converse`."""

    messages: list[Turn]
    system: list[dict[str, Any]]
    inferenceConfig: InferenceConfig
    toolConfig: ToolConfig
    additionalModelRequestFields: Any
    additionalModelResponseFieldPaths: list[str]
    guardrailConfig: dict[str, Any]
    performanceConfig: PerformanceConfig
    projectIdentifier: str
    promptVariables: dict[str, Any]
    requestMetadata: dict[str, str]
    serviceTier: ServiceTier
    outputConfig: OutputConfig


@cache
def converse_request() -> TypeAdapter[Any]:
    """The type of the body, made when the first one comes."""
    return TypeAdapter(ConverseRequest)
