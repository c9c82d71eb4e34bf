"""The commands of `llmsim ctl`: which there are, and what each is given."""

from __future__ import annotations

import argparse
import os
import sys

from llmsim import __version__
from llmsim.ctl import events, faults, journal, limits, mocks, record, replay, scenario, state, verify
from llmsim.ctl.client import URL, Client, ControlError
from llmsim.ctl.command import Commands, Handler, Spoken
from llmsim.ctl.page import Page
from llmsim.errors import LlmsimError

EPILOG = """\
examples:
  llmsim ctl status
  llmsim ctl settings target_tokens=50 latency_profile=fast
  llmsim ctl fault 429 count=3 retry_after=1 scope=model:gpt* --for 20s
  llmsim ctl journal status:429 --limit 50
  llmsim ctl verify path:/v1/chat/completions --times ">=1"

Faults, scopes and matches are written as everywhere in llmsim. The exit status is 0 when it was done, 1 when what was
expected was not met, 2 when it could not be done. `llmsim ctl COMMAND --help` tells more of each command.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the commands to the parser of `llmsim ctl`; its `run` gives the exit status."""
    parser.description = "Drives a running llmsim server through its control API."
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    shared = _shared()
    for action in shared._actions:
        parser._add_action(action)
    added = parser.add_subparsers(dest="what", required=True, metavar="COMMAND", parser_class=Spoken)
    commands = Commands(added, shared)
    for part in (state, faults, mocks, limits, journal, verify, scenario, record, replay, events):
        part.add(commands)
    parser.set_defaults(run=run)


def _shared() -> argparse.ArgumentParser:
    """What may stand before the command and behind it."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--url", metavar="URL", help=f"the server (default: LLMSIM_URL, else {URL})")
    shared.add_argument(
        "--token", metavar="TOKEN", help="its control token, for a server elsewhere (default: LLMSIM_CONTROL_TOKEN)"
    )
    shared.add_argument("--json", action="store_true", help="print the control API's JSON")
    return shared


def run(options: argparse.Namespace) -> int:
    """Does what the options say; raises LlmsimError in one sentence."""
    url = getattr(options, "url", None) or os.environ.get("LLMSIM_URL") or URL
    token = getattr(options, "token", None) or os.environ.get("LLMSIM_CONTROL_TOKEN", "")
    page = Page(getattr(options, "json", False))
    handler: Handler = options.handler
    try:
        status = handler(Client(url, token), page, options)
        page.to.flush()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, LlmsimError):
            raise
        what = f"{type(error).__name__}: {error}"[:200]
        raise ControlError(
            f"{url} answers otherwise than llmsim {__version__} does ({what}); --json prints what it answers"
        ) from error
    except BrokenPipeError:
        # Whoever reads has seen enough; what is still buffered must not be told of at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status
