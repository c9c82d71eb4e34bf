"""What clients may send to Anthropic's Messages API that only betas know: servers of tools, skills, edits, compaction.

Source: the types of the SDK anthropic 2.14 (`types/beta`).
"""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._anthropic_blocks import Json, exact


@exact
class Compaction(TypedDict, total=False):
    """Has the whole conversation summed up, in place of a reply."""

    type: Required[Literal["summarize"]]
    instructions: str | None


@exact
class McpTools(TypedDict, total=False):
    """Which of a server's tools the model may call."""

    allowed_tools: list[str] | None
    enabled: bool | None


@exact
class McpServer(TypedDict, total=False):
    """A server whose tools Anthropic's API calls."""

    type: Required[Literal["url"]]
    name: Required[str]
    url: Required[str]
    authorization_token: str | None
    tool_configuration: McpTools | None


@exact
class Skill(TypedDict, total=False):
    """A skill to be loaded into a container."""

    type: Required[Literal["anthropic", "custom"]]
    skill_id: Required[Annotated[str, Field(min_length=1, max_length=64)]]
    version: Annotated[str, Field(min_length=1, max_length=64)]


@exact
class Container(TypedDict, total=False):
    """Where code runs, and the skills it has there."""

    id: str | None
    skills: Annotated[list[Skill], Field(max_length=8)] | None


@exact
class ClearToolUses(TypedDict, total=False):
    """Leaves out what old calls brought."""

    type: Required[Literal["clear_tool_uses_20250919"]]
    clear_at_least: Json | None
    clear_tool_inputs: bool | list[str] | None
    exclude_tools: list[str] | None
    keep: Json
    trigger: Json


@exact
class ClearThinking(TypedDict, total=False):
    """Leaves out old thinking."""

    type: Required[Literal["clear_thinking_20251015"]]
    keep: Json | Literal["all"]


@exact
class CompactEdit(TypedDict, total=False):
    """Sums up what is old by itself, once the conversation is long."""

    type: Required[Literal["compact_20260112"]]
    instructions: str | None
    pause_after_compaction: bool
    trigger: Json | None


@exact
class ContextManagement(TypedDict, total=False):
    """What the server does about long conversations."""

    edits: list[Annotated[ClearToolUses | ClearThinking | CompactEdit, Field(discriminator="type")]]


@exact
class TaskBudget(TypedDict, total=False):
    """How many tokens all of a task may take."""

    type: Required[Literal["tokens"]]
    total: Required[int]
    remaining: int | None
