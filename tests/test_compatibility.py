"""What docs/compatibility.md says of paths and fields is true: nothing is forgotten, nothing named that is not served.

The page's form: methods and a path in one code span, `GET, POST /v1/files`; braces with commas are alternatives, braces
with a name are a part of the path; a span that ends in `*` is every path that begins so. What stands under a heading
that begins with "Missing" is not served, all else is. A field is named where it stands in code in its path's section.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import openapi
import pytest
from inprocess import ask
from running import application

from llmsim.dialects import kinds
from llmsim.server.handlers import Application

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "compatibility.md").read_text()

_METHOD = "(?:GET|POST|PUT|PATCH|DELETE|WEBSOCKET)"
_NAMED = re.compile(rf"`({_METHOD}(?:, {_METHOD})*) (/[^\s`]*)`")
_BEGINNING = re.compile(r"`(/[^\s`*]*)\*`")
_CODE = re.compile(r"`([^`]+)`")
_ALTERNATIVES = re.compile(r"\{([^{}]*,[^{}]*)\}")

Operation = tuple[str, str]


class Section(NamedTuple):
    """A heading, and what stands below it up to the next one."""

    title: str
    text: str

    @property
    def missing(self) -> bool:
        return self.title.startswith("Missing")

    @property
    def operations(self) -> frozenset[Operation]:
        found = (
            (method, plain(path))
            for methods, pattern in _NAMED.findall(self.text)
            for method in methods.split(", ")
            for path in spelled_out(pattern)
        )
        return frozenset(found)

    @property
    def names(self) -> frozenset[str]:
        """Every name in code, the parts of dotted ones too."""
        spans = _CODE.findall(self.text)
        return frozenset(name for span in spans for name in (span, *re.split(r"[.\[\]:, ]+", span)))


def spelled_out(path: str) -> Iterator[str]:
    """Every path that one with alternatives stands for."""
    match = _ALTERNATIVES.search(path)
    if match is None:
        yield path
        return
    for part in match[1].split(","):
        yield from spelled_out(path[: match.start()] + part + path[match.end() :])


def plain(path: str) -> str:
    """A path whose parts have no names."""
    return re.sub(r"\{[^{}]*\}", "{}", path.partition("?")[0])


def served(kind: str) -> set[Operation]:
    return {(route.method, plain(route.path)) for route in kinds()[kind]().routes()}


SECTIONS = [Section(*part.partition("\n")[::2]) for part in re.split(r"^#{1,4} ", PAGE, flags=re.MULTILINE)[1:]]
NAMED = frozenset().union(*(section.operations for section in SECTIONS if not section.missing))
NOT_SERVED = frozenset().union(*(section.operations for section in SECTIONS if section.missing))
BEGINNINGS = tuple(
    plain(begin)
    for section in SECTIONS
    if section.missing
    for pattern in _BEGINNING.findall(section.text)
    for begin in spelled_out(pattern)
)


def section_of(method: str, path: str) -> Section:
    return next(one for one in SECTIONS if not one.missing and (method, plain(path)) in one.operations)


# -- paths


@pytest.mark.parametrize("kind", kinds())
def test_every_route_of_a_dialect_is_named(kind: str) -> None:
    assert not served(kind) - NAMED


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_is_named_for_those_who_turn_it_off(kind: str) -> None:
    assert f"`{kind}`" in PAGE


def test_every_path_that_is_named_is_served() -> None:
    assert not NAMED - set().union(*map(served, kinds()))


def test_what_is_named_as_missing_is_not_served() -> None:
    routes = set().union(*map(served, kinds()))
    assert not routes & NOT_SERVED
    assert not [path for _, path in routes if path.startswith(BEGINNINGS)]


def test_every_path_of_openais_document_is_named_as_served_or_as_missing() -> None:
    operations = {(method, path) for method, path, _ in documented()}
    forgotten = operations - NAMED - NOT_SERVED
    assert not [operation for operation in forgotten if not operation[1].startswith(BEGINNINGS)]


# -- fields


def documented() -> Iterator[tuple[str, str, set[str]]]:
    """Each operation of OpenAI's document with the fields of its query and its body."""
    document = openapi._document()
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            operation = item[method]
            told = [resolved(document, one) for one in operation.get("parameters", [])]
            fields = {one["name"].partition("[")[0] for one in told if one["in"] == "query"}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                fields |= properties(document, content["schema"])
            yield method.upper(), plain(f"/v1{path}"), fields


def resolved(document: Any, node: Any) -> Any:
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def properties(document: Any, schema: Any) -> set[str]:
    """The names of the properties of a schema, in whichever of its forms."""
    schema = resolved(document, schema)
    ways = [way for word in ("allOf", "anyOf", "oneOf") for way in schema.get(word, [])]
    return set(schema.get("properties", {})).union(*(properties(document, way) for way in ways))


def test_every_field_of_openais_document_is_named_where_its_path_is() -> None:
    forgotten = {
        f"{method} {path}": fields - section_of(method, path).names
        for method, path, fields in documented()
        if (method, path) in NAMED
    }
    assert not {operation: fields for operation, fields in forgotten.items() if fields}


# What a function of an SDK takes besides what it sends in the body and in the query.
_APART = {
    "self", "extra_headers", "extra_query", "extra_body", "timeout", "betas", "workspace_id", "user_profile_id",
    "idempotency_key",
}  # fmt: skip


def taken(function: str) -> set[str]:
    """What the function of an SDK takes; told as `module:Class.function`."""
    module, _, names = function.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return set(inspect.signature(found).parameters) - _APART


OPENAI = {
    "POST /v1/chat/completions": "chat.completions:Completions.create",
    "POST /v1/completions": "completions:Completions.create",
    "POST /v1/embeddings": "embeddings:Embeddings.create",
    "POST /v1/moderations": "moderations:Moderations.create",
    "POST /v1/responses": "responses:Responses.create",
    "POST /v1/responses/compact": "responses:Responses.compact",
    "POST /v1/responses/input_tokens": "responses:InputTokens.count",
    "POST /v1/conversations": "conversations:Conversations.create",
    "POST /v1/files": "files:Files.create",
    "POST /v1/uploads": "uploads:Uploads.create",
    "POST /v1/batches": "batches:Batches.create",
    "POST /v1/images/generations": "images:Images.generate",
    "POST /v1/images/edits": "images:Images.edit",
    "POST /v1/images/variations": "images:Images.create_variation",
    "POST /v1/audio/speech": "audio:Speech.create",
    "POST /v1/audio/transcriptions": "audio:Transcriptions.create",
    "POST /v1/audio/translations": "audio:Translations.create",
    "POST /v1/assistants": "beta:Assistants.create",
    "POST /v1/threads": "beta:Threads.create",
    "POST /v1/threads/runs": "beta:Threads.create_and_run",
    "POST /v1/vector_stores": "vector_stores:VectorStores.create",
}
ANTHROPIC = {
    "POST /v1/messages": "messages:Messages.create",
    "POST /v1/messages/count_tokens": "messages:Messages.count_tokens",
    "POST /v1/messages/batches": "messages:Batches.create",
    "POST /v1/files": "files:Files.upload",
    "GET /v1/files": "files:Files.list",
    "GET /v1/models": "models:Models.list",
}


@pytest.mark.parametrize("operation", OPENAI)
def test_every_field_that_openais_sdk_sends_is_named(operation: str) -> None:
    pytest.importorskip("openai")
    fields = taken(f"openai.resources.{OPENAI[operation]}")
    assert not fields - section_of(*operation.split()).names


@pytest.mark.parametrize("operation", ANTHROPIC)
def test_every_field_that_anthropics_sdk_sends_is_named(operation: str) -> None:
    pytest.importorskip("anthropic")
    fields = taken(f"anthropic.resources.beta.{ANTHROPIC[operation]}")
    assert not fields - anthropics(*operation.split()).names


def anthropics(method: str, path: str) -> Section:
    """The section of a path that other providers have too."""
    own = (one for one in SECTIONS if "`anthropic_" in one.text and not one.missing)
    return next(one for one in own if (method, plain(path)) in one.operations)


def test_every_field_that_googles_sdk_sends_is_named() -> None:
    types = pytest.importorskip("google.genai.types")
    kept = {"http_options", "should_return_http_response", "automatic_function_calling", "automatic_continuation"}
    wired = {"generation_output_config": "output_config"}
    config = {wired.get(name, name) for name in types.GenerateContentConfig.model_fields if name not in kept}
    fields = {camel(name) for name in (*config, *types.Tool.model_fields)}
    assert not fields - section_of("POST", "/v1beta/models/{model}:generateContent").names


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.title() for part in others)


@pytest.mark.parametrize("shape", ["Chat", "Generate", "Embed", "Embeddings", "Pull", "Push", "Create"])
def test_every_field_that_ollamas_client_sends_is_named(shape: str) -> None:
    types = pytest.importorskip("ollama._types")
    fields = {name.rstrip("_") for name in getattr(types, f"{shape}Request").model_fields}
    names = frozenset().union(*(section.names for section in SECTIONS if "`ollama" in section.text))
    assert not fields - names


def test_every_option_of_ollamas_models_is_named() -> None:
    types = pytest.importorskip("ollama._types")
    assert not set(types.Options.model_fields) - section_of("POST", "/api/chat").names


def test_every_operation_and_field_of_bedrocks_runtime_is_named() -> None:
    session = pytest.importorskip("botocore.session")
    model = session.get_session().get_service_model("bedrock-runtime")
    operation: Callable[[str], Any] = model.operation_model
    for name in model.operation_names:
        assert f"`{name}`" in PAGE
    for name, end in (("Converse", "converse"), ("InvokeModel", "invoke")):
        fields = set(operation(name).input_shape.members) - {"modelId", "body"}
        assert not fields - section_of("POST", f"/model/{{model}}/{end}").names


# -- states

_STATES = {"exact", "simulated", "no effect", "refused"}

_BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/chat/completions": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]},
    "POST /v1/completions": {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"},
    "POST /v1/embeddings": {"model": "text-embedding-3-small", "input": "Hi"},
    "POST /v1/moderations": {"input": "Hi"},
    "POST /v1/responses": {"model": "gpt-4o", "input": "Hi"},
    "POST /v1/responses/compact": {"model": "gpt-4o", "input": "Hi"},
    "POST /v1/responses/input_tokens": {"model": "gpt-4o", "input": "Hi"},
    "POST /v1/uploads": {"filename": "a", "purpose": "batch", "bytes": 1, "mime_type": "text/plain"},
    "POST /v1/batches": {"input_file_id": "file-1", "endpoint": "/v1/embeddings", "completion_window": "24h"},
    "POST /v1/audio/speech": {"model": "gpt-4o-mini-tts", "input": "Hi", "voice": "alloy"},
    "POST /v1/assistants": {"model": "gpt-4o"},
    "POST /v1/threads/runs": {"assistant_id": "asst_1"},
    "POST /v1/threads": {},
    "POST /v1/vector_stores": {},
    "POST /v1/conversations": {},
}


def rows(section: Section) -> Iterator[tuple[frozenset[str], str]]:
    """The names and the state of each row of a table of fields; a row without a name goes on with the one before."""
    names: frozenset[str] = frozenset()
    for line in section.text.partition("| field | state | note |")[2].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and not cells[0].startswith("---"):
            names = frozenset(_CODE.findall(cells[0])) or names
            yield names, cells[1]


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


def test_every_row_of_a_table_of_fields_has_one_of_the_states() -> None:
    told = [(section.title, state) for section in SECTIONS for _, state in rows(section)]
    assert len(told) > 80
    assert not [one for one in told if one[1] not in _STATES]


@pytest.mark.parametrize("operation", _BODIES)
async def test_fields_of_openais_sdk_are_refused_as_unknown_only_where_that_is_said(
    operation: str, app: Application
) -> None:
    pytest.importorskip("openai")
    section, body = section_of(*operation.split()), _BODIES[operation]
    said = frozenset().union(*(names for names, state in rows(section) if state == "refused"))
    for field in taken(f"openai.resources.{OPENAI[operation]}") - body.keys():
        told = await ask(app, operation.split()[1], {**body, field: None}, openai_beta="assistants=v2")
        refused = told.status == 400 and told.json["error"]["code"] == "unknown_parameter"
        assert refused == (field in said), field


async def test_fields_of_anthropics_sdk_are_never_refused_as_unknown(app: Application) -> None:
    pytest.importorskip("anthropic")
    body = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    for field in taken(f"anthropic.resources.beta.{ANTHROPIC['POST /v1/messages']}") - body.keys():
        told = await ask(app, "/v1/messages", {**body, field: None}, anthropic_version="2026-10-21")
        assert b"Extra inputs" not in told.body, field


def test_every_link_within_the_page_leads_somewhere() -> None:
    there = {section.title.lower().replace(" ", "-") for section in SECTIONS}
    assert not set(re.findall(r"\(#([^)]+)\)", PAGE)) - there
