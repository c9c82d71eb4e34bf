"""Gemini's files: uploaded bit by bit, in two parts or in one go; listed, used, deleted; what is refused."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import orjson
import pytest
from google.genai import types
from inprocess import Told, ask

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

UPLOAD = "/upload/v1beta/files"
PATH = "/v1beta/files"
MODEL = "gemini-2.5-flash-lite"


@pytest.fixture
def app(clock: ToldClock) -> Application:
    return Application(Simulator(Settings(latency_profile="instant", generator="echo"), clock=clock))


async def send(app: Application, path: str, body: Any = b"", method: str = "POST", **headers: str) -> Told:
    return await ask(app, path, body, method, **{"x-goog-api-key": "k", **headers})


def upload_headers(told: Told) -> dict[str, str]:
    start = b"x-goog-upload-"
    return {name.removeprefix(start).decode(): value.decode() for name, value in told.headers if name.startswith(start)}


async def start(app: Application, about: Any = None, size: int | None = None, kind: str = "text/plain") -> Told:
    headers = {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-type": kind,
    }
    if size is not None:
        headers["x-goog-upload-header-content-length"] = str(size)
    return await send(app, UPLOAD, {"file": about or {}}, **headers)


async def go_on(app: Application, url: str, data: bytes, offset: int | str = 0, command: str = "upload") -> Told:
    told = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
    return await send(app, url, data, **told)


async def begun(app: Application, about: Any = None, size: int | None = None) -> str:
    told = await start(app, about, size)
    assert (told.status, told.body, upload_headers(told)["status"]) == (200, b"", "active")
    return upload_headers(told)["url"].removeprefix("http://here")


async def upload(app: Application, data: bytes = b"Some words.", **about: Any) -> Any:
    told = await go_on(app, await begun(app, about, len(data)), data, command="upload, finalize")
    assert (told.status, upload_headers(told)) == (200, {"status": "final"})
    return told.json["file"]


def error(told: Told) -> tuple[int, str, str]:
    found = told.json["error"]
    assert found["code"] == told.status
    return told.status, found["status"], found["message"]


# -- uploads


async def test_a_file_that_comes_bit_by_bit_is_whole_in_the_end(app: Application) -> None:
    data = b"abcdefghij" * 30
    url = await begun(app, {"displayName": "été 🎉.txt"}, len(data))
    for offset in (0, 100):
        told = await go_on(app, url, data[offset : offset + 100], offset)
        assert (told.status, upload_headers(told)) == (200, {"status": "active", "size-received": str(offset + 100)})
    asked = await go_on(app, url, b"", command="query")
    assert upload_headers(asked) == {"status": "active", "size-received": "200"}
    told = await go_on(app, url, data[200:], 200, "upload, finalize")
    file = told.json["file"]
    types.File.model_validate(file, extra="forbid")
    id = file["name"].removeprefix("files/")
    assert file == {
        "name": f"files/{id}",
        "displayName": "été 🎉.txt",
        "mimeType": "text/plain",
        "sizeBytes": "300",
        "createTime": "2023-11-14T22:13:20.000000Z",
        "updateTime": "2023-11-14T22:13:20.000000Z",
        "expirationTime": "2023-11-16T22:13:20.000000Z",
        "sha256Hash": base64.b64encode(sha256(data).hexdigest().encode()).decode(),
        "uri": f"https://generativelanguage.googleapis.com/v1beta/files/{id}",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }
    for version in ("/v1", "/v1beta"):
        assert (await send(app, f"{version}/files/{id}", method="GET")).json == file


async def test_the_last_command_may_come_without_bytes(app: Application) -> None:
    url = await begun(app)
    await go_on(app, url, b"abc")
    told = await go_on(app, url, b"", 3, "finalize")
    assert told.json["file"]["sizeBytes"] == "3"


async def test_a_file_can_come_in_two_parts(app: Application) -> None:
    about = orjson.dumps({"file": {"display_name": "a", "name": "files/my-file"}})
    head = b"--edge\r\ncontent-type: application/json\r\n\r\n"
    data = head + about + b"\r\n--edge\r\ncontent-type: text/csv\r\n\r\n1,2\r\n3,4\r\n--edge--\r\n"
    kind = "multipart/related; boundary=edge"
    told = await send(app, UPLOAD, data, **{"x-goog-upload-protocol": "multipart", "content-type": kind})
    file = told.json["file"]
    assert (file["name"], file["displayName"], file["mimeType"]) == ("files/my-file", "a", "text/csv")
    assert file["sizeBytes"] == "8"
    broken = await send(app, UPLOAD, b"--edge--", **{"content-type": kind})
    assert error(broken)[1] == "INVALID_ARGUMENT"


async def test_a_file_can_come_as_it_is(app: Application) -> None:
    headers = {"x-goog-upload-protocol": "raw", "content-type": "image/png"}
    told = await send(app, UPLOAD, b"\x89PNG", **headers)
    assert (told.json["file"]["mimeType"], told.json["file"]["sizeBytes"]) == ("image/png", "4")


async def test_long_bodies_are_uploads_and_not_requests(app: Application) -> None:
    app.body_limit = 100
    assert (await upload(app, b"x" * 1000))["sizeBytes"] == "1000"


async def test_an_upload_that_was_cancelled_or_ended_is_gone(app: Application) -> None:
    cancelled, ended = await begun(app), await begun(app)
    told = await go_on(app, cancelled, b"", command="cancel")
    assert upload_headers(told) == {"status": "cancelled"}
    await go_on(app, ended, b"abc", command="upload, finalize")
    for url in (cancelled, ended, f"{UPLOAD}?upload_id=nope"):
        told = await go_on(app, url, b"abc", command="upload, finalize")
        assert error(told) == (404, "NOT_FOUND", "Upload not found: it has ended, or there has never been one.")
        assert upload_headers(told) == {"status": "final"}
    assert len((await send(app, PATH, method="GET")).json["files"]) == 1


MISTAKES: Any = [
    ((b"abc", 0), "Invalid upload offset: 4 bytes have been received."),
    ((b"abc", 99), "Invalid upload offset: 4 bytes have been received."),
    ((b"abc", -1), "Invalid upload offset: 4 bytes have been received."),
    ((b"abc", "x"), "Invalid upload offset: 4 bytes have been received."),
    ((b"abc", 4, "upload, finalize"), "Upload size mismatch: 10 bytes were announced, 7 have come."),
    ((b"abcdefg", 4), "Upload size mismatch: 10 bytes were announced, 11 have come."),
    ((b"abc", 4, "dance"), "Invalid upload command: dance"),
    ((b"", 4, "start"), "The upload has been started already."),
]


@pytest.mark.parametrize(("sent", "message"), MISTAKES)
async def test_an_upload_outlives_a_mistake(app: Application, sent: Any, message: str) -> None:
    url = await begun(app, size=10)
    await go_on(app, url, b"abcd")
    told = await go_on(app, url, *sent)
    assert error(told) == (400, "INVALID_ARGUMENT", message)
    assert upload_headers(told) == {"status": "active"}
    done = await go_on(app, url, b"efghij", 4, "upload, finalize")
    assert done.json["file"]["sizeBytes"] == "10"


NAME_RULE = (
    "File name may only contain lowercase alphanumeric characters or dashes (-), cannot begin or end with a dash, and "
    "has at most 40 characters.\n"
)
UNSTARTED: Any = [
    ({"name": "files/Ünï"}, f"* CreateFileRequest.file.name: files/Ünï: {NAME_RULE}"),
    ({"name": "a/b"}, f"* CreateFileRequest.file.name: a/b: {NAME_RULE}"),
    ({"name": "-a"}, f"* CreateFileRequest.file.name: -a: {NAME_RULE}"),
    ({"name": 5}, "Invalid value at 'file.name' (TYPE_STRING), 5"),
    ({"mimeType": "nope"}, "Unsupported MIME type: nope"),
    ({"displayName": "x" * 513}, "* CreateFileRequest.file.display_name: at most 512 characters.\n"),
    ({"foo": 1}, "Invalid JSON payload received. Unknown name \"foo\" at 'file': Cannot find field."),
]


@pytest.mark.parametrize(("about", "message"), UNSTARTED)
async def test_an_upload_that_cannot_be_is_not_begun(app: Application, about: Any, message: str) -> None:
    told = await start(app, about)
    assert error(told) == (400, "INVALID_ARGUMENT", message)
    assert upload_headers(told) == {"status": "final"}
    assert not len(app.simulator.store)


@pytest.mark.parametrize("size", ["abc", -5, 3 << 30, 10**20])
async def test_a_size_that_cannot_be_is_refused(app: Application, size: Any) -> None:
    assert error(await start(app, size=size))[1] == "INVALID_ARGUMENT"


async def test_a_protocol_that_there_is_not_is_refused(app: Application) -> None:
    told = await send(app, UPLOAD, b"x", **{"x-goog-upload-protocol": "pigeon"})
    assert error(told)[2] == "Invalid upload protocol: pigeon"
    for body in (b"{", b"[]", b"\xff"):
        headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
        assert error(await send(app, UPLOAD, body, **headers))[1] == "INVALID_ARGUMENT"


async def test_a_name_is_taken_once(app: Application) -> None:
    assert (await upload(app, name="files/mine"))["name"] == "files/mine"
    assert error(await start(app, {"name": "mine"})) == (409, "ALREADY_EXISTS", "File mine already exists.")


async def test_a_fault_in_an_upload_does_not_count_the_bytes(app: Application) -> None:
    url = await begun(app, size=3)
    app.simulator.arm({"kind": "refuse", "status": 503})
    assert (await go_on(app, url, b"abc", command="upload, finalize")).status == 503
    app.simulator.change(faults=())
    told = await go_on(app, url, b"abc", command="upload, finalize")
    assert told.json["file"]["sizeBytes"] == "3"


# -- files


async def test_a_list_has_the_newest_first_in_pages(app: Application) -> None:
    assert (await send(app, PATH, method="GET")).json == {}
    names = [(await upload(app, b"%d" % at))["name"] for at in range(5)][::-1]
    found: list[str] = []
    token = ""
    for _ in range(3):
        told = (await send(app, f"{PATH}?pageSize=2&pageToken={token}", method="GET")).json
        found += [file["name"] for file in told["files"]]
        token = told.get("nextPageToken", "")
    assert (found, token) == (names, "")
    for query in ("pageSize=x", "pageToken=x"):
        assert error(await send(app, f"{PATH}?{query}", method="GET"))[1] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("id", ["nope", "%C3%A9%F0%9F%8E%89", "x" * 300])
async def test_what_is_not_there_is_not_told_apart_from_what_is_not_ones_own(app: Application, id: str) -> None:
    for method in ("GET", "DELETE"):
        status, code, message = error(await send(app, f"{PATH}/{id}", method=method))
        assert (status, code) == (403, "PERMISSION_DENIED")
        assert message.endswith(" or it may not exist.")


async def test_a_deleted_file_is_gone(app: Application) -> None:
    name = (await upload(app))["name"]
    gone = await send(app, f"/v1beta/{name}", method="DELETE")
    assert (gone.status, gone.json) == (200, {})
    assert (await send(app, f"/v1beta/{name}", method="GET")).status == 403


async def test_what_clients_uploaded_is_not_downloaded(app: Application) -> None:
    name = (await upload(app))["name"]
    told = await send(app, f"/v1beta/{name}:download?alt=media", method="GET")
    assert error(told) == (400, "INVALID_ARGUMENT", "Only generated files can be downloaded.")


async def test_a_content_names_a_file_and_pays_for_it(app: Application) -> None:
    file = await upload(app, b"word " * 100)

    async def cost(uri: str) -> Told:
        parts = [{"fileData": {"fileUri": uri, "mimeType": "text/plain"}}, {"text": "Hi"}]
        return await send(app, f"/v1/models/{MODEL}:generateContent", {"contents": [{"role": "user", "parts": parts}]})

    assert (await cost(file["uri"])).json["usageMetadata"]["promptTokenCount"] >= 100
    told = await cost("https://generativelanguage.googleapis.com/v1beta/files/nope")
    assert error(told)[:2] == (403, "PERMISSION_DENIED")


async def test_files_and_uploads_live_in_the_bounded_store(app: Application) -> None:
    app.simulator.store.size_limit = 5000
    names = [(await upload(app, b"x" * 1000))["name"] for _ in range(5)]
    there = [(await send(app, f"/v1beta/{name}", method="GET")).status for name in names]
    assert there == [403, 403, 200, 200, 200]
    url = await begun(app)
    await go_on(app, url, b"x" * 6000)
    assert app.simulator.store.size <= 5000
    assert error(await go_on(app, url, b"x", 6000))[0] == 404
