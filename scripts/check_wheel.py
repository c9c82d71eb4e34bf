"""Looks whether an installed llmsim is whole: run it by a Python that has the wheel and nothing else.

build/clean/bin/python -I scripts/check_wheel.py
"""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import entry_points, version
from pathlib import Path

import llmsim_tui

import llmsim
from llmsim.dialects import kinds


async def one_request() -> str:
    """Asks an installed server over its port."""
    from llmsim.server.config import Config
    from llmsim.server.serve import Runner

    runner = Runner(Config(port=0, latency_profile="instant", generator="echo"))
    await runner.start()
    host, _, port = runner.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "all is well"}]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-length: {len(body)}\r\n"
    )
    writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
    told = await reader.read()
    writer.close()
    await runner.stop(grace=0)
    return str(json.loads(told.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"])


def main() -> None:
    """Version, data, themes, the pytest plugin, and a reply."""
    home = Path(llmsim.__file__).parent
    checks = {
        "the version": version("llmsim") == llmsim.__version__,
        "the types": (home / "py.typed").exists(),
        "the data": any((home / "data").iterdir()),
        "the themes": any((Path(llmsim_tui.__file__).parent / "themes").glob("*.yaml")),
        "the styles": any(Path(llmsim_tui.__file__).parent.rglob("*.tcss")),
        "the pytest plugin": any(one.name == "llmsim" for one in entry_points(group="pytest11")),
        "the APIs": len(kinds()) > 20,
        "exact token counts": llmsim.count_tokens("tiktoken is great!", "gpt-4") == 6,
        "a reply": "all is well" in asyncio.run(one_request()),
    }
    missing = [name for name, there in checks.items() if not there]
    if missing:
        raise SystemExit(f"the wheel lacks {', '.join(missing)}")
    print(f"llmsim {llmsim.__version__}: {len(checks)} parts are there")


if __name__ == "__main__":
    main()
