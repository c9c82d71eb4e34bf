"""A request as something to paste: a curl command, Python with httpx or the provider's SDK, or JSON; keys stay out."""

from __future__ import annotations

import json
import pprint
import re
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, Final

from llmsim.signs import in_json, safe
from llmsim_tui.text import reachable

Detail = Mapping[str, Any]

_LEFT_OUT: Final = frozenset(
    ("host", "connection", "content-length", "accept-encoding", "accept", "user-agent", "transfer-encoding")
)
"""Headers that every client makes by itself."""
_KEYS: Final = {
    "authorization": "OPENAI_API_KEY",
    "x-api-key": "ANTHROPIC_API_KEY",
    "api-key": "AZURE_OPENAI_API_KEY",
    "x-goog-api-key": "GEMINI_API_KEY",
}
"""Headers with a key, and the environment variable that stands for it: no key leaves the console."""


_WORD: Final = re.compile(r"[A-Za-z0-9-]+")
"""What is nothing but a word, to a shell as to Python."""


def _url(detail: Detail, address: str) -> str:
    return f"http://{reachable(address)}{detail['request']['path']}"


def _headers(detail: Detail) -> list[tuple[str, str]]:
    """The headers worth telling, names in lower case; those that an SDK counts its tries with are left out."""
    told = [(str(name).lower(), str(value)) for name, value in detail["request"]["headers"]]
    return [(name, value) for name, value in told if name not in _LEFT_OUT and not name.startswith("x-stainless-")]


def _secret(name: str, value: str, variable: Callable[[str], str]) -> str | None:
    """The value of a header with a key, the variable in the place of the key; None for any other header."""
    if name not in _KEYS:
        return None
    scheme = value.partition(" ")[0]
    # A client has said it, and it stands where a shell and Python look for more than words.
    return (f"{scheme} " if " " in value and _WORD.fullmatch(scheme) else "") + variable(_KEYS[name])


def _body(detail: Detail) -> Any:
    """The body as JSON has it, else as text."""
    text = str(detail["request"]["body"])
    try:
        return json.loads(text)
    except ValueError:
        return text


def _word(text: str) -> str:
    """A word of a shell, in quotes only where it needs them."""
    return text if _WORD.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """A word of a shell, whatever stands in it; what a terminal would obey is written as bash and zsh know it."""
    if text.replace("\n", "").isprintable():
        return "'" + text.replace("'", "'\\''") + "'"
    plain = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(one if one.isprintable() or one == "\n" else _bytes(one) for one in plain) + "'"


def _bytes(sign: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))


def curl(detail: Detail, address: str) -> str:
    """The request as a command."""
    request = detail["request"]
    body = _body(detail)
    stream = (isinstance(body, dict) and body.get("stream")) or "stream" in request["path"]
    lines = [f"curl{' -N' if stream else ''} -X {_word(request['method'])} {_quoted(_url(detail, address))}"]
    for name, value in _headers(detail):
        secret = _secret(name, value, lambda variable: f"${variable}")
        lines.append(f'-H "{name}: {secret}"' if secret else f"-H {_quoted(f'{name}: {value}')}")
    if request["body"]:
        lines.append(f"-d {_quoted(str(request['body']))}")
    return " \\\n  ".join(lines) + _cut(detail, "#")


def call(told: Mapping[str, Any], address: str, token: bool) -> str:
    """A call of the control API as a command; with a `token` where the server wants one."""
    url = f"http://{reachable(address)}{told['path']}"
    lines = [f"curl -X {told['method']} {_quoted(url)}"]
    lines += ['-H "authorization: Bearer $LLMSIM_CONTROL_TOKEN"'] * token
    if told["body"] is not None:
        lines.append("-H 'content-type: application/json'")
        lines.append(f"-d {_quoted(json.dumps(told['body']))}")
    return " \\\n  ".join(lines)


def httpx(detail: Detail, address: str) -> str:
    """The request as Python with httpx."""
    request, body = detail["request"], _body(detail)
    headers = []
    for name, value in _headers(detail):
        secret = _secret(name, value, lambda variable: "{os.environ['" + variable + "']}")
        headers.append(f"    {name!r}: " + (f'f"{secret}"' if secret else repr(value)) + ",")
    given = f"    json={_python(body)},\n" if isinstance(body, dict | list) else f"    content={body!r},\n" * bool(body)
    dressed = "    headers={\n" + "\n".join(f"    {one}" for one in headers) + "\n    },\n" if headers else ""
    return (
        "import os\n\nimport httpx\n\n"
        f"with httpx.stream(\n    {request['method']!r},\n    {_url(detail, address)!r},\n{dressed}{given}"
        "    timeout=60,\n) as answer:\n    for line in answer.iter_lines():\n        print(line)\n"
    ) + _cut(detail, "#")


def _python(value: Any) -> str:
    return pprint.pformat(value, width=96, sort_dicts=False).replace("\n", "\n    ")


_SDK: Final = (
    ("/chat/completions", "openai", "client.chat.completions.create"),
    ("/responses", "openai", "client.responses.create"),
    ("/completions", "openai", "client.completions.create"),
    ("/embeddings", "openai", "client.embeddings.create"),
    ("/moderations", "openai", "client.moderations.create"),
    ("/images/generations", "openai", "client.images.generate"),
    ("/messages", "anthropic", "client.messages.create"),
)
"""The end of a path, the SDK that speaks it, and the call."""


def sdk(detail: Detail, address: str) -> str:
    """The request as Python with the provider's SDK; says so where there is no call for its path."""
    path, body = str(detail["request"]["path"]).partition("?")[0], _body(detail)
    found = next((one for one in _SDK if path.endswith(one[0])), None)
    if found is None or not isinstance(body, dict):
        return (
            f"# No snippet for {safe(path)}: only calls that an SDK makes in one line have one. As httpx:\n\n"
            + httpx(detail, address)
        )
    end, package, call = found
    base = f"http://{reachable(address)}{path.removesuffix(end)}"
    if package == "anthropic":
        base = base.removesuffix("/v1")
    maker, key = ("OpenAI", "OPENAI_API_KEY") if package == "openai" else ("Anthropic", "ANTHROPIC_API_KEY")
    known = {name: value for name, value in body.items() if name.isidentifier() and not iskeyword(name)}
    given = "".join(f"    {name}={_python(value)},\n" for name, value in known.items())
    if others := {name: value for name, value in body.items() if name not in known}:
        given += f"    extra_body={_python(others)},\n"
    show = "for event in answer:\n    print(event)\n" if body.get("stream") else "print(answer)\n"
    return (
        f"import os\n\nfrom {package} import {maker}\n\n"
        f'client = {maker}(base_url={base!r}, api_key=os.environ["{key}"])\nanswer = {call}(\n{given})\n{show}'
    ) + _cut(detail, "#")


def as_json(detail: Detail, address: str) -> str:
    """The exchange as JSON: request, response, times and why."""
    told = {name: value for name, value in detail.items() if name not in ("row", "pieces")}
    told["pieces"] = [list(one) for one in detail["pieces"][:200]]
    return in_json(json.dumps({"url": _url(detail, address), **told}, indent=2, ensure_ascii=False)) + "\n"


def _cut(detail: Detail, sign: str) -> str:
    """Says that a long body is not all of it."""
    return f"\n{sign} The body was longer: this is its beginning.\n" if detail["request"]["cut"] else ""


FORMS: Final[Mapping[str, Callable[[Detail, str], str]]] = {"curl": curl, "httpx": httpx, "SDK": sdk, "JSON": as_json}
"""What a request can be copied as."""
