"""A server gives its first reply before it loads what nobody has asked for: no clock is read, what is loaded counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

START = """
import asyncio, gc, os, sys
from llmsim import cli
cli._parser().parse_args(["serve"])  # first, as the command has it, and all imports behind it
from llmsim.server import serve
from llmsim.settings import Settings

HEAD = b"POST /v1/chat/completions HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\n"
BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'

async def ask(address):
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(HEAD + b"content-length: %d\\r\\n\\r\\n" % len(BODY) + BODY)
    assert b"200" in await reader.readline()
    print(*sorted(sys.modules), flush=True)
    assert not Settings.__pydantic_complete__, "the configuration is validated, and its settings not once more"
    assert gc.get_stats()[0]["collections"] < 40, "what is loaded for a start is no garbage"

class Asked(serve.Runner):
    async def start(self):
        await super().start()
        self.asking = asyncio.ensure_future(ask(self.address))
        self.asking.add_done_callback(lambda asking: os._exit(asking.exception() is not None))

serving = serve.serve
serve.serve = lambda config, beside: serving(config, beside, made=Asked)
cli.main(["serve", "--port", "0", "--latency-profile", "instant"])
"""

RULES = """
faults:
- {kind: refuse, status: 429, probability: 0, scope: "model:gpt* !key:vip"}
- {kind: stall, probability: 0, scope: "stream:true"}
mocks:
- {when: 'text:"ticket 1 of"', reply: Mock 1.}
- {when: 'text:/order #2\\b/', reply: Mock 2.}
"""


def loaded(tmp_path: Path, **settings: str) -> set[str]:
    """All modules of a server that has given its first reply, with these settings in its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("LLMSIM_")}
    words = [sys.executable, "-c", START]
    ran = subprocess.run(
        words, cwd=tmp_path, env=kept | settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert not ran.returncode, ran.stderr
    return set(ran.stdout.split())


def within(package: str, found: set[str]) -> set[str]:
    """The modules of a package that are no others' inner parts."""
    names = {name.removeprefix(f"{package}.") for name in found if name.startswith(f"{package}.")}
    return {name for name in names if not name.startswith("_")}


UNASKED = {
    "httpx2",
    "jinja2",
    "jsonpath",
    "llmsim.generators._objects",
    "llmsim.generators.calls",
    "llmsim.generators.echo",
    "llmsim.generators.structured",
    "llmsim.schema.values",
    "llmsim.server.scenario_command",
    "llmsim.tapes",
    "opentelemetry",
    "PIL",
    "prometheus_client",
    "pydantic_settings",
    "rich",
    "starlette",
    "stdnum",
    "textual",
    "tiktoken",
}


def test_the_first_reply_of_a_server_without_a_file_waits_for_little(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found & (UNASKED | {"yaml", "re2"}) == set()
    assert within("llmsim.generators", found) == {"lorem"}
    assert within("llmsim.faults", found) == {"hold", "refuse"}, "those that the simulator itself has to do with"


def test_with_a_file_of_rules_it_waits_for_those_that_the_file_names(tmp_path: Path) -> None:
    (tmp_path / "llmsim.yaml").write_text(RULES)
    found = loaded(tmp_path)
    assert found & UNASKED == set()
    assert within("llmsim.faults", found) == {"hold", "refuse", "stall"}
    assert within("llmsim.dialects", found) == {"openai_chat"}


def test_the_environment_is_read_where_it_holds_a_setting(tmp_path: Path) -> None:
    assert "pydantic_settings" in loaded(tmp_path, llmsim_seed="7")
