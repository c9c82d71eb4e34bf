"""Large files come in parts, in whatever order, and become one file when all of it is there."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest
from forms import file, send
from inprocess import Told, ask
from openai.types import Upload
from openai.types.uploads import UploadPart
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects import openai_uploads
from llmsim.server.handlers import Application

PATH = "/v1/uploads"
BODY: dict[str, Any] = {"bytes": 6, "filename": "a.jsonl", "mime_type": "application/jsonl", "purpose": "fine-tune"}


@pytest.fixture
def app() -> Application:
    return application()


async def begun(app: Application, **fields: Any) -> Any:
    told = await ask(app, PATH, {**BODY, **fields})
    assert told.status == 200, told.body
    return told.json


async def part(app: Application, upload: Any, data: bytes) -> Any:
    told = await send(app, f"{PATH}/{upload['id']}/parts", file(data, field="data"))
    assert told.status == 200, told.body
    return told.json


async def complete(app: Application, upload: Any, *parts: Any, **fields: Any) -> Told:
    body = {"part_ids": [one["id"] for one in parts], **fields}
    return await ask(app, f"{PATH}/{upload['id']}/complete", body)


async def test_an_upload_is_valid_from_its_beginning_to_its_end(app: Application) -> None:
    upload = await begun(app)
    first, second = await part(app, upload, b"abc"), await part(app, upload, b"def")
    done = (await complete(app, upload, first, second, md5=md5(b"abcdef").hexdigest().upper())).json
    assert [upload["status"], done["status"]] == ["pending", "completed"]
    assert upload["expires_at"] == upload["created_at"] + 3600
    for told in (upload, done):
        assert_fits("Upload", told)
        assert_known_keys(Upload.model_validate(told))
    for told in (first, second):
        assert_fits("UploadPart", told)
        assert_known_keys(UploadPart.model_validate(told))
        assert told["upload_id"] == upload["id"]


async def test_the_file_has_the_parts_in_the_order_they_are_told_in(app: Application) -> None:
    upload = await begun(app, expires_after={"anchor": "created_at", "seconds": 7200})
    first, second = await part(app, upload, b"abc"), await part(app, upload, b"def")
    made = (await complete(app, upload, second, first)).json["file"]
    assert_fits("OpenAIFile", made)
    assert (made["filename"], made["purpose"], made["bytes"]) == ("a.jsonl", "fine-tune", 6)
    assert made["expires_at"] == made["created_at"] + 7200
    assert (await ask(app, f"/v1/files/{made['id']}/content", method="GET")).body == b"defabc"


async def test_a_part_may_be_left_out(app: Application) -> None:
    upload = await begun(app, bytes=3)
    await part(app, upload, b"wrong")
    assert (await complete(app, upload, await part(app, upload, b"abc"))).status == 200


async def test_what_is_complete_or_cancelled_takes_no_more(app: Application) -> None:
    cancelled, completed = await begun(app), await begun(app, bytes=1)
    told = await ask(app, f"{PATH}/{cancelled['id']}/cancel")
    assert told.json["status"] == "cancelled"
    assert_fits("Upload", told.json)
    await complete(app, completed, await part(app, completed, b"x"))
    for upload, status in [(cancelled, "cancelled"), (completed, "completed")]:
        for again in (
            await send(app, f"{PATH}/{upload['id']}/parts", file(b"x", field="data")),
            await complete(app, upload, {"id": "part_x"}),
            await ask(app, f"{PATH}/{upload['id']}/cancel"),
        ):
            assert (again.status, again.json["error"]["param"]) == (400, "upload_id")
            assert f"has status '{status}'" in again.json["error"]["message"]


async def test_an_upload_expires_after_an_hour(app: Application) -> None:
    upload = await begun(app)
    await part(app, upload, b"abc")
    kept = app.desk.store.get(openai_uploads.KIND, upload["id"])
    kept.meta["expires_at"] = upload["created_at"]
    told = await ask(app, f"{PATH}/{upload['id']}/cancel")
    assert "has status 'expired'" in told.json["error"]["message"]
    assert not kept.parts


async def test_parts_count_for_their_size_until_they_are_a_file(app: Application) -> None:
    upload = await begun(app, bytes=50_000)
    before = app.desk.store.size
    one = await part(app, upload, bytes(50_000))
    assert app.desk.store.size - before >= 50_000
    await complete(app, upload, one)
    assert 50_000 <= app.desk.store.size - before < 60_000
    assert not app.desk.store.get(openai_uploads.KIND, upload["id"]).parts


async def test_parts_are_bounded_in_number_and_size(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_uploads, "_MOST_PARTS", 1)
    monkeypatch.setattr(openai_uploads, "_LARGEST_PART", 10)
    upload = await begun(app)
    large = await send(app, f"{PATH}/{upload['id']}/parts", file(bytes(11), field="data"))
    assert large.status == 413
    await part(app, upload, b"abc")
    many = await send(app, f"{PATH}/{upload['id']}/parts", file(b"x", field="data"))
    assert (many.status, many.json["error"]["message"]) == (400, "An Upload can have at most 1 Parts.")


async def test_more_than_can_be_kept_is_refused(app: Application) -> None:
    app.desk.store.size_limit = 10_000
    upload = await begun(app)
    told = await send(app, f"{PATH}/{upload['id']}/parts", file(bytes(9_000), field="data"))
    assert told.status == 413


# -- refusals

CREATED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no bytes": ({"bytes": None}, "bytes", "missing_required_parameter"),
    "no name": ({"filename": None}, "filename", "missing_required_parameter"),
    "no type": ({"mime_type": None}, "mime_type", "missing_required_parameter"),
    "no purpose": ({"purpose": None}, "purpose", "missing_required_parameter"),
    "another purpose": ({"purpose": "fun"}, "purpose", "invalid_value"),
    "no number": ({"bytes": "6"}, "bytes", "invalid_type"),
    "nothing": ({"bytes": 0}, "bytes", "integer_below_min_value"),
    "too much": ({"bytes": (8 << 30) + 1}, "bytes", "integer_above_max_value"),
    "too soon": (
        {"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds", "integer_below_min_value",
    ),
    "unknown": ({"colour": "red"}, "colour", "unknown_parameter"),
}  # fmt: skip


@pytest.mark.parametrize("case", CREATED)
async def test_uploads_that_are_refused(app: Application, case: str) -> None:
    changed, param, code = CREATED[case]
    body = {name: value for name, value in {**BODY, **changed}.items() if value is not None}
    told = await ask(app, PATH, body)
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)


COMPLETED: dict[str, tuple[list[str], dict[str, Any], str, str]] = {
    "no parts": ([], {}, "part_ids", "empty_array"),
    "unknown part": (["b", "nobody"], {}, "part_ids[1]", "invalid_value"),
    "one part twice": (["a", "a"], {}, "part_ids", "invalid_value"),
    "too few bytes": (["a"], {}, "part_ids", "invalid_value"),
    "another sum": (["a", "b"], {"md5": "0" * 32}, "md5", "invalid_value"),
    "no sum": (["a", "b"], {"md5": 5}, "md5", "invalid_type"),
}


@pytest.mark.parametrize("case", COMPLETED)
async def test_completions_that_are_refused_leave_the_upload_as_it_was(app: Application, case: str) -> None:
    names, fields, param, code = COMPLETED[case]
    upload = await begun(app)
    parts = {"a": await part(app, upload, b"abc"), "b": await part(app, upload, b"def")}
    told = await complete(app, upload, *(parts.get(name, {"id": name}) for name in names), **fields)
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
    assert not app.desk.store.values(files.KIND)
    assert (await complete(app, upload, *parts.values())).status == 200


async def test_unknown_uploads_are_not_found(app: Application) -> None:
    for told in (
        await send(app, f"{PATH}/upload_x/parts", file(b"x", field="data")),
        await complete(app, {"id": "upload_x"}),
        await ask(app, f"{PATH}/upload_x/cancel"),
    ):
        error = told.json["error"]
        assert (told.status, error["param"], error["message"]) == (404, "upload_id", "No such Upload object: upload_x")


async def test_a_part_needs_its_data(app: Application) -> None:
    upload = await begun(app)
    told = await send(app, f"{PATH}/{upload['id']}/parts", file(b"x"))
    assert (told.status, told.json["error"]["param"]) == (400, "data")
