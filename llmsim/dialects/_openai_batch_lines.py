"""The lines of a batch's files: what is wrong with those that come in, and the shape of those that go out.

Source: OpenAI's guide "Batch API" and its API reference, batch: the request input and output objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import orjson

from llmsim.dialects import Answer
from llmsim.dialects._openai_refusals import missing, wrong_type
from llmsim.errors import Failure

MOST_LINES = 50_000
_MOST_ERRORS = 100

CUT = {"code": "server_error", "message": "The connection was lost before the request was answered."}


def lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, each with its number from 1."""
    for number, line in enumerate(BytesIO(data), 1):
        if not line.isspace():
            yield number, line


def served(url: str) -> str:
    """Where OpenAI's API serves what Azure, whose paths have no version, calls `/chat/completions`."""
    return url if url.startswith("/v1/") else f"/v1{url}"


class Validation:
    """Goes through the lines of an input file one by one and notes what is wrong with them.

    With a `gateway`, which is Azure's, endpoint and URLs may leave out the version.
    """

    def __init__(self, endpoint: str, gateway: bool = False) -> None:
        self.total = 0
        self.model: str | None = None
        self.errors: list[dict[str, Any]] = []
        self._gateway = gateway
        self._endpoint = self._served(endpoint)
        self._seen: set[str] = set()

    def take(self, number: int, line: bytes) -> bool:
        """Looks at the next line; gives whether there is any use in looking at more."""
        self.total += 1
        if self.total > MOST_LINES:
            what = f"The number of requests in the input file exceeds the maximum allowed value of {MOST_LINES}."
            self.errors = [_error("too_many_tasks", what)]
            return False
        error = self._fault(line)
        if error is not None:
            self.errors.append({**error, "line": number})
        return len(self.errors) < _MOST_ERRORS

    def _served(self, url: str) -> str:
        return served(url) if self._gateway else url

    def end(self) -> None:
        """Told that there are no more lines."""
        if not self.total:
            what = "The input file is empty. Please ensure that the batch contains at least one request."
            self.errors.append(_error("empty_file", what))

    def _fault(self, line: bytes) -> dict[str, Any] | None:
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            return _error("invalid_json_line", "This line is not parseable as valid JSON.")
        for name, kind, word in (
            ("custom_id", str, "string"),
            ("method", str, "string"),
            ("url", str, "string"),
            ("body", dict, "object"),
        ):
            if told.get(name) is None:
                return _told(missing(name))
            if not isinstance(told[name], kind):
                return _told(wrong_type(name, word, told[name]))
        return self._misfit(told)

    def _misfit(self, told: dict[str, Any]) -> dict[str, Any] | None:
        """What is wrong with a line that has all that a line needs."""
        id, model = told["custom_id"], told["body"].get("model")
        if id in self._seen:
            what = "The custom_id for this request is a duplicate of another request. It must be unique in a batch."
            return _error("duplicate_custom_id", what, "custom_id")
        self._seen.add(id)
        if told["method"].upper() != "POST":
            what = f"Invalid value: '{told['method'][:20]}'. Supported values are: 'POST'."
            return _error("invalid_method", what, "method")
        if self._served(told["url"]) != self._endpoint:
            what = "The URL provided for this request does not match the batch endpoint."
            return _error("invalid_url", what, "url")
        if isinstance(model, str) and self.model is None:
            self.model = model
        if model != self.model and model is not None:
            what = f"The model '{str(model)[:100]}' does not match the model '{self.model}' of the batch's requests."
            return _error("mismatched_model", what, "body.model")
        return None


def _error(code: str | None, message: str | None, param: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param, "line": None}


def _told(failure: Failure) -> dict[str, Any]:
    return _error(failure.code, failure.message, failure.param)


def answered(id: str, custom_id: str, answer: Answer | None) -> tuple[dict[str, Any], bool]:
    """The line that tells of an answer, and whether the request went well; None stands for a cut connection."""
    line: dict[str, Any] = {"id": id, "custom_id": custom_id, "response": None, "error": None}
    try:
        body = None if answer is None else orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    if answer is None or body is None:
        return {**line, "error": CUT}, False
    request_id = dict(answer.headers).get(b"x-request-id", b"").decode()
    line["response"] = {"status_code": answer.status, "request_id": request_id, "body": body}
    return line, answer.status < 400


class Spent:
    """What the requests of a batch cost together, whatever words their APIs have for it."""

    def __init__(self) -> None:
        self.input = self.cached = self.output = self.reasoning = 0

    def add(self, line: dict[str, Any]) -> None:
        """Adds what one answered request cost, if its answer says so."""
        body = (line["response"] or {}).get("body")
        usage = body.get("usage") if isinstance(body, dict) else None
        if not isinstance(usage, dict):
            return
        self.input += _number(usage, "input_tokens", "prompt_tokens")
        self.output += _number(usage, "output_tokens", "completion_tokens")
        for side, name in (("input", "cached_tokens"), ("prompt", "cached_tokens")):
            self.cached += _number(usage.get(f"{side}_tokens_details") or {}, name)
        for side, name in (("output", "reasoning_tokens"), ("completion", "reasoning_tokens")):
            self.reasoning += _number(usage.get(f"{side}_tokens_details") or {}, name)

    def worded(self) -> dict[str, Any]:
        """The batch's usage object."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }


def _number(usage: dict[str, Any], *names: str) -> int:
    found = next((usage[name] for name in names if isinstance(usage.get(name), int)), 0)
    return int(found)
