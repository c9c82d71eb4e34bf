"""`llmsim ctl` against a server that is none, is another version's, or means ill: a sentence, and nothing obeyed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmsim import cli
from llmsim.ctl import client

TEXT = "\x1b]0;x\x07\u202eabc\x1b[8m\nundone: nothing"
NAMES = (
    "id name kind text message version address summary undone redone reset state phase problem requests live tokens"
    " exchanges limits buckets lines results holds told tape mode settings revision time who number"
).split()
COMMANDS = (
    "status;fault list;fault arm 429;mock list;mock show x;limit list;journal;verdict;changes;settings;undo;redo;"
    "show 1;scenario status;scenario record;verify model:x;record;replay;reset;act 1 pause;events;journal export"
).split(";")
ANSWERS = {
    "nothing": b"null",
    "a number": b"1",
    "a text": b'"x"',
    "a list": b"[null]",
    "an object": b"{}",
    "objects": b"[{}]",
    "very deep": b"[" * 100_000 + b"]" * 100_000,
    "a number of 6,000 digits": b"9" * 6000,
    "no JSON": b"\xff\xfehello",
    "texts that steer": json.dumps(dict.fromkeys(NAMES, TEXT)).encode(),
    "lists of them": json.dumps([dict.fromkeys(NAMES, TEXT)]).encode(),
    "objects for texts": json.dumps({name: {TEXT: [None]} for name in NAMES}).encode(),
}

Answer = Callable[..., None]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    """Says what the server answers to everything."""
    told = {"body": b"", "status": 200, "kind": "application/json"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(int(told["status"]))
            self.send_header("content-type", str(told["kind"]))
            self.end_headers()
            self.wfile.write(bytes(told["body"]))  # type: ignore[call-overload]

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("LLMSIM_URL", f"http://127.0.0.1:{server.server_port}")
        yield lambda **said: told.update(said)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "status"), [*((name, 200) for name in ANSWERS), ("very deep", 400), ("texts that steer", 400)]
)
def test_whatever_it_answers_is_shown_or_told_of_in_a_sentence(
    answer: Answer, capsys: pytest.CaptureFixture[str], name: str, status: int
) -> None:
    answer(body=ANSWERS[name], status=status)
    for command in COMMANDS:
        for more in ([], ["--json"]):
            code = cli.main(["ctl", *command.split(), *more])
            out, err = capsys.readouterr()
            assert code in (0, 1, 2), command
            assert (out + err).replace("\n", "").replace("\t", "").isprintable(), (command, out, err)
            assert not err or err.startswith("llmsim: "), (command, err)


def test_another_versions_answer_is_told_with_what_was_wrong(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(body=b"{}")
    assert cli.main(["ctl", "undo"]) == 2
    assert "answers otherwise than llmsim " in (err := capsys.readouterr().err)
    assert "(KeyError: 'undone'); --json prints what it answers" in err


def test_an_answer_without_an_end_is_not_read_for_ever(
    answer: Answer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LONGEST", 1 << 20)
    for status in (200, 500):
        answer(body=b'"' + b"a" * (2 << 20), status=status)
        assert cli.main(["ctl", "status"]) == 2
        assert "the server's answer is longer than 1 MB" in capsys.readouterr().err


def test_a_line_of_events_without_an_end_is_read_in_parts(
    answer: Answer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LONGEST_LINE", 1 << 10)
    answer(body=b": llmsim\n\nid: 1\ndata: " + b'{"text": "' + b"a" * (1 << 20), kind="text/event-stream")
    assert cli.main(["ctl", "events"]) == 2
    assert "no JSON" in capsys.readouterr().err
