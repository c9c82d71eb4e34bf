"""Finds the line of a file that a server's refusal is about."""

from __future__ import annotations

from pathlib import Path

from llmsim.ctl.client import ControlError
from llmsim.errors import LlmsimError


def placed(error: ControlError, name: str, kind: str) -> LlmsimError:
    """The refusal of a file of mocks or of a scenario, with the lines that it is about where they can be found.

    The server judges the file, as it may know more faults and fields than are installed here; it is read here only when
    it was refused there.
    """
    if error.status != 400 or name == "-":
        return error
    try:
        if kind == "scenario":
            from llmsim.server.scenario_files import read

            read(Path(name))
        else:
            from llmsim.server.mock_files import read as read_mocks

            read_mocks(Path(name))
    except LlmsimError as told:
        return told
    return error
