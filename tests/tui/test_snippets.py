"""What is copied of a request works when it is pasted: each form asks a real server the very same again."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
import subprocess
from pathlib import Path

import anthropic
import openai
import pytest
from llmsim_tui import snippets
from llmsim_tui.local import LocalBackend
from running import running

TRICKY = 'it\'s "quoted" \\ $HOME `x`'
SDK_CALLS = {
    "openai": {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": 'it\'s "quoted" \\ $HOME `x`'}],
        "stream": True,
    },
    "anthropic": {"model": "claude-opus-5-5", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]},
}


def ask(url: str, provider: str) -> None:
    body = SDK_CALLS[provider]
    if provider == "openai":
        with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-secret-1234567890") as client:
            for _ in client.chat.completions.create(**body):  # type: ignore[call-overload]
                pass
    else:
        with anthropic.Anthropic(base_url=url, api_key="sk-ant-secret-123456") as client:
            client.messages.create(**body)  # type: ignore[call-overload]


def paste(form: str, snippet: str) -> None:
    if form == "curl":
        subprocess.run(["sh", "-c", f"OPENAI_API_KEY=a ANTHROPIC_API_KEY=b {snippet}"], check=True, capture_output=True)
    else:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(snippet, {})


@pytest.mark.parametrize("provider", list(SDK_CALLS))
@pytest.mark.parametrize("form", ["curl", "httpx", "SDK"])
async def test_a_copied_request_asks_the_same_again(form: str, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if form == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-another")
    async with running() as runner:
        await asyncio.to_thread(ask, runner.url, provider)
        backend = LocalBackend(runner.simulator, runner.address)
        detail = backend.detail(1)
        assert detail is not None
        snippet = snippets.FORMS[form](detail, runner.address)
        assert "secret" not in snippet
        await asyncio.to_thread(paste, form, snippet)
        first, again = runner.simulator.journal.get(1), runner.simulator.journal.get(2)
        assert first is not None
        assert again is not None
        assert json.loads(again.request) == json.loads(first.request)
        assert again.status == 200


def test_a_path_that_no_sdk_has_a_call_for_says_so() -> None:
    request = {"method": "GET", "path": "/v1/files?x=1", "headers": [], "body": "", "cut": True}
    snippet = snippets.sdk({"request": request}, "0.0.0.0:8080")
    assert snippet.startswith("# No snippet for /v1/files")
    assert "http://127.0.0.1:8080/v1/files?x=1" in snippet
    assert "this is its beginning" in snippet


EVIL = "$(touch${IFS}owned)"
INJECTED = '{open("owned","w").write("x")}'


def evil(scheme: str, **changes: str) -> dict[str, object]:
    told = {"method": "POST", "path": "/v1/chat/completions", "body": '{"model": "gpt-4o"}', "cut": False}
    return {"request": {**told, "headers": [("authorization", f"{scheme} sk-1"), ("x-a", scheme)], **changes}}


@pytest.mark.parametrize(
    "detail",
    [
        evil(EVIL),
        evil(f"`{EVIL[2:-1]}`"),
        evil(INJECTED),
        evil("Bearer", method=EVIL),
        evil("Bearer", method='",open("owned","w").close(),"'),
        evil("Bearer", path=f'/{EVIL}\'"+open("owned","w").name+"/v1/chat/completions'),
        evil("Bearer", path='/a\nopen("owned","w")'),
        evil("Bearer", body='{"model=open(\\"owned\\",\\"w\\").name, b": 1, "class": 2, "a\\nb": 3}'),
        evil("Bearer", body=f"\x1b[201~\n{EVIL}'{EVIL}'"),
    ],
)
@pytest.mark.parametrize("form", ["curl", "httpx", "SDK"])
def test_what_a_client_wrote_is_never_run_when_it_is_pasted(
    form: str, detail: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-another")
    snippet = snippets.FORMS[form](detail, "127.0.0.1:9")  # where nobody listens
    assert "\x1b" not in snippet
    if form == "curl":
        subprocess.run(["bash", "-c", f"curl() {{ :; }}; {snippet}"], check=True, capture_output=True)
    else:
        made = compile(snippet, "pasted", "exec")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):  # nobody answers
            exec(made, {})
    assert not (tmp_path / "owned").exists()


def test_a_body_with_escapes_reaches_the_shell_whole() -> None:
    body = "\x1b[201~ it's \\x41 \u202e\nnext"
    snippet = snippets.curl(evil("Bearer", body=body), "127.0.0.1:9")
    told = subprocess.run(
        ["bash", "-c", f'curl() {{ printf %s "${{@: -1}}"; }}; {snippet}'], check=True, capture_output=True
    )
    assert told.stdout.decode() == body


def test_the_json_of_a_request_holds_no_sign_that_a_terminal_obeys() -> None:
    detail = {**evil("Bearer", body="\x9b2J\u202e"), "pieces": []}
    assert all(line.isprintable() for line in snippets.as_json(detail, "127.0.0.1:9").splitlines())
