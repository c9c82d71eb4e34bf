"""`llmsim tape` as its user meets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from replaying import SETTINGS, chat, message
from taped import recorded

from llmsim import signs
from llmsim.cli import main
from llmsim.tapes import Tape, Writer
from llmsim.tapes.masking import Masker

Out = pytest.CaptureFixture[str]


@pytest.fixture
def tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    writer = Writer("run.jsonl")
    for take in recorded(SETTINGS, chat("Write to ada@example.com", stream=True), message("Hi")):
        writer.write(take)
    writer.close()
    return tmp_path / "run.jsonl"


def test_a_tape_is_listed_and_one_take_shown(tape: Path, capsys: Out) -> None:
    assert main(["tape", "show", "run.jsonl"]) == 0
    told = capsys.readouterr().out
    assert "POST /v1/chat/completions" in told
    assert "claude-sonnet-4-5-20250929" in told
    assert main(["tape", "show", "run.jsonl", "1"]) == 0
    told = capsys.readouterr().out
    assert "> POST /v1/chat/completions" in told
    assert "< 200 after " in told
    assert ' ms  data: {"id":"chatcmpl-' in told
    assert main(["tape", "show", "run.jsonl", "3"]) == 2
    assert "there is no take 3" in capsys.readouterr().err
    assert main(["tape", "show", "run.jsonl", "--limit", "1"]) == 0
    assert "1 more takes; --limit shows them" in capsys.readouterr().out


def test_what_would_steer_a_terminal_is_shown(tape: Path, capsys: Out) -> None:
    (take, *_) = Tape(tape)
    writer = Writer("evil.jsonl")
    writer.write(replace(take, request_body=b"\x1b[2Jgone", path="/v1/\x07x", dialect=""))
    writer.close()
    for words in (["evil.jsonl"], ["evil.jsonl", "1"]):
        assert main(["tape", "show", *words]) == 0
        told = capsys.readouterr().out
        assert "\x1b[2J" not in told
        assert "\x07" not in told


HOSTILE = (
    "\x1b]0;owned\x07",
    "\u202eabc",
    "\x9b31m",
    "[/foo]",
    "[link=http://evil]a[/link]",
    ":smile:",
    "a\nb",
    "\x00",
    "%s{0}",
)
FIELDS = ("id", "method", "path", "query", "upstream", "dialect", "error")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_tape_holds_it_is_shown_and_not_obeyed(text: str, tape: Path, capsys: Out) -> None:
    (take, *_) = Tape(tape)
    writer = Writer("evil.jsonl")
    for field in FIELDS:
        writer.write(replace(take, **{"id": field, field: text}))
    writer.write(replace(take, id="h", headers=((text, text),), request_headers=((text, text),)))
    body = orjson.dumps({"model": text, "messages": [{"role": "user", "content": text}]})
    writer.write(replace(take, id="b", request_body=body, request_headers=()))
    writer.close()
    told = ""
    takes = [["show", "evil.jsonl", str(number)] for number in range(1, len(FIELDS) + 3)]
    converted = [["convert", "evil.jsonl", "-o", name] for name in ("evil.har", "evil.yaml", "evil.json")]
    for words in (["show", "evil.jsonl"], *takes, ["check", "evil.jsonl"], *converted):
        assert main(["tape", *words]) in (0, 1)
        output = capsys.readouterr()
        assert signs.seen((output.out + output.err).replace("\t", ""))
        told += output.out
    assert signs.safe(text) in told


def test_check_says_what_is_not_masked_and_mask_does_it(tape: Path, capsys: Out) -> None:
    assert main(["tape", "check", "run.jsonl"]) == 1
    told = capsys.readouterr().out
    assert "run.jsonl: 2 takes in " in told
    assert "APIs: openai_chat 1, anthropic_messages 1" in told
    assert "take 1, POST /v1/chat/completions: " in told
    assert "are not masked" in told
    assert main(["tape", "mask", "run.jsonl", "-o", "masked.jsonl.gz", "--mask-pattern", "Write"]) == 0
    assert "masked.jsonl.gz: 2 takes, " in capsys.readouterr().out
    (take, _) = Tape("masked.jsonl.gz")
    assert b"ada@" not in take.request_body
    assert b"Write" not in take.request_body
    assert main(["tape", "check", "masked.jsonl.gz", "--mask-pattern", "Write"]) == 0
    assert main(["tape", "check", "run.jsonl", "--no-secrets"]) == 0


@pytest.mark.parametrize(
    ("name", "what"), [("run.har", "entries"), ("run.yaml", "interactions"), ("run.json", "takes as fixtures")]
)
def test_what_is_converted_is_masked(tape: Path, capsys: Out, name: str, what: str) -> None:
    assert main(["tape", "convert", "run.jsonl", "-o", name]) == 0
    assert f"{name}: 2 {what}, " in capsys.readouterr().out
    assert "ada@" not in Path(name).read_text()
    assert Path(name).stat().st_mode & 0o777 == 0o600
    if name != "run.json":
        assert main(["tape", "convert", name, "-o", "back.jsonl"]) == 0
        first, second = Tape("back.jsonl")
        assert (first.dialect, second.dialect) == ("openai_chat", "anthropic_messages")
        masked = Masker().take(next(iter(Tape(tape))))
        assert first.body == masked.body


def test_tapes_are_merged(tape: Path, capsys: Out) -> None:
    assert main(["tape", "convert", "run.jsonl", "-o", "run.har"]) == 0
    assert main(["tape", "merge", "run.jsonl", "run.har", "-o", "both.jsonl"]) == 0
    assert "both.jsonl: 4 takes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["convert", "run.jsonl", "-o", "run.jsonl"], "the file that is read cannot be the one that is written"),
        (
            ["convert", "run.jsonl", "-o", "run.txt"],
            "--to names one of tape, har, vcr, aimock",
        ),
        (["convert", "none.har", "-o", "a.jsonl"], "there is no such tape"),
        (["mask", "run.jsonl", "-o", "a.jsonl", "--mask-pattern", "("], "missing"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(tape: Path, capsys: Out, words: list[str], sentence: str) -> None:
    assert main(["tape", *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.startswith("llmsim: ")
