"""The built-in tools of OpenAI's Responses API, as a client asks for them.

Source: OpenAI's OpenAPI document, schema Tool, and the newer fields of its Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_types import Effort

Schema = dict[str, Any]
Callers = Annotated[list[Literal["direct", "programmatic"]], Field(fail_fast=True, min_length=1)]
Strings = Annotated[list[str], Field(fail_fast=True)]
FileIds = Annotated[list[str], Field(fail_fast=True, max_length=50)]


# -- tools that OpenAI runs


@exact
class HybridSearch(TypedDict):
    """How much meaning and words count in a search."""

    embedding_weight: float
    text_weight: float


@exact
class RankingOptions(TypedDict, total=False):
    """How results are ranked."""

    ranker: Literal["auto", "default-2024-11-15"] | None
    score_threshold: Annotated[float, Field(ge=0, le=1)] | None
    hybrid_search: HybridSearch | None


@exact
class FileSearch(TypedDict, total=False):
    """Searches files in vector stores."""

    type: Required[Literal["file_search"]]
    vector_store_ids: Required[Annotated[list[str], Field(fail_fast=True, min_length=1)]]
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None
    ranking_options: RankingOptions | None
    filters: Schema | None


@exact
class Location(TypedDict, total=False):
    """Roughly where the user is."""

    type: Literal["approximate"] | None
    country: str | None
    region: str | None
    city: str | None
    timezone: str | None


@exact
class WebFilters(TypedDict, total=False):
    """Where to search."""

    allowed_domains: Strings | None


@exact
class WebSearch(TypedDict, total=False):
    """Searches the web."""

    type: Required[Literal["web_search", "web_search_2025_08_26"]]
    external_web_access: bool | None
    filters: WebFilters | None
    user_location: Location | None
    search_context_size: Literal["low", "medium", "high"] | None


@exact
class WebSearchPreview(TypedDict, total=False):
    """Searches the web, by the tool's first name."""

    type: Required[Literal["web_search_preview", "web_search_preview_2025_03_11"]]
    user_location: Location | None
    search_context_size: Literal["low", "medium", "high"] | None
    search_content_types: Annotated[list[Literal["text", "image"]], Field(fail_fast=True)] | None


@exact
class McpFilter(TypedDict, total=False):
    """Some of a server's tools."""

    tool_names: Strings | None
    read_only: bool | None


@exact
class McpApproval(TypedDict, total=False):
    """Which of a server's tools need the user's approval."""

    always: McpFilter | None
    never: McpFilter | None


@exact
class Mcp(TypedDict, total=False):
    """The tools of an MCP server."""

    type: Required[Literal["mcp"]]
    server_label: Required[Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]*$", max_length=64)]]
    server_url: str | None
    connector_id: (
        Literal[
            "connector_dropbox",
            "connector_gmail",
            "connector_googlecalendar",
            "connector_googledrive",
            "connector_microsoftteams",
            "connector_outlookcalendar",
            "connector_outlookemail",
            "connector_sharepoint",
        ]
        | None
    )
    tunnel_id: Annotated[str, Field(pattern=r"^tunnel_[a-z0-9]{32}$")] | None
    authorization: str | None
    server_description: str | None
    headers: dict[str, str] | None
    allowed_tools: Annotated[Strings | McpFilter, Field(union_mode="left_to_right")] | None
    allowed_callers: Callers | None
    require_approval: Annotated[Literal["always", "never"] | McpApproval, Field(union_mode="left_to_right")] | None
    defer_loading: bool | None


@exact
class NoNetwork(TypedDict):
    """A container without a network."""

    type: Literal["disabled"]


@exact
class DomainSecret(TypedDict):
    """A secret for one domain."""

    domain: str
    name: str
    value: str


@exact
class SomeNetwork(TypedDict, total=False):
    """A container that may reach some domains."""

    type: Required[Literal["allowlist"]]
    allowed_domains: Required[Annotated[list[str], Field(fail_fast=True, min_length=1)]]
    domain_secrets: Annotated[list[DomainSecret], Field(fail_fast=True)] | None


Network = Annotated[NoNetwork | SomeNetwork, Field(discriminator="type")]
Memory = Literal["1g", "4g", "16g", "64g"]


@exact
class AutoContainer(TypedDict, total=False):
    """A container made for the request."""

    type: Required[Literal["auto"]]
    file_ids: FileIds | None
    memory_limit: Memory | None
    network_policy: Network | None


@exact
class CodeInterpreter(TypedDict, total=False):
    """Runs code."""

    type: Required[Literal["code_interpreter"]]
    container: Required[Annotated[str | AutoContainer, Field(union_mode="left_to_right")]]
    allowed_callers: Callers | None


@exact
class ProgrammaticCalls(TypedDict):
    """Calls tools from a program."""

    type: Literal["programmatic_tool_calling"]


@exact
class ImageMask(TypedDict, total=False):
    """Where to edit an image."""

    image_url: str | None
    file_id: str | None


@exact
class SvgReasoning(TypedDict, total=False):
    """How hard to think about a drawing."""

    effort: Effort | None


@exact
class Svg(TypedDict, total=False):
    """How a drawing is made."""

    model: str | None
    reasoning: SvgReasoning | None


@exact
class ImageGeneration(TypedDict, total=False):
    """Draws images."""

    type: Required[Literal["image_generation"]]
    model: str | None
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto"] | None
    size: str | None
    output_format: Literal["png", "webp", "jpeg", "gif", "svg"] | None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None
    moderation: Literal["auto", "low"] | None
    background: Literal["transparent", "opaque", "auto"] | None
    input_fidelity: Literal["high", "low"] | None
    input_image_mask: ImageMask | None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None
    action: Literal["generate", "edit", "auto"] | None
    complexity: Literal["low", "medium", "high"] | None
    frame_count: int | None
    frame_duration_ms: int | None
    svg: Svg | None


@exact
class ToolSearch(TypedDict, total=False):
    """Searches for tools that are loaded later."""

    type: Required[Literal["tool_search"]]
    execution: Literal["server", "client"] | None
    description: str | None
    parameters: Schema | None


# -- tools that the client runs


@exact
class Computer(TypedDict):
    """Uses a computer."""

    type: Literal["computer"]


@exact
class ComputerPreview(TypedDict):
    """Uses a computer, by the tool's first name."""

    type: Literal["computer_use_preview"]
    environment: Literal["windows", "mac", "linux", "ubuntu", "browser"]
    display_width: int
    display_height: int


@exact
class LocalShell(TypedDict):
    """Runs commands, by the tool's first name."""

    type: Literal["local_shell"]


@exact
class ContainerEnvironment(TypedDict, total=False):
    """A container that is made for the shell."""

    type: Required[Literal["container_auto"]]
    file_ids: FileIds | None
    memory_limit: Memory | None
    network_policy: Network | None
    skills: Annotated[list[Schema], Field(fail_fast=True, max_length=200)] | None


@exact
class LocalSkill(TypedDict):
    """A skill on the client's own machine."""

    name: str
    description: str
    path: str


@exact
class LocalEnvironment(TypedDict, total=False):
    """The client's own machine."""

    type: Required[Literal["local"]]
    skills: Annotated[list[LocalSkill], Field(fail_fast=True, max_length=200)] | None


@exact
class ContainerReference(TypedDict):
    """A container that there is already."""

    type: Literal["container_reference"]
    container_id: str


Environment = Annotated[ContainerEnvironment | LocalEnvironment | ContainerReference, Field(discriminator="type")]


@exact
class Shell(TypedDict, total=False):
    """Runs commands."""

    type: Required[Literal["shell"]]
    environment: Environment | None
    allowed_callers: Callers | None


@exact
class ApplyPatch(TypedDict, total=False):
    """Changes files."""

    type: Required[Literal["apply_patch"]]
    allowed_callers: Callers | None
