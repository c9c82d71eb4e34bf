"""What a client may tell OpenAI's chat API of its tools and of the form of the reply.

Source: OpenAI's OpenAPI document, schemas ChatCompletionTool, CustomToolChatCompletions, ChatCompletionToolChoiceOption
and ResponseFormat*.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact

Schema: TypeAlias = dict[str, Any]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", min_length=1, max_length=64)]


@exact
class LegacyFunction(TypedDict, total=False):
    """A function, in the API's first way of calling functions."""

    name: Required[Name]
    description: str | None
    parameters: Schema | None


@exact
class Function(TypedDict, total=False):
    """A function that the model may call; `parameters` is a JSON Schema."""

    name: Required[Name]
    description: str | None
    parameters: Schema | None
    strict: bool | None


@exact
class FunctionTool(TypedDict):
    """A function, as a tool."""

    type: Literal["function"]
    function: Function


@exact
class Grammar(TypedDict):
    """A grammar that a custom tool's input follows."""

    definition: str
    syntax: Literal["lark", "regex"]


@exact
class TextInput(TypedDict):
    """Free text as input."""

    type: Literal["text"]


@exact
class GrammarInput(TypedDict):
    """Text that follows a grammar as input."""

    type: Literal["grammar"]
    grammar: Grammar


@exact
class Custom(TypedDict, total=False):
    """A tool that takes text instead of arguments."""

    name: Required[Name]
    description: str | None
    format: Annotated[TextInput | GrammarInput, Field(discriminator="type")] | None


@exact
class CustomTool(TypedDict):
    """A custom tool, as a tool."""

    type: Literal["custom"]
    custom: Custom


AnyTool = Annotated[FunctionTool | CustomTool, Field(discriminator="type")]


@exact
class Named(TypedDict):
    """A name."""

    name: str


@exact
class NamedFunction(TypedDict):
    """Calls exactly this function."""

    type: Literal["function"]
    function: Named


@exact
class NamedCustom(TypedDict):
    """Calls exactly this custom tool."""

    type: Literal["custom"]
    custom: Named


@exact
class AllowedTools(TypedDict):
    """The tools among which to choose."""

    mode: Literal["auto", "required"]
    tools: list[Schema]


@exact
class AllowedToolsChoice(TypedDict):
    """Chooses among some of the tools."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


ToolChoiceOption = Annotated[
    Literal["none", "auto", "required"]
    | Annotated[NamedFunction | NamedCustom | AllowedToolsChoice, Field(discriminator="type")],
    Field(union_mode="left_to_right"),
]


@exact
class JsonSchema(TypedDict, total=False):
    """The JSON Schema that the reply follows."""

    name: Required[Name]
    description: str | None
    schema: Schema | None
    strict: bool | None


@exact
class JsonObjectFormat(TypedDict):
    """Replies with some JSON object."""

    type: Literal["json_object"]


@exact
class JsonSchemaFormat(TypedDict):
    """Replies with JSON that follows a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


@exact
class TextFormat(TypedDict):
    """Replies with text."""

    type: Literal["text"]


ResponseFormat = Annotated[JsonObjectFormat | JsonSchemaFormat | TextFormat, Field(discriminator="type")]
