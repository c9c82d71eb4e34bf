"""Sends what OpenAPI documents allow, and what they do not, to a real server: our own document, and OpenAI's."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from fuzz.attacks.victim import Victim, victim

EXAMPLES = 12
SECONDS = 120  # at most, for a document; twelve for each second that a target gets
_PATIENCE = 120
"""Seconds beyond its time in which schemathesis must have told what it found."""
_ENDLESS = ("--exclude-path", "/llmsim/events")  # a stream without an end
_OPENAI = Path("shared/data/openai-openapi.json")


def openai_document() -> Path | None:
    """OpenAI's document, where LLMSIM_OPENAPI names it or it lies beside the project."""
    told = os.environ.get("LLMSIM_OPENAPI")
    places = [Path(told)] if told else [parent / _OPENAI for parent in Path(__file__).resolve().parents]
    return next((place for place in places if place.is_file()), None)


async def _run(one: Victim, name: str, document: str, seconds: int, *flags: str) -> bool:
    """Runs schemathesis over a document; whether nothing was found."""
    url = f"http://{one.host}:{one.port}"
    with tempfile.TemporaryDirectory(prefix="llmsim-openapi-") as folder:
        place = document.replace("URL", url)
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", place, "--url", url]
        command += ["--header", "Authorization: Bearer sk-fuzz", "--max-examples", str(EXAMPLES), "--seed", "1"]
        command += ["--max-time", str(seconds), "--phases", "examples,fuzzing", "--no-color"]
        command += ["--suppress-health-check", "all", "--request-timeout", "20", *flags]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            told, _ = await asyncio.wait_for(process.communicate(), seconds + _PATIENCE)
        except TimeoutError:
            process.kill()
            told, _ = b"it came to no end", await process.wait()
    stood = process.returncode == 0 and "Traceback" not in one.log
    print(f"{name:15} schemathesis  {'stood' if stood else 'FELL'}", flush=True)
    if not stood:
        print(told.decode(errors="replace")[-8000:], one.log[-3000:], flush=True)
    return stood


async def _all(seconds: int) -> bool:
    # What our document says is what the server does: statuses, types, headers.
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    async with victim() as one:
        stood = await _run(one, "control API", "URL/llmsim/openapi.json", seconds, "--checks", checks, *_ENDLESS)
    document = openai_document()
    if document is None:
        print("*** OpenAI's OpenAPI document is not at hand (LLMSIM_OPENAPI): NOT run over it", flush=True)
        return stood
    # OpenAI's says too little of errors to hold us to its statuses; that none is above 499 is asked.
    async with victim() as one:
        flags = [
            "--checks",
            "not_a_server_error",
            "--exclude-path-regex",
            r"^/(organization|projects|fine_tuning|evals)",
        ]
        return await _run(one, "OpenAI's", str(document), seconds, *flags) and stood


def main(seconds: int = SECONDS) -> bool:
    """Runs both, each for so long at most; whether nothing was found."""
    if importlib.util.find_spec("schemathesis") is None:
        print("*** schemathesis is not installed here (pip install 'llmsim[fuzz]'): NOT run", flush=True)
        return True
    return asyncio.run(_all(seconds))


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
