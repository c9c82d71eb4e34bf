"""The `llmsim` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmsim import __version__

if TYPE_CHECKING:
    from llmsim.server.config import Config

EPILOG = """\
examples:
  llmsim serve --port 8080
  llmsim run storm.yaml --then-exit
  llmsim record --upstream openai --tape run.jsonl
  llmsim ctl fault 429 count=3 --for 20s
  llmsim check llmsim.yaml
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit status; 2 for what the operator got wrong."""
    options = _parser().parse_args(arguments)
    from llmsim.errors import LlmsimError

    try:
        return int(options.run(options))
    except LlmsimError as error:
        from llmsim.signs import safe

        print(f"llmsim: {safe(error, lines=True)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


class _Command(argparse.ArgumentParser):
    """A command that learns what it is given when it is asked for, as each loads parts that others do without."""

    filled: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses, with all that belongs to the command."""
        fill, self.filled = self.filled, None
        if fill is not None:
            fill(self)
        return super().parse_known_args(args, namespace)


def _parser() -> argparse.ArgumentParser:
    from llmsim.server.mock_command import add_commands as add_mocks

    parser = argparse.ArgumentParser(
        prog="llmsim",
        description="Simulates the APIs of large language models.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"llmsim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Command)

    def add(name: str, fill: Callable[[argparse.ArgumentParser], None], help: str, more: str) -> None:
        commands.add_parser(name, help=help, description=more).filled = fill

    add("serve", _serve_options, "serve without a console", "Serves the simulated APIs.")
    add("run", _run_options, "serve, play a scenario, tell its outcome", "Serves, plays a scenario and judges clients.")
    add("record", _record_options, "record real APIs to a tape", "Passes requests on to real APIs and records them.")
    add("ctl", _ctl_options, "drive a running server", "Drives a running server.")
    add_mocks(commands)
    add("tape", _tape_options, "show, check, mask, convert and merge tapes", "Tapes: recorded exchanges.")
    add("profile", _profile_options, "fit, show and draw latency profiles", "Latency profiles: how long a model takes.")
    add("check", _check_options, "check a file", "Checks a configuration, a scenario or a file of mocks.")
    return parser


# -- what each is given


def _serve_options(parser: argparse.ArgumentParser) -> None:
    import gc

    gc.disable()  # until the server runs: nothing that is loaded by then is garbage
    from llmsim.server.config import add_options

    add_options(parser, scenario=True)
    parser.add_argument("--record-session", metavar="FILE", help="record the session, for llmsim-tui replay")
    parser.set_defaults(run=_serve)


def _run_options(parser: argparse.ArgumentParser) -> None:
    from llmsim.server.scenario_command import add_arguments

    add_arguments(parser)
    parser.set_defaults(run=_play)


def _record_options(parser: argparse.ArgumentParser) -> None:
    from llmsim.server.record_command import add_arguments

    add_arguments(parser)
    parser.set_defaults(run=_record)


def _ctl_options(parser: argparse.ArgumentParser) -> None:
    from llmsim.ctl import add_options

    add_options(parser)


def _tape_options(parser: argparse.ArgumentParser) -> None:
    from llmsim.taping.command import add_options

    add_options(parser)


def _profile_options(parser: argparse.ArgumentParser) -> None:
    from llmsim.fitting.command import add_options

    add_options(parser)


def _check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="YAML or TOML file; its fields tell what it is")
    parser.set_defaults(run=_check)


# -- what each does


def _serve(options: argparse.Namespace) -> int:
    config = _configured(options)
    from llmsim.server.serve import run, serve

    beside = None
    if config.scenario:
        from llmsim.server.scenario_command import attend

        beside = attend(config)
    if config.workers == 1 and not config.cluster:
        run(serve(config, beside))
    else:
        from llmsim.errors import SettingsError
        from llmsim.server.cluster.hub import Hub

        if config.record_session:
            raise SettingsError(
                "record_session: only a server of one process records itself; "
                "of this one record a console: llmsim-tui --attach URL --record FILE"
            )
        run(serve(config, beside, made=Hub))
    return 0


def _record(options: argparse.Namespace) -> int:
    from llmsim.server import record_command
    from llmsim.server.serve import run, serve

    record = record_command.Record(record_command.options(options))
    options.tapes = record_command.tapes(options)
    run(serve(_alone(_configured(options)), record.beside, record.first))
    record.tell()
    return 0


def _play(options: argparse.Namespace) -> int:
    from llmsim.server.scenario_command import show
    from llmsim.server.serve import run, serve

    played = show(options)
    run(serve(_alone(_configured(options)), played.attend))
    return played.status


def _alone(config: Config) -> Config:
    """The configuration for one process, whatever it says of workers."""
    if config.workers > 1 or config.cluster:
        import logging

        logging.getLogger("llmsim").warning("workers, cluster: this command serves in one process")
    return config.model_copy(update={"workers": 1, "cluster": ""})


def _configured(options: argparse.Namespace) -> Config:
    """The configuration of the options, with the log set up and a word on where it comes from."""
    import logging

    from llmsim.server import logs
    from llmsim.server.config import from_options, strangers

    config, path = from_options(options)
    logs.set_up(config.log_level, config.log_format)
    logger = logging.getLogger("llmsim")
    if path:
        logger.info("configuration from %s", path)
    for name in strangers():
        logger.warning("environment variable %s is no setting; it has no effect", name)
    return config


def _check(options: argparse.Namespace) -> int:
    from llmsim.server import files

    path = Path(options.file)
    values = files.read_any(path).values
    told = ""
    if isinstance(values, dict) and values.keys() & {"phases", "steps", "expect", "clients"}:
        from llmsim.server import scenario_files

        found = scenario_files.read(path)
        told = f": a scenario of {found.length:g} s"
    elif _mocks(values):
        from llmsim.server import mock_files

        count = len(mock_files.read(path))
        told = f": {count} {'mock' if count == 1 else 'mocks'}"
    else:
        from llmsim.server.config import load

        load(path)
    print(f"{options.file}: valid{told}")
    return 0


def _mocks(values: Any) -> bool:
    """Whether it is a file of mocks: a list of them, or a mapping with nothing else."""
    if isinstance(values, dict):
        return values.keys() == {"mocks"}
    return isinstance(values, list) and all(isinstance(one, dict) for one in values)
