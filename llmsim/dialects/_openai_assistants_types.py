"""What a client may send to OpenAI's APIs of assistants, threads and runs.

Source: OpenAI's OpenAPI document, schemas CreateAssistantRequest, CreateThreadRequest, CreateMessageRequest,
CreateRunRequest, CreateThreadAndRunRequest, SubmitToolOutputsRunRequest and those that modify the same. A field's place
is its place in the order in which faults are told.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Required

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_tools import FunctionTool, Named, ResponseFormat
from llmsim.dialects._openai_types import Effort, Metadata

Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Limit = Annotated[int, Field(ge=256)]
Instructions = Annotated[str, Field(max_length=256_000)]


@exact
class CodeTool(TypedDict):
    """Lets the model run code."""

    type: Literal["code_interpreter"]


@exact
class RankingOptions(TypedDict, total=False):
    """Which finds of a file search are good enough."""

    ranker: Literal["auto", "default_2024_08_21"] | None
    score_threshold: Required[Share]


@exact
class FileSearchOptions(TypedDict, total=False):
    """How files are searched."""

    max_num_results: Annotated[int, Field(ge=1, le=50)] | None
    ranking_options: RankingOptions | None


@exact
class FileSearchTool(TypedDict, total=False):
    """Lets the model search files."""

    type: Required[Literal["file_search"]]
    file_search: FileSearchOptions | None


AssistantTool = Annotated[CodeTool | FileSearchTool | FunctionTool, Field(discriminator="type")]
Tools = Annotated[list[AssistantTool], Field(fail_fast=True, max_length=128)]


@exact
class FileTool(TypedDict):
    """What an attached file is for."""

    type: Literal["code_interpreter", "file_search"]


@exact
class NamedToolChoice(TypedDict, total=False):
    """Calls exactly this tool."""

    type: Required[Literal["function", "code_interpreter", "file_search"]]
    function: Named | None


ToolChoice = Annotated[
    Literal["none", "auto", "required"] | NamedToolChoice,
    Field(union_mode="left_to_right"),
]
Format = Annotated[Literal["auto"] | ResponseFormat, Field(union_mode="left_to_right")]


@exact
class CodeResources(TypedDict, total=False):
    """Files for code to work on."""

    file_ids: Annotated[list[str], Field(max_length=20)] | None


@exact
class Chunks(TypedDict):
    """How long the chunks are that a file is cut into, in tokens."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]


@exact
class AutoChunking(TypedDict):
    """Chunks of the usual length."""

    type: Literal["auto"]


@exact
class StaticChunking(TypedDict):
    """Chunks of the client's length."""

    type: Literal["static"]
    static: Chunks


Chunking = Annotated[AutoChunking | StaticChunking, Field(discriminator="type")]


@exact
class NewVectorStore(TypedDict, total=False):
    """A vector store to be made along with what it belongs to."""

    file_ids: Annotated[list[str], Field(max_length=10_000)] | None
    chunking_strategy: Chunking | None
    metadata: Metadata | None


@exact
class SearchResources(TypedDict, total=False):
    """Files to search."""

    vector_store_ids: Annotated[list[str], Field(max_length=1)] | None
    vector_stores: Annotated[list[NewVectorStore], Field(max_length=1)] | None


@exact
class ToolResources(TypedDict, total=False):
    """What the tools work on."""

    code_interpreter: CodeResources | None
    file_search: SearchResources | None


@exact
class AssistantFields(TypedDict, total=False):
    """What an assistant can be told to be besides its model."""

    name: Annotated[str, Field(max_length=256)] | None
    description: Annotated[str, Field(max_length=512)] | None
    instructions: Instructions | None
    tools: Tools | None
    tool_resources: ToolResources | None
    metadata: Metadata | None
    temperature: Temperature | None
    top_p: Share | None
    response_format: Format | None
    reasoning_effort: Effort | None


@exact
class ModifyAssistant(AssistantFields, total=False):
    """The body of `POST /v1/assistants/{id}`; null takes a field back."""

    model: str


@exact
class CreateAssistant(AssistantFields, total=False):
    """The body of `POST /v1/assistants`."""

    model: Required[str]


@exact
class TextPart(TypedDict):
    """Text, as a part of a message."""

    type: Literal["text"]
    text: str


@exact
class ImageFile(TypedDict, total=False):
    """An uploaded image."""

    file_id: Required[str]
    detail: Literal["auto", "low", "high"] | None


@exact
class ImageFilePart(TypedDict):
    """An uploaded image, as a part of a message."""

    type: Literal["image_file"]
    image_file: ImageFile


@exact
class ImageUrl(TypedDict, total=False):
    """Where an image is."""

    url: Required[str]
    detail: Literal["auto", "low", "high"] | None


@exact
class ImageUrlPart(TypedDict):
    """An image elsewhere, as a part of a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


Part = Annotated[TextPart | ImageFilePart | ImageUrlPart, Field(discriminator="type")]
Content = Annotated[
    Annotated[str, Field(max_length=256_000)] | Annotated[list[Part], Field(fail_fast=True, min_length=1)],
    Field(union_mode="left_to_right"),
]


@exact
class Attachment(TypedDict, total=False):
    """A file that comes with a message, and the tools it is for."""

    file_id: Required[str]
    tools: list[FileTool] | None


@exact
class CreateMessage(TypedDict, total=False):
    """The body of `POST /v1/threads/{id}/messages`."""

    role: Required[Literal["user", "assistant"]]
    content: Required[Content]
    attachments: Annotated[list[Attachment], Field(fail_fast=True)] | None
    metadata: Metadata | None


Messages = Annotated[list[CreateMessage], Field(fail_fast=True)]


@exact
class ModifyMetadata(TypedDict, total=False):
    """A body that can change nothing but the metadata: of a message, of a run."""

    metadata: Metadata | None


@exact
class ModifyThread(ModifyMetadata, total=False):
    """The body of `POST /v1/threads/{id}`."""

    tool_resources: ToolResources | None


@exact
class CreateThread(ModifyThread, total=False):
    """The body of `POST /v1/threads`."""

    messages: Messages | None


@exact
class Truncation(TypedDict, total=False):
    """Which of a thread's messages the model gets to see."""

    type: Required[Literal["auto", "last_messages"]]
    last_messages: Annotated[int, Field(ge=1)] | None


@exact
class RunFields(TypedDict, total=False):
    """What the two ways to create a run have in common; what is left out is as the assistant has it."""

    assistant_id: Required[str]
    model: str | None
    instructions: Instructions | None
    tools: Tools | None
    metadata: Metadata | None
    temperature: Temperature | None
    top_p: Share | None
    stream: bool | None
    max_prompt_tokens: Limit | None
    max_completion_tokens: Limit | None
    truncation_strategy: Truncation | None
    tool_choice: ToolChoice | None
    parallel_tool_calls: bool | None
    response_format: Format | None
    reasoning_effort: Effort | None


@exact
class CreateRun(RunFields, total=False):
    """The body of `POST /v1/threads/{id}/runs`."""

    additional_instructions: Instructions | None
    additional_messages: Messages | None


@exact
class CreateThreadAndRun(RunFields, total=False):
    """The body of `POST /v1/threads/runs`."""

    thread: CreateThread | None
    tool_resources: ToolResources | None


@exact
class ToolOutput(TypedDict, total=False):
    """What a tool answered to a call."""

    tool_call_id: Required[str]
    output: str | None


@exact
class SubmitOutputs(TypedDict, total=False):
    """The body of `POST /v1/threads/{id}/runs/{id}/submit_tool_outputs`."""

    tool_outputs: Required[Annotated[list[ToolOutput], Field(fail_fast=True)]]
    stream: bool | None


@cache
def adapter(shape: type) -> TypeAdapter[Any]:
    """The validator of one of these bodies, built when it is first needed."""
    return TypeAdapter(shape)
