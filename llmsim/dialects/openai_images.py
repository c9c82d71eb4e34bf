"""OpenAI's images: drawn from a prompt, edited, varied; whole and as a stream of unfinished stages.

Source: OpenAI API reference, images and image streaming.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_images_models import GPT
from llmsim.dialects._openai_images_request import Wanted, read_edit, read_generation, read_variation
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.pictures import MEDIA_TYPES, Picture, draw
from llmsim.plan import Garbled, Part, Piece

KIND = "openai.image"

_HOUR = 3600
"""How long a picture's URL is good for, in seconds."""


@dataclass(slots=True, frozen=True)
class Shown:
    """A picture that a URL leads to."""

    data: bytes
    media_type: str
    created: int


class OpenAIImages(Dialect):
    """`/v1/images/generations`, `edits` and `variations`, and the pictures that their URLs lead to."""

    kind: ClassVar[str] = "openai_images"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """The three ways to have a picture drawn, and the way to fetch it."""
        return [
            Route("POST", "/v1/images/generations", read=read_generation, heavy=True),
            Route("POST", "/v1/images/edits", read=self._edit, heavy=True),
            Route("POST", "/v1/images/variations", read=read_variation, heavy=True),
            Route("GET", "/v1/images/files/{image_id}", answer=self._shown, public=True),
        ]

    def _edit(self, request: Request) -> Ask:
        return read_edit(request, self.desk)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return ImagesEncoder(exchange, self)

    def keep(self, id: str, picture: Picture, data: bytes) -> None:
        """Keeps a picture for who follows its URL."""
        shown = Shown(data, MEDIA_TYPES[picture.format], self.desk.wall())
        self.desk.store.put(KIND, id, shown, len(data) + 200)

    def _shown(self, request: Request, exchange: Exchange) -> Answer:
        shown: Shown | None = self.desk.store.get(KIND, request.params["image_id"])
        if shown is None or shown.created + _HOUR <= self.desk.wall():
            raise Refused(Failure("not_found", "The image does not exist, or its URL has expired."))
        return Answer(200, shown.data, [(b"content-type", shown.media_type.encode()), *wire.headers(exchange, 0)])

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


class ImagesEncoder(Encoder):
    """Words the pictures of one exchange; each is drawn when it is due."""

    def __init__(self, exchange: Exchange, images: OpenAIImages) -> None:
        super().__init__(exchange)
        self._images = images
        self._wanted: Wanted = exchange.ask.extra["wanted"]

    def headers(self) -> Headers:
        """OpenAI's headers, the time to the first picture as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    # -- streamed

    def frame(self, piece: Piece) -> bytes:
        """The event of one stage, or of a picture that is finished."""
        if not isinstance(piece, Part):
            return b""
        stages = self._wanted.pictures[piece.index // len(self._wanted.pictures[0])]
        stage = piece.index % len(stages)
        done = stage == len(stages) - 1
        name = f"{self._wanted.event}.{'completed' if done else 'partial_image'}"
        told: dict[str, Any] = {
            "type": name,
            "b64_json": b64encode(draw(stages[stage])).decode(),
            "created_at": int(self.exchange.wall),
            **self._about(),
            **({"usage": self._usage(1)} if done else {"partial_image_index": stage}),
        }
        if done and self._wanted.identifier:
            told["safety_identifier"] = self._wanted.identifier
        return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(told))

    def fail(self, failure: Failure) -> bytes:
        """An error object as an event of its own."""
        body = orjson.dumps(wire.error_body(failure, self.exchange.ask.model))
        return b"event: error\ndata: " + body + b"\n\n"

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """All pictures; what a cut leaves of them is a part of this."""
        wanted, told = self._wanted, {"created": int(self.exchange.wall)}
        plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
        count = sum(isinstance(piece, Part) for piece in plain)
        data = [self._picture(index, stages[-1]) for index, stages in enumerate(wanted.pictures[:count])]
        more: dict[str, Any] = {"data": data}
        if wanted.family == GPT:
            usage = self._usage(len(wanted.pictures))
            details = {"text_tokens": 0, "image_tokens": usage["output_tokens"]}
            more |= {**self._about(), "usage": {**usage, "output_tokens_details": details}}
        if wanted.identifier and wanted.family == GPT:
            more["safety_identifier"] = wanted.identifier
        return orjson.dumps(told | more)

    def _picture(self, index: int, picture: Picture) -> dict[str, Any]:
        wanted, data = self._wanted, draw(picture)
        told = {"revised_prompt": wanted.revised} if wanted.revised else {}
        if not wanted.by_url:
            return {"b64_json": b64encode(data).decode(), **told}
        id = f"{wire.new_id('img-', self.exchange, index)}.{picture.format}"
        self._images.keep(id, picture, data)
        return {"url": f"{wanted.base}/v1/images/files/{id}", **told}

    def _about(self) -> dict[str, Any]:
        """How the pictures were drawn."""
        wanted, last = self._wanted, self._wanted.pictures[0][-1]
        return {
            "background": "transparent" if last.transparent else "opaque",
            "output_format": last.format,
            "quality": wanted.quality,
            "size": wanted.size,
        }

    def _usage(self, count: int) -> dict[str, Any]:
        """What so many of the pictures cost."""
        (text, images), output = self._wanted.input, self._wanted.output * count
        return {
            "input_tokens": text + images,
            "input_tokens_details": {"text_tokens": text, "image_tokens": images},
            "output_tokens": output,
            "total_tokens": text + images + output,
        }
