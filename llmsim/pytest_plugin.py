"""The pytest plugin: the fixture `llmsim` gives each test a simulator of its own, and the SDKs their way to it.

It is loaded in every run of pytest where llmsim is installed, so that it imports nothing until a test asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llmsim.testing import Running

_SERVER = pytest.StashKey["Running"]()
_SHOWN = 50


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Takes llmsim out of the packages whose asserts pytest rewrites as they are imported, as it does with plugins'.

    There is nothing to gain, the first run of every installation would take seconds longer, and on Python 3.11 two
    threads that import at once, here the server's and the tests', can fail in it ("AST constructor recursion depth").
    """
    hook: Any = getattr(pluginmanager, "rewrite_hook", None)
    with suppress(AttributeError):  # it is pytest's own affair how it keeps them
        hook._must_rewrite -= {"llmsim", "llmsim_tui"}
        hook._marked_for_rewrite_cache.clear()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers", "llmsim(**settings): the settings of llmsim in this test, as in target_tokens=5; brings the fixture"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test with the marker has the fixture, whether it names it or not."""
    names: list[str] = getattr(item, "fixturenames", [])
    if item.get_closest_marker("llmsim") is not None and "llmsim" not in names:
        names.append("llmsim")


@pytest.fixture(scope="session")
def llmsim_server() -> Iterator[Running]:
    """The server of all tests of this process, on a free port; override it to give it settings it starts with."""
    from llmsim.testing import running

    with running() as server:
        yield server


@pytest.fixture
def llmsim_settings() -> dict[str, Any]:
    """The settings that tests begin with; override it where they are to have their own."""
    return {}


@pytest.fixture
def llmsim(
    llmsim_server: Running, llmsim_settings: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[Running]:
    """The simulator as if it were new: no rules, no requests seen, all counts at nought; the SDKs' environment set."""
    own = dict(llmsim_settings)
    for mark in reversed(list(request.node.iter_markers("llmsim"))):  # a test's own mark after that of its class
        if mark.args:
            raise pytest.UsageError(f"the marker llmsim takes settings by their names: {mark.args[0]!r} has none")
        own |= mark.kwargs
    llmsim_server.reset()
    if own:
        llmsim_server.change(**own)
    request.node.stash[_SERVER] = llmsim_server
    with llmsim_server.environment():
        yield llmsim_server
    llmsim_server.reset()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test that failed tells which requests were seen."""
    report = yield
    server = item.stash.get(_SERVER, None)
    if call.when == "call" and report.failed and server is not None:
        seen = server.requests
        lines = [repr(one) for one in seen[-_SHOWN:]] or ["no request was seen"]
        report.sections.append(("Requests that llmsim saw", "\n".join(lines)))
    return report
