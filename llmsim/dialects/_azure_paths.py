"""Where Azure has what OpenAI serves, and how a request to Azure reads as one to OpenAI.

Source: Azure OpenAI REST API reference, data plane inference; openai-python, lib/azure.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

import orjson

from llmsim import catalogue
from llmsim.dialects import Dialect, Request, Route
from llmsim.errors import Failure, Refused

# What is asked of a deployment, which stands in the path; all else is asked of the resource.
_DEPLOYED = {
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/audio/speech",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/images/edits",
    "/v1/images/generations",
}

# Which models an operation takes, and how Azure names it.
_TAKES = {
    "/v1/chat/completions": ("chat", "chatCompletion"),
    "/v1/completions": ("completion", "completion"),
    "/v1/embeddings": ("embedding", "embeddings"),
}

_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2})(-preview)?|v1|preview|latest")
_FIRST_RESPONSES = "2025-03-01"

NO_RESOURCE = Failure("not_found", "Resource not found", code="404")
_NO_RESPONSES = Failure(
    "invalid",
    f"Azure OpenAI Responses API is enabled only for api-version {_FIRST_RESPONSES}-preview and later",
    code="BadRequest",
)

_LONGEST = 200
"""Characters of a deployment's name that are looked at; Azure allows 64."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A route of one of OpenAI's dialects at its path on Azure."""

    path: str
    route: Route
    inner: Dialect

    def serves(self, path: str) -> bool:
        """Whether the path is this one, its names filled in or not."""
        names = re.split(r"\{\w+(:path)?\}", self.path)
        pattern = "".join(
            re.escape(part) if at % 2 == 0 else ".+" if part else "[^/]+" for at, part in enumerate(names)
        )
        return re.fullmatch(pattern, path) is not None


@dataclass(frozen=True, slots=True)
class Call:
    """What a request says in Azure's own places: where it goes, its API version, its deployment, the client's id."""

    mount: Mount
    version: str
    deployment: str
    client_id: str


def mounted(inner: Dialect) -> list[Mount]:
    """Every route of a dialect at its path on Azure."""
    return [Mount(_path(route), route, inner) for route in inner.routes() if route.path.startswith("/v1/")]


def _path(route: Route) -> str:
    deployed = route.method == "POST" and route.path in _DEPLOYED
    return ("/openai/deployments/{deployment}/" if deployed else "/openai/") + route.path.removeprefix("/v1/")


def called(mount: Mount, request: Request) -> Call:
    """The request's Azure part; raises Refused where its API version is missing or too old."""
    version = request.args.get("api-version", "")
    match = _VERSION.fullmatch(version)
    if match is None:
        raise Refused(NO_RESOURCE)
    if mount.route.path.startswith("/v1/responses") and match[1] and match[1] < _FIRST_RESPONSES:
        raise Refused(_NO_RESPONSES)
    client_id = request.headers.get(b"x-ms-client-request-id", b"").decode("latin-1")
    return Call(mount, version, request.params.get("deployment", ""), client_id)


def inward(call: Call, request: Request) -> Request:
    """The request as OpenAI's dialect takes it: the model of the deployment stands in the body."""
    path = call.mount.route.path
    if not call.deployment:
        deployment = request.args.get("deployment")
        return replace(request, query=f"{request.query}&model={quote(deployment)}") if deployment else request
    kind = request.headers.get(b"content-type", b"")
    if kind.startswith(b"multipart/"):
        return replace(request, body=_in_form(request.body, kind, _model(call.deployment, "")))
    try:
        value = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return request
    if not isinstance(value, dict):
        return request
    told = value.get("model")
    value["model"] = _model(call.deployment, told if isinstance(told, str) else "")
    _check_operation(path, value["model"])
    # For Microsoft's own monitoring; it changes nothing about the answer.
    value.pop("user_security_context", None)
    return replace(request, body=bytes(memoryview(orjson.dumps(value))))


def _in_form(body: bytes, content_type: bytes, model: str) -> bytes:
    """The form with the model as its last field, which is the one that counts."""
    match = re.search(rb'boundary="?([^";,]+)', content_type)
    mark = b"--%b--" % match[1].strip() if match else b""
    end = body.rfind(mark) if mark else -1
    if end < 0:
        return body
    field = b'%b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n' % (mark[:-2], model.encode())
    return body[:end] + field + body[end:]


@lru_cache(maxsize=1024)
def _model(deployment: str, told: str) -> str:
    """The model that a deployment is of: what it is named after, else what the client takes it for, else its name."""
    name = re.sub(r"^gpt-35(?=-|$)", "gpt-3.5", deployment)
    if catalogue.find(name) is not None:
        return name
    if told != deployment and catalogue.find(told) is not None:
        return told
    return _within(name.lower()) or deployment if len(name) <= _LONGEST else deployment


def _within(name: str) -> str | None:
    """The longest name of a model that stands in this one by itself: "gpt-4o-mini" in "prod-gpt-4o-mini-eu"."""
    found = [model for model in catalogue.names() if re.search(rf"(?<![a-z0-9]){re.escape(model)}(?![a-z0-9])", name)]
    return max(found, key=len, default=None)


def _check_operation(path: str, name: str) -> None:
    """Raises Refused where the operation is none of the model's."""
    model = catalogue.find(name)
    kind, operation = _TAKES.get(path, ("", ""))
    if model is None or not kind or model.kind == kind:
        return
    message = (
        f"The {operation} operation does not work with the specified model, {name}. Please choose different model and "
        "try again. You can learn more about which models can be used with each operation here: "
        "https://go.microsoft.com/fwlink/?linkid=2197993."
    )
    raise Refused(Failure("invalid", message, code="OperationNotSupported"))
