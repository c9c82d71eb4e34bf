"""Keys of one's own: taken from a file as a whole, shown everywhere, refused in words where they cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
import yaml
from llmsim_tui import keymap
from llmsim_tui.commands import TABLE, listed, use
from llmsim_tui.screens.latency import Latency
from tui.stage import stage

from llmsim.errors import SettingsError


def test_every_command_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(one.id for one in TABLE).items() if count > 1] == []


def test_the_listing_is_a_file_that_changes_nothing() -> None:
    told = yaml.safe_load(keymap.listing())
    assert keymap.checked(told) == {one.id: one.keys for one in TABLE if "{key}" not in one.action}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("live.frieze: f", "there is no command 'live.frieze'; the nearest is live.freeze"),
        ("live.freeze: 7", "live.freeze: 7 is not allowed: keys are such as"),
        ("live.freeze: l", "l would be both live.open-latency and live.freeze"),
        ("[a]", "keys are a mapping"),
        ("a: [", "not readable as YAML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_as_a_whole(text: str, words: str) -> None:
    keymap.usual().parent.mkdir(parents=True, exist_ok=True)
    keymap.usual().write_text(text)
    with pytest.raises(SettingsError) as raised:
        keymap.load()
    assert words in str(raised.value)


async def test_keys_of_ones_own_work_and_are_shown() -> None:
    keymap.usual().parent.mkdir(parents=True, exist_ok=True)
    keymap.usual().write_text("live.open-latency: ctrl+l\nlive.freeze: f\nlist.follow: end\n")
    try:
        async with stage((120, 40)) as console:
            assert "ctrl+l latency" in console.text()
            await console.press("f")
            assert "FROZEN" in console.text()
            await console.press("space", "f", "l")
            assert not isinstance(console.app.screen, Latency)
            await console.press("ctrl+l")
            assert isinstance(console.app.screen, Latency)
    finally:
        use({})
    assert next(one for one in listed("live", False) if one.action == "freeze").keys == "space"


async def test_a_wrong_file_leaves_the_usual_keys_and_says_why() -> None:
    keymap.usual().parent.mkdir(parents=True, exist_ok=True)
    keymap.usual().write_text("live.nothing: f")
    async with stage((100, 30)) as console:
        assert "Keys as usual: keys.yaml: there is no command 'live.nothing'" in console.toasts()[-1]
        await console.press("l")
        assert isinstance(console.app.screen, Latency)


def test_a_listing_whose_reader_has_seen_enough_ends_without_a_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "llmsim_tui", "keys"], stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
