"""`llmsim-tui`: the console, with the server in its own event loop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what takes long to import is imported where Ctrl+C is already looked after
    from llmsim.server.config import Config
    from llmsim_tui.app import LlmsimApp


_PATIENCE = 4.0
"""Seconds that the replies under way and the console get to end after the window was closed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Opens the console; 2 for what the operator got wrong, said before the screen opens; 1 when it failed."""
    try:
        status = _open(arguments)
        sys.stdout.flush()
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except BrokenPipeError:  # `| head` has read enough; what is left in the buffer must not be tried again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    return status


def _open(arguments: Sequence[str] | None) -> int:
    from llmsim.errors import LlmsimError
    from llmsim.server.config import from_options

    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["theme"]:
        from llmsim_tui.contrast import command

        return command(given[1:])
    if given == ["keys"]:
        from llmsim_tui.keymap import listing

        print(listing())
        return 0
    replays = given[:1] == ["replay"]
    options = (_replay_parser() if replays else _parser()).parse_args(given[replays:])
    try:
        alone = replays or options.attach is not None
        config = None if alone else from_options(options)[0]
        if not replays and options.web:
            return _serve_web(options)
        browser = "web_driver" in os.environ.get("TEXTUAL_DRIVER", "")
        if not browser and not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise LlmsimError("the console needs a terminal; to serve without one: llmsim serve")
        report = _wanted(options.report)
        if replays:
            run = _run_replay(options, report)
        elif config is None:
            run = _run_attached(options, report)
        else:
            run = _run(config, options, report)
        problem = asyncio.run(run)
    except LlmsimError as error:
        print(f"llmsim-tui: {error}", file=sys.stderr)
        return 2
    if problem is not None:
        print(f"llmsim-tui: {_report(problem)}", file=sys.stderr)
    return 0 if problem is None else 1


def _serve_web(options: argparse.Namespace) -> int:
    """Serves the attached console to browsers."""
    from llmsim.errors import LlmsimError
    from llmsim_tui import attached, web

    if options.attach is None:
        raise LlmsimError("--web: it serves an attached console, as every tab is a process: add --attach URL")

    async def look() -> None:
        await (await attached.attach(options)).stop()

    asyncio.run(look())  # what is wrong with the server is told here, not in a browser
    return web.serve(options, *attached.where(options))


def _wanted(path: str | None) -> Path | None:
    """The file that the report of the session is to be written to."""
    if path is None:
        return None
    from llmsim_tui.report import checked

    return checked(path)


async def _leave(app: LlmsimApp, report: Path | None) -> None:
    """Writes the report of the session, where one is wanted, and says where it is."""
    if report is None:
        return
    from llmsim.errors import LlmsimError
    from llmsim_tui.report import write

    try:
        files = await write(app.backend, report, app.last_picture)
    except (LlmsimError, OSError) as error:
        print(f"llmsim-tui: no report was written: {error}", file=sys.stderr)
    else:
        print(f"llmsim-tui: the session is told in {', '.join(str(file) for file in files)}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    from llmsim import __version__
    from llmsim.server.config import add_options
    from llmsim_tui.attached import add_options as add_attached

    parser = argparse.ArgumentParser(prog="llmsim-tui", description="The console, with the server inside it.")
    parser.add_argument("--version", action="version", version=f"llmsim-tui {__version__}")
    parser.add_argument("--theme", metavar="NAME", default="night", help="colours: night, day or a file's own")
    parser.add_argument(
        "--report", metavar="FILE", help="what the session was, on leaving: .md with a picture, or .svg"
    )
    parser.add_argument("--record", metavar="FILE", help="record the session for llmsim-tui replay; .gz packs it")
    add_attached(parser)
    add_options(parser, scenario=True)
    return parser


def _replay_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmsim-tui replay", description="Shows a recorded session.")
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="what --record, R or llmsim serve --record-session wrote"
    )
    parser.add_argument("--speed", metavar="X", type=_speed, default=1.0, help="how fast it plays (default: 1)")
    parser.add_argument("--theme", metavar="NAME", default="night", help="colours: night, day or a file's own")
    parser.add_argument(
        "--report", metavar="FILE", help="what the session was, on leaving: .md with a picture, or .svg"
    )
    return parser


def _speed(told: str) -> float:
    speed = float(told)
    if not 0.01 <= speed <= 100:
        raise argparse.ArgumentTypeError(f"{told} is not allowed: it is from 0.01 to 100")
    return speed


async def _run(config: Config, options: argparse.Namespace, report: Path | None = None) -> Exception | None:
    """Server first, then the screen; when the screen goes, the server ends its replies in good order.

    Gives what ended the console, None where it was left.
    """
    from llmsim.server.config import strangers
    from llmsim.server.serve import Runner
    from llmsim_tui.app import LlmsimApp
    from llmsim_tui.local import LocalBackend

    scenario = None
    if config.scenario:
        from llmsim.server import scenario_files

        scenario = scenario_files.read(Path(config.scenario))
    runner = Runner(config)
    runner.bind()
    app = LlmsimApp(LocalBackend(runner.simulator, runner.address, runner.control), theme=options.theme, forgiving=True)
    app.keeps_picture = report is not None
    _end_with(app)
    _log_to(runner.simulator.events.add, config.log_level)
    await runner.start()
    runner.tidy()
    if scenario is not None:
        runner.control.begin_scenario(scenario)
    for name in strangers():
        runner.simulator.events.add("warning", f"environment variable {name} is no setting; it has no effect")
    try:
        await _show(app, options.record, report)
    finally:
        await runner.stop(grace=min(config.grace_s, 1.0))
        if (tape := runner.recorded) is not None:
            print(f"llmsim-tui: {tape['exchanges']} exchanges were recorded to {tape['tape']}", file=sys.stderr)
    return app.failure


async def _run_attached(options: argparse.Namespace, report: Path | None = None) -> Exception | None:
    """The screen alone, over a server that runs elsewhere."""
    from llmsim_tui.app import LlmsimApp
    from llmsim_tui.attached import attach

    backend = await attach(options)
    app = LlmsimApp(backend, theme=options.theme, forgiving=True)
    app.keeps_picture = report is not None
    _end_with(app)
    _log_to(backend.logged, "warning")
    backend.start()
    try:
        await _show(app, options.record, report)
    finally:
        await backend.stop()
    return app.failure


async def _run_replay(options: argparse.Namespace, report: Path | None) -> Exception | None:
    """The screen over a recorded session."""
    from llmsim.views import session
    from llmsim_tui.app import LlmsimApp
    from llmsim_tui.replay import ReplayBackend

    backend = ReplayBackend(session.read(options.file), speed=options.speed)
    app = LlmsimApp(backend, theme=options.theme, forgiving=True)
    app.keeps_picture = report is not None
    _end_with(app)
    await _show(app, None, report)
    return app.failure


async def _show(app: LlmsimApp, record: str | None, report: Path | None) -> None:
    """The screen until it is left, recorded where that is wanted; then the report."""
    if record:
        app.recorder = app.recording(record)
    try:
        await app.run_async()
    finally:
        if app.recorder is not None:
            app.recorder.frame()
            app.recorder.stop()
            print(f"llmsim-tui: the session was recorded into {app.recorder.path}", file=sys.stderr)
    await _leave(app, report)


def _end_with(app: LlmsimApp) -> None:
    """Ends the console with a signal, or with its window."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, app.exit)
    _end_with_the_window(app, loop)


def _end_with_the_window(app: LlmsimApp, loop: asyncio.AbstractEventLoop) -> None:
    """Ends the process when its window is closed, in good order if that can be, and else all the same.

    Without a terminal Textual's threads may wait for ever: its writer has died of the first write, the loop waits for
    room in the writer's queue, and the reader goes round at the end of its file.
    """

    def hung_up(*_: object) -> None:
        loop.call_soon_threadsafe(app.exit)
        last = threading.Timer(_PATIENCE, os._exit, (0,))
        last.daemon = True
        last.start()

    def watch() -> None:
        """Sees the window go where no signal tells of it: `make`, for one, keeps it to itself."""
        terminal = select.poll()
        terminal.register(0, 0)
        if any(event & select.POLLHUP for _, event in terminal.poll()):
            hung_up()

    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, hung_up)
    if hasattr(select, "poll") and os.isatty(0):
        threading.Thread(target=watch, name="window", daemon=True).start()


def _report(problem: Exception) -> str:
    """Keeps the whole story in a file, as a terminal is no place for it, and says where."""
    import tempfile
    import traceback

    story = "".join(traceback.format_exception(problem))
    with tempfile.NamedTemporaryFile("w", prefix="llmsim-tui-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(story)
    return (
        f"the console failed and the server ended with it: {problem!r}\n"
        f"The whole story is in {file.name}; without a console: llmsim serve"
    )


def _log_to(events: Callable[[str, str, str], object], level: str) -> None:
    """Sends what would be logged to the console's event list: a line on stderr would be painted over the screen."""
    handler = _EventHandler(events)
    for name in ("llmsim", "uvicorn", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper() if name == "llmsim" else logging.WARNING)


class _EventHandler(logging.Handler):
    """Writes records into the event log, errors with the last line of their traceback."""

    def __init__(self, events: Callable[[str, str, str], object]) -> None:
        super().__init__()
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one event."""
        cause = f": {record.exc_info[1]!r}" if record.exc_info and record.exc_info[1] else ""
        kind = "error" if record.levelno >= logging.ERROR else "log"
        self._events(kind, record.getMessage() + cause, "log")


if __name__ == "__main__":
    raise SystemExit(main())
