"""The console in a real terminal: however it ends, the terminal is as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest

ALTERNATE_ON, ALTERNATE_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_OFF, CURSOR_ON = b"\x1b[?1000l", b"\x1b[?25h"


class Terminal:
    """A pseudo-terminal of 80x24 with the console in it."""

    def __init__(self, *arguments: str, controls: bool = False) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmsim_tui", "--port", "0", *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=self._control if controls else None,
        )

    def _control(self) -> None:
        """Makes this the terminal of the process's session, as it is in a window."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read_until(self, seen: Callable[[bytes], bool], seconds: float = 60) -> None:
        """Reads what is drawn until it is seen, or the process has ended and nothing more comes."""
        waited = 0.0
        while not seen(self.shown) and waited < seconds:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                self.shown += os.read(self.master, 65536)
            elif self.process.poll() is not None:
                return
            else:
                waited += 0.1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def press_q(terminal: Terminal) -> None:
    os.write(terminal.master, b"q")


def press_ctrl_c(terminal: Terminal) -> None:
    os.write(terminal.master, b"\x03")


def terminate(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGTERM)


def interrupt(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGINT)


def hang_up(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("leave", [press_q, press_ctrl_c, terminate, interrupt, hang_up])
def test_leaving_restores_the_terminal(leave: Callable[[Terminal], None]) -> None:
    terminal = Terminal()
    try:
        terminal.read_until(lambda shown: ALTERNATE_ON in shown and b"127.0.0.1" in shown)
        leave(terminal)
        terminal.read_until(lambda shown: False)
        assert terminal.process.wait(30) == 0, terminal.shown[-2000:]
        assert ALTERNATE_OFF in terminal.shown
        assert MOUSE_OFF in terminal.shown
        assert terminal.shown.rindex(CURSOR_ON) > terminal.shown.rindex(b"\x1b[?25l")
        assert b"Traceback" not in terminal.shown
        assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    finally:
        terminal.close()


@pytest.mark.parametrize("controls", [True, False], ids=["a signal tells", "no signal tells"])
def test_a_terminal_that_is_gone_ends_the_console_and_all_of_it(controls: bool) -> None:
    terminal = Terminal(controls=controls)
    try:
        terminal.read_until(lambda shown: ALTERNATE_ON in shown and b"127.0.0.1" in shown)
        os.close(terminal.slave)
        os.close(terminal.master)  # as a closed window does
        terminal.process.wait(60)
    finally:
        terminal.master, terminal.slave = os.pipe()
        terminal.close()


def test_a_port_in_use_is_said_before_the_screen_opens() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        terminal = Terminal("--port", str(port))
        try:
            terminal.read_until(lambda shown: False)
            assert terminal.process.wait(30) == 2
            assert f"cannot listen on 127.0.0.1:{port}".encode() in terminal.shown
            assert ALTERNATE_ON not in terminal.shown
        finally:
            terminal.close()


def test_a_bad_configuration_is_said_before_the_screen_opens(tmp_path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("target_tokens: many\n")
    terminal = Terminal("--config", str(file))
    try:
        terminal.read_until(lambda shown: False)
        assert terminal.process.wait(30) == 2
        assert b"bad.yaml line 1: target_tokens: 'many' is not allowed" in terminal.shown.replace(b"\r\n", b"")
        assert ALTERNATE_ON not in terminal.shown
    finally:
        terminal.close()


def test_without_a_terminal_it_says_what_to_use_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llmsim_tui"], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2
    assert b"llmsim serve" in done.stderr


def test_a_console_that_fails_leaves_a_sentence_and_no_traceback_on_the_terminal(tmp_path, monkeypatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from llmsim_tui.screens.live import Live\nLive.on_key = lambda self, event: 1 / 0\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    terminal = Terminal()
    try:
        terminal.read_until(lambda shown: ALTERNATE_ON in shown and b"127.0.0.1" in shown)
        os.write(terminal.master, b"w")
        terminal.read_until(lambda shown: False)
        assert terminal.process.wait(30) == 1
        assert ALTERNATE_OFF in terminal.shown
        assert b"Traceback" not in terminal.shown
        assert b"ZeroDivisionError" in terminal.shown.rpartition(ALTERNATE_OFF)[2]
        assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
        (kept,) = tmp_path.glob("llmsim-tui-*.log")
        assert "Traceback" in kept.read_text()
    finally:
        terminal.close()
