"""Anthropic's Files API, and messages that refer to files."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from anthropic_bodies import PIXEL, application_at, body, tell, text, user
from inprocess import Told

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application

BETA = "files-api-2025-04-14"
PNG = base64.b64decode(PIXEL)


@pytest.fixture
def app(clock: ToldClock) -> Application:
    return application_at(clock, generator="fixed:Hello")


async def upload(
    app: Application,
    data: bytes = b"Some words. And more.",
    name: str = "notes.txt",
    kind: str = "text/plain",
    **fields: str,
) -> Told:
    parts = [
        f'--edge\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
    ]
    head = f'--edge\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\ncontent-type: {kind}\r\n\r\n'
    sent = "".join(parts).encode() + head.encode() + data + b"\r\n--edge--\r\n"
    return await tell(app, sent, path="/v1/files", **{"content-type": "multipart/form-data; boundary=edge"})


async def get(app: Application, path: str, beta: str = "", method: str = "GET") -> Told:
    return await tell(app, b"", path=path, beta=beta, method=method)


def about(id: str, kind: str = "document", **more: Any) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "file", "file_id": id}, **more}


async def test_a_file_is_uploaded_told_of_and_deleted(app: Application) -> None:
    told = (await upload(app)).json
    assert told == {
        "type": "file",
        "id": told["id"],
        "filename": "notes.txt",
        "mime_type": "text/plain",
        "size_bytes": 21,
        "created_at": "2023-11-14T22:13:20Z",
        "downloadable": False,
        "expires_at": None,
    }
    assert told["id"].startswith("file_01")
    assert (await get(app, f"/v1/files/{told['id']}")).json == told
    gone = await get(app, f"/v1/files/{told['id']}", method="DELETE")
    assert gone.json == {"id": told["id"], "type": "file_deleted"}
    missing = await get(app, f"/v1/files/{told['id']}")
    assert (missing.status, missing.json["error"]["message"]) == (404, f"File not found: {told['id']}")


async def test_what_a_client_uploaded_is_not_downloaded(app: Application) -> None:
    id = (await upload(app)).json["id"]
    told = await get(app, f"/v1/files/{id}/content")
    assert told.json["error"] == {
        "type": "invalid_request_error",
        "message": f"File {id} is not downloadable.",
        "details": {"error_code": "file_not_downloadable"},
    }


async def test_a_list_has_the_newest_first_in_pages_of_its_own(app: Application) -> None:
    ids = [(await upload(app, name=f"{at}.txt")).json["id"] for at in range(5)][::-1]
    first = (await get(app, "/v1/files?limit=2")).json
    assert [file["id"] for file in first["data"]] == ids[:2]
    second = (await get(app, f"/v1/files?limit=3&page={first['next_page']}")).json
    assert ([file["id"] for file in second["data"]], second["next_page"]) == (ids[2:], None)
    some = (await get(app, f"/v1/files?ids[]={ids[1]}&ids[]=file_x")).json
    assert [file["id"] for file in some["data"]] == [ids[1]]
    assert (await get(app, "/v1/files?page=page_x")).json["error"]["message"] == "page: Invalid page cursor"


async def test_under_the_beta_the_list_has_cursors(app: Application) -> None:
    ids = [(await upload(app)).json["id"] for _ in range(3)][::-1]
    told = (await get(app, f"/v1/files?limit=1&after_id={ids[0]}", BETA)).json
    assert [file["id"] for file in told["data"]] == [ids[1]]
    assert (told["has_more"], told["first_id"], told["last_id"]) == (True, ids[1], ids[1])


async def test_a_file_expires_where_it_was_told_to(app: Application, clock: ToldClock) -> None:
    told = (await upload(app, expires_in_seconds="3600")).json
    assert told["expires_at"] == "2023-11-14T23:13:20Z"
    await clock.advance(3601)
    assert (await get(app, f"/v1/files/{told['id']}")).status == 404
    assert (await get(app, "/v1/files")).json["data"] == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": b""}, "file: File is empty"),
        ({"expires_in_seconds": "5"}, "expires_in_seconds: Input should be greater than or equal to 3600"),
        ({"expires_in_seconds": "9999999"}, "expires_in_seconds: Input should be less than or equal to 7776000"),
        (
            {"expires_in_seconds": "soon"},
            "expires_in_seconds: Input should be a valid integer, unable to parse string as an integer",
        ),
    ],
)
async def test_an_upload_that_cannot_be_is_refused(app: Application, fields: dict[str, Any], message: str) -> None:
    told = await upload(app, **fields)
    assert (told.status, told.json["error"]["message"]) == (400, message)


async def test_a_name_that_no_file_has_is_refused(app: Application) -> None:
    told = await upload(app, name="a?b.txt")
    assert told.json["error"]["message"].startswith("file: Invalid filename")


@pytest.mark.parametrize(("data", "name"), [(PNG, "unnamed.png"), (b"\xfe\xff", "unnamed")])
async def test_bytes_without_a_name_get_one(app: Application, data: bytes, name: str) -> None:
    head = b'--edge\r\ncontent-disposition: form-data; name="file"\r\ncontent-type: application/octet-stream\r\n\r\n'
    sent = head + data + b"\r\n--edge--\r\n"
    told = await tell(app, sent, path="/v1/files", **{"content-type": "multipart/form-data; boundary=edge"})
    assert (told.json["filename"], told.json["size_bytes"]) == (name, len(data))


async def test_a_body_that_is_no_form_is_refused(app: Application) -> None:
    told = await tell(app, {"file": "x"}, path="/v1/files")
    assert told.json["error"]["message"].startswith("The request body is not valid multipart/form-data")
    form = b'--edge\r\ncontent-disposition: form-data; name="other"\r\n\r\nx\r\n--edge--\r\n'
    told = await tell(app, form, path="/v1/files", **{"content-type": "multipart/form-data; boundary=edge"})
    assert told.json["error"]["message"] == "file: Field required"


# -- in messages


async def test_a_message_reads_a_file_and_cites_it(app: Application) -> None:
    id = (await upload(app, b"One thing. Another thing. " * 40)).json["id"]
    told = await tell(app, body(user(about(id, citations={"enabled": True}), text("What?"))))
    assert told.json["usage"]["input_tokens"] > 150
    (citation,) = told.json["content"][0]["citations"]
    assert (citation["cited_text"], citation["file_id"]) == ("One thing.", id)


async def test_a_pdf_and_an_image_are_what_their_bytes_are(app: Application) -> None:
    pdf = (await upload(app, b"%PDF-1.4 /Type /Page", "a.pdf", "application/octet-stream")).json
    image = (await upload(app, PNG, "a.png", "")).json
    assert (pdf["mime_type"], image["mime_type"]) == ("application/pdf", "image/png")
    sent = body(user(about(pdf["id"]), about(image["id"], "image"), text("What?")))
    assert (await tell(app, sent)).json["usage"]["input_tokens"] > 2000


async def test_a_file_of_the_wrong_kind_is_refused(app: Application) -> None:
    id = (await upload(app)).json["id"]
    told = await tell(app, body(user(about(id, "image"))))
    assert told.json["error"]["message"] == (
        f"messages.0.content.0.image.source.file: File {id} is of type text/plain, which is not an image"
    )
    image = (await upload(app, PNG, "a.png", "image/png")).json["id"]
    assert "not supported as a document" in (await tell(app, body(user(about(image))))).json["error"]["message"]


@pytest.mark.parametrize("block", [about("file_x"), {"type": "container_upload", "file_id": "file_x"}])
async def test_a_file_that_there_is_not_is_not_found(app: Application, block: dict[str, Any]) -> None:
    told = await tell(app, body(user(block, text("What?"))))
    assert (told.status, told.json["error"]) == (404, {"type": "not_found_error", "message": "File not found: file_x"})


async def test_a_file_for_a_container_is_taken(app: Application) -> None:
    id = (await upload(app, b"a,b\n1,2\n", "a.csv", "text/csv")).json["id"]
    tool = {"type": "code_execution_20250825", "name": "code_execution"}
    sent = body(user({"type": "container_upload", "file_id": id}, text("Plot it")), tools=[tool])
    assert (await tell(app, sent)).status == 200
