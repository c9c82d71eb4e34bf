"""The items that a client may send to OpenAI's Responses API as input, by type.

Source: OpenAI's OpenAPI document, schema InputItem, and the newer items of its Python SDK. What the live API is known
to take without (ids, statuses) need not be there; null stands for leaving a field out.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required

from pydantic import Discriminator, Field, Tag
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_responses_call_types import (
    AdditionalTools,
    ApplyPatchCall,
    ApplyPatchCallOutput,
    Caller,
    CallId,
    CodeInterpreterCall,
    ComputerCall,
    ComputerCallOutput,
    FileSearchCall,
    ImageGenerationCall,
    Item,
    LocalShellCall,
    LocalShellCallOutput,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    Program,
    ProgramOutput,
    ShellCall,
    ShellCallOutput,
    ToolSearchCall,
    ToolSearchOutput,
    WebSearchCall,
)
from llmsim.dialects._openai_responses_content import InputContent, InputPart, OutputContent, Text
from llmsim.dialects._openai_responses_hosted_types import Schema
from llmsim.dialects._openai_responses_tool_types import Asynchronous
from llmsim.dialects._openai_types import Effort

Result = Annotated[Text | Annotated[list[InputPart], Field(fail_fast=True)], Field(union_mode="left_to_right")]
Phase = Literal["commentary", "final_answer"]


# -- messages


@exact
class AssistantMessage(Item, total=False):
    """What the model said before."""

    type: Literal["message"]
    role: Required[Literal["assistant"]]
    content: Required[OutputContent]
    phase: Phase | None


class Told(Item, total=False):
    """What somebody told the model."""

    type: Literal["message"]
    content: Required[InputContent]


@exact
class SystemMessage(Told, total=False):
    """Instructions."""

    role: Required[Literal["system"]]


@exact
class DeveloperMessage(Told, total=False):
    """Instructions, by the name that newer models know them by."""

    role: Required[Literal["developer"]]


@exact
class UserMessage(Told, total=False):
    """What the user says."""

    role: Required[Literal["user"]]


# -- calls of the client's own tools


@exact
class FunctionCall(Item, Asynchronous, total=False):
    """A call of a function; `arguments` is JSON text."""

    type: Required[Literal["function_call"]]
    call_id: Required[str]
    name: Required[str]
    arguments: Required[Text]
    namespace: str | None
    caller: Caller | None
    # What the SDK's parse() adds to what it was sent.
    parsed_arguments: Any


@exact
class FunctionCallOutput(Item, total=False):
    """What a function answered."""

    type: Required[Literal["function_call_output"]]
    call_id: CallId | None
    output: Required[Result]
    name: str | None
    namespace: str | None
    caller: Caller | None


@exact
class CustomToolCall(Item, Asynchronous, total=False):
    """A call of a custom tool."""

    type: Required[Literal["custom_tool_call"]]
    call_id: Required[str]
    name: Required[str]
    input: Required[Text]
    namespace: str | None
    caller: Caller | None


@exact
class CustomToolCallOutput(Item, total=False):
    """What a custom tool answered."""

    type: Required[Literal["custom_tool_call_output"]]
    call_id: Required[str]
    output: Required[Result]
    caller: Caller | None


# -- thoughts


@exact
class SummaryText(TypedDict):
    """A part of a summary."""

    type: Literal["summary_text"]
    text: Text


@exact
class ReasoningText(TypedDict):
    """A thought as it was."""

    type: Literal["reasoning_text"]
    text: Text


@exact
class Reasoning(Item, total=False):
    """What the model thought before."""

    type: Required[Literal["reasoning"]]
    summary: Required[Annotated[list[SummaryText], Field(fail_fast=True)]]
    content: Annotated[list[ReasoningText], Field(fail_fast=True)] | None
    encrypted_content: str | None


@exact
class Compaction(Item, total=False):
    """A conversation made short."""

    type: Required[Literal["compaction"]]
    encrypted_content: Required[Annotated[str, Field(max_length=20_971_520)]]


@exact
class CompactionTrigger(Item, total=False):
    """Has the conversation made short."""

    type: Required[Literal["compaction_trigger"]]


@exact
class ItemReference(TypedDict, total=False):
    """An item that the API keeps."""

    type: Literal["item_reference"] | None
    id: Required[str]


# -- settings


@exact
class NewReasoning(TypedDict, total=False):
    """How hard to think from here on."""

    effort: Effort | None


@exact
class ConfigurationUpdate(Item, total=False):
    """Settings from here on."""

    type: Required[Literal["configuration_update"]]
    reasoning: NewReasoning | None
    text: Schema | None


def _kind(item: Any) -> Any:
    """The type of an item; messages and references need not say theirs."""
    if not isinstance(item, dict):
        return None
    told = item.get("type")
    if told is None:
        return "message" if "role" in item else "item_reference" if "id" in item else None
    return told if isinstance(told, str) else repr(told)


Message = Annotated[AssistantMessage | SystemMessage | DeveloperMessage | UserMessage, Field(discriminator="role")]
AnyItem = Annotated[
    Annotated[Message, Tag("message")]
    | Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")]
    | Annotated[Reasoning, Tag("reasoning")]
    | Annotated[ItemReference, Tag("item_reference")]
    | Annotated[CustomToolCall, Tag("custom_tool_call")]
    | Annotated[CustomToolCallOutput, Tag("custom_tool_call_output")]
    | Annotated[WebSearchCall, Tag("web_search_call")]
    | Annotated[FileSearchCall, Tag("file_search_call")]
    | Annotated[ImageGenerationCall, Tag("image_generation_call")]
    | Annotated[CodeInterpreterCall, Tag("code_interpreter_call")]
    | Annotated[ComputerCall, Tag("computer_call")]
    | Annotated[ComputerCallOutput, Tag("computer_call_output")]
    | Annotated[LocalShellCall, Tag("local_shell_call")]
    | Annotated[LocalShellCallOutput, Tag("local_shell_call_output")]
    | Annotated[ShellCall, Tag("shell_call")]
    | Annotated[ShellCallOutput, Tag("shell_call_output")]
    | Annotated[ApplyPatchCall, Tag("apply_patch_call")]
    | Annotated[ApplyPatchCallOutput, Tag("apply_patch_call_output")]
    | Annotated[McpListTools, Tag("mcp_list_tools")]
    | Annotated[McpApprovalRequest, Tag("mcp_approval_request")]
    | Annotated[McpApprovalResponse, Tag("mcp_approval_response")]
    | Annotated[McpCall, Tag("mcp_call")]
    | Annotated[ToolSearchCall, Tag("tool_search_call")]
    | Annotated[ToolSearchOutput, Tag("tool_search_output")]
    | Annotated[AdditionalTools, Tag("additional_tools")]
    | Annotated[Compaction, Tag("compaction")]
    | Annotated[CompactionTrigger, Tag("compaction_trigger")]
    | Annotated[Program, Tag("program")]
    | Annotated[ProgramOutput, Tag("program_output")]
    | Annotated[ConfigurationUpdate, Tag("configuration_update")],
    Discriminator(_kind),
]
Input = Annotated[str | Annotated[list[AnyItem], Field(fail_fast=True)], Field(union_mode="left_to_right")]
