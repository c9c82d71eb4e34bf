"""The `llmsim` command."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from llmsim import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit status; 2 for what the operator got wrong."""
    options = _parser().parse_args(arguments)
    from llmsim.errors import LlmsimError

    try:
        return int(options.run(options))
    except LlmsimError as error:
        print(f"llmsim: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from llmsim.server.config import add_options

    parser = argparse.ArgumentParser(prog="llmsim", description="Simulates the APIs of large language models.")
    parser.add_argument("--version", action="version", version=f"llmsim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve without a console", description="Serves the simulated APIs.")
    add_options(serve)
    serve.set_defaults(run=_serve)
    check = commands.add_parser("check", help="check a configuration file", description="Checks a configuration.")
    check.add_argument("file", metavar="FILE", help="YAML or TOML file")
    check.set_defaults(run=_check)
    return parser


def _serve(options: argparse.Namespace) -> int:
    gc.disable()  # until the server runs: nothing that is loaded by then is garbage
    from llmsim.server.config import from_options, strangers
    from llmsim.server.serve import serve

    config, path = from_options(options)
    logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logger = logging.getLogger("llmsim")
    if path:
        logger.info("configuration from %s", path)
    for name in strangers():
        logger.warning("environment variable %s is no setting; it has no effect", name)
    _run(serve(config))
    return 0


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Runs on uvloop where it is installed, which is faster at whole replies."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def _check(options: argparse.Namespace) -> int:
    from llmsim.server.config import load

    load(Path(options.file))
    print(f"{options.file}: valid")
    return 0
