"""`llmsim record` says what it cannot do before it does anything."""

import argparse

import pytest

from llmsim.cli import main
from llmsim.server.record_command import add_arguments, options


def parsed(*flags):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(flags)


def test_flags_are_the_fields_of_a_recording():
    flags = (
        "--upstream",
        "openai",
        "--upstream",
        "vllm=http://a/v1",
        "--tape",
        "t.jsonl",
        "--mask-pattern",
        "A-[0-9]+",
    )
    told = options(parsed(*flags, "--inject-keys", "never", "--body-limit", "4096", "--phone-region", "de"))
    assert told.upstreams == {"openai": "https://api.openai.com", "vllm": "http://a/v1"}
    assert (told.mask_patterns, told.phone_regions, told.body_limit) == (("A-[0-9]+",), ("de",), 4096)
    assert (told.tape, told.inject_keys, told.tape_bytes) == ("t.jsonl", "never", 8 << 30)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--upstream", "vllm"), "--upstream: 'vllm' has no address"),
        (("--upstream", "openai", "--upstream", "openai=http://a"), "--upstream: openai is given twice"),
        (("--upstream", "a=ftp://b"), "'ftp://b' is no address"),
        (("--upstream", "a=http://b", "--body-limit", "1"), "body_limit"),
        (("--upstream", "a=http://b", "--mask-pattern", "(", "--port", "0"), "mask pattern"),
        (("--upstream", "a=http://b", "--phone-region", "ZZ", "--port", "0"), "phone region"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(tmp_path, capsys, flags, why):
    assert main(["record", "--tape", str(tmp_path / "run.jsonl"), *flags]) == 2
    told = capsys.readouterr().err
    assert why in told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())


def test_the_help_names_each_flag(capsys):
    with pytest.raises(SystemExit):
        main(["record", "--help"])
    told = capsys.readouterr().out
    for flag in ("--upstream", "--tape", "--inject-keys", "--mask-pattern", "--tape-bytes"):
        assert flag in told
