"""Reads requests for images: from bytes to an Ask with the pictures that are to be drawn, or to a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from llmsim import media
from llmsim.conversation import Ask, Message
from llmsim.dialects import Desk, Request
from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects._multipart import Form, Upload
from llmsim.dialects._openai_forms import digest_of, fields, file_of, openai_form
from llmsim.dialects._openai_images_models import (
    DALLE2,
    DALLE3,
    GPT,
    check_prompt,
    family,
    input_tokens,
    listed,
    output_tokens,
    quality_of,
    size_of,
)
from llmsim.dialects._openai_images_types import (
    DalleEdit,
    DalleFields,
    DalleGeneration,
    GptEdit,
    GptGeneration,
    GptJsonEdit,
    adapter,
)
from llmsim.dialects._openai_refusals import invalid, missing, read_object, validated
from llmsim.errors import Refused
from llmsim.pictures import Format, Picture
from llmsim.tokens import count_tokens

_KINDS = {"n": int, "output_compression": int, "partial_images": int, "stream": bool}
_FILES = ("image", "mask")
_MOST_IMAGES = 16
_MIB = 1 << 20
_ENDPOINTS = {
    "image_generation": "/v1/images/generations",
    "image_edit": "/v1/images/edits",
    "image_variation": "/v1/images/variations",
}
_MIMES = ("image/jpeg", "image/png", "image/webp")


@dataclass(slots=True, frozen=True)
class Wanted:
    """What a request comes to: the pictures, each with its unfinished stages before it, and how to tell of them.

    `event` names the stream's events, `base` is where the client reached this server, `revised` what DALL·E 3 made of
    the prompt; `input` are the tokens of text and of images that went in.
    """

    pictures: tuple[tuple[Picture, ...], ...]
    family: str
    quality: str
    event: str
    base: str
    by_url: bool
    revised: str | None
    identifier: str | None
    input: tuple[int, int]

    @property
    def size(self) -> str:
        """Width and height as the API writes them."""
        last = self.pictures[0][-1]
        return f"{last.width}x{last.height}"

    @property
    def output(self) -> int:
        """The tokens that one picture costs."""
        last = self.pictures[0][-1]
        return output_tokens(self.quality, last.width, last.height)


def read_generation(request: Request) -> Ask:
    """The ask of `POST /v1/images/generations`; raises Refused as OpenAI refuses."""
    told = read_object(request.body)
    model = _model(told, DALLE2)
    told = validated(adapter(GptGeneration if family(model) == GPT else DalleGeneration), told)
    digest = blake2b(request.body, digest_size=16).digest()
    return _ask(request, told, model, digest, "image_generation", 0)


def read_edit(request: Request, desk: Desk) -> Ask:
    """The ask of `POST /v1/images/edits`, sent as a form or as JSON; raises Refused as OpenAI refuses."""
    if not request.headers.get(b"content-type", b"").lower().startswith(b"multipart/"):
        return _json_edit(request, desk)
    form = openai_form(request)
    told = fields(form, _KINDS, _FILES)
    model = _model(told, "gpt-image-1.5")
    if family(model) == DALLE3:
        raise invalid("Invalid value: 'dall-e-3'. Supported values are: 'dall-e-2'.", "model", "invalid_value")
    gpt = family(model) == GPT
    told = validated(adapter(GptEdit if gpt else DalleEdit), told)
    sizes = [_size(upload, param, gpt) for param, upload in _images(form)]
    if len(sizes) > (_MOST_IMAGES if gpt else 1):
        most = _MOST_IMAGES if gpt else 1
        what = f"Expected an array with maximum length {most}, but got an array with length {len(sizes)} instead."
        raise invalid(f"Invalid 'image': array too long. {what}", "image", "array_above_max_length")
    mask = form.file("mask")
    if mask is not None:
        _check_mask(_size(mask, "mask", gpt), sizes[0])
    cost = sum(input_tokens(*(size or media.UNKNOWN_SIZE), told.get("input_fidelity")) for size in sizes)
    return _ask(request, told, model, digest_of(form), "image_edit", cost)


def _json_edit(request: Request, desk: Desk) -> Ask:
    told = read_object(request.body)
    model = _model(told, "gpt-image-1.5")
    told = validated(adapter(GptJsonEdit), told)
    sizes = [_referred(one, f"images[{index}]", desk) for index, one in enumerate(told["images"])]
    if told.get("mask"):
        _check_mask(_referred(told["mask"], "mask", desk), sizes[0])
    cost = sum(input_tokens(*(size or media.UNKNOWN_SIZE), told.get("input_fidelity")) for size in sizes)
    digest = blake2b(request.body, digest_size=16).digest()
    return _ask(request, told, model, digest, "image_edit", cost)


def read_variation(request: Request) -> Ask:
    """The ask of `POST /v1/images/variations`; raises Refused as OpenAI refuses."""
    form = openai_form(request)
    told = fields(form, _KINDS, _FILES)
    model = _model(told, DALLE2)
    if family(model) != DALLE2:
        raise invalid(f"Invalid value: '{model[:100]}'. Supported values are: 'dall-e-2'.", "model", "invalid_value")
    told = validated(adapter(DalleFields), told)
    image = file_of(form, "image")
    _size(image, "image", gpt=False)
    named = {**told, "prompt": f"A variation of {image.filename or 'an image'}"}
    return _ask(request, named, model, digest_of(form), "image_variation", 0)


def _model(told: dict[str, Any], usual: str) -> str:
    """The model's name; what is no name is left to the check of the whole request."""
    model = told.get("model") or usual
    return model if isinstance(model, str) else usual


def _ask(request: Request, told: dict[str, Any], model: str, digest: bytes, event: str, image_cost: int) -> Ask:
    prompt, kin = told["prompt"], family(model)
    check_prompt(model, prompt)
    if kin == DALLE3 and (told.get("n") or 1) > 1:
        raise invalid("You must provide n=1 for this model.", "n")
    streams, partials = bool(told.get("stream")), told.get("partial_images") or 0
    if partials and not streams:
        raise invalid("The 'partial_images' parameter is only allowed when 'stream' is enabled.", "partial_images")
    text_cost = count_tokens(prompt, model) if kin == GPT else 0
    wanted = Wanted(
        pictures=_pictures(told, model, partials),
        family=kin,
        quality=quality_of(model, told.get("quality")),
        event=event,
        base=base_of(request),
        by_url=kin != GPT and told.get("response_format") != "b64_json",
        revised=f"An image that shows the following, in detail: {prompt}" if kin == DALLE3 else None,
        identifier=told.get("safety_identifier") or told.get("user"),
        input=(text_cost, image_cost),
    )
    return Ask(
        model,
        (Message("user", prompt),),
        dialect="openai_images",
        endpoint=_ENDPOINTS[event],
        stream=streams,
        parts=len(wanted.pictures) * (partials + 1),
        prompt_tokens=text_cost + image_cost,
        max_tokens=wanted.output if kin == GPT else None,
        n=len(wanted.pictures),
        digest=digest,
        extra={"wanted": wanted},
    )


def _pictures(told: dict[str, Any], model: str, partials: int) -> tuple[tuple[Picture, ...], ...]:
    """Each picture with its unfinished stages before it; raises Refused where the fields do not fit each other."""
    format: Format = told.get("output_format") or "png"
    background = told.get("background")
    compression = told.get("output_compression")
    if format == "png" and compression not in (None, 100):
        what = "Compression less than 100 is not supported for PNG output format"
        raise invalid(what, "output_compression", "invalid_png_output_compression")
    if format == "jpeg" and background == "transparent":
        what = "Transparent background is not supported for JPEG output format"
        raise invalid(what, "background", "invalid_value")
    width, height = size_of(model, told.get("size"))
    quality = 75 if compression is None else compression
    clear = background == "transparent"
    return tuple(
        tuple(
            Picture(told["prompt"], width, height, format, quality, clear, variant, coarse)
            for coarse in [64 >> 2 * stage for stage in range(partials)] + [1]
        )
        for variant in range(told.get("n") or 1)
    )


# -- the images that come in


def _images(form: Form) -> list[tuple[str, Upload]]:
    """The images of a form, each with the name that refusals use for it."""
    uploads = form.files.get("image") or [file_of(form, "image")]
    if len(uploads) == 1:
        return [("image", uploads[0])]
    return [(f"image[{index}]", upload) for index, upload in enumerate(uploads)]


def _size(upload: Upload, param: str, gpt: bool) -> tuple[int, int] | None:
    """The size of an image, None where its header does not say; raises Refused for what is no image at all."""
    told, mimes = upload.content_type.partition(";")[0].strip().lower(), _MIMES if gpt else ("image/png",)
    found = _mime(upload.data) or told
    if found not in mimes:
        what = f"Invalid file '{param}': unsupported mimetype ('{found[:60]}')."
        raise invalid(f"{what} Supported file formats are {listed(mimes)}.", param, "unsupported_file_mimetype")
    if not upload.data:
        what = "Invalid image file or mode for image 1, please check your image file."
        raise invalid(what, param, "invalid_image_file")
    if not gpt and len(upload.data) >= 4 * _MIB:
        raise invalid("Uploaded image must be a PNG and less than 4 MB.", param)
    return media.image_size(upload.data)


def _mime(data: bytes) -> str | None:
    """The type of an image by its first bytes."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _check_mask(mask: tuple[int, int] | None, image: tuple[int, int] | None) -> None:
    if mask and image and mask != image:
        raise invalid("Invalid mask image format - mask size does not match image size", "mask", "invalid_mask_size")


def _referred(told: dict[str, Any], param: str, desk: Desk) -> tuple[int, int] | None:
    """The size of an image that a JSON body refers to; what lies behind a URL is not fetched."""
    if "file_id" in told and "image_url" in told:
        raise invalid("Provide exactly one of 'image_url' or 'file_id'.", param, "invalid_value")
    if "file_id" in told:
        return media.image_size(files.find(desk, told["file_id"], f"{param}.file_id").data)
    if "image_url" not in told:
        raise Refused(missing(f"{param}.image_url"))
    url = told["image_url"]
    inline = media.data_url(url, media.HEADER_BYTES)
    if inline is None and not url.startswith(("http://", "https://")):
        what = f"Invalid '{param}.image_url': expected a URL or a base64-encoded data URL with an image."
        raise invalid(what, f"{param}.image_url", "invalid_value")
    return media.image_size(inline[1]) if inline else None


_HOST = re.compile(rb"[A-Za-z0-9.\-_\[\]:]{1,255}")


def base_of(request: Request) -> str:
    """Where the client reached this server, as `http://host:port`."""
    host = request.headers.get(b"x-forwarded-host") or request.headers.get(b"host", b"")
    scheme = "https" if request.headers.get(b"x-forwarded-proto", b"").lower() == b"https" else "http"
    return f"{scheme}://{host.decode()}" if _HOST.fullmatch(host) else f"{scheme}://localhost"
