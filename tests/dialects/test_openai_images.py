"""Pictures come as real files of the size that was asked for, in OpenAI's shapes; each model keeps its own rules."""

from __future__ import annotations

from base64 import b64decode, b64encode
from io import BytesIO
from typing import Any

import pytest
from forms import Files, file, send
from inprocess import Told, ask
from openai.types import ImageEditCompletedEvent, ImageGenCompletedEvent, ImageGenPartialImageEvent, ImagesResponse
from openapi import assert_fits, assert_known_keys
from PIL import Image
from running import application
from transcript import assert_golden

from llmsim.dialects import openai_images
from llmsim.pictures import Picture, draw
from llmsim.server.handlers import Application

GENERATE, EDIT, VARY = "/v1/images/generations", "/v1/images/edits", "/v1/images/variations"
PNG = draw(Picture("in", 512, 512))
JPEG = draw(Picture("in", 768, 512, format="jpeg"))
GPT = "gpt-image-1.5"
OTTER = {"model": GPT, "prompt": "A cute baby sea otter"}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(seed=1)


def picture(told: Any) -> Image.Image:
    image = Image.open(BytesIO(b64decode(told["b64_json"], validate=True)))
    image.load()
    return image


def png(data: bytes = PNG, field: str = "image", name: str = "a.png", kind: str = "image/png") -> Files:
    return file(data, name, kind, field)


def assert_valid(told: Told) -> Any:
    assert told.status == 200, told.body
    assert_fits("ImagesResponse", told.json)
    assert_known_keys(ImagesResponse.model_validate(told.json))
    return told.json


# -- whole


@pytest.mark.parametrize("size", ["1024x1024", "1536x1024", "1024x1536", "auto", None])
@pytest.mark.parametrize("format", ["png", "jpeg", "webp", None])
async def test_a_picture_is_what_the_answer_says_it_is(app: Application, size: str | None, format: str | None) -> None:
    told = assert_valid(await ask(app, GENERATE, {**OTTER, "size": size, "output_format": format}))
    image = picture(told["data"][0])
    assert told["size"] == (size if size and size != "auto" else "1024x1024")
    assert f"{image.width}x{image.height}" == told["size"]
    assert told["output_format"] == (format or "png")
    assert image.format == told["output_format"].upper()
    assert (told["background"], told["quality"]) == ("opaque", "high")


async def test_several_pictures_are_several(app: Application) -> None:
    told = assert_valid(await ask(app, GENERATE, {**OTTER, "n": 3, "quality": "low"}))
    assert len({one["b64_json"] for one in told["data"]}) == 3
    assert told["usage"]["output_tokens"] == 3 * 272


@pytest.mark.parametrize(("quality", "size", "tokens"), [
    ("low", "1024x1024", 272), ("medium", "1536x1024", 1568), ("high", "1024x1536", 6240), ("auto", None, 4160),
])  # fmt: skip
async def test_the_usage_is_that_of_openais_guide(app: Application, quality: str, size: str, tokens: int) -> None:
    told = assert_valid(await ask(app, GENERATE, {**OTTER, "quality": quality, "size": size}))
    usage = told["usage"]
    assert (usage["output_tokens"], usage["output_tokens_details"]["image_tokens"]) == (tokens, tokens)
    assert usage["input_tokens"] == usage["input_tokens_details"]["text_tokens"] == 6
    assert usage["total_tokens"] == usage["input_tokens"] + tokens


async def test_a_transparent_ground(app: Application) -> None:
    body = {**OTTER, "background": "transparent", "output_format": "webp"}
    told = assert_valid(await ask(app, GENERATE, body))
    assert told["background"] == "transparent"
    assert picture(told["data"][0]).convert("RGBA").getchannel("A").getextrema() == (0, 255)


async def test_compression_makes_smaller_files(app: Application) -> None:
    sizes = []
    for compression in (10, 90):
        body = {**OTTER, "output_format": "jpeg", "output_compression": compression}
        sizes.append(len((await ask(app, GENERATE, body)).json["data"][0]["b64_json"]))
    assert sizes[0] < sizes[1]


async def test_newer_models_draw_any_size_and_finer(app: Application) -> None:
    body = {"model": "gpt-image-2.5-sunburst", "prompt": "x", "size": "1536x864", "quality": "max"}
    told = (await ask(app, GENERATE, body)).json
    assert_known_keys(ImagesResponse.model_validate(told))
    assert (picture(told["data"][0]).size, told["size"], told["quality"]) == ((1536, 864), "1536x864", "max")


async def test_who_asked_is_told_again(app: Application) -> None:
    told = assert_valid(await ask(app, GENERATE, {**OTTER, "safety_identifier": "", "user": "u-1"}))
    assert told["safety_identifier"] == "u-1"


async def test_the_same_request_of_another_run_is_the_same_picture() -> None:
    first, second = [(await ask(application(), GENERATE, OTTER)).json["data"] for _ in range(2)]
    assert first == second


# -- DALL·E


@pytest.mark.parametrize(("model", "size"), [("dall-e-2", "256x256"), ("dall-e-3", "1792x1024"), (None, None)])
async def test_a_url_leads_to_the_picture(app: Application, model: str | None, size: str | None) -> None:
    told = assert_valid(await ask(app, GENERATE, {"model": model, "prompt": "An otter", "size": size}))
    assert set(told) == {"created", "data"}
    (one,) = told["data"]
    assert one["url"].startswith("http://here/v1/images/files/img-")
    found = await ask(app, one["url"].removeprefix("http://here"), method="GET")
    assert (found.status, dict(found.headers)[b"content-type"]) == (200, b"image/png")
    image = Image.open(BytesIO(found.body))
    assert f"{image.width}x{image.height}" == (size or "1024x1024")


async def test_dall_e_3_says_what_it_made_of_the_prompt(app: Application) -> None:
    told = assert_valid(await ask(app, GENERATE, {"model": "dall-e-3", "prompt": "An otter", "quality": "hd"}))
    assert "An otter" in told["data"][0]["revised_prompt"]
    older = assert_valid(await ask(app, GENERATE, {"model": "dall-e-2", "prompt": "An otter"}))
    assert "revised_prompt" not in older["data"][0]


async def test_dall_e_gives_the_picture_itself_where_it_is_asked_to(app: Application) -> None:
    body = {"model": "dall-e-2", "prompt": "An otter", "response_format": "b64_json", "size": "512x512", "n": 2}
    told = assert_valid(await ask(app, GENERATE, body))
    assert [set(one) for one in told["data"]] == [{"b64_json"}] * 2
    assert picture(told["data"][1]).size == (512, 512)


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"host": "sim.example:8080"}, "http://sim.example:8080/"),
        ({"host": "[::1]:80"}, "http://[::1]:80/"),
        ({"host": "inner", "x_forwarded_host": "outer", "x_forwarded_proto": "https"}, "https://outer/"),
        ({"host": "evil/../<script>"}, "http://localhost/"),
        ({"host": "x", "x_forwarded_proto": "javascript"}, "http://x/"),
    ],
)
async def test_the_url_is_where_the_client_came_from(app: Application, headers: dict[str, str], base: str) -> None:
    told = await ask(app, GENERATE, {"model": "dall-e-2", "prompt": "x", "size": "256x256"}, **headers)
    assert told.json["data"][0]["url"].startswith(base + "v1/images/files/")


async def test_a_url_is_good_for_an_hour(app: Application) -> None:
    kept = openai_images.Shown(b"x", "image/png", app.desk.wall() - 3600)
    app.desk.store.put(openai_images.KIND, "old.png", kept, 1)
    for name in ("old.png", "never.png"):
        told = await ask(app, f"/v1/images/files/{name}", method="GET")
        assert (told.status, told.json["error"]["message"]) == (
            404,
            "The image does not exist, or its URL has expired.",
        )


# -- edits and variations


async def test_an_edit_of_one_image(app: Application) -> None:
    told = assert_valid(await send(app, EDIT, png(), prompt="With a hat", model="gpt-image-1", n=2))
    assert len(told["data"]) == 2
    # OpenAI's guide "Image generation": 65 tokens and 129 for each tile of 512 pixels.
    assert told["usage"]["input_tokens_details"] == {"text_tokens": 3, "image_tokens": 65 + 129}


async def test_an_edit_of_several_images_with_a_mask(app: Application) -> None:
    files = [*png(field="image[]"), *png(JPEG, "image[]", "b.jpg", "image/jpeg"), *png(field="mask")]
    told = assert_valid(await send(app, EDIT, files, prompt="Both", input_fidelity="high"))
    assert told["usage"]["input_tokens_details"]["image_tokens"] == (65 + 129 + 4160) + (65 + 2 * 129 + 6240)


async def test_an_image_needs_no_type_that_its_bytes_tell(app: Application) -> None:
    """As the SDKs send plain bytes without a name."""
    assert_valid(await send(app, EDIT, png(name="upload", kind="application/octet-stream"), prompt="x"))


async def test_bytes_that_are_only_called_an_image_will_do(app: Application) -> None:
    """Tests of clients seldom have a real picture at hand."""
    assert_valid(await send(app, EDIT, png(b"not really"), prompt="x"))


async def test_an_edit_in_json(app: Application) -> None:
    made = (await send(app, "/v1/files", file(PNG, "a.png"), purpose="vision")).json
    data_url = "data:image/png;base64," + b64encode(PNG).decode()
    images = [{"file_id": made["id"]}, {"image_url": data_url}, {"image_url": "https://example.com/a.png"}]
    body = {"prompt": "All three", "images": images, "mask": {"file_id": made["id"]}, "quality": "low"}
    told = assert_valid(await ask(app, EDIT, body))
    assert told["usage"]["input_tokens_details"]["image_tokens"] == 3 * (65 + 129)


async def test_dall_e_2_edits_and_varies(app: Application) -> None:
    edited = assert_valid(await send(app, EDIT, png(), prompt="x", model="dall-e-2", size="256x256"))
    varied = assert_valid(await send(app, VARY, png(), n=2, response_format="b64_json", size="256x256"))
    assert "url" in edited["data"][0]
    assert [picture(one).size for one in varied["data"]] == [(256, 256)] * 2


# -- streamed


async def test_a_stream_shows_the_picture_come_into_being(app: Application) -> None:
    told = await ask(app, GENERATE, {**OTTER, "stream": True, "partial_images": 3})
    *partials, last = told.events
    for index, event in enumerate(partials):
        assert_fits("ImageGenPartialImageEvent", event)
        assert_known_keys(ImageGenPartialImageEvent.model_validate(event))
        assert event["partial_image_index"] == index
        assert picture(event).size == (1024, 1024)
    assert_fits("ImageGenCompletedEvent", last)
    assert_known_keys(ImageGenCompletedEvent.model_validate(last))
    sizes = [len(event["b64_json"]) for event in told.events]
    assert sizes == sorted(sizes)
    whole = (await ask(app, GENERATE, OTTER)).json
    assert last["b64_json"] == whole["data"][0]["b64_json"]
    assert last["usage"]["total_tokens"] == whole["usage"]["total_tokens"]


@pytest.mark.parametrize("partials", [{}, {"partial_images": 0}, {"partial_images": None}])
async def test_a_stream_without_stages_is_one_event(app: Application, partials: Any) -> None:
    told = await ask(app, GENERATE, {**OTTER, "stream": True, **partials})
    assert [event["type"] for event in told.events] == ["image_generation.completed"]


async def test_several_pictures_are_streamed_one_after_the_other(app: Application) -> None:
    told = await ask(app, GENERATE, {**OTTER, "stream": True, "partial_images": 1, "n": 2})
    assert [event["type"].rpartition(".")[2] for event in told.events] == ["partial_image", "completed"] * 2
    assert told.events[1]["b64_json"] != told.events[3]["b64_json"]


async def test_an_edit_is_streamed_under_its_own_names(app: Application) -> None:
    told = await send(app, EDIT, png(), prompt="x", stream="true", partial_images="1", user="u-1")
    assert [event["type"] for event in told.events] == ["image_edit.partial_image", "image_edit.completed"]
    assert_fits("ImageEditCompletedEvent", told.events[1])
    assert_known_keys(ImageEditCompletedEvent.model_validate(told.events[1]))
    assert told.events[1]["safety_identifier"] == "u-1"


async def test_the_wire_of_a_stream() -> None:
    body = {**OTTER, "stream": True, "partial_images": 2, "size": "1536x1024", "quality": "low"}
    told = await ask(application(seed=1), GENERATE, body)
    assert_golden("openai_images_stream", told.status, told.headers, told.body)


async def test_an_error_in_mid_stream() -> None:
    app = application(seed=1)
    app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 1, "message": "No more."})
    told = await ask(app, GENERATE, {**OTTER, "stream": True, "partial_images": 2})
    assert_golden("openai_images_error_in_mid_stream", told.status, told.headers, told.body)


async def test_a_failure_that_comes_first_is_the_whole_answer(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503, "message": "Not today."})
    try:
        for more in ({}, {"stream": True}):
            told = await ask(app, GENERATE, {**OTTER, **more})
            assert (told.status, told.json["error"]["message"]) == (503, "Not today.")
    finally:
        app.simulator.lift()


# -- refusals

GENERATED: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    "no prompt": ({"prompt": ...}, "prompt", "missing_required_parameter", "Missing required parameter: 'prompt'."),
    "empty prompt": ({"prompt": ""}, "prompt", "empty_string", "Invalid 'prompt': empty string."),
    "no text": ({"prompt": 5}, "prompt", "invalid_type", "Invalid type for 'prompt': expected a string"),
    "too long": ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length", "Invalid 'prompt': string too long."),
    "too long for DALL·E 2": (
        {"model": "dall-e-2", "prompt": "x" * 1_001}, "prompt", "string_above_max_length", "Invalid 'prompt'",
    ),
    "too long for DALL·E 3": (
        {"model": "dall-e-3", "prompt": "x" * 4_001}, "prompt", "string_above_max_length", "Invalid 'prompt'",
    ),
    "none": ({"n": 0}, "n", "integer_below_min_value", "Invalid 'n': integer below minimum value."),
    "too many": ({"n": 11}, "n", "integer_above_max_value", "Invalid 'n': integer above maximum value."),
    "several of DALL·E 3": ({"model": "dall-e-3", "n": 2}, "n", None, "You must provide n=1 for this model."),
    "another size": (
        {"size": "512x512"}, "size", "invalid_value",
        "Invalid value: '512x512'. Supported values are: '1024x1024', '1024x1536', '1536x1024', and 'auto'.",
    ),
    "another size of DALL·E 3": (
        {"model": "dall-e-3", "size": "256x256"}, "size", "invalid_value",
        "Invalid value: '256x256'. Supported values are: '1024x1024', '1792x1024', and '1024x1792'.",
    ),
    "auto of DALL·E": ({"model": "dall-e-2", "size": "auto"}, "size", "invalid_value", "Invalid value: 'auto'."),
    "no size": ({"model": "gpt-image-2", "size": "large"}, "size", "invalid_value", "Invalid value: 'large'."),
    "odd size": ({"model": "gpt-image-2", "size": "1000x1000"}, "size", "invalid_value", "Invalid size '1000x1000'."),
    "nothing": ({"model": "gpt-image-2", "size": "0x0"}, "size", "invalid_value", "Invalid size '0x0'."),
    "too flat": ({"model": "gpt-image-2", "size": "2048x512"}, "size", "invalid_value", "Invalid size '2048x512'."),
    "huge": ({"model": "gpt-image-2", "size": "3840x3840"}, "size", "invalid_value", "Invalid size '3840x3840'."),
    "a quality of DALL·E": (
        {"quality": "hd"}, "quality", "invalid_value",
        "Invalid value: 'hd'. Supported values are: 'low', 'medium', 'high', and 'auto'.",
    ),
    "a quality of GPT": ({"model": "dall-e-3", "quality": "high"}, "quality", "invalid_value", "Invalid value: 'high'"),
    "too fine": ({"quality": "xhigh"}, "quality", "invalid_value", "Invalid value: 'xhigh'."),
    "a field of DALL·E": (
        {"response_format": "url"}, "response_format", "unknown_parameter", "Unknown parameter: 'response_format'.",
    ),
    "another field of DALL·E": ({"style": "vivid"}, "style", "unknown_parameter", "Unknown parameter: 'style'."),
    "a field of GPT": (
        {"model": "dall-e-3", "output_format": "png"}, "output_format", "unknown_parameter", "Unknown parameter",
    ),
    "a stream of DALL·E": ({"model": "dall-e-2", "stream": True}, "stream", "unknown_parameter", "Unknown parameter"),
    "another style": ({"model": "dall-e-3", "style": "x"}, "style", "invalid_value", "Invalid value: 'x'."),
    "another response": (
        {"model": "dall-e-2", "response_format": "x"}, "response_format", "invalid_value", "Invalid value: 'x'.",
    ),
    "another format": ({"output_format": "bmp"}, "output_format", "invalid_value", "Invalid value: 'bmp'."),
    "another ground": ({"background": "blue"}, "background", "invalid_value", "Invalid value: 'blue'."),
    "compressed PNG": (
        {"output_compression": 50}, "output_compression", "invalid_png_output_compression",
        "Compression less than 100 is not supported for PNG output format",
    ),
    "much compression": (
        {"output_compression": 101, "output_format": "webp"}, "output_compression", "integer_above_max_value", "Inva",
    ),
    "clear JPEG": (
        {"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value", "Transparent background",
    ),
    "stages without a stream": ({"partial_images": 1}, "partial_images", None, "The 'partial_images' parameter"),
    "many stages": (
        {"partial_images": 4, "stream": True}, "partial_images", "integer_above_max_value", "Invalid 'partial_images'",
    ),
    "a number for a model": ({"model": 5}, "model", "invalid_type", "Invalid type for 'model': expected a string"),
    "a text for a number": ({"n": "2"}, "n", "invalid_type", "Invalid type for 'n': expected an integer"),
    "unknown": ({"colour": "red"}, "colour", "unknown_parameter", "Unknown parameter: 'colour'."),
}  # fmt: skip


def assert_refused(told: Told, param: str | None, code: str | None, message: str = "", status: int = 400) -> None:
    error = told.json["error"]
    assert (told.status, error["type"], error["param"], error["code"]) == (status, "invalid_request_error", param, code)
    assert error["message"].startswith(message)


@pytest.mark.parametrize("case", GENERATED)
async def test_generations_that_are_refused(app: Application, case: str) -> None:
    changed, param, code, message = GENERATED[case]
    body = {name: value for name, value in {**OTTER, **changed}.items() if value is not ...}
    assert_refused(await ask(app, GENERATE, body), param, code, message)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff"])
async def test_bodies_that_are_no_object(app: Application, body: bytes) -> None:
    for path in (GENERATE, EDIT):
        assert_refused(await ask(app, path, body), None, None, "We could not parse the JSON body")
    assert_refused(await ask(app, VARY, body), None, None, "Could not parse multipart form")


EDITED: dict[str, tuple[Files, dict[str, Any], str | None, str | None, str]] = {
    "no image": (png(field="x"), {}, "image", "missing_required_parameter", "Missing required parameter: 'image'."),
    "a text for an image": (png(field="x"), {"image": "x"}, "image", "invalid_type", "Invalid type for 'image'"),
    "no prompt": (png(), {"prompt": None}, "prompt", "missing_required_parameter", "Missing required"),
    "no type": (
        png(b"?", kind="application/octet-stream"), {}, "image", "unsupported_file_mimetype",
        "Invalid file 'image': unsupported mimetype ('application/octet-stream'). Supported file formats are "
        "'image/jpeg', 'image/png', and 'image/webp'.",
    ),
    "another type": (
        [*png(field="image[]"), *png(b"GIF89a", "image[]")], {}, "image[1]", "unsupported_file_mimetype",
        "Invalid file 'image[1]': unsupported mimetype ('image/gif').",
    ),
    "an empty image": (png(b""), {}, "image", "invalid_image_file", "Invalid image file or mode for image 1"),
    "no PNG for DALL·E": (
        png(JPEG), {"model": "dall-e-2"}, "image", "unsupported_file_mimetype",
        "Invalid file 'image': unsupported mimetype ('image/jpeg'). Supported file formats are 'image/png'.",
    ),
    "a large one for DALL·E": (
        png(PNG + bytes(4 << 20)), {"model": "dall-e-2"}, "image", None,
        "Uploaded image must be a PNG and less than 4 MB.",
    ),
    "too many": (png(field="image[]") * 17, {}, "image", "array_above_max_length", "Invalid 'image': array too long."),
    "two for DALL·E": (
        png(field="image[]") * 2, {"model": "dall-e-2"}, "image", "array_above_max_length", "Invalid 'image'",
    ),
    "DALL·E 3": (png(), {"model": "dall-e-3"}, "model", "invalid_value", "Invalid value: 'dall-e-3'."),
    "another mask": (
        [*png(), *png(draw(Picture("m", 64, 64)), "mask")], {}, "mask", "invalid_mask_size", "Invalid mask image",
    ),
    "a mask that is none": ([*png(), *png(b"?", "mask", kind="a/b")], {}, "mask", "unsupported_file_mimetype", ""),
    "another fidelity": (png(), {"input_fidelity": "x"}, "input_fidelity", "invalid_value", "Invalid value: 'x'."),
    "no number": (png(), {"n": "two"}, "n", "invalid_type", "Invalid type for 'n': expected an integer"),
    "unknown": (png(), {"colour": "red"}, "colour", "unknown_parameter", "Unknown parameter: 'colour'."),
}  # fmt: skip


@pytest.mark.parametrize("case", EDITED)
async def test_edits_that_are_refused(app: Application, case: str) -> None:
    files, changed, param, code, message = EDITED[case]
    fields = {name: value for name, value in {"prompt": "x", **changed}.items() if value is not None}
    assert_refused(await send(app, EDIT, files, **fields), param, code, message)


JSON_EDITED: dict[str, tuple[dict[str, Any], str, str | None, int]] = {
    "no images": ({"images": ...}, "images", "missing_required_parameter", 400),
    "an empty list": ({"images": []}, "images", "empty_array", 400),
    "nothing in it": ({"images": [{}]}, "images[0].image_url", "missing_required_parameter", 400),
    "both": ({"images": [{"file_id": "a", "image_url": "b"}]}, "images[0]", "invalid_value", 400),
    "no url": ({"images": [{"image_url": "a.png"}]}, "images[0].image_url", "invalid_value", 400),
    "unknown file": ({"images": [{"file_id": "file-x"}]}, "images[0].file_id", None, 404),
    "unknown mask": ({"mask": {"file_id": "file-x"}}, "mask.file_id", None, 404),
    "unknown key": ({"images": [{"colour": "red"}]}, "images[0].colour", "unknown_parameter", 400),
}


@pytest.mark.parametrize("case", JSON_EDITED)
async def test_edits_in_json_that_are_refused(app: Application, case: str) -> None:
    changed, param, code, status = JSON_EDITED[case]
    body = {"prompt": "x", "images": [{"image_url": "https://example.com/a.png"}], **changed}
    told = await ask(app, EDIT, {name: value for name, value in body.items() if value is not ...})
    assert_refused(told, param, code, status=status)


@pytest.mark.parametrize(
    ("files", "fields", "param"),
    [
        (png(field="x"), {}, "image"),
        (png(), {"model": GPT}, "model"),
        (png(), {"size": "1x1"}, "size"),
        (png(JPEG), {}, "image"),
        (png(), {"prompt": "x"}, "prompt"),
        (png(), {"n": "0"}, "n"),
    ],
)
async def test_variations_that_are_refused(app: Application, files: Files, fields: Any, param: str) -> None:
    told = await send(app, VARY, files, **fields)
    assert (told.status, told.json["error"]["param"]) == (400, param)
