"""The calls of built-in tools that a client may send back to OpenAI's Responses API, and what its own gave.

Source: OpenAI's OpenAPI document, schema Item, and the newer items of its Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_responses_content import Status, Text
from llmsim.dialects._openai_responses_hosted_types import Schema
from llmsim.dialects._openai_responses_tool_types import Tools

CallId = Annotated[str, Field(min_length=1, max_length=64)]
Strings = Annotated[list[str], Field(fail_fast=True)]


class Item(TypedDict, total=False):
    """What most items have."""

    id: str | None
    status: Status | None
    created_by: str | None


class Caller(TypedDict, total=False):
    """Who called: the model itself, or a program of its."""

    type: Required[Literal["direct", "program"]]
    caller_id: str | None


@exact
class FileSearchCall(Item, total=False):
    """A search in files."""

    type: Required[Literal["file_search_call"]]
    status: Literal["in_progress", "searching", "completed", "incomplete", "failed"] | None  # type: ignore[misc]
    queries: Required[Strings]
    results: list[Schema] | None


@exact
class WebSearchCall(Item, total=False):
    """A search on the web."""

    type: Required[Literal["web_search_call"]]
    status: Literal["in_progress", "searching", "completed", "failed", "incomplete"] | None  # type: ignore[misc]
    action: Schema | None


@exact
class ImageGenerationCall(Item, total=False):
    """An image that was drawn."""

    type: Required[Literal["image_generation_call"]]
    status: Literal["in_progress", "completed", "generating", "failed"] | None  # type: ignore[misc]
    result: str | None
    action: str | None
    background: str | None
    error: Schema | None
    output_format: str | None
    quality: str | None
    revised_prompt: str | None
    size: str | None
    svg_usage: Schema | None


@exact
class CodeInterpreterCall(Item, total=False):
    """Code that was run."""

    type: Required[Literal["code_interpreter_call"]]
    status: Literal["in_progress", "completed", "incomplete", "interpreting", "failed"] | None  # type: ignore[misc]
    container_id: str | None
    code: str | None
    outputs: list[Schema] | None


@exact
class ComputerCall(Item, total=False):
    """What to do with a computer."""

    type: Required[Literal["computer_call"]]
    call_id: Required[str]
    action: Schema | None
    actions: list[Schema] | None
    pending_safety_checks: list[Schema] | None


@exact
class Screenshot(TypedDict, total=False):
    """A picture of a screen: at a URL, as a data URL, or uploaded before."""

    type: Required[Literal["computer_screenshot"]]
    image_url: str | None
    file_id: str | None


@exact
class ComputerCallOutput(Item, total=False):
    """What the computer shows."""

    type: Required[Literal["computer_call_output"]]
    call_id: Required[CallId]
    output: Required[Screenshot]
    acknowledged_safety_checks: list[Schema] | None


@exact
class LocalShellCall(Item, total=False):
    """A command to run."""

    type: Required[Literal["local_shell_call"]]
    call_id: Required[str]
    action: Required[Schema]


@exact
class LocalShellCallOutput(Item, total=False):
    """What a command printed; its `id` is the call's."""

    type: Required[Literal["local_shell_call_output"]]
    call_id: str | None
    output: Required[Text]


@exact
class ShellCall(Item, total=False):
    """Commands to run."""

    type: Required[Literal["shell_call"]]
    call_id: Required[CallId]
    action: Required[Schema]
    caller: Caller | None
    environment: Schema | None


@exact
class Printed(TypedDict, total=False):
    """What one command printed."""

    stdout: Required[Text]
    stderr: Required[Text]
    outcome: Required[Schema]
    created_by: str | None


@exact
class ShellCallOutput(Item, total=False):
    """What the commands printed."""

    type: Required[Literal["shell_call_output"]]
    call_id: Required[CallId]
    output: Required[Annotated[list[Printed], Field(fail_fast=True)]]
    caller: Caller | None
    max_output_length: int | None


@exact
class ApplyPatchCall(Item, total=False):
    """A change of a file."""

    type: Required[Literal["apply_patch_call"]]
    call_id: Required[CallId]
    operation: Required[Schema]
    caller: Caller | None


@exact
class ApplyPatchCallOutput(Item, total=False):
    """What became of the change."""

    type: Required[Literal["apply_patch_call_output"]]
    call_id: Required[CallId]
    status: Required[Literal["completed", "failed"]]  # type: ignore[misc]
    output: Text | None
    caller: Caller | None


@exact
class McpListTools(Item, total=False):
    """The tools of an MCP server."""

    type: Required[Literal["mcp_list_tools"]]
    server_label: Required[str]
    tools: Required[list[Schema]]
    error: str | None


@exact
class McpApprovalRequest(Item, total=False):
    """A call that needs the user's approval."""

    type: Required[Literal["mcp_approval_request"]]
    server_label: Required[str]
    name: Required[str]
    arguments: Required[str]


@exact
class McpApprovalResponse(Item, total=False):
    """The user's approval, or not."""

    type: Required[Literal["mcp_approval_response"]]
    approval_request_id: Required[str]
    approve: Required[bool]
    reason: str | None


@exact
class McpCall(Item, total=False):
    """A call of a tool of an MCP server."""

    type: Required[Literal["mcp_call"]]
    status: Literal["in_progress", "completed", "incomplete", "calling", "failed"] | None  # type: ignore[misc]
    server_label: Required[str]
    name: Required[str]
    arguments: Required[str]
    output: str | None
    error: Any
    approval_request_id: str | None


@exact
class ToolSearchCall(Item, total=False):
    """A search for tools."""

    type: Required[Literal["tool_search_call"]]
    call_id: CallId | None
    execution: Literal["server", "client"] | None
    arguments: Required[Any]


@exact
class ToolSearchOutput(Item, total=False):
    """The tools that were found."""

    type: Required[Literal["tool_search_output"]]
    call_id: CallId | None
    execution: Literal["server", "client"] | None
    tools: Required[Tools]


@exact
class AdditionalTools(Item, total=False):
    """More tools."""

    type: Required[Literal["additional_tools"]]
    role: Required[Literal["developer"]]
    tools: Required[Tools]


@exact
class Program(Item, total=False):
    """A program that calls tools."""

    type: Required[Literal["program"]]
    call_id: Required[CallId]
    code: Required[Text]
    fingerprint: Required[Text]


@exact
class ProgramOutput(Item, total=False):
    """What a program gave."""

    type: Required[Literal["program_output"]]
    call_id: Required[CallId]
    result: Required[Text]
