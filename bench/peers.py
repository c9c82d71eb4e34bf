"""The peers measured beside llmsim, aimock (npm) and llmock (PyPI): how they are installed, set up and started.

Both answer every chat message with the same reply. aimock cuts it after four characters, llmock after each word.
"""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.process import Command, Unstarted, environment

PEERS = Path(__file__).resolve().parent / ".peers"
AIMOCK_PACKAGE, AIMOCK_VERSION = "@copilotkit/aimock", "1.43.0"
LLMOCK_VERSION = "0.2.2"
AIMOCK_CLI = PEERS / "aimock" / "node_modules" / AIMOCK_PACKAGE / "dist" / "cli.js"
LLMOCK_CLI = PEERS / "llmock" / "bin" / "llmock"
INSTALL_WITHIN = 240
WARM_UP, WARM_UPS = "warm up", 1500
# Past any proxy that the environment names: nothing leaves this machine.
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def run(words: list[str | Path]) -> None:
    """Runs one step of an installation.

    Raises:
        Unstarted: the tool is missing, fails or takes too long.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_WITHIN, env=environment({}))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unstarted(f"{Path(words[0]).name}: {error}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise Unstarted(f"{Path(words[0]).name}: {lines[-1][:200] if lines else f'exit code {done.returncode}'}")


def install_aimock() -> None:
    if AIMOCK_CLI.exists():
        return
    if not (shutil.which("npm") and shutil.which("node")):
        raise Unstarted("aimock needs node and npm, which are not here")
    (PEERS / "aimock").mkdir(parents=True, exist_ok=True)
    package = f"{AIMOCK_PACKAGE}@{AIMOCK_VERSION}"
    run(["npm", "install", "--prefix", PEERS / "aimock", "--no-audit", "--no-fund", "--no-save", package])


def install_llmock() -> None:
    if LLMOCK_CLI.exists():
        return
    run([sys.executable, "-m", "venv", PEERS / "llmock"])
    run([PEERS / "llmock" / "bin" / "python", "-m", "pip", "install", "--quiet", f"llmock=={LLMOCK_VERSION}"])


INSTALLERS: dict[str, Callable[[], None]] = {"aimock": install_aimock, "llmock": install_llmock}


def installed() -> tuple[list[str], list[str]]:
    """The peers that are there, installed if need be, and for each that cannot be, a line that says why."""
    there, reasons = [], []
    for name, install in INSTALLERS.items():
        try:
            install()
            there.append(name)
        except Unstarted as error:
            reasons.append(f"{name} is left out: {error}")
    return there, reasons


def aimock(port: int, folder: Path, tokens: int, pace: tuple[int, int] | None) -> Command:
    """One fixture that any message matches; `pace` is milliseconds to the first chunk and between chunks."""
    warm = {"match": {"userMessage": WARM_UP}, "response": {"content": "ipsu" * 100}}
    fixture: dict[str, object] = {"match": {}, "response": {"content": "ipsu" * tokens}}
    if pace:
        fixture["streamingProfile"] = {"ttft": pace[0], "tps": 1000 / pace[1]}
    file = folder / f"aimock-{port}.json"
    file.write_text(json.dumps({"fixtures": [warm, fixture]}))
    words = ["node", str(AIMOCK_CLI), "--port", str(port), "--fixtures", str(file), "--chunk-size", "4"]
    return Command(words, prepare=warm_up if pace else None)


def warm_up(port: int) -> None:
    """Lets Node compile what streams, before paced streams (which are too slow to warm anything) are measured."""
    for _ in range(WARM_UPS):
        message = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": WARM_UP}]}
        post(f"http://127.0.0.1:{port}/v1/chat/completions", message)


def llmock(port: int, tokens: int, pace: tuple[int, int] | None) -> Command:
    """One scripted reply for good; llmock has a pause between chunks and no time to the first of them."""
    words = [str(LLMOCK_CLI), "serve", "--port", str(port), "--stream-chunk-delay-ms", str(pace[1] if pace else 0)]
    return Command(words, prepare=partial(script_llmock, tokens=tokens))


def script_llmock(port: int, tokens: int) -> None:
    reply = {"type": "reply", "text": "lorem " * tokens, "times": None}
    post(f"http://127.0.0.1:{port}/_llmock/scenario", {"behaviors": [reply]})


def post(url: str, message: dict[str, object]) -> None:
    """Sends JSON to a server on this machine and reads what it answers."""
    request = urllib.request.Request(url, json.dumps(message).encode(), {"content-type": "application/json"})
    with LOCAL.open(request, timeout=10) as reply:
        reply.read()
