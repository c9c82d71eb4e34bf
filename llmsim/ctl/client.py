"""Calls the control API of a server, and tells in one sentence why a call could not be done."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from llmsim.errors import LlmsimError

URL = "http://127.0.0.1:8080"
"""The server that is asked where none is named."""

PATIENCE = 60.0
"""Seconds without a byte after which a server counts as gone."""

LONGEST = 256 << 20
"""Bytes of an answer that is read whole."""
LONGEST_LINE = 1 << 20
"""Bytes of a line of events; a longer one is read as several."""

_ROOT = "/llmsim"


class ControlError(LlmsimError):
    """A call that could not be done, in one sentence; `status` is that of the answer, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """The control API at `url`; every method raises ControlError in one sentence.

    `token` is sent as a bearer token where it is not empty; `who` is who makes its changes. After `patience` seconds
    without a byte the server counts as gone. `flag` is how the operator names a server, for sentences about it.
    """

    def __init__(
        self, url: str = URL, token: str = "", *, who: str = "ctl", patience: float = PATIENCE, flag: str = "--url"
    ) -> None:
        self.url = url if "://" in url else f"http://{url}"
        self.patience = patience
        self._flag = flag
        try:
            split = urlsplit(self.url)
            self._host, self._port = split.hostname, split.port
        except ValueError as error:
            raise ControlError(f"{flag}: {url!r} is no address: {error}") from None
        if split.scheme not in ("http", "https") or not self._host:
            raise ControlError(f"{flag}: {url!r} is no address of a server; it is written as in {URL}")
        self._secure = split.scheme == "https"
        self._path = split.path.rstrip("/").removesuffix(_ROOT).removesuffix("/v1")
        self._headers = {"x-llmsim-who": who, "accept": "*/*"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        """What is at a path; parameters of the query that are None are left out."""
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """What comes of a POST."""
        return self.call("POST", path, {} if body is None else body, query=query)

    def put(self, path: str, body: Any) -> Any:
        """What comes of a PUT."""
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Any:
        """What comes of a DELETE."""
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON that is answered, or the text where it is no JSON."""
        with self._answer(method, path, body, query, headers) as (answer, _):
            data = _read(answer)
        if answer.headers.get_content_type() == "application/json":
            return _json(data)
        return data.decode("utf-8", "replace")

    def chunks(self, path: str, **query: Any) -> Iterator[bytes]:
        """A long answer, piece by piece."""
        with self._answer("GET", path, query=query) as (answer, _):
            while data := answer.read(1 << 16):
                yield data

    def events(self, after: int | None = None, quiet: float | None = None) -> Iterator[dict[str, Any] | None]:
        """What happens, from event number `after` on, or from now on; None once the connection stands.

        It ends with the server, or once there has been nothing new for `quiet` seconds.
        """
        number = 0
        with self._answer("GET", "/events", query={"after": after}) as (answer, line), suppress(TimeoutError):
            while told := answer.readline(LONGEST_LINE):
                name, _, text = told.decode("utf-8", "replace").strip().partition(": ")
                if name == "" and text:
                    yield None
                    line.settimeout(quiet or self.patience)
                elif name == "id":
                    number = int(text)
                elif name == "data":
                    yield {"number": number, **_json(text)}

    # -- one request

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[tuple[http.client.HTTPResponse, socket.socket]]:
        """The answer, to be read inside, and the socket that it comes by."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        target = self._path + _ROOT + path + (f"?{urlencode(asked)}" if asked else "")
        sent = {**self._headers, **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body, default=str).encode()
            sent["content-type"] = "application/json"
        with self._connected() as connection:
            try:
                connection.request(method, target, data, sent)
                line = connection.sock
                with connection.getresponse() as answer:
                    if answer.status >= 400:
                        raise self._refused(answer.status, _read(answer))
                    yield answer, line
            except (OSError, http.client.HTTPException) as error:
                raise self._lost(error) from None
            except ValueError as error:  # a token or a path that HTTP cannot carry
                raise ControlError(f"{self.url}: {error}") from None

    def _connected(self) -> AbstractContextManager[http.client.HTTPConnection]:
        """A connection for one request, closed behind it."""
        return closing(self._connection())

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(str(self._host), self._port, timeout=self.patience)

    def _lost(self, error: Exception) -> ControlError:
        if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
            return ControlError(f"{self.url} is no llmsim server: it does not answer in HTTP ({type(error).__name__})")
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ControlError(
            f"cannot reach {self.url}: {reason.lower()}; start a server with `llmsim serve`, "
            f"or name another one with {self._flag} or LLMSIM_URL"
        )

    def _refused(self, status: int, data: bytes) -> ControlError:
        try:
            error = json.loads(data)["error"]
            told = str(error["message"])
            if "type" in error or "code" in error:  # a simulated API's own words: nothing here knows the path
                raise KeyError(told)
        except (ValueError, KeyError, TypeError, RecursionError):
            return ControlError(f"{self.url} has no control API of llmsim: it answers with status {status}", status)
        if status in (401, 403) and "token" in told:
            told += "; here: --token TOKEN"
        return ControlError(told, status)


def _json(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ControlError("the server's answer is no JSON") from None


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The whole answer; raises ControlError for one that is longer than any of a server's."""
    data = answer.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise ControlError(f"the server's answer is longer than {LONGEST >> 20} MB")
    return data
