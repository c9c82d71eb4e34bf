"""Records what a server shows into a file, four times a second, for `llmsim-tui replay`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from llmsim.server.control import Control
from llmsim.views.masked import MaskedView
from llmsim.views.recording import PACE, Recorder

logger = logging.getLogger("llmsim")


class SessionFile:
    """A recording under way; raises SettingsError where the file cannot be written."""

    def __init__(self, control: Control, path: str) -> None:
        self._clock = control.simulator.clock
        view = MaskedView(control.simulator, control)
        self._recorder = Recorder(view, Path(path).expanduser(), control.address.partition("://")[2])
        self._timer: Any = None
        self._next()

    def _next(self) -> None:
        self._recorder.frame()
        if self._recorder.problem:
            logger.warning("%s", self._recorder.problem)
        if not self._recorder.over:
            self._timer = self._clock.call_at(self._clock.now() + PACE, self._next)

    def stop(self) -> None:
        """Writes the last line and closes the file."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._recorder.over:
            self._recorder.frame()
            self._recorder.stop()
            logger.info("recorded the session into %s", self._recorder.path)
