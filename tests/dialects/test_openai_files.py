"""Files are kept as they came, told of as OpenAI tells of them, and refused in its words."""

from __future__ import annotations

from typing import Any

import pytest
from forms import file, send
from inprocess import Told, ask
from openai.types import FileDeleted, FileObject
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim.dialects import _openai_files_kept as files
from llmsim.server.handlers import Application

PATH = "/v1/files"
BYTES = bytes(range(256)) + b"\r\n--\r\n\r\n"


@pytest.fixture
def app() -> Application:
    return application()


async def kept(
    app: Application, data: bytes = BYTES, name: str = "a.bin", purpose: str = "user_data", **more: Any
) -> Any:
    told = await send(app, PATH, file(data, name), purpose=purpose, **more)
    assert told.status == 200, told.body
    return told.json


async def get(app: Application, path: str, method: str = "GET") -> Told:
    return await ask(app, path, method=method)


# -- what is told


@pytest.mark.parametrize("purpose", [one for one in files.PURPOSES if one != "evals"])
async def test_a_file_is_valid_by_the_document_and_the_sdk(app: Application, purpose: str) -> None:
    made = await kept(app, purpose=purpose, name="a.jsonl")
    assert_fits("OpenAIFile", made)
    assert_known_keys(FileObject.model_validate(made))
    assert (made["bytes"], made["filename"], made["purpose"], made["status"]) == (
        len(BYTES), "a.jsonl", purpose, "processed",
    )  # fmt: skip
    assert made["id"].startswith("file-")
    again = await get(app, f"{PATH}/{made['id']}")
    assert again.json == made


async def test_the_newest_purpose_is_taken_too(app: Application) -> None:
    """The SDK's types have it, OpenAI's document of the answer has not."""
    assert (await kept(app, purpose="evals"))["purpose"] == "evals"


async def test_the_content_is_the_very_bytes(app: Application) -> None:
    made = await kept(app, name='größe "x".bin')
    told = await get(app, f"{PATH}/{made['id']}/content")
    headers = dict(told.headers)
    assert told.body == BYTES
    assert headers[b"content-type"] == b"application/octet-stream"
    assert headers[b"content-disposition"] == b'attachment; filename="gr%C3%B6%C3%9Fe %22x%22.bin"'
    assert headers[b"x-request-id"].startswith(b"req_")


@pytest.mark.parametrize("data", [b"", b"x", bytes(200_000)])
async def test_any_size_is_kept(app: Application, data: bytes) -> None:
    made = await kept(app, data)
    assert made["bytes"] == len(data)
    assert (await get(app, f"{PATH}/{made['id']}/content")).body == data


async def test_batch_files_expire_after_thirty_days_others_never(app: Application) -> None:
    batch, other = await kept(app, purpose="batch", name="a.jsonl"), await kept(app)
    assert batch["expires_at"] == batch["created_at"] + 30 * 86_400
    assert "expires_at" not in other


async def test_a_file_expires_when_its_client_says(app: Application) -> None:
    made = await kept(app, **{"expires_after[anchor]": "created_at", "expires_after[seconds]": 3600})
    assert made["expires_at"] == made["created_at"] + 3600


async def test_a_file_whose_time_is_up_is_not_found(app: Application) -> None:
    made = await kept(app)
    app.desk.store.get(files.KIND, made["id"]).meta["expires_at"] = made["created_at"]
    assert (await get(app, f"{PATH}/{made['id']}")).status == 404
    assert (await get(app, PATH)).json["data"] == []


async def test_a_deleted_file_is_gone(app: Application) -> None:
    made = await kept(app)
    told = await get(app, f"{PATH}/{made['id']}", "DELETE")
    assert told.json == {"id": made["id"], "object": "file", "deleted": True}
    assert_fits("DeleteFileResponse", told.json)
    assert_known_keys(FileDeleted.model_validate(told.json))
    for path, method in [("", "GET"), ("", "DELETE"), ("/content", "GET")]:
        assert (await get(app, f"{PATH}/{made['id']}{path}", method)).status == 404


async def test_the_same_file_twice_is_two_files(app: Application) -> None:
    assert (await kept(app))["id"] != (await kept(app))["id"]


async def test_the_same_request_of_another_run_has_the_same_id() -> None:
    """Its boundary is drawn anew each time, so that the bytes of the request differ."""
    first, second = [await kept(application(seed=3)) for _ in range(2)]
    assert first["id"] == second["id"]


# -- lists


async def test_the_list_is_newest_first_and_valid(app: Application) -> None:
    made = [await kept(app, name=f"{n}.bin") for n in range(3)]
    told = (await get(app, PATH)).json
    assert [one["id"] for one in told["data"]] == [one["id"] for one in reversed(made)]
    assert (told["first_id"], told["last_id"], told["has_more"]) == (made[2]["id"], made[0]["id"], False)
    assert_fits("ListFilesResponse", told)


async def test_pages_follow_each_other(app: Application) -> None:
    made = [(await kept(app, name=f"{n}.bin"))["id"] for n in range(5)]
    first = (await get(app, f"{PATH}?limit=3&order=asc")).json
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:3], True)
    rest = (await get(app, f"{PATH}?limit=3&order=asc&after={first['last_id']}")).json
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (made[3:], False)


async def test_a_purpose_filters_the_list(app: Application) -> None:
    made = {purpose: await kept(app, purpose=purpose) for purpose in ("vision", "user_data")}
    told = (await get(app, f"{PATH}?purpose=vision")).json
    assert [one["id"] for one in told["data"]] == [made["vision"]["id"]]
    assert (await get(app, f"{PATH}?purpose=fine-tune")).json["data"] == []


# -- refusals


ENDS = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    "no purpose": ({"purpose": None}, "purpose", "missing_required_parameter", "Missing required parameter: 'pur"),
    "another purpose": ({"purpose": "fun"}, "purpose", "invalid_value", "Invalid value: 'fun'. Supported values are: "),
    "unknown field": ({"colour": "red"}, "colour", "unknown_parameter", "Unknown parameter: 'colour'."),
    "no anchor": ({"expires_after[seconds]": "3600"}, "expires_after.anchor", "missing_required_parameter", "Missing"),
    "other anchor": (ENDS | {"expires_after[anchor]": "now"}, "expires_after.anchor", "invalid_value", "Invalid value"),
    "too soon": (
        ENDS | {"expires_after[seconds]": "60"}, "expires_after.seconds", "integer_below_min_value", "Invalid 'expires",
    ),
    "too late": (
        ENDS | {"expires_after[seconds]": "2592001"}, "expires_after.seconds", "integer_above_max_value", "Invalid 'ex",
    ),
    "no number": (
        ENDS | {"expires_after[seconds]": "soon"}, "expires_after.seconds", "invalid_type",
        "Invalid type for 'expires_after.seconds': expected an integer, but got a string instead.",
    ),
    "a text for a time": (
        {"expires_after": "3600"}, "expires_after", "invalid_type",
        "Invalid type for 'expires_after': expected an object, but got a string instead.",
    ),
}  # fmt: skip


def assert_refused(told: Told, status: int, param: str | None, code: str | None, message: str) -> None:
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (status, "invalid_request_error", param, code)
    assert error["message"].startswith(message)


@pytest.mark.parametrize("case", REFUSED)
async def test_uploads_that_are_refused(app: Application, case: str) -> None:
    changed, param, code, message = REFUSED[case]
    fields = {name: value for name, value in {"purpose": "user_data", **changed}.items() if value is not None}
    told = await send(app, PATH, file(b"x"), **fields)
    assert_refused(told, 400, param, code, message)
    assert not app.desk.store.values(files.KIND)


async def test_a_form_without_its_file(app: Application) -> None:
    nothing = await send(app, PATH, file(b"x", field="other"), purpose="vision")
    assert_refused(nothing, 400, "file", "missing_required_parameter", "Missing required parameter: 'file'.")
    text = await send(app, PATH, file(b"x", field="other"), purpose="vision", file="x")
    assert_refused(text, 400, "file", "invalid_type", "Invalid type for 'file': expected a file, but got a string")


async def test_a_batch_file_has_to_be_called_one(app: Application) -> None:
    told = await send(app, PATH, file(b"{}", "notes.txt"), purpose="batch")
    assert_refused(told, 400, None, None, "Invalid file format for Batch API. Must be .jsonl")
    assert (await send(app, PATH, file(b"{}", "upload"), purpose="batch")).status == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"--x\r\n"])
async def test_a_body_that_is_no_form(app: Application, body: bytes) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x"):
        told = await ask(app, PATH, body, content_type=kind)
        assert_refused(told, 400, None, None, "Could not parse multipart form: ")


@pytest.mark.parametrize(("path", "method"), [("", "GET"), ("", "DELETE"), ("/content", "GET")])
async def test_unknown_files_are_not_found(app: Application, path: str, method: str) -> None:
    told = await get(app, f"{PATH}/file-nobody{path}", method)
    assert_refused(told, 404, "id", None, "No such File object: file-nobody")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=%C2%B2", "limit"),
        ("order=up", "order"),
        ("after=no", "after"),
    ],
)
async def test_lists_with_bad_parameters(app: Application, query: str, param: str) -> None:
    told = await get(app, f"{PATH}?{query}")
    assert (told.status, told.json["error"]["param"]) == (400, param)


async def test_a_file_larger_than_all_that_is_kept_is_refused(app: Application) -> None:
    app.desk.store.size_limit = 10_000
    told = await send(app, PATH, file(bytes(9_000)), purpose="vision")
    assert told.status == 413
    assert told.json["error"]["message"] == "The request body is larger than the maximum of 10000 bytes."


async def test_an_upload_that_a_fault_strikes_leaves_nothing(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503})
    assert (await send(app, PATH, file(b"x"), purpose="vision")).status == 503
    assert not app.desk.store.values(files.KIND)
