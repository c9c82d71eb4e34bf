"""Vector stores keep files and find words in them, as OpenAI's API tells of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from forms import file, send
from inprocess import Told, ask
from openai.types import VectorStore, VectorStoreDeleted, VectorStoreSearchResponse
from openai.types.vector_stores import VectorStoreFile, VectorStoreFileBatch, VectorStoreFileDeleted
from openai_beta import Api as Assistants
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim.clock import ToldClock
from llmsim.dialects import _openai_vector_stores as vector_stores
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

PATH = "/v1/vector_stores"
SHAPES: dict[str, Any] = {
    "vector_store": ("VectorStoreObject", VectorStore),
    "vector_store.file": ("VectorStoreFileObject", VectorStoreFile),
    "vector_store.files_batch": ("VectorStoreFileBatchObject", VectorStoreFileBatch),
    "vector_store.deleted": ("DeleteVectorStoreResponse", VectorStoreDeleted),
    "vector_store.file.deleted": ("DeleteVectorStoreFileResponse", VectorStoreFileDeleted),
}
WEATHER = b"In Oslo the weather is mild in May."
TRAINS = b"Trains to Bergen leave from Oslo every morning."


class Api:
    """The application as a client sees it; objects are checked by document and SDK."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def told(self, method: str, path: str = "", body: Any = b"") -> Told:
        return await ask(self.app, f"{PATH}{path}", body, method=method)

    async def ok(self, method: str, path: str = "", body: Any = b"") -> Any:
        told = await self.told(method, path, body)
        assert told.status == 200, told.body
        value = told.json
        if value["object"] in SHAPES:
            schema, model = SHAPES[value["object"]]
            assert_fits(schema, value)
            assert_known_keys(model.model_validate(value))
        return value

    async def refused(self, method: str, path: str = "", body: Any = b"") -> tuple[int, Any]:
        told = await self.told(method, path, body)
        assert set(told.json) == {"error"}, told.body
        return told.status, told.json["error"]

    async def file(self, data: bytes = WEATHER, name: str = "a.txt") -> str:
        return str((await send(self.app, "/v1/files", file(data, name), purpose="assistants")).json["id"])

    async def store(self, *datas: bytes, **fields: Any) -> str:
        ids = [await self.file(data, f"{index}.txt") for index, data in enumerate(datas)]
        return str((await self.ok("POST", body={"file_ids": ids, **fields}))["id"])


@pytest.fixture
def api() -> Api:
    return Api(application())


# -- vector stores


async def test_an_empty_vector_store_is_valid(api: Api) -> None:
    made = await api.ok("POST")
    assert made["id"].startswith("vs_")
    assert (made["name"], made["status"], made["metadata"], made["file_counts"]["total"]) == ("", "completed", {}, 0)
    assert await api.ok("GET", f"/{made['id']}") == made


async def test_a_vector_store_reads_its_files_after_it_was_made(api: Api) -> None:
    ids = [await api.file(WEATHER), await api.file(b"", "empty.txt"), await api.file(b"\xff\x00\xfe", "a.bin")]
    made = await api.ok("POST", body={"name": "docs", "file_ids": ids})
    assert (made["status"], made["usage_bytes"], made["file_counts"]["in_progress"]) == ("in_progress", 0, 3)
    read = await api.ok("GET", f"/{made['id']}")
    assert (read["status"], read["usage_bytes"]) == ("completed", len(WEATHER))
    assert read["file_counts"] == {"in_progress": 0, "completed": 1, "failed": 2, "cancelled": 0, "total": 3}
    states = {
        one["id"]: (one["last_error"] or {}).get("code")
        for one in (await api.ok("GET", f"/{made['id']}/files"))["data"]
    }
    assert states == {ids[0]: None, ids[1]: "invalid_file", ids[2]: "unsupported_file"}


async def test_a_vector_store_can_be_changed_and_deleted(api: Api) -> None:
    id = await api.store(name="a", metadata={"k": "v"})
    changed = await api.ok("POST", f"/{id}", {"name": "b", "expires_after": {"anchor": "last_active_at", "days": 7}})
    assert (changed["name"], changed["metadata"]) == ("b", {"k": "v"})
    assert changed["expires_at"] == changed["last_active_at"] + 7 * 86_400
    assert (await api.ok("POST", f"/{id}", {"metadata": {}}))["metadata"] == {}
    assert await api.ok("DELETE", f"/{id}") == {"id": id, "object": "vector_store.deleted", "deleted": True}
    status, error = await api.refused("GET", f"/{id}")
    assert (status, error["message"]) == (404, f"No vector store found with id '{id}'.")


async def test_vector_stores_come_newest_first_in_pages(api: Api) -> None:
    ids = [await api.store(name=str(number)) for number in range(3)]
    page = await api.ok("GET", "?limit=2")
    assert_fits("ListVectorStoresResponse", page)
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)


async def test_a_vector_store_expires_when_it_is_not_used() -> None:
    clock = ToldClock()
    api = Api(Application(Simulator(Settings(latency_profile="instant"), clock=clock)))
    api.app.desk.store.age_limit = 1e9
    made = await api.ok("POST", body={"expires_after": {"anchor": "last_active_at", "days": 1}})
    await clock.advance(86_400 - 1)
    assert (await api.ok("GET", f"/{made['id']}"))["status"] == "completed"
    await clock.advance(1)
    assert (await api.ok("GET", f"/{made['id']}"))["status"] == "expired"
    status, error = await api.refused("POST", f"/{made['id']}/search", {"query": "x"})
    assert (status, error["code"]) == (400, "expired")


# -- files


async def test_a_file_is_attached_read_changed_and_detached(api: Api) -> None:
    id, name = await api.store(), await api.file()
    made = await api.ok(
        "POST", f"/{id}/files", {"file_id": name, "attributes": {"year": 2026, "old": False, "by": "x"}}
    )
    assert (made["status"], made["usage_bytes"]) == ("in_progress", 0)
    told = await api.told("GET", f"/{id}/files/{name}")
    assert int(dict(told.headers)[b"openai-poll-after-ms"]) > 0
    read = await api.ok("GET", f"/{id}/files/{name}")
    assert (read["status"], read["usage_bytes"], read["chunking_strategy"]["static"]["max_chunk_size_tokens"]) == (
        "completed", len(WEATHER), 800,
    )  # fmt: skip
    assert (await api.ok("POST", f"/{id}/files/{name}", {"attributes": {"a": 1.5}}))["attributes"] == {"a": 1.5}
    content = await api.ok("GET", f"/{id}/files/{name}/content")
    assert_fits("VectorStoreFileContentResponse", content)
    assert content["data"] == [{"type": "text", "text": WEATHER.decode()}]
    assert (await api.ok("DELETE", f"/{id}/files/{name}"))["deleted"]
    status, error = await api.refused("GET", f"/{id}/files/{name}")
    assert (status, error["message"]) == (404, f"No file found with id '{name}' in vector store '{id}'.")


async def test_files_are_listed_by_their_state(api: Api) -> None:
    id = await api.store(WEATHER, b"")
    for state, count in (("completed", 1), ("failed", 1), ("cancelled", 0)):
        assert len((await api.ok("GET", f"/{id}/files?filter={state}"))["data"]) == count
    assert (await api.refused("GET", f"/{id}/files?filter=done"))[1]["param"] == "filter"
    page = await api.ok("GET", f"/{id}/files?limit=1")
    assert_fits("ListVectorStoreFilesResponse", page)
    assert page["has_more"]


@pytest.mark.parametrize("each", [False, True])
async def test_files_are_attached_in_batches(api: Api, each: bool) -> None:
    id, names = await api.store(), [await api.file(WEATHER), await api.file(b"")]
    body: Any = (
        {"files": [{"file_id": name, "attributes": {"n": name}} for name in names]} if each else {"file_ids": names}
    )
    made = await api.ok("POST", f"/{id}/file_batches", body)
    assert (made["status"], made["file_counts"]["in_progress"]) == ("in_progress", 2)
    read = await api.ok("GET", f"/{id}/file_batches/{made['id']}")
    assert (read["status"], read["file_counts"]["completed"], read["file_counts"]["failed"]) == ("completed", 1, 1)
    assert await api.ok("POST", f"/{id}/file_batches/{made['id']}/cancel") == read
    listed = (await api.ok("GET", f"/{id}/file_batches/{made['id']}/files?order=asc"))["data"]
    assert [one["attributes"] for one in listed] == ([{"n": name} for name in names] if each else [{}, {}])


# -- search


async def found(api: Api, id: str, query: Any, **fields: Any) -> list[str]:
    told = await api.ok("POST", f"/{id}/search", {"query": query, **fields})
    assert_fits("VectorStoreSearchResultsPage", told)
    for one in told["data"]:
        assert_known_keys(VectorStoreSearchResponse.model_validate(one))
    return [one["content"][0]["text"] for one in told["data"]]


async def test_what_shares_most_words_comes_first(api: Api) -> None:
    id = await api.store(TRAINS, WEATHER, b"Nothing of the sort.")
    assert await found(api, id, "weather in Oslo") == [WEATHER.decode(), TRAINS.decode()]
    assert await found(api, id, ["Trains", "Bergen"], max_num_results=1) == [TRAINS.decode()]
    assert await found(api, id, "weather Oslo", ranking_options={"score_threshold": 0.9}) == [WEATHER.decode()]
    assert await found(api, id, "???") == []


NEWER = {"type": "gte", "key": "year", "value": 2025}
BY_ANN = {"type": "eq", "key": "by", "value": "ann"}
FILTERS: list[tuple[Any, str]] = [
    ({"type": "eq", "key": "year", "value": 2025}, "a"),
    ({"type": "ne", "key": "year", "value": 2025}, "bc"),
    ({"type": "gt", "key": "year", "value": 2025}, "b"),
    ({"type": "lte", "key": "year", "value": 2026}, "ab"),
    ({"type": "in", "key": "by", "value": ["ann", "bob"]}, "ab"),
    ({"type": "nin", "key": "by", "value": ["ann"]}, "bc"),
    ({"type": "eq", "key": "draft", "value": True}, "c"),
    ({"type": "and", "filters": [NEWER, {"type": "ne", "key": "by", "value": "bob"}]}, "a"),
    ({"type": "or", "filters": [BY_ANN, {"type": "eq", "key": "draft", "value": True}]}, "ac"),
]  # fmt: skip


@pytest.mark.parametrize(("filter", "names"), FILTERS)
async def test_finds_can_be_narrowed_by_attributes(api: Api, filter: Any, names: str) -> None:
    id = await api.store()
    attributes: list[Any] = [{"year": 2025, "by": "ann"}, {"year": 2026, "by": "bob"}, {"draft": True}]
    for name, own in zip("abc", attributes, strict=True):
        await api.ok("POST", f"/{id}/files", {"file_id": await api.file(f"word {name}".encode()), "attributes": own})
    assert sorted(await found(api, id, "word", filters=filter)) == [f"word {name}" for name in names]


def test_a_long_text_is_cut_in_pieces_that_overlap() -> None:
    text = "".join(f"{number:04d}" for number in range(300))
    made = vector_stores.pieces(text, {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 25})
    assert [len(piece) for piece in made] == [400, 400, 400, 300]
    assert all(one[-100:] == next[:100] for one, next in pairwise(made))


async def test_the_longest_files_are_searched_in_part_only(api: Api) -> None:
    id = await api.store(b"x " * 30_000 + b"needle", b"needle")
    assert await found(api, id, "needle") == ["needle"]


# -- searches of assistants


async def test_a_forced_file_search_finds_what_is_in_the_files(api: Api) -> None:
    beta = Assistants(api.app)
    store = await api.store(WEATHER)
    assistant = await beta.assistant(
        tools=[{"type": "file_search"}], tool_resources={"file_search": {"vector_store_ids": [store]}}
    )
    own = {"file_ids": [await api.file(TRAINS, "trains.txt")], "metadata": {"a": "b"}}
    thread = {
        "messages": [{"role": "user", "content": "How is the weather in Oslo, and are there trains?"}],
        "tool_resources": {"file_search": {"vector_stores": [own]}},
    }
    run = await beta.post("/threads/runs", assistant_id=assistant, thread=thread, tool_choice="required")
    step, _ = await beta.steps(run)
    (call,) = step["step_details"]["tool_calls"]
    assert [find["file_name"] for find in call["file_search"]["results"]] == ["0.txt", "trains.txt"]
    assert all("content" not in find for find in call["file_search"]["results"])
    include = "include[]=step_details.tool_calls[*].file_search.results[*].content"
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/steps/{step['id']}"
    full = (await beta.get(f"{path}?{include}"))["step_details"]["tool_calls"][0]["file_search"]["results"]
    assert full[0]["content"] == [{"type": "text", "text": WEATHER.decode()}]
    (made,) = (await beta.get(f"/threads/{run['thread_id']}"))["tool_resources"]["file_search"]["vector_store_ids"]
    assert (await api.ok("GET", f"/{made}"))["metadata"] == {"a": "b"}


@pytest.mark.parametrize("path", ["/threads", "/assistants", "/threads/runs"])
async def test_a_vector_store_of_files_that_are_not_there_is_refused(api: Api, path: str) -> None:
    beta = Assistants(api.app)
    own = {"tool_resources": {"file_search": {"vector_stores": [{"file_ids": ["file-no"]}]}}}
    body: dict[str, Any] = {"thread": own, "assistant_id": await beta.assistant()} if path == "/threads/runs" else own
    status, error = await beta.refused("POST", path, **({"model": "gpt-4o", **own} if path == "/assistants" else body))
    assert (status, error["message"]) == (404, "No such File object: file-no")


# -- refusals


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param", "code"),
    [
        ("POST", "", {"bogus": 1}, 400, "bogus", "unknown_parameter"),
        ("POST", "", {"file_ids": "file-1"}, 400, "file_ids", "invalid_type"),
        ("POST", "", {"file_ids": ["file-no"]}, 404, "file_id", None),
        ("POST", "", {"expires_after": {"anchor": "created_at", "days": 1}}, 400, "expires_after.anchor",
         "invalid_value"),
        ("POST", "", {"expires_after": {"anchor": "last_active_at", "days": 0}}, 400, "expires_after.days",
         "integer_below_min_value"),
        ("POST", "", {"metadata": {"a": 1}}, 400, "metadata.a", "invalid_type"),
        ("POST", "", {"chunking_strategy": {"type": "dynamic"}}, 400, "chunking_strategy.type", "invalid_value"),
        ("POST", "", {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 100,
         "chunk_overlap_tokens": 51}}}, 400, "chunking_strategy.static.chunk_overlap_tokens", "invalid_value"),
        ("POST", "/{id}/file_batches", {"files": [{"file_id": "file-no", "chunking_strategy": {"type": "static",
         "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}}]}, 400,
         "files[0].chunking_strategy.static.chunk_overlap_tokens", "invalid_value"),
        ("POST", "/{id}", {"name": 1}, 400, "name", "invalid_type"),
        ("POST", "/{id}/files", {}, 400, "file_id", "missing_required_parameter"),
        ("POST", "/{id}/files", {"file_id": "file-no"}, 404, "file_id", None),
        ("POST", "/{id}/files", {"file_id": "f", "attributes": {"a": [1]}}, 400, "attributes.a", "invalid_type"),
        ("POST", "/{id}/file_batches", {}, 400, "file_ids", "missing_required_parameter"),
        ("POST", "/{id}/file_batches", {"file_ids": []}, 400, "file_ids", "empty_array"),
        ("POST", "/{id}/file_batches", {"file_ids": ["file-no"]}, 404, "file_ids", None),
        ("GET", "/{id}/file_batches/vsfb_no", b"", 404, None, None),
        ("POST", "/{id}/search", {}, 400, "query", "missing_required_parameter"),
        ("POST", "/{id}/search", {"query": 4}, 400, "query", "invalid_type"),
        ("POST", "/{id}/search", {"query": "x", "max_num_results": 51}, 400, "max_num_results",
         "integer_above_max_value"),
        ("POST", "/{id}/search", {"query": "x", "filters": {"type": "near"}}, 400, "filters.type", "invalid_value"),
        ("POST", "/{id}/search", {"query": "x", "ranking_options": {"score_threshold": 2}}, 400,
         "ranking_options.score_threshold", "decimal_above_max_value"),
        ("GET", "?limit=0", b"", 400, "limit", "integer_below_min_value"),
        ("GET", "/vs_no", b"", 404, None, None),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_told(
    api: Api, method: str, path: str, body: Any, status: int, param: str | None, code: str | None
) -> None:
    id = await api.store()
    told, error = await api.refused(method, path.replace("{id}", id), body)
    assert (told, error["param"], error["code"]) == (status, param, code)
    assert (await api.ok("GET", f"/{id}"))["file_counts"]["total"] == 0
