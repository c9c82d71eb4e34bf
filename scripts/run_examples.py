"""Runs every example, each in its bounds, and says which could not be run here: make examples.

    python scripts/run_examples.py [NAME ...]

A name is a part of an example's path. The exit status is 1 if one of them failed. Tools that are not installed (k6,
locust, hey, nginx, envoy) are looked for and said to be missing; that is no failure.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PATIENCE = 120
"""Seconds that one example may take."""


class Missing(Exception):
    """What an example needs and is not here."""


@contextmanager
def serving(*flags: str) -> Iterator[str]:
    """A server on a free port; gives its address."""
    command = [sys.executable, "-m", "llmsim", "serve", "--port", "0", *flags]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if found := re.search(r"serving on (\S+)", line):
                    threading.Thread(target=server.stderr.read, daemon=True).start()
                    yield found[1].rstrip(";")
                    return
            raise SystemExit("the server did not start")
        finally:
            server.terminate()


def run(*command: str | Path) -> None:
    """Runs a command; raises CalledProcessError, with what it printed, when it fails."""
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, timeout=PATIENCE, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, text=True)  # fmt: skip


def tool(name: str) -> str:
    """A program by its name."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise Missing(name)
    return found


# -- each example


def configuration(path: Path) -> None:
    """A configuration or a scenario is checked."""
    run(sys.executable, "-m", "llmsim", "check", path)


def scenario(path: Path) -> None:
    """A scenario is played under traffic of the OpenAI SDK, and its clients judged."""
    configuration(path)
    command = [sys.executable, "-m", "llmsim", "run", str(path), "--port", "0", "--then-exit", "--wait-for", "1"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as playing:
        assert playing.stderr is not None
        told = []
        for line in playing.stderr:
            told.append(line)
            if found := re.search(r"serving on (\S+)", line):
                traffic(EXAMPLES / "traffic.py", url=found[1].rstrip(";"), seconds=14)
        if playing.wait(PATIENCE) not in (0, 1):  # 1: the clients did not do as the scenario expects of them
            raise SystemExit("".join(told))


def traffic(path: Path, url: str = "", seconds: int = 4) -> None:
    """SDK clients for some seconds."""
    if url:
        run(sys.executable, path, "--base-url", f"{url}/v1", "--agents", "3", "--seconds", str(seconds))
    else:
        with serving("--latency-profile", "fast") as url:
            traffic(path, url, seconds)


def providers(path: Path) -> None:
    """Each provider's SDK once."""
    with serving("--latency-profile", "instant") as url:
        run(sys.executable, path, "--url", url)


def tested(path: Path) -> None:
    """An example that is a test of an application."""
    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:cov", "--rootdir", path.parent, path)


def locust(path: Path) -> None:
    """Five users for some seconds."""
    program = tool("locust")
    with serving("--latency-profile", "fast") as url:
        flags = "--headless --only-summary --users 5 --spawn-rate 5 --run-time 8s --host".split()
        run(program, "-f", path, *flags, url)


def k6(path: Path) -> None:
    """Ten requests a second for some seconds."""
    program = tool("k6")
    with serving("--latency-profile", "fast") as url:
        run(program, "run", "-e", f"BASE={url}", "-e", "DURATION=5s", path)


def repeated(path: Path) -> None:
    """Every tool that is here asks the same a hundred times."""
    found = [name for name in ("hey", "ab", "wrk", "autocannon") if shutil.which(name)]
    if not found:
        raise Missing("hey, ab, wrk, autocannon")
    with serving("--latency-profile", "fast") as url:
        for name in found:
            run("env", f"BASE={url}", f"TOOL={name}", "REQUESTS=100", "sh", path)


def envoy(path: Path) -> None:
    """Its configuration is validated."""
    run(tool("envoy"), "--mode", "validate", "-c", path)


def shell(path: Path) -> None:
    """A load generator that brings a tokenizer along: its script is read, and run by hand (docs/recipes)."""
    run("sh", "-n", path)


def python(path: Path) -> None:
    """A script with packages of its own is read."""
    compile(path.read_text(), str(path), "exec")


def nginx(path: Path) -> None:
    """Its configuration is tested."""
    with tempfile.TemporaryDirectory() as folder:
        run(tool("nginx"), "-t", "-p", folder, "-c", path)


def read(path: Path) -> None:
    """What another program reads is at least YAML."""
    assert list(yaml.safe_load_all(path.read_text()))


RULES: list[tuple[str, Callable[[Path], None]]] = [
    ("traffic.py", traffic),
    ("providers.py", providers),
    ("test_*.py", tested),
    ("scenarios/*.yaml", scenario),
    ("load/locustfile.py", locust),
    ("load/*.js", k6),
    ("load/hey.sh", repeated),
    ("load/*.sh", shell),
    ("load/make_tokenizer.py", python),
    ("gateways/*.conf", nginx),
    ("gateways/envoy.yaml", envoy),
    ("gateways/*.yaml", read),
    ("kubernetes/*.yaml", read),
    ("observed/*.yaml", read),
    ("observed/*.yml", read),
    ("observed/grafana/**/*.yaml", read),
    ("observed/grafana/**/*.json", read),
    ("*.yaml", configuration),
    ("*.toml", configuration),
]


def how(path: Path) -> Callable[[Path], None] | None:
    """What is done with an example; None where nobody has said."""
    return next((do for pattern, do in RULES if path in EXAMPLES.glob(pattern)), None)


def main() -> int:
    """Runs those that were named, or all."""
    wanted, failed = sys.argv[1:], 0
    for path in sorted(EXAMPLES.rglob("*")):
        name = str(path.relative_to(EXAMPLES))
        if not path.is_file() or "__pycache__" in name or path.suffix in (".md", ".ini"):
            continue
        if wanted and not any(part in name for part in wanted):
            continue
        do = how(path)
        try:
            if do is None:
                raise SystemExit("nobody has said how it is run: scripts/run_examples.py")
            do(path)
            told = f"ok ({do.__name__})"
        except Missing as missing:
            told = f"not run: there is no {missing}"
        except subprocess.CalledProcessError as error:
            failed, told = failed + 1, f"FAILED with {error.returncode}\n{error.stdout}"
        except (subprocess.TimeoutExpired, AssertionError, SystemExit) as error:
            failed, told = failed + 1, f"FAILED: {error}"
        print(f"{name}: {told}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
