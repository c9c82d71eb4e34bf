"""The messages of a conversation with Claude and the content blocks they are made of, as clients send them.

Source: the types of the SDK anthropic 2.12 (`ContentBlockParam` and what it is made of). Blocks that only betas know,
and what the server's own tools answered, come back as they were sent and are not looked into.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

exact = with_config(ConfigDict(strict=True, extra="forbid"))
# For what clients send back as it came, with keys that only replies have.
echoed = with_config(ConfigDict(strict=True, extra="allow"))

Id = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
Json: TypeAlias = dict[str, Any]


@exact
class CacheControl(TypedDict, total=False):
    """Marks the end of a prefix that is to be cached."""

    type: Required[Literal["ephemeral"]]
    ttl: Literal["5m", "1h"]
    scope: str


@exact
class CitationsConfig(TypedDict, total=False):
    """Whether the reply may cite the block."""

    enabled: bool


@exact
class Text(TypedDict, total=False):
    """Text."""

    type: Required[Literal["text"]]
    text: Required[str]
    cache_control: CacheControl | None
    citations: list[Json] | None


@exact
class Base64Image(TypedDict):
    """An image in base64."""

    type: Literal["base64"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


@exact
class UrlSource(TypedDict):
    """Something on the web."""

    type: Literal["url"]
    url: str


@exact
class FileSource(TypedDict):
    """A file uploaded before."""

    type: Literal["file"]
    file_id: str


@exact
class Transformations(TypedDict, total=False):
    """What becomes of an image that is too large."""

    oversized_image: Literal["downsize", "error"]


@exact
class Image(TypedDict, total=False):
    """An image."""

    type: Required[Literal["image"]]
    source: Required[Annotated[Base64Image | UrlSource | FileSource, Field(discriminator="type")]]
    cache_control: CacheControl | None
    transformations: Transformations | None


@exact
class Base64Pdf(TypedDict):
    """A PDF in base64."""

    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


@exact
class PlainText(TypedDict):
    """A document of plain text."""

    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


@exact
class ContentSource(TypedDict):
    """A document of blocks of its own, each of which can be cited."""

    type: Literal["content"]
    content: Annotated[
        str | Annotated[list[Annotated[Text | Image, Field(discriminator="type")]], Field(fail_fast=True)],
        Field(union_mode="left_to_right"),
    ]


@exact
class Document(TypedDict, total=False):
    """A document."""

    type: Required[Literal["document"]]
    source: Required[
        Annotated[Base64Pdf | PlainText | ContentSource | UrlSource | FileSource, Field(discriminator="type")]
    ]
    cache_control: CacheControl | None
    citations: CitationsConfig | None
    context: str | None
    title: str | None


@exact
class SearchResult(TypedDict, total=False):
    """A result of the client's own search."""

    type: Required[Literal["search_result"]]
    content: Required[Annotated[list[Text], Field(fail_fast=True)]]
    source: Required[str]
    title: Required[str]
    cache_control: CacheControl | None
    citations: CitationsConfig | None


@exact
class Thinking(TypedDict):
    """What the model thought before."""

    type: Literal["thinking"]
    thinking: str
    signature: str


@exact
class RedactedThinking(TypedDict):
    """What the model thought before, unreadable."""

    type: Literal["redacted_thinking"]
    data: str


@exact
class ToolUse(TypedDict, total=False):
    """A call of one of the client's tools."""

    type: Required[Literal["tool_use"]]
    id: Required[Id]
    name: Required[Annotated[str, Field(min_length=1, max_length=200)]]
    input: Required[Json]
    cache_control: CacheControl | None
    caller: Json | None
    toolset_name: str | None


@exact
class ToolReference(TypedDict, total=False):
    """A tool that a search for tools found."""

    type: Required[Literal["tool_reference"]]
    tool_name: Required[str]
    cache_control: CacheControl | None


@echoed
class BrowserState(TypedDict):
    """The tabs of a browser after a tool has worked on it."""

    type: Literal["browser_state"]
    tabs: list[Json]


ResultBlock = Annotated[
    Text | Image | Document | SearchResult | ToolReference | BrowserState, Field(discriminator="type")
]


@exact
class ToolResult(TypedDict, total=False):
    """What one of the client's tools answered."""

    type: Required[Literal["tool_result"]]
    tool_use_id: Required[Id]
    content: Annotated[
        str | Annotated[list[ResultBlock], Field(fail_fast=True)] | None, Field(union_mode="left_to_right")
    ]
    is_error: bool | None
    cache_control: CacheControl | None
    toolset_name: str | None


@exact
class ServerToolUse(TypedDict, total=False):
    """A call of one of the server's tools."""

    type: Required[Literal["server_tool_use"]]
    id: Required[Annotated[str, Field(pattern=r"^srvtoolu_[a-zA-Z0-9_]+$")]]
    name: Required[
        Literal[
            "advisor",
            "web_search",
            "web_fetch",
            "code_execution",
            "bash_code_execution",
            "text_editor_code_execution",
            "tool_search_tool_regex",
            "tool_search_tool_bm25",
        ]
    ]
    input: Required[Json]
    cache_control: CacheControl | None
    caller: Json | None


@exact
class ServerToolResult(TypedDict, total=False):
    """What one of the server's tools answered."""

    type: Required[
        Literal[
            "web_search_tool_result",
            "web_fetch_tool_result",
            "code_execution_tool_result",
            "bash_code_execution_tool_result",
            "text_editor_code_execution_tool_result",
            "tool_search_tool_result",
            "advisor_tool_result",
        ]
    ]
    tool_use_id: Required[str]
    content: Required[list[Json] | Json]
    cache_control: CacheControl | None
    caller: Json | None


@exact
class ContainerUpload(TypedDict, total=False):
    """A file for the container in which code runs."""

    type: Required[Literal["container_upload"]]
    file_id: Required[str]
    cache_control: CacheControl | None


@echoed
class BetaBlock(TypedDict, total=False):
    """A block that only a beta knows."""

    type: Required[
        Literal[
            "compaction",
            "fallback",
            "mcp_tool_listing",
            "mcp_tool_result",
            "mcp_tool_use",
            "tool_addition",
            "tool_removal",
        ]
    ]
    cache_control: CacheControl | None


Block = Annotated[
    Text
    | Image
    | Document
    | SearchResult
    | Thinking
    | RedactedThinking
    | ToolUse
    | ToolResult
    | ServerToolUse
    | ServerToolResult
    | ContainerUpload
    | BetaBlock,
    Field(discriminator="type"),
]
Content = Annotated[str | Annotated[list[Block], Field(fail_fast=True)], Field(union_mode="left_to_right")]
Texts = Annotated[str | Annotated[list[Text], Field(fail_fast=True)], Field(union_mode="left_to_right")]


@exact
class Message(TypedDict, total=False):
    """A turn of the conversation; which roles there are is checked with their meaning.

    Only system messages have the last two fields, and only they may have no content.
    """

    role: Required[str]
    content: Content
    clear_at: Literal["next_user_message", "never"] | None
    output_config: Json | None
