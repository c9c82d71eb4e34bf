"""Goes through the Dockerfile where no Docker is: its steps in a scratch folder, then its command, check and end.

    python scripts/dockerfile_steps.py

/opt/llmsim and /src become folders of their own below a temporary one, and the command runs as user 10001 where this
runs as root. What it cannot show is the image itself: its size, its layers, and a root file system that is read-only.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
USER = 10001


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage: word and rest, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        elif found:
            found[-1].append((word, rest.strip()))
    return found


def variables(steps: list[tuple[str, str]], home: Path) -> dict[str, str]:
    """What the ENV instructions set."""
    path = os.environ["PATH"]
    told: dict[str, str] = {"PATH": path}
    for word, rest in steps:
        if word == "ENV":
            for pair in shlex.split(moved(rest, home)):
                name, _, value = pair.partition("=")
                told[name] = value.replace("$PATH", path)
    return told


def moved(text: str, home: Path) -> str:
    """The text with the image's folders in the scratch folder."""
    return text.replace("/opt/llmsim", str(home / "opt"))


def build(steps: list[tuple[str, str]], home: Path) -> None:
    """The first stage: copies and runs."""
    source = home / "src"
    source.mkdir()
    environment = {**os.environ, **variables(steps, home), "PIP_QUIET": "1"}
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    for word, rest in steps:
        print(f"{word} {rest}"[:160], flush=True)
        if word == "COPY":
            *names, to = rest.split()
            for name in names:
                here, there = ROOT / name, source / (name if to == "./" else to)
                skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
                if here.is_dir():
                    shutil.copytree(here, there, dirs_exist_ok=True, ignore=skipped)
                else:
                    shutil.copy(here, there)
        elif word == "RUN":
            command = moved(rest, home).replace("python -m venv", f"{sys.executable} -m venv")
            subprocess.run(["sh", "-ec", command], cwd=source, env=environment, check=True)
    shutil.rmtree(source)


def run(steps: list[tuple[str, str]], home: Path) -> None:
    """The second stage: its command, its health check, one request, and its end by SIGTERM."""
    told = dict(steps)
    environment = {**variables(steps, home), "HOME": "/nonexistent", "LLMSIM_PORT": str(free_port())}
    config = home / "config"
    config.mkdir()
    command = [*json.loads(told["ENTRYPOINT"]), *json.loads(told["CMD"])]
    command[0] = str(home / "opt" / "bin" / command[0])
    user = other_user(command[0])
    server = subprocess.Popen(command, cwd=config, env=environment, **user)
    try:
        check = json.loads(told["HEALTHCHECK"].partition("CMD ")[2])
        check[0] = str(home / "opt" / "bin" / check[0])
        for _ in range(100):
            if subprocess.run(check, cwd=config, env=environment, stderr=subprocess.DEVNULL, **user).returncode == 0:
                break
            time.sleep(0.2)
        else:
            raise SystemExit("the health check never held")
        print("healthy", flush=True)
        ask(int(environment["LLMSIM_PORT"]))
        server.send_signal(signal.SIGTERM)
        if server.wait(20) != 0:
            raise SystemExit(f"it ended with {server.returncode}")
    finally:
        server.kill()
    left = [str(path) for path in config.iterdir()]
    if left:
        raise SystemExit(f"it has left files: {left}")


def other_user(program: str) -> dict[str, Any]:
    """User 10001, as in the image, where this may change who it is and that one may read this Python."""
    if os.getuid() != 0:
        return {}
    user: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []}
    try:
        subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL, **user)
    except (PermissionError, subprocess.CalledProcessError):
        print(f"user {USER} may not read {sys.base_prefix}: it runs as root, which the image does not", flush=True)
        return {}
    return user


def ask(port: int) -> None:
    """One chat completion."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": "Bearer x"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    if answer.status != 200:
        raise SystemExit(f"it answered {answer.status}: {told}")
    print("answered:", told["choices"][0]["message"]["content"], flush=True)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main() -> None:
    """Both stages."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        first, second = stages()
        build(first, home)
        run(second, home)
    print("every step of the Dockerfile went through", flush=True)


if __name__ == "__main__":
    main()
