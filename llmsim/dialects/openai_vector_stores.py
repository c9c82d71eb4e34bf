"""OpenAI's vector stores: files put together to be searched.

Source: OpenAI API reference, vector stores, vector store files and vector store file batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import orjson

from llmsim.dialects import Answer, Dialect, Request, Route
from llmsim.dialects import _openai_files_kept as kept_files
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_refusals import NOT_JSON, invalid, missing, read_object, validated
from llmsim.dialects._openai_vector_store_types import (
    CreateBatch,
    CreateFile,
    CreateStore,
    Search,
    UpdateFile,
    UpdateStore,
    adapter,
    check_chunks,
)
from llmsim.dialects._openai_vector_stores import KIND, Json, VectorStore, counts, pending, search, text_of
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

_POLL = [(b"openai-poll-after-ms", b"50")]


class OpenAIVectorStores(Dialect):
    """`/v1/vector_stores`: create, list, get, update, delete, search; `…/files` and `…/file_batches` of one."""

    kind: ClassVar[str] = "openai_vector_stores"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """Vector stores, their files and batches."""
        one = "/v1/vector_stores/{vector_store_id}"
        file, batch = f"{one}/files/{{file_id}}", f"{one}/file_batches/{{batch_id}}"
        return [
            self._route("POST", "/v1/vector_stores", self._create),
            self._route("GET", "/v1/vector_stores", self._list),
            self._route("GET", one, self._get),
            self._route("POST", one, self._update),
            self._route("DELETE", one, self._delete),
            self._route("POST", f"{one}/search", self._search),
            self._route("POST", f"{one}/files", self._attach),
            self._route("GET", f"{one}/files", self._files),
            self._route("GET", file, self._file),
            self._route("POST", file, self._update_file),
            self._route("DELETE", file, self._detach),
            self._route("GET", f"{file}/content", self._content),
            self._route("POST", f"{one}/file_batches", self._create_batch),
            self._route("GET", batch, self._batch),
            self._route("POST", f"{batch}/cancel", self._batch),
            self._route("GET", f"{batch}/files", self._batch_files),
        ]

    def _route(self, method: str, path: str, make: Callable[[Request, Exchange], Any]) -> Route:
        def answer(request: Request, exchange: Exchange) -> Answer:
            return Answer.json(make(request, exchange), headers=[*wire.headers(exchange, 0), *_POLL])

        return Route(method, path, answer=answer)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)

    # -- vector stores

    def _create(self, request: Request, exchange: Exchange) -> Any:
        told, now = _read(request, CreateStore), self.desk.wall()
        store = VectorStore(wire.new_id("vs_", exchange), now, told.get("name") or "", told.get("metadata") or {})
        store.expires_after, store.last_active_at = told.get("expires_after"), now
        for id in told.get("file_ids") or ():
            store.attach(self.desk, id, told)
        store.keep(self.desk.store)
        made = store.json(now)
        return {**made, "status": "in_progress", **_begun(made)} if store.files else made

    def _list(self, request: Request, exchange: Exchange) -> Any:
        now = self.desk.wall()
        return page([store.json(now) for store in self.desk.store.values(KIND)], request)

    def _get(self, request: Request, exchange: Exchange) -> Any:
        return self._find(request).json(self.desk.wall())

    def _update(self, request: Request, exchange: Exchange) -> Any:
        store, told = self._find(request), _read(request, UpdateStore)
        if "name" in told:
            store.name = told["name"] or ""
        if "metadata" in told:
            store.metadata = told["metadata"] or {}
        if "expires_after" in told:
            store.expires_after = told["expires_after"]
        return self._used(store).json(self.desk.wall())

    def _delete(self, request: Request, exchange: Exchange) -> Any:
        id = self._find(request).id
        self.desk.store.pop(KIND, id)
        return {"id": id, "object": "vector_store.deleted", "deleted": True}

    def _search(self, request: Request, exchange: Exchange) -> Any:
        store, told = self._used(self._find(request)), _read(request, Search)
        queries = [told["query"]] if isinstance(told["query"], str) else told["query"]
        threshold = (told.get("ranking_options") or {}).get("score_threshold") or 0.0
        most = told.get("max_num_results") or 10
        found = search([store], self.desk, queries, most, threshold, told.get("filters"))
        return _page("vector_store.search_results.page", found, search_query=queries)

    def _find(self, request: Request) -> VectorStore:
        id = request.params["vector_store_id"]
        found: VectorStore | None = self.desk.store.get(KIND, id)
        if found is None:
            raise Refused(Failure("not_found", f"No vector store found with id '{id[:80]}'."))
        return found

    def _used(self, store: VectorStore) -> VectorStore:
        """The vector store, kept as it is; raises Refused where its time was up."""
        now = self.desk.wall()
        if store.expires_at is not None and now >= store.expires_at:
            raise invalid(f"Vector store {store.id} is expired.", None, "expired")
        store.last_active_at = now
        store.keep(self.desk.store)
        return store

    # -- files

    def _attach(self, request: Request, exchange: Exchange) -> Any:
        store, told = self._used(self._find(request)), _read(request, CreateFile)
        made = store.attach(self.desk, told["file_id"], told)
        store.keep(self.desk.store)
        return pending(made)

    def _files(self, request: Request, exchange: Exchange) -> Any:
        return _listed(self._find(request).files.values(), request)

    def _file(self, request: Request, exchange: Exchange) -> Any:
        return self._own(request)[1]

    def _update_file(self, request: Request, exchange: Exchange) -> Any:
        store, file = self._own(request)
        file = store.files[file["id"]] = {**file, "attributes": _read(request, UpdateFile)["attributes"] or {}}
        self._used(store)
        return file

    def _detach(self, request: Request, exchange: Exchange) -> Any:
        store, file = self._own(request)
        del store.files[file["id"]]
        self._used(store)
        return {"id": file["id"], "object": "vector_store.file.deleted", "deleted": True}

    def _content(self, request: Request, exchange: Exchange) -> Any:
        _, file = self._own(request)
        text = text_of(kept_files.find(self.desk, file["id"]).data) or ""
        return _page("vector_store.file_content.page", [{"type": "text", "text": text}] if text else [])

    def _own(self, request: Request) -> tuple[VectorStore, Json]:
        """The vector store and the file of it that the path names."""
        store, id = self._find(request), request.params["file_id"]
        if id not in store.files:
            raise Refused(Failure("not_found", f"No file found with id '{id[:80]}' in vector store '{store.id}'."))
        return store, store.files[id]

    # -- batches

    def _create_batch(self, request: Request, exchange: Exchange) -> Any:
        store, told = self._used(self._find(request)), _read(request, CreateBatch)
        sent = told.get("files") or [{**told, "file_id": id} for id in told.get("file_ids") or ()]
        if not sent:
            raise Refused(missing("file_ids"))
        for one in sent:
            kept_files.find(self.desk, one["file_id"], "file_ids")
        made = [store.attach(self.desk, one["file_id"], one) for one in sent]
        id = wire.new_id("vsfb_", exchange)
        batch = {
            "id": id,
            "object": "vector_store.files_batch",
            "created_at": self.desk.wall(),
            "vector_store_id": store.id,
            "status": "completed",
            "file_counts": counts(made),
            "file_ids": [one["file_id"] for one in sent],
        }
        store.batches[id] = batch
        store.keep(self.desk.store)
        return pending(_shown(batch))

    def _batch(self, request: Request, exchange: Exchange) -> Any:
        """The batch; there is nothing left to cancel of one, either."""
        return _shown(self._own_batch(request)[1])

    def _batch_files(self, request: Request, exchange: Exchange) -> Any:
        store, batch = self._own_batch(request)
        return _listed([store.files[id] for id in batch["file_ids"] if id in store.files], request)

    def _own_batch(self, request: Request) -> tuple[VectorStore, Json]:
        store, id = self._find(request), request.params["batch_id"]
        if id not in store.batches:
            raise Refused(Failure("not_found", f"No file batch found with id '{id[:80]}'."))
        return store, store.batches[id]


def _read(request: Request, shape: type) -> dict[str, Any]:
    """The valid body; raises Refused where it is not valid."""
    told = read_object(request.body or b"{}")
    try:
        orjson.dumps(told)
    except (orjson.JSONEncodeError, RecursionError):
        # Nested deeper than any real body: read, but no more to be written.
        raise Refused(NOT_JSON) from None
    checked = validated(adapter(shape), told)
    check_chunks(checked)
    return checked


def _begun(store: Json) -> Json:
    total = store["file_counts"]["total"]
    return {"usage_bytes": 0, "file_counts": {**counts(()), "in_progress": total, "total": total}}


def _shown(batch: Json) -> Json:
    return {name: value for name, value in batch.items() if name != "file_ids"}


def _page(kind: str, data: list[Json], **fields: Any) -> Json:
    return {"object": kind, **fields, "data": data, "has_more": False, "next_page": None}


def _listed(told: Any, request: Request) -> Json:
    """The files that the query asks for, of one state where it names one."""
    wanted = request.args.get("filter")
    if wanted not in (None, "in_progress", "completed", "failed", "cancelled"):
        raise invalid(
            f"Invalid value: '{wanted[:80]}'. Supported values are: 'in_progress', 'completed', 'failed', and "
            "'cancelled'.",
            "filter",
            "invalid_value",
        )
    return page([one for one in told if wanted in (None, one["status"])], request)
