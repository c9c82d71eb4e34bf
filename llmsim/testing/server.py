"""A server on a free port of this process, in a thread of its own, for as long as a `with` block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from pydantic import ValidationError

from llmsim.errors import SettingsError
from llmsim.server.config import Config
from llmsim.server.serve import Runner
from llmsim.settings import Settings, explain
from llmsim.simulator import Simulator
from llmsim.testing.controls import Controls
from llmsim.testing.environment import pointing_to, variables
from llmsim.testing.thread import LoopThread

T = TypeVar("T")

USUAL: Mapping[str, Any] = {"port": 0, "latency_profile": "instant"}
"""What a server for tests has where nothing else is said: any free port, and replies that come at once."""


class Running(Controls):
    """A server that runs within a `with` or `async with` block; its journal can be looked at afterwards too."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._given = {**USUAL, **settings}
        self._thread = LoopThread("llmsim server")
        self._runner: Runner | None = None
        self._first: Mapping[str, Any] = {}

    # -- its life

    def start(self) -> None:
        """Returns when requests are answered; raises SettingsError, or ServeError where the port cannot be had."""
        if self._runner is not None:
            raise RuntimeError("a server runs once: ask llmsim.running() for another")
        try:
            config = Config(**self._given)
        except ValidationError as error:
            raise SettingsError(explain(error)) from None
        self._thread.start()
        try:
            self._runner = self._thread.run(self._begin(config))
        except BaseException:
            self._thread.stop()
            raise
        settings = self._runner.simulator.settings
        self._first = {name: getattr(settings, name) for name in Settings.model_fields}

    async def _begin(self, config: Config) -> Runner:
        runner = Runner(config)
        await runner.start()
        return runner

    def stop(self) -> None:
        """Ends the replies under way, closes the port, ends the thread."""
        if self._runner is None or not self._thread.alive:
            return
        try:
            self._thread.run(self._runner.stop(grace=0))
        finally:
            self._thread.stop()

    def __enter__(self) -> Running:
        """Starts it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Running:
        """The same for `async with`, whatever runs the loop; as it starts and stops that loop waits, a moment."""
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    # -- where it is

    def _known(self) -> Runner:
        if self._runner is None:
            raise RuntimeError("the server does not run yet: with llmsim.running() as sim")
        return self._runner

    @property
    def url(self) -> str:
        """The root of every API, as in `http://127.0.0.1:41234`."""
        return self._known().url

    @property
    def openai_url(self) -> str:
        """What OpenAI's clients take as their `base_url`."""
        return f"{self.url}/v1"

    @property
    def env(self) -> dict[str, str]:
        """The environment variables by which the SDKs find it, with keys that fit; for another process, say."""
        return variables(self.url)

    def environment(self) -> AbstractContextManager[None]:
        """Sets these variables for a block, without the real keys beside them, and puts all back at its end."""
        return pointing_to(self.url)

    @property
    def simulator(self) -> Simulator:
        """The simulator itself; it lives in the server's thread, so change it by the methods here."""
        return self._known().simulator

    def _do(self, work: Callable[[], T]) -> T:
        self._known()
        return self._thread.call(work)

    def _end_all(self) -> None:
        runner = self._known()
        runner.control.stop_scenario()
        runner.app.desk.finish()


def running(**settings: Any) -> Running:
    """A server on a free port of this process, for `with` or `async with`: `with llmsim.running() as sim:`.

    `settings` are those of a configuration file; the environment is not asked. Unless they say otherwise replies come
    at once. The server has a thread and a loop of its own, so clients may be of any kind. On entering, SettingsError is
    raised for settings that cannot be.
    """
    return Running(settings)
