"""The tools of OpenAI's Responses API, functions and built-in ones, and how a client chooses among them.

Source: OpenAI's OpenAPI document, schemas Tool and ToolChoiceParam, and the newer fields of its Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_responses_hosted_types import (
    ApplyPatch,
    Callers,
    CodeInterpreter,
    Computer,
    ComputerPreview,
    FileSearch,
    ImageGeneration,
    LocalShell,
    Mcp,
    ProgrammaticCalls,
    Schema,
    Shell,
    ToolSearch,
    WebSearch,
    WebSearchPreview,
)

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", min_length=1, max_length=128)]

# `async` is a word of Python's, so this one cannot be written as a class.
Asynchronous = TypedDict("Asynchronous", {"async": bool | None}, total=False)


@exact
class FunctionTool(Asynchronous, total=False):
    """A function that the model may call; `parameters` is a JSON Schema."""

    type: Required[Literal["function"]]
    name: Required[Name]
    description: str | None
    parameters: Schema | None
    strict: bool | None
    output_schema: Schema | None
    defer_loading: bool | None
    allowed_callers: Callers | None


@exact
class TextInput(TypedDict):
    """Free text as input."""

    type: Literal["text"]


@exact
class GrammarInput(TypedDict):
    """Text that follows a grammar as input."""

    type: Literal["grammar"]
    syntax: Literal["lark", "regex"]
    definition: str


@exact
class CustomTool(Asynchronous, total=False):
    """A tool that takes text instead of arguments."""

    type: Required[Literal["custom"]]
    name: Required[Name]
    description: str | None
    format: Annotated[TextInput | GrammarInput, Field(discriminator="type")] | None
    defer_loading: bool | None
    allowed_callers: Callers | None


@exact
class Namespace(TypedDict):
    """Functions under one roof."""

    type: Literal["namespace"]
    name: Annotated[str, Field(min_length=1)]
    description: str
    tools: Annotated[
        list[Annotated[FunctionTool | CustomTool, Field(discriminator="type")]], Field(fail_fast=True, min_length=1)
    ]


# -- all of them


AnyTool = Annotated[
    FunctionTool
    | FileSearch
    | Computer
    | ComputerPreview
    | WebSearch
    | Mcp
    | CodeInterpreter
    | ProgrammaticCalls
    | ImageGeneration
    | LocalShell
    | Shell
    | CustomTool
    | Namespace
    | ToolSearch
    | WebSearchPreview
    | ApplyPatch,
    Field(discriminator="type"),
]
Tools = Annotated[list[AnyTool], Field(fail_fast=True, max_length=128)]


# -- choices


@exact
class Allowed(TypedDict):
    """Chooses among some of the tools."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[Schema], Field(fail_fast=True, min_length=1)]


@exact
class Hosted(TypedDict):
    """Uses exactly this built-in tool."""

    type: Literal[
        "file_search",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "web_search",
        "web_search_2025_08_26",
        "computer",
        "computer_use_preview",
        "computer_use",
        "image_generation",
        "code_interpreter",
        "programmatic_tool_calling",
        "apply_patch",
        "shell",
        "local_shell",
    ]


@exact
class NamedFunction(TypedDict):
    """Calls exactly this function."""

    type: Literal["function"]
    name: str


@exact
class NamedCustom(TypedDict):
    """Calls exactly this custom tool."""

    type: Literal["custom"]
    name: str


@exact
class NamedMcp(TypedDict, total=False):
    """Uses a tool of exactly this server."""

    type: Required[Literal["mcp"]]
    server_label: Required[str]
    name: str | None


ToolChoice = Annotated[
    Literal["none", "auto", "required"]
    | Annotated[Allowed | Hosted | NamedFunction | NamedCustom | NamedMcp, Field(discriminator="type")],
    Field(union_mode="left_to_right"),
]
