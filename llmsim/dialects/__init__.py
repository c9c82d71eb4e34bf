"""Dialects: how each API words asks, replies and failures, each in a file of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

import orjson

from llmsim.clock import Clock, RealClock
from llmsim.conversation import Ask
from llmsim.errors import Failure, Path
from llmsim.exchange import Exchange
from llmsim.gather import find, gather
from llmsim.plan import Garbled, HowGarbled, Piece
from llmsim.store import Store

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """One HTTP request; header names are in lower case, `params` come from the path.

    Headers sent more than once are joined by commas, as HTTP has it (RFC 9110, 5.3).
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)
    client: str = ""

    @property
    def args(self) -> dict[str, str]:
        """What stands in the query, the last of each name."""
        return dict(_parsed(self.query)) if self.query else {}


@lru_cache(maxsize=256)
def _parsed(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


@dataclass(slots=True)
class Answer:
    """One HTTP response."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
        """A JSON answer."""
        return cls(status, orjson.dumps(value), [(b"content-type", b"application/json"), *headers])


@dataclass(slots=True, frozen=True)
class Route:
    """A path of the API: with `read` a generation, played by a plan; with `answer` a plain answer.

    `path` may hold names in braces; they come as `Request.params`. Both functions may raise Refused. An answer is made
    at its moment, if no fault comes before; its exchange has the dice for ids. The method `WEBSOCKET` stands for a
    connection whose text frames are each read as the body of a request and answered by a stream.

    What is `heavy` is read in a thread however short the body; `uploads` takes bodies as long as files may be; `public`
    needs no key, as a link in a reply does not.
    """

    method: str
    path: str
    read: Callable[[Request], Ask] | None = None
    answer: Callable[[Request, Exchange], Answer] | None = None
    heavy: bool = False
    uploads: bool = False
    public: bool = False


Done = Callable[[Exchange, Answer | None], None]
"""Told how a reply without a client ended, while its ask is still whole; without an answer the connection was cut."""


class Desk:
    """What a dialect may use besides the request: what clients have left, the time, and work that no client awaits."""

    def __init__(self, store: Store | None = None, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or RealClock()
        self.store = Store(self.clock) if store is None else store  # an empty store is false

    @property
    def served_models(self) -> Sequence[str]:
        """The models that the server says it has, in place of the provider's; empty: it has those."""
        return ()

    def wall(self) -> int:
        """Whole seconds since the epoch, as the APIs tell them."""
        return int(self.clock.wall())

    def submit(self, request: Request, done: Done) -> Exchange | None:
        """Serves a request as if a client had sent it, in the midst of all others; None where no API has its path."""
        raise NotImplementedError

    def stop(self, exchange: Exchange) -> None:
        """Ends a detached exchange, and what follows it, wherever it is."""
        raise NotImplementedError


class Encoder(ABC):
    """Words one exchange; stateful where the wire is: `open` and `close` frame what `frames` says."""

    media_type: bytes = b"text/event-stream; charset=utf-8"
    whole_type: bytes = b"application/json"

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def headers(self) -> Headers:
        """The provider's own headers, content type left out."""
        return []

    def open(self) -> bytes:
        """What comes before the first piece of a stream."""
        return b""

    @abstractmethod
    def frame(self, piece: Piece) -> bytes:
        """One piece as the stream has it; empty for what this wire does not show."""

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Pieces that are due together, each as an event of its own; worth overriding where it can be faster."""
        return b"".join([self.wording(piece) for piece in pieces])

    def following(self) -> bytes:
        """The piece handed out last, which is neither the first nor the last; worth overriding for the usual pace."""
        at = self.exchange.cursor
        return self.frames(self.exchange.plan.pieces[at - 1 : at])

    def wording(self, piece: Piece) -> bytes:
        """One piece's event, spoiled where it is to arrive so."""
        if isinstance(piece, Garbled):
            return garbled(self.frame(piece.piece), piece.how)
        return self.frame(piece)

    def close(self) -> bytes:
        """What comes after the last piece of a stream that ended as planned."""
        return b""

    def last(self, pieces: Sequence[Piece]) -> bytes:
        """The last pieces, and what comes after them; worth overriding where both can be put together at once."""
        return self.frames(pieces) + self.close()

    @abstractmethod
    def fail(self, failure: Failure) -> bytes | None:
        """A failure told in the middle of a stream; None on a wire without words for it: the connection is closed."""

    @abstractmethod
    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The body of a reply that is sent whole."""


_REQUEST_IDS = (b"x-request-id", b"request-id", b"x-amzn-requestid")


class Dialect(ABC):
    """One API of one provider; requests outside its routes can still be its own to answer, as `claims` says.

    With `early` a stream opens at once and not with its first piece. Where reading a request changes what is kept,
    `rereads` is False: an old request is then not read again for the journal's sake.
    """

    kind: ClassVar[str]
    provider: ClassVar[str]
    early: ClassVar[bool] = False
    rereads: ClassVar[bool] = True

    def __init__(self, desk: Desk | None = None) -> None:
        self.desk = desk or Desk()

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Every path of this API."""

    def prepare(self) -> None:
        """Builds what the first request would have to wait for; called in a thread while nobody asks for anything."""
        return

    def claims(self, request: Request) -> bool:
        """Whether an unknown path, or one that several dialects serve, is this dialect's to answer."""
        return False

    def forgives(self, model: str) -> bool:
        """Whether who serves that model by this API ignores fields that the API itself refuses as unknown."""
        return False

    def heed(self, ask: Ask, told: Mapping[Path, Any]) -> None:
        """Takes up what servers other than the API's own know of the fields that were ignored; raises Refused."""
        return

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words the exchange's reply; needed by dialects with generations."""
        raise NotImplementedError

    def request_id(self, exchange: Exchange) -> str:
        """The id that its client knows the request by, as it stands in the headers; empty where the API gives none."""
        told = dict(self.failure(Failure("internal"), exchange).headers)
        return next((told[name].decode("latin-1") for name in _REQUEST_IDS if name in told), "")

    def hear(self, body: bytes) -> Heard | None:
        """What a recorded reply of this API says, by the whole body of its response; None where it has no words."""
        return None

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Told how a detached reply ended, while its ask is still whole; without an answer it was cut."""
        return

    @abstractmethod
    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """A failure as the whole answer, in the provider's own words and headers."""


def garbled(frame: bytes, how: HowGarbled) -> bytes:
    """An event or a body as a broken server sends it: `malformed` loses its field name, the others their end."""
    body = frame.rstrip(b"\r\n")
    ending = frame[len(body) :]
    if how == "malformed":
        return b"#" * min(6, len(body)) + body[6:] + ending
    half = body[: max(1, len(body) * 2 // 3)]
    return half if how == "truncated" else half + ending


def remembered(read: Callable[[bytes], Ask]) -> Callable[[bytes], Ask]:
    """Reads a body only once as long as it keeps coming: clients that retry and load generators send the same bytes.

    Keeps the 256 bodies of at most 8 kB that came last. `read` must depend on the body alone.
    """
    recent = lru_cache(maxsize=256)(lambda body: read(body).values())

    @wraps(read)
    def reading(body: bytes) -> Ask:
        return Ask(*recent(body)) if len(body) <= 8192 else read(body)

    return reading


HOME = "openai_chat"
"""The API that most clients speak: it answers before the others are imported."""


def home() -> type[Dialect] | None:
    """The API that is asked first; None where other packages bring dialects, which may claim its requests."""
    return find("llmsim.dialects", "llmsim.dialects", Dialect, HOME)


@cache
def kinds() -> dict[str, type[Dialect]]:
    """Every dialect there is, by kind."""
    return gather("llmsim.dialects", "llmsim.dialects", Dialect)


def of_kind(kind: str) -> type[Dialect] | None:
    """The dialect of that kind, without a look at the others where that can be."""
    return find("llmsim.dialects", "llmsim.dialects", Dialect, kind) or kinds().get(kind)
